"""From an entry to a plan."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from penstock._dag import draw
from penstock._project.imports import MissingTargetError
from penstock.drafting.draft import complete_plan, draft_plan, project_program
from penstock.drafting.drawing import evidence_of, flow_of, footer
from penstock.drafting.plan import DraftPlan, PlannedStep
from tests.support.drafts import write_shop

if TYPE_CHECKING:
    from penstock._types import FlowInfo
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
    ("entry", "function", "flow"),
    [
        ("ListView", "ListView.get_queryset", "list"),
        ("WizardView", "WizardView.dispatch", "wizard"),
        ("OrderView", "BaseView.form_valid", "order"),
    ],
)
def test_a_class_without_a_handler_of_its_own(
    project: Project, entry: str, function: str, flow: str
) -> None:
    """It stands for what it inherits in the project, else for what it has instead."""
    text = """
        class ListView:
            def get_context_data(self): ...

            def get_queryset(self): ...

        class WizardView:
            def get_queryset(self): ...

            def dispatch(self, request): ...

        class BaseView:
            def form_valid(self, form): ...

        class OrderView(BaseView):
            def get_queryset(self): ...
        """
    project.write("shop.py", text)

    plan = draft_plan(f"shop:{entry}", [project.root], resolver="jedi").plan

    assert (plan.steps[0].function, plan.flow) == (f"shop:{function}", flow)


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


def drawn(flow: FlowInfo, form: str, **given: Any) -> str:
    """Return a picture as a string."""
    picture = draw([flow], format=form, **given)
    assert isinstance(picture, str)
    return picture


def drafted(project: Project, text: str, entry: str = "shop:start") -> DraftPlan:
    """Return the plan of a program in one module."""
    project.write("shop.py", text)
    return draft_plan(entry, [project.root], resolver="jedi").plan


GUESS = """
    def start(order):
        charge_order(order)
        order.ship_parcel()

    def charge_order(order):
        order.write("charged")

    class Order:
        def ship_parcel(self):
            with open(self.place, "w") as file:
                file.write("shipped")
            self.is_shipped = True
            self.place = None
    """


def test_guesses_are_dotted(project: Project) -> None:
    """Only the edge that a name alone suggests is dotted; the legend explains it."""
    flow = flow_of(drafted(project, GUESS))

    svg = drawn(flow, "svg")
    dot = drawn(flow, "dot")

    assert svg.count('class="edge guess"') == 1
    assert svg.count('class="edge"') == 1
    assert ".guess .line{stroke-width:2;stroke-dasharray:.1 5}" in svg
    assert "guess, by its name alone" in svg
    assert "to another process" not in svg
    assert '"charge_order" -> "ship_parcel" [style=dotted]' in dot
    assert "charge_order -.-> ship_parcel" in drawn(flow, "mermaid")
    assert '<i class="sample guess">' in drawn(flow, "html")
    edges = json.loads(drawn(flow, "json"))["flows"][0]["edges"]
    assert [one.get("guess", False) for one in edges] == [False, True]


def test_a_picture_without_guesses_has_no_such_entry(project: Project) -> None:
    """The legend names only what occurs."""
    write_shop(project)

    flow = flow_of(draft_plan(ENTRY, [project.root], resolver="jedi").plan)

    assert "guess" not in drawn(flow, "svg")


def test_recorded_edges_are_solid(project: Project) -> None:
    """A recorded edge, one that is only read, and a guess have a line each."""
    steps = (
        PlannedStep("shop:start", "start", (), calls=1),
        PlannedStep("shop:a", "a", ("start",), recorded=(("start", 1),), calls=1),
        PlannedStep("shop:b", "b", ("a",)),
        PlannedStep("shop:c", "c", ("b",), is_guess=True),
        PlannedStep("shop:d", "d", ("a",), recorded=(("a", 1),), is_guess=True),
    )
    plan = DraftPlan("start", "shop:start", steps)
    flow, evidence = flow_of(plan), evidence_of(plan)

    svg = drawn(flow, "svg", evidence=evidence)

    assert svg.count('class="edge seen"') == 2
    assert svg.count('class="edge unseen"') == 1
    assert svg.count('class="edge guess unseen"') == 1
    for words in ("calls came this way", "in the code, never seen", "guess, by its"):
        assert words in svg
    assert "b → c      guess" in drawn(flow, "text", evidence=evidence)
    assert "<title>start → a: found in the code, seen 1×</title>" in svg
    assert "declared" not in svg.partition("</style>")[2].replace("declared-only", "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 1", "start calls nothing. Name the function that does the work."),
        (
            "print(len(str(1)))",
            "All that start calls is in libraries: print, len, str.",
        ),
        ("HANDLERS[key](key)", "What start calls is only known at run time"),
        ("key.save_it()", "start calls key.save_it, and the resolver does not find"),
        (
            "Page.as_view()(key)",
            "as the entry: shop:Page.form_valid, shop:Page.save_it",
        ),
        ("find()", "too small to draw, or only looks something up: shop:find."),
    ],
)
def test_the_reason_for_an_empty_picture(
    project: Project, body: str, reason: str
) -> None:
    """The picture and the footer say why nothing is drawn, and what to do."""
    text = f"""
        HANDLERS = {{}}

        class Page:
            def get_it(self): ...
            def form_valid(self): ...
            def __str__(self): ...
            def save_it(self): ...

        def find(): ...

        class Other:
            def save_it(self): ...

        def start(key):
            {body}
        """
    project.write("shop.py", text)

    draft = draft_plan("shop:start", [project.root], resolver="jedi")

    assert reason in draft.reason
    assert next(iter(footer(draft))) == draft.reason
    svg = drawn(flow_of(draft.plan, draft.reason), "svg", detail=True)
    assert draft.reason.split()[0] in svg


def test_alternatives_come_after_none_of_each_other(project: Project) -> None:
    """What another iteration, a branch or another alternative runs is not before."""
    text = """
        def start(orders):
            for order in orders:
                if order:
                    order.save()
                    create_order(order)
                else:
                    update_order(order)

        def create_order(order):
            order.write("created")

        def update_order(order):
            order.write("updated")
        """

    assert after_of(drafted(project, text)) == {
        "start": (),
        "create_order": ("start",),
        "update_order": ("start",),
    }


def test_functions_that_are_handed_over_together(project: Project) -> None:
    """One of two functions in a table does not come after the other."""
    text = """
        def start(kind):
            dispatch({"a": create_order, "b": update_order}, kind)

        def create_order(order):
            order.write("created")

        def update_order(order):
            order.write("updated")

        dispatch = print
        """

    assert after_of(drafted(project, text)) == {
        "start": (),
        "create_order": ("start",),
        "update_order": ("start",),
    }


def test_a_package_called_migrations(project: Project) -> None:
    """Only the numbered modules of Django are left out."""
    project.write("shop/__init__.py", "")
    project.write("shop/migrations/__init__.py", "")
    project.write("shop/migrations/orders.py", "def import_orders(): open().write()")
    project.write("shop/migrations/0001_initial.py", "def import_old(): ...")
    text = "from shop.migrations.orders import import_orders\n\n\n"
    project.write("shop/views.py", f"{text}def start(): import_orders()\n")

    draft = draft_plan("shop.views:start", [project.root], resolver="jedi")

    assert [one.name for one in draft.plan.steps] == ["start", "import_orders"]
    assert "shop.migrations.0001_initial" not in project_program([project.root]).modules


def test_a_wrapper_and_what_it_wraps_are_one_step(project: Project) -> None:
    """Of two functions of one name, one of which calls the other, one is drawn."""
    text = """
        def start(order):
            load_image(order)

        def load_image(order):
            _load_image_task(order)

        def _load_image_task(order):
            for line in order:
                open(line).write("image")
                order.save()
        """

    assert [one.function for one in drafted(project, text).steps] == [
        "shop:start",
        "shop:_load_image_task",
    ]


def test_a_view_and_the_method_of_its_name_are_two_steps(project: Project) -> None:
    """A function that does more than call its namesake is no wrapper of it."""
    lines = "\n".join(f"    order.lines.get({line})" for line in range(25))
    project.write(
        "shop.py",
        f"""def checkout(request):
    order = Order(request)
{lines}
    order.checkout()


