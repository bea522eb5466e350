from __future__ import annotations

import json
from dataclasses import replace

from penstock.runs.figures import StoredRun
from penstock.runs.lines import ReadCounts
from penstock.runs.operation import OrderJudgement
from penstock.runs.output.runs_list import runs_as_json, runs_as_text

RUN = StoredRun(
    run_id="5f0c-1",
    root_id="4711abcd" * 4,
    flow="orders",
    step="receive",
    service="",
    start_us=1_796_033_702_123_456,
    duration_ms=12.34,
    outcome="ok",
    calls=1200,
    errors=0,
    no_end=0,
)
KILLED = replace(RUN, root_id="A-1", duration_ms=None, outcome="", errors=2, no_end=1)
BROKEN = OrderJudgement(
    "orders", "5f0c-1", "out of order", ("a\nb", "c"), (("a", "b"),)
)


def test_runs_are_a_table() -> None:
    """Each begins with its short ID."""
    assert runs_as_text([(RUN, None)]).splitlines() == [
        "run       began (UTC)          entrypoint         took  outcome  calls",
        "──────────────────────────────────────────────────────────────────────",
        "4711abcd  2026-11-30 10:15:02  orders/receive  12.3 ms  ok       1,200",
    ]


def test_runs_that_were_killed() -> None:
    """What is not known is empty, and errors are counted."""
    *_, line = runs_as_text([(KILLED, None)]).splitlines()

    assert " ".join(line.split()) == (
        "A-1 2026-11-30 10:15:02 orders/receive no end 1,200 2 1"
    )


def test_reasons() -> None:
    """Below the table is why runs are out of order, each on a line."""
    text = runs_as_text([(RUN, BROKEN), (KILLED, None)])

    assert text.splitlines()[-2:] == ["", "4711abcd  a\\nb; c"]


def test_json() -> None:
    """Programs get everything that is known."""
    found = json.loads(runs_as_json([(RUN, BROKEN), (KILLED, None)], ReadCounts()))

    assert found["runs"][0] == {
        "short_id": "4711abcd",
        "run_id": "5f0c-1",
        "root_id": "4711abcd" * 4,
        "flow": "orders",
        "step": "receive",
        "service": "",
        "duration_ms": 12.34,
        "outcome": "ok",
        "calls": 1200,
        "errors": 0,
        "no_end": 0,
        "start": "2026-11-30T10:15:02.123456Z",
        "reasons": ["a\nb", "c"],
        "edges": [["a", "b"]],
    }
    assert found["runs"][1]["duration_ms"] is None
    assert "reasons" not in found["runs"][1]
    assert found["read"]["files"] == 0
