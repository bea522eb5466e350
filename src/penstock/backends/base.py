"""The interface of backends, and the recorder for those that only have ``span()``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextvars import Context, ContextVar, copy_context
from typing import TYPE_CHECKING, Any

from .log_fields import step_fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from penstock._context import Call, FlowContext
    from penstock._runtime.state import Recorder

__all__ = ["TracingBackend", "outcome_of", "recorder_for", "span_attributes"]

_SPAN_ATTRIBUTES = (
    "correlation_id",
    "root_id",
    "parent_id",
    "run_id",
    "call_id",
    "parent_call_id",
    "parent_step",
    "sent_at",
    "service",
)


class TracingBackend(ABC):
    """Records the steps of flows. Subclass it to send them wherever you like.

    >>> from contextlib import contextmanager
    >>> import penstock
    >>> class PrintBackend(penstock.TracingBackend):
    ...     @contextmanager
    ...     def span(self, step_name, flow_name, **attrs):
    ...         print("begin", flow_name, step_name)
    ...         yield
    ...         print("end", step_name)
    ...
    ...     def get_correlation_id(self):
    ...         return penstock.current_flow_id() or ""
    >>> penstock.configure(PrintBackend())
    """

    def enabled(self) -> bool:
        """Tell whether spans are wanted now. Asked before any work is done."""
        return True

    @abstractmethod
    def span(
        self, step_name: str, flow_name: str, **attrs: object
    ) -> AbstractContextManager[object]:
        """Return a context manager that is entered around one call of a step.

        What it yields and what its exit returns are ignored. An ``Exception`` in it
        is logged once on the ``penstock`` logger, and the step still runs.

        Args:
            step_name: Name of the step.
            flow_name: Name of its flow.
            **attrs: ``correlation_id``, ``root_id``, ``parent_id``, ``run_id``,
                ``call_id``, ``parent_call_id``, ``parent_step``, ``sent_at`` and
                ``service``, as in log records; None where unknown.
        """

    @abstractmethod
    def get_correlation_id(self) -> str:
        """Return the correlation ID as this backend knows it, ``""`` if none."""


def span_attributes(call: Call) -> dict[str, str | None]:
    """Return the keyword arguments of ``span()`` for a call."""
    fields = step_fields(call)
    return {name: fields.get(name) for name in _SPAN_ATTRIBUTES}


def recorder_for(backend: TracingBackend) -> Recorder:
    """Return what the call path calls: *backend* itself if it has ``start()``.

    A subclass of such a backend that overrides ``span()`` is called through that.
    """
    mro = type(backend).__mro__
    lean = next((i for i, c in enumerate(mro) if "start_paused" in vars(c)), len(mro))
    span = next((i for i, c in enumerate(mro) if "span" in vars(c)), len(mro))
    is_lean = lean < len(mro) and lean <= span
    return backend if is_lean else SpanRecorder(backend)  # type: ignore[return-value]  # it has start()


class _Span:
    """An entered span, and for a generator the context variables that it set."""

    __slots__ = ("changes", "context", "manager", "tokens")

    def __init__(self, manager: Any) -> None:  # whatever span() gave
        self.manager: Any = manager
        self.context: Context | None = None
        self.changes: list[tuple[ContextVar[Any], Any]] = []
        self.tokens: list[tuple[ContextVar[Any], Any]] = []


class SpanRecorder:
    """Enters and exits ``span()`` without a frame in the user's tracebacks."""

    def __init__(self, backend: TracingBackend) -> None:
        self._backend = backend
        self.enabled: Callable[[], bool] = backend.enabled

    def __repr__(self) -> str:
        """Name the backend, for the log line about its failure."""
        return repr(self._backend)

    def start(self, call: Call) -> _Span:
        """Enter a span."""
        span = _Span(self._open(call))
        type(span.manager).__enter__(span.manager)
        return span

    def start_paused(self, call: Call) -> _Span:
        """Enter a span in its own context, and note which variables it sets."""
        span = _Span(self._open(call))
        before = copy_context()
        span.context = before.copy()
        span.context.run(type(span.manager).__enter__, span.manager)
        span.changes = [
            (var, value)
            for var, value in span.context.items()
            if var not in before or before[var] is not value
        ]
        return span

    def finish(
        self, _call: Call, span: _Span, exc: BaseException | None, *, inner: bool
    ) -> None:
        """Exit the span in the context that it was entered in."""
        del inner
        leave = type(span.manager).__exit__
        args = (None, None, None)
        if exc is not None:
            args = (type(exc), exc, exc.__traceback__)  # type: ignore[assignment]  # a triple of another kind
        if span.context is None:
            leave(span.manager, *args)
        else:
            span.context.run(leave, span.manager, *args)

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Do nothing: the backend did not want this step."""

    def resume(self, span: _Span) -> None:
        """Set the variables to what the body last had, at first what the span set."""
        span.tokens = [(var, var.set(value)) for var, value in span.changes]

    def pause(self, span: _Span) -> None:
        """Restore the consumer's variables, and note those of the body."""
        span.changes = [(var, var.get()) for var, _ in span.changes]
        while span.tokens:
            var, token = span.tokens.pop()
            var.reset(token)

    def _open(self, call: Call) -> object:
        step = call[1]
        return self._backend.span(step.name, step.flow, **span_attributes(call))


_OUTCOMES = {
    ("asyncio.exceptions", "CancelledError"): "cancelled",
    ("concurrent.futures._base", "CancelledError"): "cancelled",
    ("trio", "Cancelled"): "cancelled",
    ("builtins", "GeneratorExit"): "closed",
    ("builtins", "SystemExit"): "exit",
    ("celery.exceptions", "Retry"): "retry",
    ("celery.exceptions", "Ignore"): "ignored",
    ("celery.exceptions", "Reject"): "rejected",
}

# What a web framework answers: a status, or the attribute that has it.
_RESPONSES: dict[tuple[str, str], int | str] = {
    ("django.core.exceptions", "PermissionDenied"): 403,
    ("django.core.exceptions", "BadRequest"): 400,
    ("django.core.exceptions", "SuspiciousOperation"): 400,
    ("django.http.response", "Http404"): 404,
    ("fastapi.exceptions", "RequestValidationError"): 422,
    ("litestar.exceptions.http_exceptions", "HTTPException"): "status_code",
    ("rest_framework.exceptions", "APIException"): "status_code",
    ("starlette.exceptions", "HTTPException"): "status_code",
    ("werkzeug.exceptions", "HTTPException"): "code",
}
_BAD_REQUEST, _SERVER_ERROR = 400, 500


def outcome_of(exc: BaseException | None, context: FlowContext | None) -> str:
    """Return how a call in *context* ended: ``ok``, ``error``, or something between.

    Exceptions are known by name, so that no package is imported for them.
    """
    if exc is None:
        return "ok"
    for klass in type(exc).__mro__:
        name = klass.__module__, klass.__qualname__
        if name in _OUTCOMES:
            return _OUTCOMES[name]
        if context is not None and context.is_request and name in _RESPONSES:
            return _outcome_of_response(exc, _RESPONSES[name])
    return "error"


def _outcome_of_response(exc: BaseException, found: int | str) -> str:
    status = found if isinstance(found, int) else getattr(exc, found, None)
    if not isinstance(status, int) or status >= _SERVER_ERROR:
        return "error"
    return "client_error" if status >= _BAD_REQUEST else "ok"