class Order:
    def checkout(self):
        for line in self.lines:
            line.save()
""",
    )

    draft = draft_plan("shop:checkout", [project.root], resolver="jedi")

    assert after_of(draft.plan) == {
        "checkout": (),
        "order_checkout": ("checkout",),
    }


def test_a_short_function_is_a_wrapper_of_its_namesake(project: Project) -> None:
    """A short function that calls one of the same name is left out."""
    text = """
        def start(order):
            ship_order(order)

        def ship_order(order):
            Carrier().ship_order(order)

        class Carrier:
            def ship_order(self, order):
                for line in order:
                    line.save()
        """

    assert [one.function for one in drafted(project, text).steps] == [
        "shop:start",
        "shop:Carrier.ship_order",
    ]


@pytest.mark.parametrize(
    "register",
    [
        "signal.signal(15, stop_worker)",
        "atexit.register(stop_worker)",
        "asyncio.new_event_loop().add_signal_handler(15, stop_worker)",
    ],
)
def test_signal_handlers_are_not_called(project: Project, register: str) -> None:
    """What only a signal calls is not drawn before what the code calls next."""
    text = f"""
        import asyncio, atexit, signal

        def start(orders):
            {register}
            ship_orders(orders)

        def stop_worker(*_):
            open("state").write("stopped")

        def ship_orders(orders):
            for order in orders:
                order.save()
        """

    assert after_of(drafted(project, text)) == {
        "start": (),
        "ship_orders": ("start",),
    }


def test_overrides_are_named_after_what_they_override(project: Project) -> None:
    """A name that another step has, too, gets that of the class of them all."""
    text = """
        def start(order):
            notify(order)

        def notify(order):
            for sender in [Aerogram(), Letter()]:
                sender.notify(order)
            order.save()
            order.lines.get(0)
            order.lines.get(1)
            order.lines.get(2)
            order.lines.get(3)
            order.lines.get(4)
            order.lines.get(5)
            order.lines.get(6)
            order.lines.get(7)
            order.lines.get(8)
            order.lines.get(9)
            order.lines.get(10)
            order.lines.get(11)
            order.lines.get(12)
            order.lines.get(13)
            order.lines.get(14)
            order.lines.get(15)
            order.lines.get(16)
            order.lines.get(17)
            order.lines.get(18)
            order.lines.get(19)
            order.lines.get(20)
            order.lines.get(21)

        class Sender:
            def notify(self, order):
                raise NotImplementedError

        class Aerogram(Sender):
            def notify(self, order):
                for line in order:
                    open(line).write("sent")

        class Letter(Sender):
            def notify(self, order):
                for line in order:
                    open(line).write("posted")
        """

    assert [one.name for one in drafted(project, text).steps][2:] == ["sender_notify"]


def test_what_a_guess_leads_to_is_a_guess(project: Project) -> None:
    """An edge past a function that only its name suggests is dotted, too."""
    text = """
        def start(request):
            request.order.clean_all_lines()

        class Order:
            def clean_all_lines(self):
                store_lines(self)

        def store_lines(order):
            for line in order:
                line.save()
        """

    plan = drafted(project, text)

    assert [(one.name, one.is_guess) for one in plan.steps] == [
        ("start", False),
        ("store_lines", True),
    ]


def test_a_step_added_between_two_others(project: Project) -> None:
    """What came after the first one says that it may come after the new one."""
    text = """
        def start(order):
            price_order(order)

        def price_order(order):
            ship_order(order)
            order.save()

        def ship_order(order):
            for line in order:
                line.save()
        """
    project.write("shop.py", text)
    steps = (
        PlannedStep("shop:start", "start", ()),
        PlannedStep("shop:ship_order", "ship_order", ("start",)),
        PlannedStep("shop:price_order"),
    )
    plan = DraftPlan("shop", "shop:start", steps)

    draft = complete_plan(plan, [project.root], resolver="jedi")

    assert after_of(draft.plan)["ship_order"] == ("start",)
    (note,) = draft.notes
    assert note.startswith("ship_order: the code calls 'price_order' before it.")


def test_another_python_process_ends_the_picture(project: Project) -> None:
    """What it runs is not known; one that runs another program is no end."""
    text = """
        import asyncio, subprocess, sys

        def start(name, manage_python):
            asyncio.run(manage_python(name))
            subprocess.run(["tar", "-xf", name])
            subprocess.Popen([sys.executable, "manage.py", "import", name])
        """
    project.write("shop.py", text)

    draft = draft_plan("shop:start", [project.root], resolver="jedi")

    assert [one.partition(": ")[2] for one in draft.ends] == [
        "start starts another Python process: Popen()"
    ]


def test_a_method_that_only_stores_is_left_out(project: Project) -> None:
    """``save`` of a model says less than a method that names what it does."""
    text = """
        class Order:
            def save(self):
                self.write(1)

            def save_invoice(self):
                self.write(1)

        def start():
            order = Order()
            order.save()
            order.save_invoice()
        """

    names = [one.name for one in drafted(project, text).steps]

    assert names == ["start", "save_invoice"]


def test_a_detail_of_one_of_many_overrides(project: Project) -> None:
    """What only one of three overrides calls is left out."""
    kinds = "".join(
        f"""
        class {name}(Base):
            def import_orders(self):
                self.write_{name}()

            def write_{name}(self):
                pass
        """
        for name in "abc"
    )
    text = f"""
        class Base:
            def import_orders(self):
                raise NotImplementedError
        {kinds}
        def start(base: Base):
            base.import_orders()
        """

    steps = drafted(project, text).steps

    assert [(one.name, one.overrides) for one in steps] == [
        ("start", 0),
        ("import_orders", 3),
    ]


def test_what_two_alternatives_call_comes_after_both(project: Project) -> None:
    """It is called first by the first one, and still stands below the second one."""
    text = """
        def start(order):
            if order.key:
                update_order(order)
            else:
                create_order(order)

        def create_order(order):
            if order.old:
                return update_order(order)
            order.write("created")
            write_tags(order)

        def update_order(order):
            order.write("updated")
            write_tags(order)

        def write_tags(order):
            for tag in order:
                order.write(tag)
        """
    plan = drafted(project, text)

    assert list(after_of(plan).items()) == [
        ("start", ()),
        ("create_order", ("start",)),
        ("update_order", ("start", "create_order")),
        ("write_tags", ("create_order", "update_order")),
    ]


def test_a_folder_of_the_same_name(project: Project) -> None:
    """The folder that has the module counts, not one that only has its name."""
    project.write("shop/upload.txt", "")
    project.write("src/shop/__init__.py", "")
    project.write("src/shop/views.py", "def start(): ...\n")

    draft = draft_plan(
        "shop.views:start", [project.root, project.root / "src"], resolver="jedi"
    )

    assert draft.plan.flow == "start"


@pytest.mark.parametrize("name", ["property", "field_validator", "model_validator"])
def test_wiring_is_no_step(project: Project, name: str) -> None:
    """What a decorator makes part of a class is not drawn."""
    text = f"""
        class Order:
            @{name}
            def charge_all(self):
                self.write(1)

        def start():
            Order().charge_all()
        """

    assert [one.name for one in drafted(project, text).steps] == ["start"]


SENT = """
    {imported}

    def start(order, queue=None):
        save_order(order)
        {charge}
        {ship}
        send_receipt(order)

    def save_order(order):
        print(order)
        print(order)

    {decorator}
    def charge_order(order):
        print(order)
        print(order)

    {decorator}
    def ship_order(order):
        print(order)
        print(order)

    def send_receipt(order):
        print(order)
        print(order)
    """
PLAIN = "{name}(order)"
QUEUES = {
    "Celery": ("from celery import shared_task", "@shared_task", "{name}.delay(order)"),
    "dramatiq": ("import dramatiq", "@dramatiq.actor", "{name}.send(order)"),
    "rq, decorated": (
        "from rq.decorators import job",
        "@job('low')",
        "{name}.delay(1)",
    ),
    "rq, handed over": ("", "", "queue.enqueue({name}, order)"),
    "huey": ("from work.queues import huey", "@huey.task()", PLAIN),
    "huey in Django": (
        "from huey.contrib.djhuey import db_task",
        "@db_task(retries=2)",
        PLAIN,
    ),
    "huey, wrapped": ("from work.queues import task", "@task", PLAIN),
}


def after_start(
    project: Project, imported: str, decorator: str, call: str
) -> DraftPlan:
    """Return the plan of a program that has two functions called later."""
    queues = """
        from huey import RedisHuey

        huey = RedisHuey()

        def task(function):
            return huey.task(retries=5)(function)
        """
    project.write("work/__init__.py", "")
    project.write("work/queues.py", queues)
    calls = {one: call.format(name=f"{one}_order") for one in ("charge", "ship")}
    text = SENT.format(imported=imported, decorator=decorator or "# plain", **calls)
    return drafted(project, text)


@pytest.mark.parametrize("queue", QUEUES)
def test_messages(project: Project, queue: str) -> None:
    """Nothing waits for what a message brings, and its line is dashed."""
    plan = after_start(project, *QUEUES[queue])

    assert after_of(plan) == {
        "start": (),
        "save_order": ("start",),
        "charge_order": ("save_order",),
        "ship_order": ("save_order",),
        "send_receipt": ("save_order",),
    }
    assert [one.is_sent for one in plan.steps] == [False, False, True, True, False]
    svg = drawn(flow_of(plan), "svg")
    assert svg.count('class="edge crossing"') == 2
    assert "to another process" in svg


@pytest.mark.parametrize(
    ("imported", "decorator", "call"),
    [
        ("", "", PLAIN),
        ("from invoke import task", "@task", PLAIN),
        ("from work.queues import task", "@cache", PLAIN),
    ],
)
def test_calls_that_send_no_message(
    project: Project, imported: str, decorator: str, call: str
) -> None:
    """Only a decorator that comes from huey turns a call into a message."""
    plan = after_start(project, imported, decorator, call)

    assert not any(one.is_sent for one in plan.steps)
    assert after_of(plan)["send_receipt"] == ("ship_order",)


@pytest.mark.parametrize(
    "call",
    [
        "queue.add_task({name}, order)",
        "transaction.on_commit({name})",
        "transaction.on_commit(lambda: {name}(order))",
    ],
)
def test_what_runs_when_all_else_is_done(project: Project, call: str) -> None:
    """Background tasks of FastAPI and what waits for a commit run in their order."""
    plan = after_start(project, "from django.db import transaction", "", call)

    assert after_of(plan) == {
        "start": (),
        "save_order": ("start",),
        "charge_order": ("save_order",),
        "ship_order": ("charge_order",),
        "send_receipt": ("save_order",),
    }


def test_calls_by_name_end_the_picture(project: Project) -> None:
    """A task that is named by a string, and a signal that is sent."""
    text = """
        class Signal:
            def send_robust(self, sender):
                for receiver in self.receivers:
                    receiver(sender)
                print(sender)

        placed = Signal()

        async def start(order, pool, app):
            await pool.enqueue_job("charge", order)
            app.send_task("shop.ship", [order])
            placed.send_robust(order)
        """
    project.write("shop.py", text)

    draft = draft_plan("shop:start", [project.root], resolver="jedi")

    assert [one.name for one in draft.plan.steps] == ["start"]
    assert sorted(one.partition(": ")[2] for one in draft.ends) == [
        "start finds what it calls by name: enqueue_job()",
        "start finds what it calls by name: send_task()",
        "start sends the signal placed",
    ]
