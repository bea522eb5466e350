"""Record steps as OpenTelemetry spans, through the application's own SDK."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from penstock._context import current_flow_id, get_flow_context
from penstock._platform.clock import elapsed_ms, now
from penstock._platform.optional import requires
from penstock.errors import ConfigurationError

from .base import TracingBackend, outcome_of

with requires("opentelemetry", extra="otel"):
    from opentelemetry import trace
    from opentelemetry.context import Context, attach, get_current
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
    from opentelemetry.trace import (
        Link,
        NonRecordingSpan,
        Status,
        StatusCode,
        get_current_span,
        set_span_in_context,
    )
    from opentelemetry.trace.propagation.tracecontext import (
        TraceContextTextMapPropagator,
    )

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span, SpanContext, Tracer, TracerProvider

    from penstock._context import Call, FlowContext
    from penstock._steps.step import Step

__all__ = ["OTelBackend", "PenstockIdGenerator"]

_UUID_DIGITS = 32
_W3C = TraceContextTextMapPropagator()
_SPANLESS = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)


class OTelBackend(TracingBackend):
    """Make a span for each step, a child of the caller's span.

    Without the ``TracerProvider`` of an SDK it is quiet, and costs next to nothing.

    The span of a run that a message brings is linked to the span that sent it. For a
    request it is a child, because the sender waits for the answer.

    Args:
        tracer_provider: Where spans go. If None, the application's global provider,
            looked up at each call.
        across_messages: ``link``, or ``child`` to have one trace of everything.

    Raises:
        ConfigurationError: *across_messages* is something else.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        *,
        across_messages: str = "link",
    ) -> None:
        if across_messages not in {"link", "child"}:
            msg = f"across_messages={across_messages!r}: expected 'link' or 'child'."
            raise ConfigurationError(msg)
        self._given = tracer_provider
        self._has_children = across_messages == "child"
        self._provider: TracerProvider | None = None
        self._tracer: Tracer = trace.NoOpTracer()
        self._has_spans = False
        self._code: dict[Step, dict[str, str | int]] = {}

    def __repr__(self) -> str:
        """Name the provider."""
        return f"<{type(self).__name__} {self._given or 'global provider'!r}>"

    def enabled(self) -> bool:
        """Tell whether an SDK has set a provider."""
        provider = self._given or trace.get_tracer_provider()
        if provider is not self._provider:
            self._tracer = provider.get_tracer("penstock")
            self._provider = provider
            # Not on every call: isinstance with an abstract class takes 0.3 us.
            self._has_spans = not isinstance(provider, _SPANLESS)
        return self._has_spans

    def get_correlation_id(self) -> str:
        """Return the correlation ID of the current run, ``""`` outside a flow."""
        return current_flow_id() or ""

    def span(
        self, step_name: str, flow_name: str, **attrs: object
    ) -> AbstractContextManager[Span]:
        """Return a context manager that makes a span current."""
        self.enabled()
        known = {f"penstock.{k}": str(v) for k, v in attrs.items() if v is not None}
        attributes = {"penstock.flow": flow_name, "penstock.step": step_name, **known}
        return self._tracer.start_as_current_span(
            f"{flow_name}/{step_name}", attributes=attributes
        )

    def flush(self, timeout_s: float = 5.0) -> None:
        """Send the waiting spans, in a process that may be killed soon."""
        provider = self._given or trace.get_tracer_provider()
        force_flush = getattr(provider, "force_flush", None)  # only an SDK's has it
        if force_flush is not None:
            force_flush(round(timeout_s * 1000))

    def start(self, call: Call) -> _Recording:
        """Start a span and make it current."""
        before = get_current()
        recording = _Recording(self._span(call, before), now())
        recording.before = before
        recording.context = set_span_in_context(recording.span, before)
        attach(recording.context)
        return recording

    def start_paused(self, call: Call) -> _Recording:
        """Start a span as a child of the current one."""
        recording = _Recording(self._span(call, get_current()), now())
        recording.is_running = True
        return recording

    def _span(self, call: Call, parent: Context) -> Span:
        context, step, _, outer = call
        attributes = (self._code.get(step) or self._learn(step)).copy()
        attributes["penstock.correlation_id"] = context.correlation_id
        attributes["penstock.root_id"] = context.root_id
        attributes["penstock.run_id"] = context.run_id
        links: Sequence[Link] | None = None
        if outer is None or outer[1] is None:
            origin = context.home or context
            if origin.sent_at is not None:
                attributes["penstock.sent_at"] = origin.sent_at
            parent, links = self._origin(origin, parent)
        return self._tracer.start_span(
            step.label,
            parent,
            attributes=attributes,
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        )

    def _origin(
        self, context: FlowContext, parent: Context
    ) -> tuple[Context, Sequence[Link] | None]:
        """Return the parent of a carried context's first span, and its links.

        If a span is current already, such as a framework's own, it stays the parent.
        """
        if context.causes:
            senders = [_sender(cause) for cause in context.causes]
            return parent, [Link(sent) for sent in senders if sent.is_valid]
        if not context.sent_trace:
            return parent, None
        around = get_current_span(parent).get_span_context()
        remote = _sender(context)
        if not remote.is_valid or remote.trace_id == around.trace_id:
            return parent, None
        if around.is_valid or not (context.is_awaited or self._has_children):
            return parent, [Link(remote)]
        return set_span_in_context(NonRecordingSpan(remote), parent), None

    def captured(self) -> Callable[[], _Recording] | None:
        """Return what makes recordings of the current span; None if there is none."""
        span = get_current_span()
        return partial(_Recording, span) if span.get_span_context().is_valid else None

    def inject(self, headers: MutableMapping[str, str]) -> None:
        """Write the current span into *headers*, as W3C Trace Context says."""
        _W3C.inject(headers)

    def finish(
        self,
        call: Call,
        recording: _Recording,
        exc: BaseException | None,
        *,
        inner: bool,
    ) -> None:
        """End the span; the innermost span of a failure records the exception."""
        # Not detach(): its token cannot be reset in another context, such as the one
        # that closes a coroutine. A generator has been paused already.
        if recording.before is not None and get_current() is recording.context:
            attach(recording.before)
        if exc is None:
            recording.span.end()
            return
        try:
            if outcome_of(exc, call[0]) == "error":
                _record_error(recording.span, exc, inner=inner)
        finally:
            recording.span.end()

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Do nothing: there is no span to record it."""

    def resume(self, recording: _Recording) -> None:
        """Make the span current, or what the body has made current in it."""
        if recording.paused_ms is not None:  # for an item, not for the end
            recording.span.set_attribute("penstock.first_item_ms", recording.paused_ms)
            recording.paused_ms = recording.began = None
        recording.is_running = True
        recording.before = before = get_current()
        if recording.inner is None:
            recording.context = set_span_in_context(recording.span, before)
            attach(recording.context)
        else:
            attach(recording.inner)

    def pause(self, recording: _Recording) -> None:
        """Restore what is current for the consumer."""
        if recording.is_running and recording.paused_ms is None:
            recording.paused_ms = elapsed_ms(recording.began)
        current = get_current()
        recording.inner = None if current is recording.context else current
        attach(current if recording.before is None else recording.before)
        recording.before = None

    def _learn(self, step: Step) -> dict[str, str | int]:
        """Keep the attributes of every span of *step*, by semantic conventions."""
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


def _sender(context: FlowContext) -> SpanContext:
    """Return the span that sent a carried context, an invalid one if none did."""
    sent = _W3C.extract(context.sent_trace, Context())
    return get_current_span(sent).get_span_context()


class _Recording:
    """A span, and the contexts with and without it.

    Attributes:
        span: The span.
        before: What was current before it; None while it is not current itself.
        context: What is current with it.
        inner: What a generator's body had made current when it paused, or None.
        began: When the call began; None once it is known when its first item came, and
            for the span of another call.
        is_running: Whether the body of a generator has begun, as in ``LoggingBackend``.
        paused_ms: How long after its start the body paused for the first time.
    """

    __slots__ = (
        "before",
        "began",
        "context",
        "inner",
        "is_running",
        "paused_ms",
        "span",
    )

    def __init__(self, span: Span, began: float | None = None) -> None:
        self.span: Span = span
        self.began: float | None = began
        self.is_running: bool = False
        self.paused_ms: float | None = None
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

    The ID is used if it is 32 hexadecimal digits, as penstock's own IDs are. Other
    traces, and those outside flows, get random IDs. A run inside a trace keeps that
    trace's ID.

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
