"""Collect what happened to one order: its ID at each hop, its lines, its spans."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from .servers import Shop

__all__ = ["Hop", "await_end", "await_failure", "hops", "lines_of", "spans_of"]

END_S = 60.0
STEPS = 12
"""How many steps and entrypoints run for one order; each is a span."""

TABLES = (
    ("reservations", "front to office, HTTP"),
    ("invoices", "front to worker, Celery"),
    ("parcels", "front to shipping, Kafka"),
    ("shipped", "shipping to office, HTTP"),
)
"""Which table each service writes for an order."""


class Hop(NamedTuple):
    """One place that the order reached, and the ID it had there."""

    what: str
    where: str
    flow_id: str


def await_end(shop: Shop, number: str) -> None:
    """Wait until every service is done and its spans have arrived."""
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        found = _rows(shop.folder, number)
        if len(found) == len(TABLES) and len(spans_of(shop, found["shipped"])) >= STEPS:
            return
        time.sleep(0.2)


def await_failure(folder: Path, flow_id: str) -> None:
    """Wait until the order that fails has done so, and its invoice is written."""
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        lines = lines_of(folder, flow_id)
        steps = {line.get("step") for line in lines if line.get("outcome")}
        if {"ship", "write_invoice"} <= steps:
            return
        time.sleep(0.2)


def hops(shop: Shop, number: str, shown: str) -> list[Hop]:
    """Return the ID of an order at each place."""
    rows = _rows(shop.folder, number)
    spans = spans_of(shop, shown)
    traces = {span["trace"] for span in spans}
    has_all = len(spans) == STEPS and traces == {shown}
    return [
        Hop("the answer to the browser", "X-Correlation-ID", shown),
        *(Hop(what, f"table {table}", rows.get(table, "")) for table, what in TABLES),
        Hop("all to the collector", f"{len(spans)} spans", shown if has_all else ""),
    ]


def lines_of(folder: Path, flow_id: str) -> list[dict[str, Any]]:
    """Return the log lines of an operation from every process, in order of time."""
    lines = [
        json.loads(line)
        for path in folder.glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    found = [line for line in lines if line.get("root_id") == flow_id]
    return sorted(found, key=lambda line: str(line["timestamp"]))


def spans_of(shop: Shop, flow_id: str) -> list[dict[str, str]]:
    """Ask the collector for the spans of an ID."""
    url = f"http://{shop.addresses['collector']}/v1/projects/default/spans?limit=1000"
    with urllib.request.urlopen(url, timeout=30) as answer:
        data = json.load(answer)["data"]
    return [
        {"name": span["name"], "trace": span["context"]["trace_id"]}
        for span in data
        if span["attributes"].get("penstock.correlation_id") == flow_id
    ]


def _rows(folder: Path, number: str) -> dict[str, str]:
    """Return the ID that each table has for an order."""
    found: dict[str, str] = {}
    with closing(sqlite3.connect(folder / "shop.db", timeout=30)) as database:
        there = "select name from sqlite_master where type = 'table'"
        for (table,) in database.execute(there).fetchall():
            query = f"select flow_id from {table} where number = ?"  # noqa: S608  # our own table name
            row = database.execute(query, (number,)).fetchone()
            if row:
                found[table] = row[0]
    return found
