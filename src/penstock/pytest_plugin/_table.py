"""The table of the edges that ran, and those that did not."""

from __future__ import annotations

from typing import Any


def percent_of(edges: list[dict[str, Any]]) -> float:
    ran = sum(edge["status"] == "witnessed" for edge in edges)
    return 100 * ran / len(edges) if edges else 100.0


def table_of(flows: dict[str, Any]) -> list[str]:
    rows = [("flow", "steps", "edges", "%", "missing")]
    rows += [_row(name, [flow]) for name, flow in flows.items()]
    if len(flows) != 1:
        rows.append((*_row("TOTAL", list(flows.values()))[:-1], ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *map(str.rjust, row[1:4], widths[1:4]), row[4]]
        ).rstrip()
        for row in rows
    ]


def _row(name: str, flows: list[dict[str, Any]]) -> tuple[str, str, str, str, str]:
    edges = [edge for flow in flows for edge in flow["edges"]]
    ran = [edge for edge in edges if edge["status"] == "witnessed"]
    counts = [count for flow in flows for count in flow["steps"].values()]
    steps = f"{sum(map(bool, counts))}/{len(counts)}"
    missing = ", ".join(_named(edge) for edge in edges if edge not in ran)
    percent = f"{percent_of(edges):.0f}" if edges else "-"
    return name, steps, f"{len(ran)}/{len(edges)}", percent, missing


def _named(edge: dict[str, Any]) -> str:
    broken = " (contradicted)" if edge["status"] == "contradicted" else ""
    return f"{edge['before']} -> {edge['after']}{broken}"
