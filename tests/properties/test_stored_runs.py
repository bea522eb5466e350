"""Laws of stored runs: the same tree from any order of lines, and no false verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from penstock import flow
from penstock.runs.judging import judge
from penstock.runs.trees import operations_of
from penstock.testing import isolated_registry
from tests.support.stored_activations import (
    StoredRun,
    info_of,
    runs_in_one_line,
    stored_runs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.runs.lines import StoredLine


def verdict(run: StoredRun, lines: Iterable[StoredLine]) -> str:
    """Return the only verdict on a run whose steps are plain functions."""
    (operation,) = operations_of(lines)
    with isolated_registry():
        for name in run.flow:
            flow("flow").step(name=name)(lambda: None)
        (found,) = judge(operation, [info_of(run.flow)])
    assert (found.verdict == "in order") == (found.reasons == ())
    return found.verdict


@given(stored_runs(hosts=3))
def test_lines_in_any_order_give_the_tree(run: StoredRun) -> None:
    """Each call once, below the call that made it, and nothing is missing."""
    (operation,) = operations_of(run.lines)

    parents = {
        call.call_id: call.parent and call.parent.call_id for call in operation.calls
    }
    assert parents == {
        f"p-{number}": each.parent and f"p-{run.ran.index(each.parent)}"
        for number, each in enumerate(run.ran)
    }
    assert len(operation.calls) == len(run.ran)
    assert operation.gaps == []


@given(stored_runs())
def test_one_clock_decides_everything(run: StoredRun) -> None:
    """The verdict is that of the definitions."""
    assert verdict(run, run.lines) == run.verdict


@given(runs_in_one_line())
def test_the_line_of_a_run_decides_as_much(run: StoredRun) -> None:
    """But where a call has ended after the run, in a line of its own."""
    found = verdict(run, run.lines)

    assert found == run.verdict or (found == "unknown" and len(run.lines) > 1)


@given(stored_runs(hosts=3))
def test_several_clocks_never_decide_wrongly(run: StoredRun) -> None:
    """However wrong they are."""
    assert verdict(run, run.lines) in {run.verdict, "unknown"}


@given(stored_runs(hosts=2), st.data())
def test_a_lost_line_accuses_nobody(run: StoredRun, data: st.DataObject) -> None:
    """Every line is needed."""
    lost = data.draw(st.sampled_from(run.lines))
    lines = [line for line in run.lines if line is not lost]

    assert verdict(run, lines) == "unknown"


@given(runs_in_one_line(), st.data())
def test_a_lost_line_beside_that_of_the_run_accuses_nobody(
    run: StoredRun, data: st.DataObject
) -> None:
    """It leaves no trace, and may be that of any predecessor."""
    lost = data.draw(st.sampled_from(run.lines))
    lines = [line for line in run.lines if line is not lost]

    found = verdict(run, lines) if lines else "unknown"
    assert found != "out of order" or run.verdict == found
