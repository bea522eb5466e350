"""OpenTelemetry in a worker: a batch that waits longer than the worker lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
)

import penstock

if TYPE_CHECKING:
    from typing import TextIO


def install(path: str) -> None:
    """Send the spans of this process, one a line, to the file at *path*."""
    out: TextIO = open(path, "a")  # noqa: PTH123, SIM115  # as long as the process
    exporter = ConsoleSpanExporter(out=out, formatter=_line)
    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=600_000)
    )
    trace.set_tracer_provider(provider)
    penstock.configure("logging", "otel")


def _line(span: ReadableSpan) -> str:
    attributes = dict(span.attributes or {})
    sender = f"{span.links[0].context.trace_id:032x}" if span.links else "nobody"
    return f"{span.name} {attributes['penstock.correlation_id']!s} {sender}\n"
