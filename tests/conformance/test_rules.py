from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from penstock.conformance.plan import FlowPlan
from penstock.conformance.rules import Plan, edge_status
from penstock.conformance.run_progress import RunProgress

if TYPE_CHECKING:
    from collections.abc import Sequence

After = dict[str, "Sequence[Sequence[str]]"]
CHAIN: After = {
    "receive": [],
    "validate": [["receive"]],
    "charge": [["validate"]],
    "ship": [["charge"]],
}
JOIN: After = {
    "receive": [],
    "charge": [["receive"]],
    "reserve": [["receive"]],
    "send": [["charge"], ["reserve"]],
}
ALL: After = {**JOIN, "send": [["charge", "reserve"]]}
SAVE: After = {
    "receive": [],
    "enrich": [["receive"]],
    "save": [["enrich"]],
}
POLL: After = {
    "submit": [],
    "check": [["submit"], ["wait"]],
    "wait": [["check"]],
}


class Case(NamedTuple):
    """A run as a list of events.

    ``+a`` starts below the entrypoint, ``+a/b`` below the open ``a``; ``-a`` ends it.
    The entrypoint, which the flow names first, is open around it all.
    """

    what: str
    flow: After
    events: str
    found: str = ""


CASES = [
    Case("a chain in turn", CHAIN, "+validate -validate +charge -charge +ship -ship"),
    Case("nested calls", CHAIN, "+validate +validate/charge -charge -validate"),
    Case("deeper", CHAIN, "+validate +validate/charge +charge/ship -ship -charge"),
    Case("a join in turn", JOIN, "+charge -charge +reserve -reserve +send -send"),
    Case("gather", JOIN, "+charge +reserve -reserve -charge +send -send"),
    Case(
        "send between the two",
        JOIN,
        "+charge -charge +send -send +reserve -reserve",
        "reserve->send",
    ),
    Case(
        "and once more after both",
        JOIN,
        "+charge -charge +send -send +reserve -reserve +send -send",
    ),
    Case("one branch skipped", JOIN, "+reserve -reserve +send -send"),
    Case("both branches skipped", JOIN, "+send -send", "R1 send"),
    Case("all_of", ALL, "+charge +reserve -reserve -charge +send -send"),
    Case("all_of lacks one", ALL, "+reserve -reserve +send -send", "R3 send"),
    Case("all_of lacks both", ALL, "+send -send", "R1 send"),
    Case(
        "all_of while one runs",
        ALL,
        "+charge +reserve -reserve +send -send -charge",
        "R3 send charge->send",
    ),
    Case("enrich skipped", SAVE, "+save -save", "R1 save"),
    Case("enrich kept", SAVE, "+enrich -enrich +save -save"),
    Case(
        "start or enrich",
        {**SAVE, "save": [["receive"], ["enrich"]]},
        "+save -save",
    ),
    Case(
        "loop of validate, charge",
        CHAIN,
        "+validate -validate +charge -charge +validate -validate +charge -charge",
    ),
    Case(
        "loop of charge, validate",
        CHAIN,
        "+charge -charge +validate -validate +charge -charge +validate -validate",
        "R1 charge",
    ),
    Case(
        "validate still running",
        CHAIN,
        "+validate +charge -charge -validate",
        "R1 charge validate->charge",
    ),
    Case("charge below its own predecessor's sibling", CHAIN, "+ship -ship", "R1 ship"),
    Case(
        "a predecessor called inside",
        CHAIN,
        "+charge +charge/validate -validate -charge",
        "R1 charge validate->charge",
    ),
    Case("a loop that ends in the middle", POLL, "+check -check +wait -wait"),
    Case("a loop", POLL, "+check -check +wait -wait +check -check"),
    Case("a loop that begins wrong", POLL, "+wait -wait", "R1 wait"),
]


