"""Reports of several processes as one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import ConformanceReport, flow
from tests.support.call_styles import run_python

pytestmark = pytest.mark.usefixtures("recorded")

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
    import json, sys
    import penstock
    from penstock import flow

    orders = flow("orders")

    @orders.entrypoint
    def receive():
        validate()
        print(json.dumps(penstock.inject()))

    @orders.step(after=receive)
    def validate(): ...

    @orders.step(after=validate)
    def send(): ...

    if len(sys.argv) == 1:
        receive()
    else:
        with penstock.continue_flow(json.loads(sys.argv[1])):
            send()
"""


def test_two_processes(tmp_path: Path) -> None:
    """The receiver's report has the edge that the message proves; both add up."""
    env = {"PENSTOCK_CONFORMANCE": "record", "PENSTOCK_CONFORMANCE_DIR": str(tmp_path)}
    carrier, errors = run_python(PROGRAM, **env)
    assert not errors
    run_python(PROGRAM, carrier, **env)

    found = ConformanceReport.merge(tmp_path.glob("*.json")).to_dict()

    assert list(found) == ["flows"]
    orders = found["flows"]["orders"]
    assert {e["after"]: e["witnessed"] for e in orders["edges"]} == {
        "validate": 1,
        "send": 1,
    }
    assert orders["runs"] == 1
    assert orders["violations"] == []


def test_reports_of_older_versions_merge() -> None:
    """What they knew of runs in several processes is left out."""
    flow("orders").entrypoint(name="receive")(lambda: None)()
    report: dict[str, Any] = penstock.conformance_report().to_dict()
    older = {**json.loads(json.dumps(report)), "crossings": {"runs": [], "dropped": []}}

    assert ConformanceReport.merge([older]).to_dict() == report


def test_reports_merge_one_after_another() -> None:
    """A loop that adds each report to the sum so far gives what one call gives."""
    flow("orders").entrypoint(name="receive")(lambda: None)()
    parts = [penstock.conformance_report() for _ in range(2_000)]
    total = ConformanceReport.merge([])

    for part in parts:
        total = ConformanceReport.merge([total, part])

    assert total.to_dict() == ConformanceReport.merge(parts).to_dict()
    assert total.to_dict()["flows"]["orders"]["runs"] == 2_000
    assert repr(total) == "<ConformanceReport orders>"
