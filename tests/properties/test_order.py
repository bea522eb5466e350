"""Random flows and random interleavings, against the definitions word for word."""

from __future__ import annotations

from hypothesis import given

from penstock.conformance.plan import FlowPlan
from penstock.conformance.run_progress import RunProgress
from tests.support.random_runs import Activation, Flow, events_of, expected, runs


@given(runs())
def test_bits_say_what_the_definitions_say(run: tuple[Flow, list[Activation]]) -> None:
    """Each activation, each edge witnessed, each edge contradicted."""
    flow, ran = run
    plan = FlowPlan("of no step")
    rules = {name: plan.rule(name, after) for name, after in flow.items()}
    progress = RunProgress(plan)
    above: dict[Activation | None, int] = {None: 0}
    codes = []
    for each, is_start in events_of(ran):
        rule = rules[each.step]
        if is_start:
            codes.append(rule.broken(progress.start(rule, above[each.parent])))
            above[each] = above[each.parent] | rule.bit
        else:
            progress.end(rule.bit)

    found = (
        set(plan.edges(progress.done)),
        set(plan.edges(progress.find_contradicted())),
    )
    assert (codes, *({f"{a}->{b}" for a, b in edges} for edges in found)) == expected(
        flow, ran
    )
