"""Record steps as OpenTelemetry spans, through the application's own SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._context import current_flow_id, get_flow_context
from penstock._optional import requires

from .base import TracingBackend, status_of

with requires("opentelemetry", extra="otel"):
    from opentelemetry import trace
    from opentelemetry.context import attach, get_current
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from penstock._context import Call
    from penstock._step import Step

__all__ = ["OTelBackend", "PenstockIdGenerator"]

_UUID_DIGITS = 32
_SPANLESS = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)


class OTelBackend(TracingBackend):
    """Make a span for each step, a child of the caller's span.

    Without a ``TracerProvider`` of an SDK it is quiet, and costs next to nothing.

    Args:
        tracer_provider: Where spans go; the application's global provider,
            looked up at each call, if None.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._given = tracer_provider
        self._provider: TracerProvider | None = None
        self._tracer: Tracer = trace.NoOpTracer()
        self._has_spans = False
        self._code: dict[Step, dict[str, str | int]] = {}

    def __repr__(self) -> str:
        """Say which provider it uses."""
        return f"<{type(self).__name__} {self._given or 'global provider'!r}>"

    def enabled(self) -> bool:
        """Tell whether an SDK has set a provider."""
        provider = self._given or trace.get_tracer_provider()
        if provider is not self._provider:
            self._tracer = provider.get_tracer("penstock")
            self._provider = provider
            # Once, not on every call: asking an abstract class takes 0.3 us.
            self._has_spans = not isinstance(provider, _SPANLESS)
        return self._has_spans

    def get_correlation_id(self) -> str:
        """Return the correlation ID of the run around, ``""`` outside a flow."""
        return current_flow_id() or ""

    def span(
        self, step_name: str, flow_name: str, **attrs: object
    ) -> AbstractContextManager[Span]:
        """Return a context manager that makes a span current; for use by hand."""
        self.enabled()
        known = {f"penstock.{k}": str(v) for k, v in attrs.items() if v is not None}
        attributes = {"penstock.flow": flow_name, "penstock.step": step_name, **known}
        return self._tracer.start_as_current_span(
            f"{flow_name}/{step_name}", attributes=attributes
        )

    def flush(self, timeout_s: float = 5.0) -> None:
        """Send the spans that wait, where a process is about to end unasked."""
        provider = self._given or trace.get_tracer_provider()
        force_flush = getattr(provider, "force_flush", None)  # an SDK's alone has it
        if force_flush is not None:
            force_flush(round(timeout_s * 1000))

    def start(self, call: Call) -> _Recording:
        """Start a span and make it current."""
        before = get_current()
        recording = _Recording(self._span(call, before))
        recording.before = before
        recording.context = set_span_in_context(recording.span, before)
        attach(recording.context)
        return recording

    def start_paused(self, call: Call) -> _Recording:
        """Start a span as a child of the current one."""
        return _Recording(self._span(call, get_current()))

    def _span(self, call: Call, parent: Context) -> Span:
        context, step, _ = call
        attributes = (self._code.get(step) or self._learn(step)).copy()
        attributes["penstock.correlation_id"] = context.correlation_id
        return self._tracer.start_span(
            step.label,
            parent,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        )

    def finish(
        self,
        _call: Call,
        recording: _Recording,
        exc: BaseException | None,
        *,
        inner: bool,
    ) -> None:
        """End the span; the innermost one of a failure keeps the exception."""
        # Put back and not detached: a token cannot be reset in another context, such as
        # the one that closes a coroutine. A generator has been paused already.
        if recording.before is not None and get_current() is recording.context:
            attach(recording.before)
        if exc is None:
            recording.span.end()
            return
        try:
            if status_of(exc) == "error":
                _record_error(recording.span, exc, inner=inner)
        finally:
            recording.span.end()

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Say nothing: there is no span that could hold it."""

    def resume(self, recording: _Recording) -> None:
        """Make the span current, or what the body has made current since."""
        recording.before = before = get_current()
        if recording.inner is None:
            recording.context = set_span_in_context(recording.span, before)
            attach(recording.context)
        else:
            attach(recording.inner)

    def pause(self, recording: _Recording) -> None:
        """Put back what the consumer had."""
        now = get_current()
        recording.inner = None if now is recording.context else now
        attach(now if recording.before is None else recording.before)
        recording.before = None

    def _learn(self, step: Step) -> dict[str, str | int]:
        """Note what every span of *step* says, by the names of semantic conventions."""
        module = step.origin.module
        attributes: dict[str, str | int] = {
            "penstock.flow": step.flow,
            "penstock.step": step.name,
            "code.function.name": f"{module}.{step.origin.qualname}",
            "code.file.path": step.source[0],
            "code.line.number": step.source[1],
        }
        self._code[step] = attributes
        return attributes


class _Recording:
    """A span, and the contexts with it and without it while it is current.

    Attributes:
        span: The span.
        before: What was current where it was made current; None where it is not.
        context: The context that it was made current with.
        inner: What a generator's body had current instead when it paused, or None.
    """

    __slots__ = ("before", "context", "inner", "span")

    def __init__(self, span: Span) -> None:
        self.span: Span = span
        self.context: Context | None = None
        self.before: Context | None = None
        self.inner: Context | None = None


def _record_error(span: Span, exc: BaseException, *, inner: bool) -> None:
    klass = type(exc)
    name = klass.__qualname__
    if klass.__module__ != "builtins":
        name = f"{klass.__module__}.{name}"
    span.set_attribute("error.type", name)
    span.set_status(Status(StatusCode.ERROR, name))
    if inner:
        span.record_exception(exc)


class PenstockIdGenerator(IdGenerator):
    """Give a trace the correlation ID of the run that starts it.

    The ID is used where it is 32 hexadecimal digits, as those of penstock are;
    for anything else, and outside flows, IDs are random. A run inside a trace
    keeps that trace's ID.

    >>> from opentelemetry.sdk.trace import TracerProvider
    >>> provider = TracerProvider(id_generator=PenstockIdGenerator())
    """

    def __init__(self, otherwise: IdGenerator | None = None) -> None:
        self._otherwise = otherwise or RandomIdGenerator()

    def generate_span_id(self) -> int:
        """Return a new span ID."""
        return self._otherwise.generate_span_id()

    def generate_trace_id(self) -> int:
        """Return the correlation ID as a number, or a random one."""
        context = get_flow_context()
        digits = "" if context is None else context.correlation_id
        if len(digits) == _UUID_DIGITS and digits.isalnum():
            try:
                return int(digits, 16) or self._otherwise.generate_trace_id()
            except ValueError:
                pass
        return self._otherwise.generate_trace_id()
