"""Operations as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.runs.lines import ReadCounts
from penstock.runs.operation import Operation, OrderJudgement
from penstock.runs.output.facts import Shown
from penstock.runs.output.operation_json import as_json
from tests.support.operations import BEGIN_US, call, line, operation, shop_operation


def read(shown: Shown) -> Any:
    """Return what a program reads."""
    return json.loads(
        as_json(shown, ReadCounts(2, 30, {"not JSON": 1}, {"a.log": "why"}))
    )


def test_an_operation() -> None:
    """Everything that is known of it, and of each call, in the order of the tree."""
    shown = shop_operation()
    broken = OrderJudgement(
        "shipping", "r", "out of order", ("why",), (("a", "b"),), (shown.calls[11],)
    )
    found = read(Shown([shown], {shown: [broken]}))
    (one,) = found["operations"]

    assert found["read"] == {
        "files": 2,
        "lines": 30,
        "skipped": {"not JSON": 1},
        "unread": {"a.log": "why"},
    }
    assert {key: value for key, value in one.items() if key != "calls"} == {
        "root_id": "4711abcd9f0e4b1c8d2e3f4a5b6c7d8e",
        "start": "2026-11-30T10:15:02.123456Z",
        "end": "2026-11-30T10:15:02.914456Z",
        "services": ["shop", "billing", "shipping"],
        "gaps": ["2 calls without an end"],
        "order": [
            {
                "flow": "shipping",
                "run_id": "r",
                "verdict": "out of order",
                "reasons": ["why"],
                "edges": [["a", "b"]],
                "calls": [11],
            }
        ],
    }
    parcel = one["calls"][10]
    assert {key: value for key, value in parcel.items() if "id" not in key} == {
        "flow": "shipping",
        "step": "parcel",
        "service": "shipping",
        "host": "ship-1",
        "process": "12",
        "parent_step": "orders/ship",
        "parent": 9,
        "sent_at": "2026-11-30T10:15:02.835456Z",
        "start": "2026-11-30T10:15:02.883456Z",
        "doubts": shown.calls[10].doubts,
    }
    assert one["calls"][1]["duration_ms"] == 5.0
    assert one["calls"][1]["first_item"] == "2026-11-30T10:15:02.131356Z"


def test_other_lines() -> None:
    """With logs, each call has its other lines, and the operation the rest."""
    shown = operation(call("f/a", lines=[line(0, "in")]), lines=[line(None, "out")])
    (without,) = read(Shown([shown]))["operations"]
    (found,) = read(Shown([shown], with_logs=True))["operations"]
    (inside,) = found["calls"][0]["lines"]

    assert "lines" not in without
    assert "lines" not in without["calls"][0]
    assert inside["message"] == "in"
    assert inside["timestamp"] == "2026-11-30T10:15:02.123456Z"
    assert found["lines"][0]["message"] == "out"


@pytest.mark.parametrize("outcome", ["ok", "error"])
def test_the_outcome_of_a_message(outcome: str) -> None:
    """It is that of the operation, if the entry was ok."""
    sent = call("f/b", 2, 3, sent_at_us=BEGIN_US, outcome=outcome)
    (one,) = read(Shown([operation(call("f/a", 0, 1, sent))]))["operations"]

    assert one["outcome"] == outcome
    assert one["calls"][0]["outcome"] == "ok"


def test_nothing_is_known() -> None:
    """An operation without calls has its ID; deep ones are no deeper as JSON."""
    deepest = call("f/s")
    for _ in range(5000):
        deepest = call("f/s", 0, 1, deepest)

    assert read(Shown([Operation("r")]))["operations"] == [{"root_id": "r"}]
    assert len(read(Shown([operation(deepest)]))["operations"][0]["calls"]) == 5001
