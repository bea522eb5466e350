from __future__ import annotations

import json

from penstock.runs.figures import StepFigures
from penstock.runs.lines import ReadCounts
from penstock.runs.output.figures_table import figures_as_json, figures_as_text

FIGURES = [
    StepFigures("mail", "send", "mail", 2, 0, 2, (), 0.0),
    StepFigures("orders", "charge", "", 1200, 1, 0, (12.34, 101.0, 2500.0), 9.0, 0.031),
    StepFigures("orders", "receive", "shop", 10, 0, 0, (1.0, 2.0, 3.0), 290.0, 1.0),
]


def test_each_flow_is_a_table() -> None:
    """Where most time goes comes first; services are named where there are several."""
    assert figures_as_text(FIGURES).splitlines() == [
        "mail",
        "",
        "step  calls  errors  time  no end",
        "─────────────────────────────────",
        "send      2     0 %   0 %       2",
        "",
        "orders",
        "",
        "step     service  calls   errors      p50     p95     p99   time",
        "────────────────────────────────────────────────────────────────",
        "receive  shop        10      0 %   1.0 ms  2.0 ms  3.0 ms  100 %",
        "charge            1,200  0.083 %  12.3 ms  101 ms  2.50 s  3.1 %",
    ]


def test_a_step_that_never_ran() -> None:
    """Nothing is known of it but that; no column is there because of its service."""
    called = StepFigures("orders", "pay", "shop", 3, 0, 0, (1.0, 2.0, 3.0), 6.0, 1.0)
    figures = [called, StepFigures("orders", "ship", "", 0, 0, 0, (), 0.0)]

    assert figures_as_text(figures).splitlines()[2:] == [
        "step  calls  errors     p50     p95     p99   time",
        "──────────────────────────────────────────────────",
        "pay       3     0 %  1.0 ms  2.0 ms  3.0 ms  100 %",
        "ship      0",
    ]


def test_a_flow_without_runs() -> None:
    """What messages bring into runs of other flows has no share of its own runs."""
    charge = StepFigures("billing", "charge", "", 3, 0, 0, (1.0, 2.0, 3.0), 6.0)

    assert figures_as_text([charge]).splitlines()[2:] == [
        "step    calls  errors     p50     p95     p99",
        "─────────────────────────────────────────────",
        "charge      3     0 %  1.0 ms  2.0 ms  3.0 ms",
    ]


def test_json() -> None:
    """Programs get milliseconds and shares, and what is unknown as null."""
    counts = ReadCounts(files=1, hits=9, skipped={"why": 2}, is_sampled=True)

    found = json.loads(figures_as_json(FIGURES, counts))

    assert found["read"] == {
        "files": 1,
        "lines": 9,
        "sampled": True,
        "skipped": {"why": 2},
        "unread": {},
    }
    mail, orders = found["flows"]
    assert mail["steps"][0]["p50_ms"] is None
    assert orders["flow"] == "orders"
    assert orders["steps"][0] == {
        "step": "charge",
        "service": "",
        "calls": 1200,
        "errors": 1,
        "no_end": 0,
        "p50_ms": 12.34,
        "p95_ms": 101.0,
        "p99_ms": 2500.0,
        "total_ms": 9.0,
        "share": 0.031,
    }
