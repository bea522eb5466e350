"""Read spans and log records as OTLP writes them in JSON, several to a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.backends.log_fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    Entry = dict[str, Any]

__all__ = ["is_otlp", "log_records", "span_fields", "spans"]

_SPANS = ("resourceSpans", "scopeSpans", "spans")
_LOGS = ("resourceLogs", "scopeLogs", "logRecords")

_OF_STEPS = {f"penstock.{name}": name for name in FIELDS}
_ERROR = (2, "STATUS_CODE_ERROR")
_MAX_NANOS = 2**64 - 1


def is_otlp(entry: Entry) -> bool:
    """Tell whether *entry* is a line that a collector's file exporter has written."""
    return _SPANS[0] in entry or _LOGS[0] in entry


def spans(entry: Entry) -> Iterator[tuple[Entry, Entry]]:
    """Yield each span with the attributes of what it comes from.

    If *entry* is not as OTLP has it, this raises one of ``ValueError``, ``TypeError``,
    ``KeyError`` and ``AttributeError``. The same holds for the other functions.
    """
    return _records(entry, _SPANS)


def span_fields(span: Entry) -> tuple[Entry, Entry, int]:
    """Return the fields, the other attributes, and when the span ended."""
    extra = _attributes(span)
    if span.get("traceState"):
        extra["trace_state"] = str(span["traceState"])
    fields: Entry = {
        name: str(extra.pop(key)) for key, name in _OF_STEPS.items() if key in extra
    }
    started, ended = (
        _micros(span["startTimeUnixNano"]),
        _micros(span["endTimeUnixNano"]),
    )
    if "first_item_ms" in fields:
        fields["first_item_ms"] = float(fields["first_item_ms"])
    fields |= _ids(span)
    if "call_id" in fields:  # as `penstock show --format otlp` has it
        fields["logged_call_id"] = fields["call_id"]
    fields["call_id"] = _call_id(span["spanId"])
    fields["message"] = str(span["name"])
    if span.get("parentSpanId"):
        fields["parent_call_id"] = _call_id(span["parentSpanId"])
    if span.get("links"):
        fields["links"] = [_call_id(link["spanId"]) for link in span["links"]]
    if "step" in fields:
        if extra.get("penstock.no_end"):  # as `penstock show --format otlp` has it
            fields["flow_event"] = "step.start"
            return fields, extra, ended
        is_error = span.get("status", {}).get("code") in _ERROR
        fields["flow_event"] = "step.error" if is_error else "step.end"
        fields.setdefault("outcome", "error" if is_error else "ok")
        fields["duration_ms"] = (ended - started) / 1000
        if "error.type" in extra:
            fields["error_type"] = str(extra.pop("error.type"))
    return fields, extra, ended


def log_records(entry: Entry) -> Iterator[tuple[Entry, Entry]]:
    """Yield each log record as keys and values, with what it comes from."""
    for record, resource in _records(entry, _LOGS):
        plain = _attributes(record) | _ids(record)
        plain["level"] = record.get("severityText")
        plain["message"] = _value(record.get("body", {}))
        # A record without a time of its own has 0.
        written = int(record.get("timeUnixNano", 0))
        plain["timestamp"] = written or record.get("observedTimeUnixNano")
        yield plain, resource


def _records(entry: Entry, keys: tuple[str, str, str]) -> Iterator[tuple[Entry, Entry]]:
    for group in entry.get(keys[0], ()):
        resource = _attributes(group.get("resource", {}))
        for scope in group.get(keys[1], ()):
            for record in scope.get(keys[2], ()):
                yield record, resource


def _attributes(record: Entry) -> Entry:
    pairs = record.get("attributes", ())
    return {str(pair["key"]): _value(pair.get("value", {})) for pair in pairs}


def _value(value: Entry) -> Any:
    """Return a value without the name of its type."""
    if "arrayValue" in value:
        return [_value(one) for one in value["arrayValue"].get("values", ())]
    if "kvlistValue" in value:
        return _attributes({"attributes": value["kvlistValue"].get("values", ())})
    if "intValue" in value:
        return int(value["intValue"])
    return next(iter(value.values()), None)


def _ids(record: Entry) -> Entry:
    """Return the IDs, which are hexadecimal."""
    keys = {"trace_id": "traceId", "span_id": "spanId"}
    found = {name: str(record.get(key) or "") for name, key in keys.items()}
    return {name: text for name, text in found.items() if text}


def _call_id(span_id: str) -> str:
    return f"span:{span_id}"


def _micros(nanos: Any) -> int:
    """Return a time in OTLP's nanoseconds, which have 64 bits, as microseconds."""
    return min(max(int(nanos), 0), _MAX_NANOS) // 1000
