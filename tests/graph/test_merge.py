"""The union of what several manifests declare."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import permutations
from typing import Any

import pytest

from penstock import FlowInfo, StepInfo
from penstock._graph.merge import disagreements, merge_flows
from tests.support.flow_values import flow_of

NEW = FlowInfo(
    "orders",
    (
        StepInfo("charge", "orders", after=(("validate",),), description="New."),
        StepInfo("validate", "orders", is_entrypoint=True),
    ),
    owner="payments",
    service="shop",
)
OLD = FlowInfo(
    "orders",
    (
        StepInfo("charge", "orders", after=(("receive",),), crosses=True),
        StepInfo("receive", "orders", is_entrypoint=True),
    ),
    description="Sells.",
    tags=("core",),
    service="shop",
)

OTHER: dict[type, Any] = {str: "x", int: 1, bool: True, tuple: (("x",),)}


def test_two_accounts_of_a_flow() -> None:
    """All steps are there, each after everything that either declaration names."""
    (flow,) = merge_flows([NEW, OLD])

    assert [step.name for step in flow.steps] == ["charge", "receive", "validate"]
    charge = flow.steps[0]
    assert charge.after == (("receive",), ("validate",))
    assert charge.crosses
    assert (flow.owner, flow.description, flow.tags) == (
        "payments",
        "Sells.",
        ("core",),
    )


@pytest.mark.parametrize("order", list(permutations([NEW, OLD, NEW])))
def test_order_plays_no_part(order: tuple[FlowInfo, ...]) -> None:
    """The union does not depend on the order or on repetition."""
    assert merge_flows(order) == merge_flows([NEW, OLD])


def test_one_account_stays_as_it_is() -> None:
    """A flow with one declaration keeps the order of its steps."""
    flow = flow_of("f", {"b": None, "a": "b"})

    assert merge_flows([flow, flow]) == (flow,)


def test_steps_that_differ_in_words_alone() -> None:
    """Their predecessors keep their order, and there is no message."""
    step = StepInfo("a", "f", after=(("z",), ("b",)), line=1)
    one, two = (FlowInfo("f", (replace(step, line=line),)) for line in (1, 2))

    assert merge_flows([two, one]) == (one,)
    assert list(disagreements([("x", one), ("y", two)])) == []


@pytest.mark.parametrize("name", [f.name for f in fields(StepInfo)[2:]])
def test_the_order_plays_no_part_for_any_field_of_a_step(name: str) -> None:
    """Whichever field differs, a new one too, the union is the same both ways."""
    step = StepInfo("a", "f")
    other = replace(step, **{name: OTHER[type(getattr(step, name))]})
    one, two = FlowInfo("f", (step,)), FlowInfo("f", (other,))

    assert merge_flows([one, two]) == merge_flows([two, one])


@pytest.mark.parametrize("name", ["owner", "description", "tags", "source_url"])
def test_the_order_plays_no_part_for_any_field_of_a_flow(name: str) -> None:
    """What only one declaration has is kept, of two values always the same one."""
    flow = FlowInfo("f")
    values: list[Any] = [("x",), ("y",)] if name == "tags" else ["x", "y"]
    one, two = (replace(flow, **{name: value}) for value in values)

    assert merge_flows([one, two]) == merge_flows([two, one]) == (one,)
    assert merge_flows([flow, two]) == merge_flows([two, flow]) == (two,)


def test_services_stay_apart() -> None:
    """The declarations of two services are not merged; the drawing combines them."""
    mail = replace(NEW, service="mail")

    assert merge_flows([NEW, mail]) == (mail, NEW)


def test_disagreements_name_both_places() -> None:
    """The message names the step, the files, and what each of them says."""
    found = list(disagreements([("shop.json", NEW), ("old.json", OLD)]))

    found_of = "step 'charge' of flow 'orders' is declared 2 times, with differences: "
    said = (
        "after 'receive', called by a message (old.json); after 'validate' (shop.json)."
    )
    assert found == [f"{found_of}{said} All of these are drawn."]


def test_disagreement_about_where_a_flow_begins() -> None:
    """A step that is an entrypoint in only one of them differs."""
    one = flow_of("f", {"a": None, "b": [("x", "y")]})
    two = flow_of("f", {"a": [], "b": [("y", "x")]})

    (found,) = disagreements([("one", one), ("two", two)])
    assert "after nothing (two); an entrypoint (one)" in found


def test_many_declarations_of_one_step() -> None:
    """A step is declared after everything that any of 2,000 manifests names."""
    names = [f"step {number}" for number in range(2_000)]

    (flow,) = merge_flows(flow_of("orders", {"charge": name}) for name in names)

    assert flow.steps[0].after == tuple((name,) for name in sorted(names))
