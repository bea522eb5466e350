"""Serve chdb, ClickHouse's engine, as a ClickHouse server does over HTTP."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TABLE = """
    CREATE TABLE otel_traces (
        Timestamp DateTime64(9),
        TraceId String,
        SpanId String,
        ParentSpanId String,
        TraceState String,
        SpanName LowCardinality(String),
        SpanKind LowCardinality(String),
        ServiceName LowCardinality(String),
        ResourceAttributes Map(LowCardinality(String), String),
        ScopeName String,
        ScopeVersion String,
        SpanAttributes Map(LowCardinality(String), String),
        Duration UInt64,
        StatusCode LowCardinality(String),
        StatusMessage String,
        Events Nested (
            Timestamp DateTime64(9),
            Name LowCardinality(String),
            Attributes Map(LowCardinality(String), String)
        ),
        Links Nested (
            TraceId String,
            SpanId String,
            TraceState String,
            Attributes Map(LowCardinality(String), String)
        )
    ) ENGINE = MergeTree ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
"""
"""What the collector's exporter creates."""


def insert(session: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Write spans into a new table."""
    session.query("DROP TABLE IF EXISTS otel_traces")
    session.query(TABLE)
    lines = "\n".join(map(json.dumps, rows))
    session.query(f"INSERT INTO otel_traces FORMAT JSONEachRow {lines}")


@contextmanager
def served(session: Any) -> Iterator[str]:
    """Yield the address of a server that asks *session*."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            parameters = {
                name.removeprefix("param_"): value
                for name, value in given.items()
                if name.startswith("param_")
            }
            text, _, form = body.partition("FORMAT ")
            try:
                with lock:
                    result = session.query(
                        text, form.strip() or "TSV", params=parameters
                    )
                status, data = 200, result.bytes()
            except Exception as exc:  # noqa: BLE001  # the answer says what
                status, data = 500, str(exc).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"clickhouse://127.0.0.1:{server.server_port}/default"
        finally:
            server.shutdown()
            thread.join()
