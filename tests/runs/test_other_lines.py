from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.runs.lines import StoredLine
from penstock.runs.trees import operations_of
from tests.support.stored_lines import made_call, other_line

if TYPE_CHECKING:
    from penstock.runs.operation import Operation

RUN = [*made_call("receive", 0, 20), *made_call("charge", 5, 10)]


def where(line: StoredLine, *more: StoredLine) -> str:
    """Return the step that a line is attached to, ``operation`` for the operation."""
    operations = operations_of([line, *RUN, *more])
    for each in operations:
        for call in each.calls:
            if line in call.lines:
                return call.step
        if line in each.lines:
            return "operation"
    return ""


def test_the_call_id_decides() -> None:
    """Also at another time, as for what is logged by a thread that goes on."""
    assert where(other_line(30, call_id="id-charge")) == "charge"
    assert where(other_line(7, call_id="lost")) == "operation"


def test_the_span_decides_where_there_are_only_spans() -> None:
    """The call of that span is known by it."""
    span = StoredLine(
        RUN[0].time_us,
        {
            "call_id": "span:a",
            "flow_event": "step.end",
            "flow": "orders",
            "step": "ship",
            "run_id": "id-receive",
        },
        is_span=True,
    )

    assert where(other_line(3, span_id="a"), span) == "ship"


def test_the_innermost_call_that_was_open() -> None:
    """That of the line's process, as far as it is known."""
    assert where(other_line(1)) == "receive"
    assert where(other_line(7)) == "charge"
    assert where(other_line(15)) == "receive"
    assert where(other_line(7, **{"host.name": "host", "process.pid": "1"})) == "charge"
    assert where(other_line(7, **{"host.name": "another"})) == "operation"


def test_several_open_calls_are_ambiguous() -> None:
    """As where tasks run together; and before or after all calls, none is open."""
    other = made_call("ship", 6, 9)

    assert where(other_line(7), *other) == "operation"
    assert where(other_line(9.5), *other) == "charge"
    assert where(other_line(-1)) == where(other_line(30)) == "operation"


def test_a_call_in_another_process_below() -> None:
    """The line of the caller's process is the caller's."""
    elsewhere = {"host__name": "two", "parent_call_id": "id-charge"}
    below = made_call("pack", 6, 9, **elsewhere)

    assert where(other_line(7, **{"host.name": "host"}), *below) == "charge"
    assert where(other_line(7, **{"host.name": "two"}), *below) == "pack"


def test_calls_without_times() -> None:
    """A line is not inside them; a line without a time is inside none."""
    lost = [StoredLine(None, made_call("ship", 0, 1)[0].fields)]

    assert where(other_line(7), *lost) == "charge"
    assert where(StoredLine(None, other_line(7).fields)) == "operation"


def two_runs(*lines: StoredLine) -> list[Operation]:
    """Return two runs that begin in one carried context, one after the other."""
    second = {"call_id": "id-2", "run_id": "id-2"}
    return operations_of([*RUN, *made_call("receive", 100, 120, **second), *lines])


def test_several_operations_under_one_id() -> None:
    """A line belongs to the last one that began before it."""
    lines = [other_line(ms, call_id="lost") for ms in (-1, 50, 110)]

    first, second = two_runs(*lines)

    assert first.lines == lines[:2]
    assert second.lines == lines[2:]


def test_lines_of_another_run_of_the_operation() -> None:
    """The root ID says which operation it is."""
    assert where(other_line(7, correlation_id="inner")) == "operation"


def test_lines_without_any_call() -> None:
    """They are an operation without calls."""
    line = other_line(1, correlation_id="alone", root_id=None)
    another = other_line(2, correlation_id="alone", root_id=None)

    operations = operations_of([line, another])

    (operation,) = operations
    assert (operation.root_id, operation.roots) == ("alone", [])
    assert operation.lines == [line, another]


def test_a_line_that_two_files_have_counts_once() -> None:
    """What one file has twice was written twice."""
    line = other_line(7, message="late")
    copy = replace(line, source="stdout.log")

    (found,) = operations_of([*RUN, line, line, copy])

    assert found.calls[1].lines == [line, line]
