from __future__ import annotations

from typing import Any

import pytest

from penstock.runs.calls import calls_of
from penstock.runs.field_layouts import FieldLayout
from penstock.runs.lines import StoredLine
from penstock.runs.output.facts import Shown
from penstock.runs.output.otlp_json import as_otlp
from penstock.runs.parsing import parse_line
from penstock.runs.trees import operations_of
from tests.support.stored_lines import EPOCH_US, made_call, made_line


def span(
    name: str, parent: str = "", end: float = 9, step: str = "", **more: Any
) -> StoredLine:
    """Make a span, that of a step if *step* is given."""
    fields: dict[str, Any] = {"call_id": f"span:{name}", "duration_ms": 1.0, **more}
    if parent:
        fields["parent_call_id"] = f"span:{parent}"
    if step:
        fields |= {"flow": "orders", "step": step, "flow_event": "step.end"}
        fields = {"run_id": "id-receive", "correlation_id": "run", **fields}
    return StoredLine(EPOCH_US + round(end * 1000), fields, is_span=True)


def parents(*lines: StoredLine) -> dict[str, str]:
    """Return the caller's ID of each step."""
    return {call.step: call.parent_call_id for call in calls_of(lines)}


def test_spans_of_frameworks_are_passed_through() -> None:
    """The caller is the nearest step, however many are between."""
    lines = [
        span("a", step="receive"),
        *(span(f"f{number}", f"f{number - 1}") for number in range(1, 5000)),
        span("f0", "a"),
        span("b", "f4999", step="charge"),
        span("c", "f2500", step="ship"),
    ]

    assert parents(*lines) == {"receive": "", "charge": "span:a", "ship": "span:a"}


def test_an_unknown_span_above_those_of_frameworks_is_of_another_program() -> None:
    """As in a request from outside; directly above a step, a span is missing."""
    lines = [
        span("a", "server", step="receive"),
        span("server", "browser"),
        span("b", "lost", step="charge"),
    ]

    assert parents(*lines) == {"receive": "", "charge": "span:lost"}
    assert operations_of(lines)[0].gaps == ["1 call whose caller is missing"]


def test_a_link_leads_to_the_sender() -> None:
    """To the step that sent the message, also if it is not stored."""
    lines = [
        span("a", step="receive"),
        span("producer", "a"),
        span("b", "consumer", step="charge", links=["span:producer", "span:other"]),
        span("consumer"),
        span("c", step="ship", links=["span:lost"]),
    ]

    assert parents(*lines) == {
        "receive": "",
        "charge": "span:a",
        "ship": "span:lost",
    }


def test_spans_in_a_circle() -> None:
    """They have no step above."""
    lines = [span("f", "g"), span("g", "f"), span("a", "f", step="receive")]

    assert parents(*lines) == {"receive": ""}
    assert parents(*lines, span("b", "g", step="charge"))["charge"] == ""


def test_lines_and_span_of_one_call() -> None:
    """They are one call, whose span is that which began with it."""
    lines = [
        *made_call("receive", 0, 20),
        *made_call("charge", 1, 3),
        *made_call("charge", 4, 6, call_id="id-charge-2"),
        span("r", end=20, duration_ms=20.0, step="receive"),
        span("c2", "r", end=6, duration_ms=2.0, step="charge"),
        span("c1", "r", end=3, duration_ms=2.0, step="charge"),
        span("s", "c2", end=5, step="ship"),
    ]

    (operation,) = operations_of(lines)

    found = [(call.call_id, call.recorded) for call in operation.calls]
    assert found == [
        ("id-receive", "each"),
        ("id-charge", "each"),
        ("id-charge-2", "each"),
        ("span:s", "span"),
    ]
    assert operation.calls[-1].parent is operation.calls[2]


def test_a_span_that_was_current_when_the_lines_were_written() -> None:
    """It is the call's although it began much later; another one would not be."""
    late: dict[str, Any] = {"end": 90, "step": "receive"}
    lines = made_call("receive", 0, 99, span_id="own")

    (call,) = calls_of([*lines, span("own", **late)])
    both = calls_of([*lines, span("another", **late)])

    assert call.recorded == "each"
    assert [one.recorded for one in both] == ["each", "span"]


def test_lines_without_their_caller_learn_it_from_the_span() -> None:
    """As those of a consumer whose message came without penstock's field."""
    lines = [
        *made_call("receive", 0, 9, parent_call_id=None, call_id="id-b"),
        span("a", end=9, duration_ms=9.0, step="receive", links=["span:sender"]),
    ]

    (call,) = calls_of(lines)

    assert call.parent_call_id == "span:sender"


@pytest.mark.parametrize("has_lines", [True, False])
def test_spans_that_penstock_made_from_lines(*, has_lines: bool) -> None:
    """Beside the lines they are the same calls, also those that lines are missing of.

    Without the lines, and written once more, they are the calls as well.
    """
    lines = [
        *made_call("receive", 0, 90),
        made_line("start", "charge", 20, parent_call_id="id-receive"),
        made_line("end", "ship", 60, duration_ms=20.0, parent_call_id="id-charge"),
    ]
    written = lines
    for _ in range(1 if has_lines else 2):
        text = as_otlp(Shown(operations_of(written)))
        written = parse_line(text.encode(), FieldLayout({}))

    (found,) = operations_of([*lines, *written] if has_lines else written)

    receive, charge, ship = found.calls
    assert (receive.step, charge.step, ship.step) == ("receive", "charge", "ship")
    assert (charge.parent, ship.parent) == (receive, charge)
    assert charge.outcome == ""
