"""Write an operation as OpenTelemetry spans, in OTLP's JSON."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .facts import first_us, is_failure, label_of, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.runs.lines import StoredLine
    from penstock.runs.operation import Operation, StoredCall

    from .facts import Shown

_TRACE_ID = re.compile("[0-9a-f]{32}")
_SPAN_ID = re.compile("span:([0-9a-f]{16})")
_PID = re.compile("[0-9]{1,18}")
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16
_INTERNAL, _CONSUMER = 1, 5
_OK, _ERROR = 1, 2
_ATTRIBUTES = (
    "flow",
    "step",
    "call_id",
    "run_id",
    "correlation_id",
    "root_id",
    "outcome",
)
_NS_PER_US = 1000
_MAX_NANOS = 2**64 - 1


def as_otlp(shown: Shown) -> str:
    """Return one document with the spans of all operations, a trace for each."""
    resources: dict[tuple[str, str, str], list[str]] = {}
    for operation in shown.operations:
        trace = _Trace(operation, with_logs=shown.with_logs)
        for call in operation.calls:
            where = call.service, call.host, call.process
            resources.setdefault(where, []).append(json.dumps(trace.span(call)))
    found = ", ".join(_resource(*where, spans) for where, spans in resources.items())
    return f'{{"resourceSpans": [{found}]}}'


def _resource(service: str, host: str, process: str, spans: list[str]) -> str:
    pid = int(process) if _PID.fullmatch(process) else None
    known = {"service.name": service, "host.name": host, "process.pid": pid}
    attributes = json.dumps(_attributes(known))
    scope = f'{{"scope": {{"name": "penstock"}}, "spans": [{", ".join(spans)}]}}'
    return f'{{"resource": {{"attributes": {attributes}}}, "scopeSpans": [{scope}]}}'


class _Trace:
    """The spans of one operation."""

    def __init__(self, operation: Operation, *, with_logs: bool) -> None:
        self._id = _trace_id(operation)
        self._start_us = first_us(operation.calls) or 0
        self._with_logs = with_logs
        self._span_ids = {
            call: _span_id(call, number) for number, call in enumerate(operation.calls)
        }

    def span(self, call: StoredCall) -> dict[str, Any]:
        """Return the span of *call*."""
        known = [one for one in (call.start_us, call.end_us) if one is not None]
        known = known or [self._start_us]
        is_message = call.sent_at_us is not None
        span: dict[str, Any] = {
            "traceId": self._id,
            "spanId": self._span_ids[call],
            "name": label_of(call),
            "kind": _CONSUMER if is_message else _INTERNAL,
            "startTimeUnixNano": _nanos(known[0]),
            "endTimeUnixNano": _nanos(known[-1]),
            "attributes": _attributes(_facts(call)),
            "events": list(self._events(call, known[-1])),
        }
        if call.parent is not None:
            span["parentSpanId"] = self._span_ids[call.parent]
        if is_failure(call):
            span["status"] = {"code": _ERROR, "message": call.error_type}
        elif call.outcome == "ok":
            span["status"] = {"code": _OK}
        return span

    def _events(self, call: StoredCall, end_us: int) -> Iterable[dict[str, Any]]:
        if is_failure(call):
            yield _event("exception", end_us, {"exception.type": call.error_type})
        if self._with_logs:
            for line in call.lines:
                yield _event("log", line.time_us or end_us, _line(line))


def _trace_id(operation: Operation) -> str:
    """Return what penstock's ID generator would have named the trace."""
    digits = operation.root_id.lower()
    if _TRACE_ID.fullmatch(digits) and digits.strip("0"):
        return digits
    return _hash(operation.root_id)[:_TRACE_DIGITS]


def _span_id(call: StoredCall, number: int) -> str:
    given = _SPAN_ID.fullmatch(call.call_id)
    if given:
        return given[1]
    return _hash(call.call_id or f"{call.root_id} {number}")[:_SPAN_DIGITS]


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _facts(call: StoredCall) -> dict[str, Any]:
    facts: dict[str, Any] = {
        f"penstock.{name}": getattr(call, name) for name in _ATTRIBUTES
    }
    if call.sent_at_us is not None:
        facts["penstock.sent_at"] = rfc3339(call.sent_at_us)
    if call.first_item_us is not None and call.start_us is not None:
        facts["penstock.first_item_ms"] = (call.first_item_us - call.start_us) / 1000
    facts["error.type"] = call.error_type
    facts["penstock.doubts"] = call.doubts
    facts["penstock.no_start"] = call.start_us is None
    facts["penstock.no_end"] = not call.outcome
    return facts


def _line(line: StoredLine) -> dict[str, Any]:
    """Return what a line says, without penstock's own fields."""
    names = ("level", "logger", "message")
    facts = {name: line.fields.get(name, "") for name in names}
    return facts | {key: _text(value) for key, value in line.extra.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _event(name: str, time_us: int, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "timeUnixNano": _nanos(time_us),
        "attributes": _attributes(facts),
    }


def _attributes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(one)} for key, one in facts.items() if one]


def _value(value: Any) -> dict[str, Any]:
    if value is True:
        return {"boolValue": True}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    # JSON may have had half a character, which no tracing tool takes.
    return {"stringValue": value.encode("utf-8", "replace").decode()}


def _nanos(time_us: int) -> str:
    return str(min(max(time_us * _NS_PER_US, 0), _MAX_NANOS))
