"""Spans of a test as stored lines, read from the OTLP that a collector would write."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from socket import gethostname
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from penstock import LoggingBackend, configure
from penstock.backends.otel import OTelBackend
from penstock.runs.field_layouts import FieldLayout
from penstock.runs.parsing import parse_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from opentelemetry.sdk.trace import ReadableSpan

    from penstock.runs.lines import StoredLine


@contextmanager
def recorded_spans(lines: str = "each") -> Iterator[Callable[[], list[StoredLine]]]:
    """Record steps as spans that say where they are from; yield what reads them."""
    exporter = InMemorySpanExporter()
    resource = Resource({"host.name": gethostname(), "process.pid": os.getpid()})
    provider = TracerProvider(shutdown_on_exit=False, resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    configure(LoggingBackend(lines=lines), OTelBackend(provider))
    yield lambda: stored_spans(exporter.get_finished_spans())


def stored_spans(spans: Iterable[ReadableSpan]) -> list[StoredLine]:
    """Return spans as they are read."""
    groups = [
        {
            "resource": {"attributes": _attributes(span.resource.attributes)},
            "scopeSpans": [{"spans": [_otlp(span)]}],
        }
        for span in spans
    ]
    data = json.dumps({"resourceSpans": groups}).encode()
    return parse_line(data, FieldLayout({}))


def _otlp(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    found: dict[str, Any] = {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        "name": span.name,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "links": [{"spanId": f"{one.context.span_id:016x}"} for one in span.links],
        "status": {} if span.status.is_ok else {"code": 2},
    }
    if span.parent is not None:
        found["parentSpanId"] = f"{span.parent.span_id:016x}"
    return found


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {f"{type(value).__name__}Value": value}}
        if isinstance(value, (bool, int))
        else {"key": key, "value": {"doubleValue": value}}
        if isinstance(value, float)
        else {"key": key, "value": {"stringValue": str(value)}}
        for key, value in values.items()
    ]
