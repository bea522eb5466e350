from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock._types import FlowInfo, StepInfo
from penstock.runs.judging import judge
from penstock.runs.operation import NO_START
from penstock.runs.trees import operations_of
from tests.support.stored_lines import made_line

if TYPE_CHECKING:
    from penstock.runs.lines import StoredLine
    from penstock.runs.operation import Operation, StoredCall

ORDERS = FlowInfo(
    "orders",
    (
        StepInfo("receive", "orders", is_entrypoint=True),
        StepInfo("charge", "orders", after=(("receive",),)),
        StepInfo("ship", "orders", after=(("charge",),)),
    ),
)


def older(
    step: str, start: float, end: float | None, caller: str = "receive", **more: Any
) -> list[StoredLine]:
    """Make the lines of a call as they were before calls had IDs."""
    fields: dict[str, Any] = {"call_id": None, "run_id": None, **more}
    if step != "receive":
        fields["parent_step"] = caller
    lines = [made_line("start", step, start, **fields)]
    if end is not None:
        took = {"outcome": "ok", "duration_ms": float(end - start)}
        lines.append(made_line("end", step, end, **(took | fields)))
    return lines


def tree(call: StoredCall) -> str:
    """Return a call and what it called, as ``a(b c(d))``."""
    inner = " ".join(map(tree, call.children))
    return f"{call.step}({inner})" if inner else call.step


def only(lines: list[StoredLine]) -> Operation:
    """Return the only operation, whatever the order of its lines."""
    (operation,) = operations_of(lines[::-1])
    return operation


def test_calls_in_turn_are_certain() -> None:
    """Only one call of each name is open at any time."""
    lines = [
        *older("receive", 0, 9),
        *older("charge", 1, 4),
        *older("ship", 2, 3, "orders/charge"),
        *older("charge", 5, 6),
    ]

    operation = only([*lines, *lines])

    assert tree(operation.roots[0]) == "receive(charge(ship) charge)"
    assert [call.doubts for call in operation.calls] == [[]] * 4
    assert operation.gaps == []
    (found,) = judge(operation, [ORDERS])
    assert found.verdict == "in order"


def test_concurrent_calls_are_told_apart_by_their_durations() -> None:
    """An end whose duration fits one start alone is certain."""
    lines = [
        *older("receive", 0, 99),
        *older("charge", 10, 30),
        *older("charge", 20, 60),
    ]

    operation = only(lines)

    spans = [(call.start_us, call.end_us) for call in operation.calls[1:]]
    assert [(end or 0) - (start or 0) for start, end in spans] == [20_000, 40_000]
    assert [call.doubts for call in operation.calls] == [[]] * 3


@pytest.mark.parametrize("duration", [None, 20.0])
def test_concurrent_calls_that_nothing_tells_apart(duration: float | None) -> None:
    """The latest start is taken, and said to be doubtful."""
    lines = [
        *older("receive", 0, 99),
        *older("charge", 10, 30, duration_ms=duration),
        *older("charge", 11, 31, duration_ms=duration),
        *older("ship", 12, 13, "charge"),
        *older("charge", 40, 41, duration_ms=duration),
    ]

    operation = only(lines)

    doubts = [call.doubts for call in operation.calls if call.step == "charge"]
    assert [len(one) for one in doubts] == [1, 1, 0]
    assert doubts[0] == ["its end may be that of another call of the same step"]
    ship = next(call for call in operation.calls if call.step == "ship")
    assert ship.doubts == ["another call of 'charge' may have made it"]
    (found,) = judge(operation, [ORDERS])
    assert found.verdict == "unknown"
    assert "is not certain" in found.reasons[0]


def test_a_duration_that_fits_no_start() -> None:
    """The only open call has ended all the same."""
    lines = [*older("receive", 0, 99), *older("charge", 10, 30, duration_ms=5.0)]

    operation = only(lines)

    assert operation.calls[1].doubts == []


def test_a_caller_in_the_same_process_is_likelier() -> None:
    """Another one has an open call of that name, too."""
    lines = [
        *older("receive", 0, 99),
        *older("charge", 10, 30),
        *older("charge", 11, 31, process__pid="2"),
        *older("ship", 12, 13, "charge"),
    ]

    operation = only(lines)

    assert tree(operation.roots[0]) == "receive(charge(ship) charge)"
    assert operation.calls[2].doubts == []


def test_a_run_inside_a_run() -> None:
    """Its ``parent_id`` is the correlation ID of the other."""
    inner = {"correlation_id": "inner", "parent_id": "run", "flow": "billing"}
    lines = [*older("receive", 0, 9), *older("bill", 1, 2, **inner)]

    assert tree(only(lines).roots[0]) == "receive(bill)"


def test_lines_that_are_missing() -> None:
    """An end without a start, a start without an end, a call without its caller."""
    lines = [
        *older("receive", 0, None),
        older("charge", 1, 3)[1],
        *older("ship", 4, 5, "lost"),
        made_line("error", "charge", 8, call_id=None, parent_step="receive"),
    ]

    operation = only(lines)

    assert sorted(operation.gaps) == [
        "1 call whose caller is missing",
        "1 call without an end",
        "2 calls without a start",
    ]
    charge, failed = operation.calls[1:3]
    assert charge.doubts == failed.doubts == [NO_START]
    assert (failed.start_us, failed.outcome) == (None, "error")


def test_nobody_is_accused() -> None:
    """An older line does not say that a generator has given its first item."""
    lines = [*older("receive", 0, 9), *older("charge", 1, 5), *older("ship", 2, 3)]

    (found,) = judge(only(lines), [ORDERS])

    assert found.verdict == "unknown"
    assert found.reasons[0].startswith("lines of older versions")
