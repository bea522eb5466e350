"""Serve chdb, ClickHouse's engine, as a ClickHouse server does over HTTP.

It runs in a process of its own, because chdb warns of every fork in its process. No
package brings a server: Debian's is of 2018, without the type Map.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from email import message_from_bytes
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from penstock._platform.clock import utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.runs.operation import StoredCall

ROOT = Path(__file__).parents[2]

TABLE = """CREATE TABLE otel_traces (
        Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
        TraceId String CODEC(ZSTD(1)),
        SpanId String CODEC(ZSTD(1)),
        ParentSpanId String CODEC(ZSTD(1)),
        TraceState String CODEC(ZSTD(1)),
        SpanName LowCardinality(String) CODEC(ZSTD(1)),
        SpanKind LowCardinality(String) CODEC(ZSTD(1)),
        ServiceName LowCardinality(String) CODEC(ZSTD(1)),
        ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
        ScopeName String CODEC(ZSTD(1)),
        ScopeVersion String CODEC(ZSTD(1)),
        SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
        Duration UInt64 CODEC(T64, ZSTD(1)),
        StatusCode LowCardinality(String) CODEC(ZSTD(1)),
        StatusMessage String CODEC(ZSTD(1)),
        Events Nested (
            Timestamp DateTime64(9),
            Name LowCardinality(String),
            Attributes Map(LowCardinality(String), String)
        ) CODEC(ZSTD(1)),
        Links Nested (
            TraceId String,
            SpanId String,
            TraceState String,
            Attributes Map(LowCardinality(String), String)
        ) CODEC(ZSTD(1)),
        INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
        INDEX idx_span_attr_key mapKeys(SpanAttributes)
            TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX idx_span_attr_value mapValues(SpanAttributes)
            TYPE bloom_filter(0.01) GRANULARITY 1,
        INDEX idx_duration Duration TYPE minmax GRANULARITY 1
    ) ENGINE = MergeTree
    PARTITION BY toDate(Timestamp)
    PRIMARY KEY (ServiceName, SpanName, toDateTime(Timestamp))
    ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
    SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1
"""
"""The columns, keys and indexes that the collector's exporter creates."""

SERVER = "PENSTOCK_TEST_CLICKHOUSE"
"""The address of a real server, for the tests; its table otel_traces is dropped."""


def span_of(call: StoredCall) -> dict[str, Any]:
    """Return the row of a call, as the collector's exporter writes it."""
    assert call.start_us is not None
    assert call.end_us is not None
    duration_ms = call.duration_ms or (call.end_us - call.start_us) / 1000
    attributes = {
        "penstock.flow": call.flow,
        "penstock.step": call.step,
        "penstock.correlation_id": call.correlation_id,
        "penstock.root_id": call.root_id,
        "penstock.run_id": call.run_id,
    }
    if call.sent_at_us is not None:
        attributes["penstock.sent_at"] = utc(call.sent_at_us / 1e6)
    if call.error_type:
        attributes["error.type"] = call.error_type
    is_link = call.sent_at_us is not None
    parent = span_id(call.parent_call_id) if call.parent_call_id else ""
    return {
        "Timestamp": f"{call.start_us * 1000 / 1e9:.6f}",
        "TraceId": call.root_id,
        "SpanId": span_id(call.call_id),
        "ParentSpanId": "" if is_link else parent,
        "SpanName": f"{call.flow}/{call.step}",
        "ServiceName": call.service,
        "ResourceAttributes": {"host.name": call.host, "process.pid": call.process},
        "SpanAttributes": attributes,
        "Duration": round(duration_ms * 1_000_000),
        "StatusCode": "Error" if call.outcome == "error" else "Unset",
        "Links.TraceId": [call.root_id] if is_link else [],
        "Links.SpanId": [parent] if is_link else [],
        "Links.TraceState": [""] if is_link else [],
        "Links.Attributes": [{}] if is_link else [],
    }


def span_id(call_id: str) -> str:
    """Return a span ID for a call ID."""
    return sha256(call_id.encode()).hexdigest()[:16]


def insert(address: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write spans into a new table of the server at *address*."""
    parts = urlsplit(address)
    login = {"user": parts.username or "default", "password": parts.password or ""}
    where = urlencode({**login, "database": parts.path.strip("/")})
    url = f"http://{parts.hostname}:{parts.port}/?{where}"
    lines = "\n".join(map(json.dumps, rows))
    for query in (
        "DROP TABLE IF EXISTS otel_traces",
        TABLE,
        f"INSERT INTO otel_traces FORMAT JSONEachRow {lines}",
    ):
        urllib.request.urlopen(url, query.encode(), timeout=60).close()


@contextmanager
def served() -> Iterator[str]:
    """Yield the address of a server: the engine's, or that of ``$SERVER``."""
    if SERVER in os.environ:
        yield os.environ[SERVER]
        return
    command = [sys.executable, "-m", "tests.support.clickhouse"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield f"clickhouse://127.0.0.1:{port}/default"
        finally:
            process.kill()


def _fields(kind: str, body: bytes) -> dict[str, str]:
    """Return the fields of a form."""
    form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts: Any = form.get_payload()
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(
            decode=True
        ).decode()
        for part in parts
    }


def main() -> None:
    """Serve one session of chdb, and print the port."""
    # Not in the process of the tests, and without types.
    session: Any = import_module("chdb.session").Session()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = self.headers["Content-Type"] or ""
            if kind.startswith("multipart/"):  # where an address would be too long
                given |= _fields(kind, body)
                body = given["query"].encode()
            query = body.decode()
            parameters = {
                name.removeprefix("param_"): value
                for name, value in given.items()
                if name.startswith("param_")
            }
            text, _, form = query.partition("FORMAT ")
            try:
                if query.startswith(("CREATE", "DROP", "INSERT")):
                    session.query(query)
                    status, data = 200, b""
                else:
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

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main()
