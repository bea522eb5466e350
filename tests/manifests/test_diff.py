"""What differs between flows as they were and as they are."""

from __future__ import annotations

from dataclasses import replace

from penstock import FlowInfo, StepInfo
from penstock._manifests.diff import (
    EdgeChange,
    FieldChange,
    FlowChange,
    StepChange,
    compare,
)
from tests.support.flow_values import After, flow_of

ORDERS = flow_of("orders", {"receive": None, "charge": "receive", "ship": "charge"})


def changed(old: FlowInfo, new: FlowInfo) -> FlowChange:
    """Return what differs in the one flow that there is."""
    (change,) = compare([old], [new])
    return change


def with_step(flow: FlowInfo, name: str, **fields: object) -> FlowInfo:
    """Return *flow* with another declaration of one step."""
    steps = tuple(
        replace(step, **fields) if step.name == name else step  # type: ignore[arg-type]  # any field
        for step in flow.steps
    )
    return replace(flow, steps=steps)


def test_same_flows() -> None:
    """Nothing differs, whatever the order."""
    moved = replace(ORDERS, steps=ORDERS.steps[::-1])

    assert compare([ORDERS], [moved]) == ()


def test_place_and_service_are_no_difference() -> None:
    """Where a function is shows in no diagram."""
    moved = with_step(ORDERS, "charge", path="x.py", line=3, module="x", doc="More.")

    assert compare([ORDERS], [replace(moved, service="shop")]) == ()


def test_steps_and_edges() -> None:
    """A step that has another name is one that went and one that came."""
    new = flow_of("orders", {"receive": None, "bill": "receive", "ship": "bill"})

    assert changed(ORDERS, new) == FlowChange(
        "orders",
        "changed",
        steps=(StepChange("bill", "added"), StepChange("charge", "removed")),
        edges=(
            EdgeChange("bill", "ship", "added"),
            EdgeChange("charge", "ship", "removed"),
            EdgeChange("receive", "bill", "added"),
            EdgeChange("receive", "charge", "removed"),
        ),
    )


def test_flows() -> None:
    """A flow that is new or gone brings its steps and edges."""
    assert compare([], [ORDERS])[0].status == "added"
    (change,) = compare([ORDERS], [])
    assert change.status == "removed"
    assert {step.status for step in change.steps} == {"removed"}
    assert len(change.edges) == 2
    assert compare([], [FlowInfo("empty")]) == (FlowChange("empty", "added"),)


def test_what_is_said_of_a_step() -> None:
    """Its kind, words, tags and whether a message brings it; tags have no order."""
    assert changed(
        with_step(ORDERS, "charge", tags=("b", "a")),
        with_step(ORDERS, "charge", is_entrypoint=True, description="Take it.",
                  tags=("a",), crosses=True),
    ).steps == (
        StepChange("charge", "changed", (
            FieldChange("kind", "step", "entrypoint"),
            FieldChange("description", "", "Take it."),
            FieldChange("tags", "a, b", "a"),
            FieldChange("crosses", "no", "yes"),
        )),
    )  # fmt: skip
    assert not compare(
        [with_step(ORDERS, "ship", tags=("b", "a"))],
        [with_step(ORDERS, "ship", tags=("a", "b"))],
    )


def test_what_is_said_of_a_flow() -> None:
    """Its owner, description and tags."""
    new = replace(ORDERS, owner="shop", description="All.", tags=("core",))

    assert changed(ORDERS, new).fields == (
        FieldChange("owner", "", "shop"),
        FieldChange("description", "", "All."),
        FieldChange("tags", "", "core"),
    )


def test_join() -> None:
    """All of them, instead of one of them, is a change although no edge differs."""
    any_of = flow_of("f", {"a": None, "b": None, "c": ["a", "b"]})
    all_of = flow_of("f", {"a": None, "b": None, "c": [("b", "a")]})

    assert changed(any_of, all_of) == FlowChange(
        "f",
        "changed",
        steps=(
            StepChange("c", "changed", (FieldChange("after", "a or b", "a and b"),)),
        ),
    )


def test_join_and_edges() -> None:
    """A join is told beside the edges, which do not show it; a choice is not."""
    choice = flow_of("f", {"a": None, "b": None, "c": ["a"]})
    join = flow_of("f", {"a": None, "b": None, "c": [("b", "a")]})
    wide = flow_of("f", {"a": None, "b": None, "c": ["a", "b"]})

    fields = (FieldChange("after", "a", "a and b"),)
    assert changed(choice, join).steps == (StepChange("c", "changed", fields),)
    assert changed(choice, wide).steps == ()
    assert changed(choice, join).edges == changed(choice, wide).edges


def test_one_predecessor_has_many_spellings() -> None:
    """Of the own flow, another one, or another service's: the same edge."""
    billing = flow_of("billing", {"invoice": None}, service="shop")

    def orders(*after: str) -> list[FlowInfo]:
        steps: dict[str, After] = {"receive": None, "charge": list(after)}
        return [flow_of("orders", steps, service="shop"), billing]

    short = orders("receive", "billing:invoice", "bank/money:in")
    long = orders("shop/orders:receive", "shop/billing:invoice", "bank/money:in")

    assert compare(short, long) == ()
    (change,) = compare(orders("receive"), short)
    assert [edge.before for edge in change.edges] == [
        "bank/money:in", "billing:invoice",
    ]  # fmt: skip


def test_what_came_along_is_known() -> None:
    """A predecessor in a flow that is not compared has its one spelling, too."""
    audit = flow_of("audit", {"log": None}, service="shop")
    short = flow_of("orders", {"a": "audit:log"}, service="shop")
    long = flow_of("orders", {"a": "shop/audit:log"}, service="shop")

    assert compare([short], [long], old_known=[audit], new_known=[audit]) == ()


def test_predecessor_that_is_nowhere() -> None:
    """It is compared as it was written: a comparison is no check."""
    (change,) = compare([ORDERS], [with_step(ORDERS, "ship", after=(("chrage",),))])

    assert EdgeChange("chrage", "ship", "added") in change.edges


def test_flow_of_several_services() -> None:
    """What any of them declares is declared."""
    one = FlowInfo("f", (StepInfo("a", "f"),), service="x")
    begin = StepInfo("a", "f", is_entrypoint=True)
    other = FlowInfo("f", (begin, StepInfo("b", "f", after=(("a",),))), service="y")

    whole = FlowInfo("f", (begin, StepInfo("b", "f", after=(("a",),))))
    assert compare([one, other], [whole]) == ()
