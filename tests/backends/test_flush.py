"""Spans that wait are sent when asked."""

from __future__ import annotations

import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider

import penstock
from penstock import entrypoint, flow
from penstock.backends.otel import OTelBackend


def test_flush_sends_what_waits() -> None:
    """A span that a batch holds back is sent."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=60_000)
    )
    backend = OTelBackend(provider)
    penstock.configure(backend)

    @flow("orders")
    @entrypoint
    def receive() -> None: ...

    receive()
    assert not exporter.get_finished_spans()
    backend.flush()

    assert [span.name for span in exporter.get_finished_spans()] == ["orders/receive"]
    provider.shutdown()


def test_flush_without_an_sdk_does_nothing() -> None:
    """A provider of the API alone has nothing to send."""
    OTelBackend(NoOpTracerProvider()).flush()