def found(case: Case) -> str:
    """Return what breaks, in the words of a case."""
    plan = FlowPlan("of no step")
    rules = {name: plan.rule(name, after) for name, after in case.flow.items()}
    entry = rules[next(iter(case.flow))]
    run = RunProgress(plan)
    run.start(entry, 0)
    above = {"": entry.bit}
    said = []
    for event in case.events.split():
        parent, _, name = event[1:].rpartition("/")
        rule = rules[name]
        if event[0] == "-":
            run.end(rule.bit)
            continue
        above[name] = above[parent] | rule.bit
        code = rule.broken(run.start(rule, above[parent]))
        if code and f"{code} {name}" not in said:
            said.append(f"{code} {name}")
    run.end(entry.bit)
    said += [f"{one}->{other}" for one, other in plan.edges(run.find_contradicted())]
    return " ".join(said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_verdict(case: Case) -> None:
    """Every row of the table, and its neighbours."""
    assert found(case) == case.found


def test_a_step_may_follow_itself() -> None:
    """A retry is before the next one; that there is none proves nothing."""
    plan = FlowPlan("of no step")
    receive = plan.rule("receive", [])
    charge = plan.rule("charge", [["receive"], ["charge"]])
    run = RunProgress(plan)
    run.start(receive, 0)

    for _ in range(2):
        assert not charge.broken(run.start(charge, receive.bit))
        assert not run.find_contradicted()
        run.end(charge.bit)

    assert ("charge", "charge") in plan.edges(run.done)


def test_absence_of_what_may_have_run_elsewhere_proves_nothing() -> None:
    """Its presence proves; and such an edge is never contradicted."""
    plan = FlowPlan("of no step")
    send = plan.rule("send", [["charge", "reserve"]], unsure=["reserve"])
    charge, reserve = plan.rule("charge", []), plan.rule("reserve", [])
    run = RunProgress(plan)

    assert send.broken(0) == "R1"
    assert send.broken(reserve.bit) == "R3"
    assert not send.broken(charge.bit)
    assert not send.broken(0, unsure=charge.bit)
    for rule in (charge, send, reserve):
        run.start(rule, 0)
        run.end(rule.bit)
    assert not run.find_contradicted()


def test_what_was_given_is_before_everything_and_convicts_nothing() -> None:
    """A run that came from elsewhere brings what ended there."""
    plan = FlowPlan("of no step")
    charge = plan.rule("charge", [["validate"]])
    ship = plan.rule("ship", [["charge"]])
    run = RunProgress(plan)
    run.done = run.given = plan.bits(["validate", "ship"])

    assert not charge.broken(run.start(charge, 0))
    run.end(charge.bit)
    assert set(plan.names(run.done)) == {"charge", "validate", "ship"}
    assert ship.bit & run.given
    assert not run.find_contradicted()


def test_a_step_that_comes_after_nothing_breaks_nothing() -> None:
    """Nothing was said of what comes before it."""
    assert not Plan().rule("charge", []).broken(0)


def test_a_step_declared_anew_has_its_new_edges_alone() -> None:
    """As after a reload."""
    plan = FlowPlan("of no step")
    old = plan.rule("ship", [["charge"]])
    new = plan.rule("ship", [["receive"]])

    assert old.bit == new.bit
    assert plan.known_bits(["receive"]) == new.mask
    assert plan.known_bits(["nothing"]) == 0
    run = RunProgress(plan)
    for rule in (new, plan.rule("charge", [])):
        run.start(rule, new.mask)
        run.end(rule.bit)
    assert not run.find_contradicted()


def test_verdicts_are_remembered_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that all end differently take no more and more memory."""
    monkeypatch.setattr("penstock.conformance.rules._MAX_VERDICTS", 2)
    plan = FlowPlan("of no step")
    ((_, edge),) = plan.rule("b", [["a"]]).edges
    both = plan.bits("ab")
    others = [plan.bit(name) for name in "cd"]

    for shown in (0, edge, 0, *others, edge | others[0], 0):
        assert bool(plan.contradicted(both | shown)) is not bool(shown & edge)


@pytest.mark.parametrize(
    ("witnessed", "contradicted", "status"),
    [
        (0, 0, "unexercised"),
        (1, 0, "witnessed"),
        (0, 1, "contradicted"),
        (9, 1, "contradicted"),
    ],
)
def test_status(witnessed: int, contradicted: int, status: str) -> None:
    """One contradiction outweighs every witness."""
    assert edge_status(witnessed, contradicted) == status
