"""What differs between two versions of flows."""

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
    """Return the change of the only flow."""
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
    """The order of steps makes no difference."""
    moved = replace(ORDERS, steps=ORDERS.steps[::-1])

    assert compare([ORDERS], [moved]) == ()


def test_place_and_service_are_no_difference() -> None:
    """The place of a function is not compared."""
    moved = with_step(ORDERS, "charge", path="x.py", line=3, module="x", doc="More.")

    assert compare([ORDERS], [replace(moved, service="shop")]) == ()


def test_steps_and_edges() -> None:
    """A renamed step is one that was removed and one that was added."""
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
    """The steps and edges of an added or removed flow are listed."""
    assert compare([], [ORDERS])[0].status == "added"
    (change,) = compare([ORDERS], [])
    assert change.status == "removed"
    assert {step.status for step in change.steps} == {"removed"}
    assert len(change.edges) == 2
    assert compare([], [FlowInfo("empty")]) == (FlowChange("empty", "added"),)


def test_what_is_said_of_a_step() -> None:
    """Kind, description, tags and crossing are compared; tags have no order."""
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
    """Owner, description and tags of a flow are compared."""
    new = replace(ORDERS, owner="shop", description="All.", tags=("core",))

    assert changed(ORDERS, new).fields == (
        FieldChange("owner", "", "shop"),
        FieldChange("description", "", "All."),
        FieldChange("tags", "", "core"),
    )


def test_join() -> None:
    """``all_of`` instead of alternatives is a change, although no edge differs."""
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
    """A new join is listed besides the edges, new alternatives are not."""
    choice = flow_of("f", {"a": None, "b": None, "c": ["a"]})
    join = flow_of("f", {"a": None, "b": None, "c": [("b", "a")]})
    wide = flow_of("f", {"a": None, "b": None, "c": ["a", "b"]})

    fields = (FieldChange("after", "a", "a and b"),)
    assert changed(choice, join).steps == (StepChange("c", "changed", fields),)
    assert changed(choice, wide).steps == ()
    assert changed(choice, join).edges == changed(choice, wide).edges


def test_one_predecessor_has_many_spellings() -> None:
    """A predecessor is the same, whether named with flow and service or without."""
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
    """A predecessor in a flow that is not compared has one spelling too."""
    audit = flow_of("audit", {"log": None}, service="shop")
    short = flow_of("orders", {"a": "audit:log"}, service="shop")
    long = flow_of("orders", {"a": "shop/audit:log"}, service="shop")

    assert compare([short], [long], old_known=[audit], new_known=[audit]) == ()


def test_predecessor_that_is_nowhere() -> None:
    """An unknown predecessor is compared as written."""
    (change,) = compare([ORDERS], [with_step(ORDERS, "ship", after=(("chrage",),))])

    assert EdgeChange("chrage", "ship", "added") in change.edges


def test_flow_of_several_services() -> None:
    """A flow of several services is compared as their union."""
    one = FlowInfo("f", (StepInfo("a", "f"),), service="x")
    begin = StepInfo("a", "f", is_entrypoint=True)
    other = FlowInfo("f", (begin, StepInfo("b", "f", after=(("a",),))), service="y")

    whole = FlowInfo("f", (begin, StepInfo("b", "f", after=(("a",),))))
    assert compare([one, other], [whole]) == ()
