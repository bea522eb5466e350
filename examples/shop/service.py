"""Set up logs, spans and penstock; each of the four services does this once."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import penstock
from penstock.backends.otel import PenstockIdGenerator

__all__ = ["FOLDER", "address", "keep", "set_up"]

FOLDER = Path(os.environ.get("SHOP_FOLDER", "."))


def address(of: str) -> str:
    """Return the address of another service or server, set by ``make showcase``."""
    return os.environ.get(f"SHOP_{of.upper()}", "127.0.0.1:1")


def set_up(service: str) -> None:
    """Log JSON lines into a file of this service; send spans to the collector.

    Do nothing if the module is only imported, for instance to draw it.
    """
    if "SHOP_FOLDER" not in os.environ:
        return
    handler = logging.FileHandler(FOLDER / f"{service}.jsonl", encoding="utf-8")
    handler.setFormatter(penstock.JSONFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # penstock logs it, too
    penstock.configure("logging", "otel", service=service, propagate=["customer"])
    penstock.install_log_fields("service")

    exporter = OTLPSpanExporter(f"http://{address('collector')}/v1/traces")
    provider = TracerProvider(
        resource=Resource.create({"service.name": service}),
        id_generator=PenstockIdGenerator(),
    )
    processor = BatchSpanProcessor(exporter, schedule_delay_millis=200)
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def keep(table: str, number: str) -> None:
    """Insert a row for an order, with the ID of the current operation."""
    with closing(sqlite3.connect(FOLDER / "shop.db", timeout=30)) as database, database:
        columns = "(number text, flow_id text)"
        database.execute(f"create table if not exists {table} {columns}")
        row = (number, penstock.current_flow_id())
        database.execute(f"insert into {table} values (?, ?)", row)  # noqa: S608  # our own table name
