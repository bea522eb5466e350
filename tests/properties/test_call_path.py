"""What the call path judges by itself is what is judged call by call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock
from penstock import configure
from penstock.conformance.counters import Counters
from penstock.conformance.judge import process_judge
from tests.support.random_runs import STEPS, Flow, flows

Calls = list[tuple[str, "Calls"]]

CALLS: st.SearchStrategy[Calls] = st.recursive(
    st.just([]),
    lambda inner: st.lists(st.tuples(st.sampled_from(STEPS[1:]), inner), max_size=5),
    max_leaves=8,
)


def play(flow: Flow, runs: list[Calls]) -> dict[str, Any]:
    """Run the flow: each run is a tree of calls; return what was counted."""
    penstock.forget_flow()
    process_judge.counters = Counters()
    orders = penstock.flow("orders")
    steps: dict[str, Any] = {}

    def work(calls: Calls) -> None:
        for name, inner in calls:
            if name in flow:
                steps[name](inner)

    for name, after in flow.items():
        groups = [penstock.all_of(*group) for group in after]
        declare = orders.step if name != "a" else orders.entrypoint
        steps[name] = declare(name=name, after=groups)(work)
    for calls in runs:
        steps["a"](calls)
    found: dict[str, Any] = penstock.conformance_report().to_dict()["flows"]["orders"]
    for violation in found["violations"]:
        del violation["run"]  # a random ID, by which they are sorted
    found["violations"].sort(key=lambda violation: sorted(map(str, violation.items())))
    return found


@given(flows(), st.lists(CALLS, max_size=4), st.integers(0, 3))
def test_both_count_the_same(flow: Flow, runs: list[Calls], cells: int) -> None:
    """Each call, edge and finding, with little room for what is known or with much."""
    runs *= 2  # what is judged once is known the second time
    before = process_judge.counters
    configure(conformance="record")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("penstock.conformance.plan._MAX_ORDERS", cells * 40)
            fast = play(flow, runs)
            patch.setattr(process_judge, "watchers", (lambda *_: None,))
            slow = play(flow, runs)
    finally:
        process_judge.counters = before
        penstock.reset()
        penstock.forget_flow()

    assert fast == slow
