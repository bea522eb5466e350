"""Spans of a test as stored lines, as OTLP has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.runs.lines import StoredLine

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_ATTRIBUTES = (
    "flow",
    "step",
    "correlation_id",
    "root_id",
    "run_id",
    "sent_at",
    "first_item_ms",
)


def stored_span(span: ReadableSpan) -> StoredLine:
    """Return a span as it is read."""
    start, end, attributes = span.start_time, span.end_time, span.attributes
    assert start is not None
    assert end is not None
    assert attributes is not None
    assert span.context is not None
    fields: dict[str, Any] = {
        "call_id": _id(span.context.span_id),
        "duration_ms": round((end - start) / 1_000_000, 3),
        "outcome": "ok" if span.status.is_ok else "error",
    }
    if span.parent is not None:
        fields["parent_call_id"] = _id(span.parent.span_id)
    if span.links:
        fields["links"] = [_id(link.context.span_id) for link in span.links]
    for name in _ATTRIBUTES:
        if f"penstock.{name}" in attributes:
            fields[name] = attributes[f"penstock.{name}"]
    if "step" in fields:
        fields["flow_event"] = "step.end"
    return StoredLine(end // 1000, fields, is_span=True)


def _id(span_id: int) -> str:
    return f"span:{span_id:016x}"
