from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import penstock
from penstock import configure, declared_flows, flow
from penstock.testing import in_flow, isolated_registry, watch_runs

pytestmark = pytest.mark.usefixtures("clean_counts")

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def orders() -> dict[str, Callable[..., object]]:
    """Declare a flow; give its functions."""
    shop = flow("orders")

    @shop.entrypoint
    def receive(*steps: Callable[[], object]) -> None:
        for one in steps:
            one()

    @shop.step(after=receive)
    def validate() -> None: ...

    @shop.step(after=validate)
    def charge() -> object:
        return penstock.get_flow_context_value("tenant")

    return {"receive": receive, "validate": validate, "charge": charge}


Orders = dict[str, "Callable[..., object]"]


def test_a_step_runs_alone_and_earns_nothing(orders: Orders) -> None:
    """With the ID and the metadata of the test."""
    configure(conformance="raise")

    with in_flow("orders", done={"validate"}, correlation_id="a", tenant="acme") as ctx:
        assert orders["charge"]() == "acme"
        assert ctx.correlation_id == "a"

    report = penstock.conformance_report().to_dict()["flows"]["orders"]
    assert report["runs"] == 0
    assert set(report["steps"].values()) == {0}
    assert {edge["status"] for edge in report["edges"]} == {"unexercised"}


def test_what_is_done_is_taken_by_the_word(orders: Orders) -> None:
    """An empty set says that nothing is; None says nothing."""
    configure(conformance="raise")

    with in_flow("orders", done=()), pytest.raises(penstock.FlowOrderError):
        orders["charge"]()
    with in_flow("orders"):
        orders["charge"]()


def test_in_flow_contradicts_but_counts_no_edge(orders: Orders) -> None:
    """The finding is there; the count of the edge is the application's own."""
    configure(conformance="record")

    with in_flow("orders", done={"receive"}):
        orders["charge"]()
        orders["validate"]()

    report = penstock.conformance_report().to_dict()["flows"]["orders"]
    assert {v["code"] for v in report["violations"]} == {"R1", "R2"}
    assert {edge["contradicted"] for edge in report["edges"]} == {0}


def test_a_foreign_step_in_flow_counts_for_nothing(orders: Orders) -> None:
    """Whatever runs in a rehearsal."""
    configure(conformance="record")
    invoice = flow("billing").step(name="invoice")(lambda: None)

    with in_flow("orders"):
        invoice()  # type: ignore[no-untyped-call]  # a lambda

    assert orders
    assert penstock.conformance_report().to_dict()["flows"]["orders"]["foreign"] == []


def test_names_are_checked(orders: Orders) -> None:
    """With a suggestion each."""
    assert orders
    with pytest.raises(penstock.UnknownFlowError, match="Did you mean 'orders'"):
        in_flow("order")
    with pytest.raises(penstock.FlowDefinitionError, match="Did you mean 'validate'"):
        in_flow("orders", done={"valdate"})


@pytest.mark.parametrize("mode", ["off", "record", "warn"])
def test_runs_are_watched(orders: Orders, mode: str) -> None:
    """Each with its path; what happens before and after is not."""
    configure(conformance=mode)
    orders["receive"](orders["validate"])
    with watch_runs() as runs:
        orders["receive"](orders["validate"], orders["charge"])
        orders["receive"]()
    orders["receive"]()

    assert [run.path for run in runs] == [
        ["receive", "validate", "charge"],
        ["receive"],
    ]
    assert repr(runs[0]) == "<Run orders: receive validate charge>"
    assert runs[0].flow == "orders"
    assert runs[0].run_id != runs[1].run_id
    counted = penstock.conformance_report().to_dict()["flows"]["orders"]["runs"]
    assert counted == (2 if mode == "off" else 4)


def test_visits_are_asserted(orders: Orders) -> None:
    """The message shows the path."""
    with watch_runs() as (runs):
        orders["receive"](orders["validate"])

    runs[0].assert_visited("receive", "validate")
    runs[0].assert_not_visited("charge")
    with pytest.raises(AssertionError, match=r"did not visit charge: \['receive', "):
        runs[0].assert_visited("receive", "charge")
    with pytest.raises(AssertionError, match=r"visited validate: \['receive', "):
        runs[0].assert_not_visited("validate")


def test_flows_are_declared_apart(orders: Orders) -> None:
    """Those of the block are gone after it, with what they counted."""
    configure(conformance="record")
    orders["receive"]()
    with isolated_registry():
        assert declared_flows() == ()
        flow("other").entrypoint(name="begin")(lambda: None)()
        assert list(penstock.conformance_report().to_dict()["flows"]) == ["other"]

    assert [one.name for one in declared_flows()] == ["orders"]
    assert list(penstock.conformance_report().to_dict()["flows"]) == ["orders"]
