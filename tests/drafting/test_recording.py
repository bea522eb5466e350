"""Drafts with recorded calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.drafting.draft import complete_plan, draft_plan
from penstock.drafting.drawing import evidence_of
from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from tests.support.projects import Project

pytest.importorskip("jedi")

SHOP = """
    import asyncio

    HANDLERS = {}

    def place_order(order):
        charge_order(order)
        HANDLERS["ship"](order)
        if order < 0:
            send_excuse(order)

    def charge_order(order):
        order.__abs__()
        PAID.append(order)

    def send_excuse(order):
        PAID.remove(order)
        PAID.append(0)

    def ship_order(order):
        PAID.append(order)
        PAID.append(order)

    async def import_orders(orders):
        for order in orders:
            await asyncio.sleep(0)
            await import_order(order)
        save_report(orders)

    async def import_order(order):
        await asyncio.sleep(0)
        PAID.append(order)

    def save_report(orders):
        PAID.append(orders)
        PAID.append(orders)

    PAID = []
    HANDLERS["ship"] = ship_order

    if __name__ == "__main__":
        place_order(1)
        place_order(2)
        asyncio.run(import_orders([1, 2]))
    """
TEST = """
    from shop import place_order

    def test_place():
        place_order(3)
    """


def test_runs_show_what_the_code_hides(project: Project) -> None:
    """A step behind a registry is drawn; each edge says in how many runs it was."""
    project.write("shop.py", SHOP)

    draft = draft_plan(
        "shop:place_order",
        [project.root],
        resolver="jedi",
        command=f"python {project.root / 'shop.py'}",
    )

    steps = {one.name: one for one in draft.plan.steps}
    assert steps["place_order"].calls == 2
    assert steps["charge_order"].recorded == (("place_order", 2),)
    assert steps["ship_order"].recorded == (("charge_order", 2),)
    assert steps["send_excuse"].recorded == ()
    sources = evidence_of(draft.plan)
    assert sources is not None
    assert sources.runs["place_order"]["runs"] == 2


def test_coroutines(project: Project) -> None:
    """A coroutine that waits is one call."""
    project.write("shop.py", SHOP)

    draft = draft_plan(
        "shop:import_orders",
        [project.root],
        resolver="jedi",
        command=f"python {project.root / 'shop.py'}",
    )

    assert [(one.name, one.calls) for one in draft.plan.steps] == [
        ("import_orders", 1),
        ("import_order", 2),
        ("save_report", 1),
    ]


def test_tests_as_a_command(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command may be the program of a package; a plan gets what it shows."""
    project.write("shop.py", SHOP)
    project.write("test_shop.py", TEST)
    monkeypatch.chdir(project.root)
    plan = draft_plan("shop:place_order", [project.root], resolver="jedi").plan

    command = "python -m pytest -q -p no:cacheprovider test_shop.py"
    draft = complete_plan(plan, [project.root], "jedi", command)

    assert draft.plan.steps[1].recorded == (("place_order", 1),)
    assert evidence_of(plan) is None


def test_a_command_that_never_calls_the_entry(project: Project) -> None:
    """The error says how the command ended."""
    project.write("shop.py", SHOP)
    project.write("other.py", "raise SystemExit(3)")

    with pytest.raises(
        ConfigurationError, match="status 3 and never called shop:place"
    ):
        draft_plan(
            "shop:place_order",
            [project.root],
            command=f"python {project.root / 'other.py'}",
        )


def test_a_command_with_an_open_quote(project: Project) -> None:
    """The error shows the command."""
    project.write("shop.py", SHOP)

    with pytest.raises(ConfigurationError, match="is not a command: No closing"):
        draft_plan("shop:place_order", [project.root], command="pytest 'tests")
