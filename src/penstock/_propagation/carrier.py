"""Carry a flow context to another process: inject headers here, continue them there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, overload

from penstock._context import FlowContext, scope_var
from penstock._registry import registry
from penstock._runtime.header_names import FIELD, TRACE, InboundNames
from penstock._runtime.ids import refusal
from penstock._runtime.recorders import inject_trace
from penstock._runtime.run_of import step_call
from penstock._runtime.scopes import EnteredFlow, carried
from penstock._runtime.state import say, state
from penstock.errors import ConfigurationError

from .wire import NOTHING, Sent, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

    from penstock._steps.marked import Marked

    Pairs = Mapping[Any, Any] | Iterable[tuple[Any, Any]]

__all__ = [
    "FIELD",
    "TRACE",
    "TRUST",
    "continue_flow",
    "continued",
    "find_headers",
    "inject",
    "judge_message",
    "opened",
    "received",
    "write_headers",
]

TRUST = ("none", "id", "all")

_PAIRS = (tuple, list)
_NAMES = (bytes, str)


@overload
def inject(carrier: None = None) -> dict[str, str]: ...
@overload
def inject(carrier: MutableMapping[str, str]) -> MutableMapping[str, str]: ...
def inject(
    carrier: MutableMapping[str, str] | None = None,
) -> MutableMapping[str, str]:
    """Write the flow context into headers, for another process to continue.

    Args:
        carrier: Headers to add to, in place; new ones if None.

    Returns:
        The headers: the correlation ID under each configured name, and one ASCII
        field ``penstock`` for everything else; with the OpenTelemetry backend also
        ``traceparent``, where a span is current. Outside a flow nothing is added.
        What cannot travel is dropped with one warning.

    >>> import penstock
    >>> with penstock.start_flow("order-17"):
    ...     penstock.inject()["X-Correlation-ID"]
    'order-17'
    """
    return write_headers({} if carrier is None else carrier, flows=None)


def write_headers(
    headers: MutableMapping[str, str],
    *,
    flows: frozenset[str] | None = frozenset(),
    call: str = "",
) -> MutableMapping[str, str]:
    """Do what ``inject`` does where the receiver is known.

    Args:
        headers: Headers to add to, in place.
        flows: The flows whose steps the message may run; None for any.
        call: What ``judge_message`` returned for the step that the message calls.
    """
    scope = scope_var.get()
    if scope is None:
        return headers
    context = scope[0]
    if reason := refusal(context.correlation_id):
        _say_once("The correlation ID was not sent: %s.", reason)
        return headers
    for name in state.headers:
        headers[name] = context.correlation_id
    headers[FIELD] = pack(scope, call)
    inject_trace(headers)
    if state.judge is not None and flows != frozenset():
        state.judge.note_message(context, flows)
    return headers


def judge_message(marked: Marked) -> str:
    """Judge the call that a message is about to make, as a call in this run.

    Returns:
        The step as flow/step if the call was counted here, else ``""``: outside a
        flow, where conformance is off, and for an entrypoint, which begins a run.

    Raises:
        FlowOrderError: The call breaks the order, and the mode is ``raise``.
    """
    scope = scope_var.get()
    if scope is None or state.judge is None or not marked.steps:
        return ""
    call = step_call(marked, scope, ())
    if call is None or call[1].is_entrypoint:
        return ""
    return call[1].label if state.judge.send(call, scope) else ""


def continue_flow(carrier: Pairs | None, *, trust: str | None = None) -> EnteredFlow:
    """Open the flow context that *carrier* brings, or a fresh one.

    The current flow is ignored: only the headers count. Headers that are wrong in
    any way never raise. A refused ID is replaced, and a log line says why, without
    its value.

    Args:
        carrier: Headers as a mapping or as pairs; names and values may be bytes,
            and names in any case.
        trust: What to adopt: ``none``: nothing; ``id``: the correlation ID, and which
            call has sent it; ``all``: all of the ``penstock`` field, as between your
            own services. By default
            what ``configure(trust_inbound=...)`` says, else ``all``.

    Returns:
        A context manager that gives the carried ``FlowContext``.

    Raises:
        ConfigurationError: *trust* is something else.

    >>> import penstock
    >>> with penstock.continue_flow({"x-correlation-id": "order-17"}):
    ...     penstock.current_flow_id()
    'order-17'
    """
    return opened(carrier, trust, state.inbound_names)


def opened(
    carrier: Pairs | None, trust: str | None, names: InboundNames
) -> EnteredFlow:
    """Like ``continue_flow``, but look for the headers *names*."""
    trust = state.trust_inbound or "all" if trust is None else trust
    if trust not in TRUST:
        msg = f"trust={trust!r}: it takes {', '.join(map(repr, TRUST))}."
        raise ConfigurationError(msg)
    found = {} if carrier is None else find_headers(carrier, names)
    return EnteredFlow(continued(found, trust, names))


def continued(found: Mapping[str, str], trust: str, names: InboundNames) -> FlowContext:
    """Return the context that headers bring, as ``find_headers`` returns them."""
    if not found or trust == "none":
        return received("")
    if FIELD in found:
        sent = unpack(found[FIELD], labels_only=trust == "id")
        if trust == "all" and sent.correlation_id:
            context = received(sent.correlation_id, sent)
        else:
            context = received(_adopted(found, names, sent.correlation_id), sent)
    else:
        context = received(_adopted(found, names))
    if "traceparent" in found and _trace_id(found["traceparent"]):
        context.sent_trace = {name: found[name] for name in TRACE if name in found}
    return context


def received(correlation_id: str, sent: Sent = NOTHING) -> FlowContext:
    """Return the carried context of an ID, or a new one if it is empty."""
    context = FlowContext(correlation_id or state.new_id())
    if sent is NOTHING:
        context.is_carried = True
        return context
    context.parent_id = sent.parent_id
    context.given_root_id = sent.root_id
    context.given_done = sent.done
    context.given_call = sent.call
    context.given_run_id = sent.run_id
    context.given_call_id = sent.call_id
    context.given_step = sent.step
    context.sent_at = sent.sent_at
    if sent.flow in registry:  # a task of several flows is called in this one
        context.given_flow = sent.flow
    return carried(context, sent.metadata)


def find_headers(carrier: Pairs, names: InboundNames) -> dict[str, str]:
    """Return the headers that matter, by name in lower case; the first one wins."""
    found: dict[str, str] = {}
    wanted = names.wanted
    try:
        items = getattr(carrier, "items", None)
        for pair in carrier if items is None else items():
            if isinstance(pair, _PAIRS) and len(pair) == 2:  # noqa: PLR2004  # a pair
                name = pair[0]
                lower = (name if isinstance(name, _NAMES) else _text(name)).lower()
                if lower in wanted:
                    found.setdefault(wanted[lower], _text(pair[1]))
    except Exception as exc:  # noqa: BLE001  # headers must not fail a request
        _say_once("The headers could not be read: %s.", type(exc).__name__)
    return found


def _text(value: object) -> str:
    """Decode a name or value; anything but text and bytes counts as empty."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, bytearray | memoryview):
        return bytes(value).decode("latin-1")
    return value if isinstance(value, str) else ""


def _adopted(
    found: Mapping[str, str], names: InboundNames, in_field: str | None = None
) -> str:
    """Return the ID of the best header; *in_field* counts before a trace ID."""
    for name, lower in names.ids:
        if lower not in found:
            continue
        value = found[lower]
        if lower == "traceparent":
            value = in_field or _trace_id(value)
        reason = refusal(value, state.is_valid_id)
        if not reason:
            return value
        say("Inbound %s was not adopted: %s.", name, reason)
    return in_field or ""


def _trace_id(traceparent: str) -> str:
    """Return the trace ID of a valid ``traceparent`` (W3C Trace Context), or ``""``."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or match["version"] == "ff":
        return ""
    if match["version"] == "00" and match["more"]:
        return ""
    return match["trace_id"] if match["trace_id"].strip("0") else ""


_TRACEPARENT = re.compile(
    "(?P<version>[0-9a-f]{2})-(?P<trace_id>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    "-[0-9a-f]{2}(?P<more>-.{0,400})?"
)


def _say_once(template: str, reason: str) -> None:
    say(template, reason, once=(template, reason))
