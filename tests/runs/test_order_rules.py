"""Runs that a server has counted."""

from __future__ import annotations

from penstock.runs.order_counts import OrderCounts
from penstock.runs.order_rules import OrderRules
from tests.support.flow_values import flow_of

ORDERS = flow_of("orders", {"receive": None, "charge": "receive", "ship": "charge"})


def test_runs_count_for_the_edges_that_they_took() -> None:
    """An edge whose first step was not called is not seen."""
    counts = OrderCounts.of([ORDERS])
    rules = OrderRules([ORDERS])
    rules.count_run(counts, "orders", [("orders", "receive"), ("orders", "charge")], 3)
    rules.count_run(counts, "orders", [("orders", "receive"), ("orders", "ship")], 2)

    found = counts.to_dict()["flows"]["orders"]

    assert found["runs"] == 5
    assert found["steps"] == {"receive": 5, "charge": 3, "ship": 2}
    seen = {(one["before"], one["after"]): one["witnessed"] for one in found["edges"]}
    assert seen == {("receive", "charge"): 3, ("charge", "ship"): 0}
