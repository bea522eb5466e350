"""Record steps as OpenTelemetry spans, through the application's own SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id, get_flow_context
from penstock._optional import requires

from .base import TracingBackend, status_of

with requires("opentelemetry", extra="otel"):
    from opentelemetry import context as otel_context
    from opentelemetry import trace
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
        return not isinstance(provider, _SPANLESS)

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
        recording = self.start_paused(call)
        self.resume(recording)
        return recording

    def start_paused(self, call: Call) -> _Recording:
        """Start a span as a child of the current one."""
        context, step, _ = call
        attributes: dict[str, Any] = self._code.get(step) or self._learn(step)
        return _Recording(
            self._tracer.start_span(
                step.label,
                attributes={
                    **attributes,
                    "penstock.correlation_id": context.correlation_id,
                },
                record_exception=False,
                set_status_on_exception=False,
            )
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
        self.pause(recording)
        try:
            if exc is not None and status_of(exc) == "error":
                _record_error(recording.span, exc, inner=inner)
        finally:
            recording.span.end()

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Say nothing: there is no span that could hold it."""

    def resume(self, recording: _Recording) -> None:
        """Make the span current."""
        recording.before = otel_context.get_current()
        recording.context = set_span_in_context(recording.span, recording.before)
        otel_context.attach(recording.context)

    def pause(self, recording: _Recording) -> None:
        """Put back what was current before.

        It is put back and not detached: a token cannot be reset in another
        context, such as the one that closes a coroutine.
        """
        if recording.before is None:
            return
        if otel_context.get_current() is recording.context:
            otel_context.attach(recording.before)
        recording.before = recording.context = None

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
    """A span, and the contexts with it and without it while it is current."""

    __slots__ = ("before", "context", "span")

    def __init__(self, span: Span) -> None:
        self.span = span
        self.context: Context | None = None
        self.before: Context | None = None


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
