"""From an entry to a plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from penstock._project.imports import MissingTargetError
from penstock.drafting.draft import complete_plan, draft_plan
from penstock.drafting.drawing import flow_of, footer
from penstock.drafting.plan import DraftPlan, PlannedStep
from tests.support.drafts import write_shop

if TYPE_CHECKING:
    from tests.support.projects import Project

pytest.importorskip("jedi")

ENTRY = "shop.views:checkout_view"


def after_of(plan: DraftPlan) -> dict[str, tuple[str, ...] | None]:
    """Return what each step of a plan comes after."""
    return {one.name: one.after for one in plan.steps}


def test_steps_in_order_of_execution(project: Project) -> None:
    """The steps come in the order of their calls; what may be skipped is bypassed."""
    write_shop(project)

    draft = draft_plan(ENTRY, [project.root], resolver="jedi")

    assert draft.plan.flow == "checkout"
    assert after_of(draft.plan) == {
        "checkout_view": (),
        "create_order": ("checkout_view",),
        "charge_order": ("create_order",),
        "capture_payment": ("charge_order",),
        "reserve_line": ("create_order", "capture_payment"),
        "send_receipt": ("create_order", "reserve_line"),
    }


def test_overrides_are_one_step(project: Project) -> None:
    """Two gateways that override one method are one box with a count."""
    write_shop(project)

    draft = draft_plan(ENTRY, [project.root], resolver="jedi")
    flow = flow_of(draft.plan)

    assert [one.overrides for one in draft.plan.steps] == [0, 0, 0, 2, 0, 0]
    assert flow.step("capture_payment ×2") is not None
    assert flow.steps[4].predecessors == ("create_order", "capture_payment ×2")


def test_fewer_steps(project: Project) -> None:
    """With fewer steps the order of those that are left is the same."""
    write_shop(project)

    draft = draft_plan(ENTRY, [project.root], size=3, resolver="jedi")

    assert len(draft.plan.steps) == 3
    assert len(draft.plan.others) == 7


def test_footer(project: Project) -> None:
    """The footer says what was left out, and where a registry ends the picture."""
    write_shop(project)

    lines = list(footer(draft_plan(ENTRY, [project.root], resolver="jedi")))

    assert lines[0] == "Several overrides of one method are one step: capture_payment."
    assert lines[1] == "6 of 11 functions that the entry leads to are drawn."
    assert "shop.orders:log" in lines[2]
    assert lines[-1].endswith("send_receipt calls what HANDLERS[order] holds")


def test_hubs_are_listed(project: Project) -> None:
    """What more than three steps call is not drawn, but listed."""
    steps = "".join(f"def send_{n}():\n    save_all()\n    log()\n\n\n" for n in "abcd")
    calls = "".join(f"    send_{n}()\n" for n in "abcd")
    body = "def save_all():\n" + "    write(1)\n" * 60
    project.write("shop.py", f"{steps}def start():\n{calls}\n\n{body}")

    draft = draft_plan("shop:start", [project.root], resolver="jedi")

    assert draft.hubs == ["shop:save_all"]
    assert [one.name for one in draft.plan.steps] == [
        "start",
        "send_a",
        "send_b",
        "send_c",
        "send_d",
    ]


def test_loops_have_no_back_edges(project: Project) -> None:
    """Of two steps in a loop, the first one that is called comes first."""
    text = """
        def start(orders):
            for order in orders:
                charge_order(order)
                ship_order(order)

        def charge_order(order):
            order.save()

        def ship_order(order):
            order.save()
        """
    project.write("shop.py", text)

    draft = draft_plan("shop:start", [project.root], resolver="jedi")

    assert after_of(draft.plan) == {
        "start": (),
        "charge_order": ("start",),
        "ship_order": ("charge_order",),
    }


def test_entry_that_is_a_class(project: Project) -> None:
    """A class stands for its handler, even where it inherits the class around it."""
    text = """
        class Base:
            def post(self, request):
                self.create_order(request)

            def create_order(self, request):
                request.save()

        class OrderView(Base):
            def create_order(self, request):
                request.save()

            def get(self, request):
                pass
        """
    project.write("shop.py", text)

    inherited = draft_plan("shop:OrderView.post", [project.root], resolver="jedi")
    own = draft_plan("shop:OrderView", [project.root], resolver="jedi")

    assert inherited.plan.flow == "order"
    assert [one.function for one in inherited.plan.steps] == [
        "shop:Base.post",
        "shop:OrderView.create_order",
    ]
    assert [one.function for one in own.plan.steps] == ["shop:OrderView.get"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("shop.views:chekout_view", "Did you mean 'checkout_view'?"),
        ("shop.view:checkout_view", "Did you mean 'shop.views'?"),
        ("store:checkout_view", "there is no module 'store'"),
        ("shop.orders:Order", "Order has: Order.save"),
    ],
)
def test_unknown_entry(project: Project, entry: str, message: str) -> None:
    """The message says what is missing, and what is similar."""
    write_shop(project)

    with pytest.raises(MissingTargetError, match=re.escape(message)):
        draft_plan(entry, [project.root], resolver="jedi")


def test_complete_plan_fills_in(project: Project) -> None:
    """A new step gets a name and its place; a deleted one leaves its successors."""
    write_shop(project)
    steps = (
        PlannedStep("shop.views:checkout_view", "buy", ()),
        PlannedStep("shop.orders:cart_of"),
        PlannedStep("shop.mails:send_receipt", "send", ("reserve_line",)),
    )
    plan = DraftPlan("checkout", ENTRY, steps)

    draft = complete_plan(plan, [project.root], "jedi")

    assert after_of(draft.plan) == {
        "buy": (),
        "cart_of": ("buy",),
        "send": ("cart_of",),
    }
    assert draft.notes == ["send: 'reserve_line' is not in the plan any more."]


def test_complete_plan_keeps_what_is_complete(project: Project) -> None:
    """A plan that lacks nothing is drawn without reading the project."""
    plan = DraftPlan("checkout", ENTRY, (PlannedStep(ENTRY, "buy", ()),))

    assert complete_plan(plan, [project.root]).plan is plan


def test_complete_plan_names_a_function_that_is_gone(project: Project) -> None:
    """The message suggests the function that was meant."""
    write_shop(project)
    plan = DraftPlan("checkout", ENTRY, (PlannedStep("shop.mails:send_recept"),))

    with pytest.raises(MissingTargetError, match=r"mean 'shop"):
        complete_plan(plan, [project.root], "jedi")
