"""Serve chdb, ClickHouse's engine, as a ClickHouse server does over HTTP.

It runs in a process of its own, because chdb warns of every fork in its process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[2]

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


def insert(address: str, rows: Sequence[dict[str, Any]]) -> None:
    """Write spans into a new table of the server at *address*."""
    lines = "\n".join(map(json.dumps, rows))
    for query in (
        "DROP TABLE IF EXISTS otel_traces",
        TABLE,
        f"INSERT INTO otel_traces FORMAT JSONEachRow {lines}",
    ):
        url = f"http://{urlsplit(address).netloc}/?insert=1"
        urllib.request.urlopen(url, query.encode(), timeout=60).close()


@contextmanager
def served() -> Iterator[str]:
    """Yield the address of a server; its tables are gone when it ends."""
    command = [sys.executable, "-m", "tests.support.clickhouse"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield f"clickhouse://127.0.0.1:{port}/default"
        finally:
            process.kill()


def main() -> None:
    """Serve one session of chdb, and print the port."""
    # Not in the process of the tests, and without types.
    session: Any = import_module("chdb.session").Session()

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
                if "insert" in given:
                    session.query(body)
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
