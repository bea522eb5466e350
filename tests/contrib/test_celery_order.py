"""The order of tasks: judged where they are sent, or as direct calls."""

# pyright: reportCallIssue=none, reportOperatorIssue=none
# pyright: reportOptionalMemberAccess=none, reportOptionalSubscript=none
# pyright: reportAttributeAccessIssue=none, reportFunctionMemberAccess=none
# pyright: reportArgumentType=none, reportAssignmentType=none, reportReturnType=none
# Celery has no types, and pyright guesses wrong what its functions return.

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import penstock
from penstock import FlowOrderError, all_of, configure, flow, start_flow

pytest.importorskip("celery", reason="needs celery")

from celery import Celery, _state, chain, chord, group, shared_task

from penstock.conformance.judge import process_judge
from penstock.contrib.celery import flow_task, uninstall_celery_signals
from tests.support.call_styles import run_python

pytestmark = pytest.mark.usefixtures("recorded")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def app() -> Iterator[Celery]:
    """Give an app of its own, whose broker is in memory."""
    finalizers = _state._on_app_finalizers  # noqa: SLF001  # where shared tasks stay
    shared = set(finalizers)
    app = Celery("tests", broker="memory://", backend="cache+memory://")
    app.conf.task_default_queue = "order"
    app.set_current()
    app.set_default()
    sent(app)
    yield app
    app.close()
    _state.set_default_app(None)
    finalizers.intersection_update(shared)
    uninstall_celery_signals()


@pytest.fixture(params=["fast", "slow", "logged"])
def speed(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Judge on the call path, or call by call, or beside a backend."""
    if request.param == "slow":
        monkeypatch.setattr(process_judge, "watchers", (lambda *_: None,))
    elif request.param == "logged":
        caplog.set_level("INFO", "penstock")


def sent(app: Celery) -> list[Any]:
    """Take the messages that wait in the queue."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("order")
        messages = []
        while queue.qsize():
            message = queue.get_nowait()
            message.ack()
            messages.append(message)
        queue.close()
    return messages


def field(message: Any) -> dict[str, Any]:
    """Return what a message says of its flow."""
    found: dict[str, Any] = json.loads(message.headers["penstock"])
    return found


def received(app: Celery, message: Any) -> None:
    """Run a message's task, as a worker would."""
    args, kwargs, _ = message.payload
    headers = {key: message.headers[key] for key in ("X-Correlation-ID", "penstock")}
    app.tasks[message.headers["task"]].apply(args, kwargs, headers=headers)


def counted() -> dict[str, Any]:
    """Return what was counted of the flow."""
    found: dict[str, Any] = penstock.conformance_report().to_dict()["flows"]["orders"]
    return found


def verdict() -> set[str]:
    """Return each rule that broke, with its step or edge."""
    found = counted()
    codes = {f"{v['code']} {v['step']}" for v in found["violations"]}
    edges = {
        f"{edge['before']}->{edge['after']}"
        for edge in found["edges"]
        if edge["status"] == "contradicted"
    }
    return {code for code in codes if not code.startswith("R2")} | edges


def witnessed() -> dict[str, int]:
    """Return how often each edge was witnessed."""
    edges = counted()["edges"]
    return {f"{e['before']}->{e['after']}": e["witnessed"] for e in edges}


def task(
    name: str,
    after: Any = None,
    work: Callable[..., Any] | None = None,
    in_flow: str = "orders",
) -> Any:
    """Declare a task that does some work; apps of other tests may still be there."""

    def run(*_: object) -> None:
        if work is not None:
            work()

    made = flow_task(name=f"{name}-{next(numbers)}", step_name=name, after=after)(run)
    return flow(in_flow)(made)


def step(name: str, after: Any = None) -> Any:
    """Declare a step of the flow, or its entrypoint, that calls what it is given."""

    def run(*inner: Callable[[], Any]) -> None:
        for one in inner:
            one()

    orders = flow("orders")
    if after is None:
        return orders.entrypoint(name=name)(run)
    return orders.step(name=name, after=after)(run)


numbers = count()


class Shop(NamedTuple):
    """A step and three tasks after one entrypoint, and a task of no flow."""

    receive: Any
    reserve: Any
    notify: Any
    validate: Any
    charge: Any
    plain: Any


def of_no_flow() -> None:
    """Be a task without a step."""


def declared() -> Shop:
    """Declare the flow of most tests."""
    return Shop(
        step("receive"),
        step("reserve", "receive"),
        task("notify", "reserve"),
        task("validate", "receive"),
        task("charge", "validate"),
        shared_task(name=f"plain-{next(numbers)}")(of_no_flow),
    )


Row = tuple["Callable[[Shop], Any]", set[str], set[str]]

ROWS: dict[str, Row] = {
    "sent too early": (
        lambda shop: shop.receive(shop.notify.delay, shop.reserve),
        {"R1 notify", "reserve->notify"},
        {"R1 notify", "reserve->notify"},
    ),
    "sent, and the predecessor never runs": (
        lambda shop: shop.receive(shop.notify.delay),
        {"R1 notify"},
        {"R1 notify"},
    ),
    "sent in order": (
        lambda shop: shop.receive(shop.reserve, shop.notify.delay),
        set(),
        set(),
    ),
    "sent below its predecessor": (
        lambda shop: shop.receive(lambda: shop.reserve(shop.notify.delay)),
        set(),
        set(),
    ),
    "two messages in order": (
        lambda shop: shop.receive(shop.validate.delay, shop.charge.delay),
        set(),
        set(),
    ),
    "two messages the wrong way round": (
        lambda shop: shop.receive(shop.charge.delay, shop.validate.delay),
        {"R1 charge", "validate->charge"},
        {"R1 charge", "validate->charge"},
    ),
    "what a message may run": (
        lambda shop: shop.receive(shop.validate.delay, shop.notify.delay),
        set(),
        {"R1 notify"},
    ),
    "what a message may run, and runs later here": (
        lambda shop: shop.receive(shop.validate.delay, shop.notify.delay, shop.reserve),
        {"reserve->notify"},
        {"R1 notify", "reserve->notify"},
    ),
    "a chain": (
        lambda shop: shop.receive(chain(shop.validate.si(), shop.charge.si())),
        set(),
        set(),
    ),
    "a group of what is ready and what is not": (
        lambda shop: shop.receive(group(shop.notify.si(), shop.validate.si())),
        {"R1 notify"},
        {"R1 notify"},
    ),
    "a message without a step of the flow": (
        lambda shop: shop.receive(shop.plain.delay, shop.notify.delay),
        {"R1 notify"},
        {"R1 notify"},
    ),
    "after another message has been injected": (
        lambda shop: shop.receive(penstock.inject, shop.notify.delay),
        set(),
        set(),
    ),
    "in a context of unknown history": (
        lambda shop: by_hand(shop.notify.delay),
        set(),
        set(),
    ),
    "in a context of unknown history, two messages the wrong way round": (
        lambda shop: by_hand(shop.charge.delay, shop.validate.delay),
        {"validate->charge"},
        {"validate->charge"},
    ),
    "in a context of unknown history, two messages in order": (
        lambda shop: by_hand(shop.validate.delay, shop.charge.delay),
        set(),
        set(),
    ),
    "in a context of unknown history, and the predecessor later": (
        lambda shop: by_hand(shop.notify.delay, shop.reserve),
        {"reserve->notify"},
        {"reserve->notify"},
    ),
}


def by_hand(*calls: Callable[[], Any]) -> None:
    """Make calls in a context that belongs to no run."""
    with start_flow():
        for call in calls:
            call()


@pytest.mark.usefixtures("speed")
@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("way", ["sent", "eager"])
def test_rows(name: str, way: str, app: Celery) -> None:
    """Each row of the table about messages, the second time, too."""
    run, by_message, direct = ROWS[name]
    app.conf.task_always_eager = way == "eager"
    shop = declared()

    for _ in range(2):
        run(shop)

    assert verdict() == (direct if way == "eager" else by_message)


@pytest.mark.usefixtures("speed")
def test_a_task_called_as_a_function_is_a_direct_call() -> None:
    """It is before what follows, and judged like any step."""
    shop = declared()

    shop.receive(shop.validate, shop.charge, shop.notify)

    assert verdict() == {"R1 notify"}
    assert witnessed()["validate->charge"] == 1


def test_the_message_names_the_sender() -> None:
    """And says that the task was sent."""
    shop = declared()

    shop.receive(shop.notify.delay)

    (violation,) = counted()["violations"]
    assert f"orders/notify ({__file__}:" in violation["message"]
    assert (
        "was sent, called by 'receive', when 'reserve' had not ended. Fix: call what "
        "is missing first" in violation["message"]
    )


def test_send_task_does_not_finalize_the_app(app: Celery) -> None:
    """An app with ``autofinalize=False`` can send a task by its name."""
    shop = declared()
    sender = Celery(
        "sender", autofinalize=False, broker="memory://", set_as_current=False
    )
    sender.conf.task_default_queue = "order"

    shop.receive(lambda: sender.send_task("unknown"))

    assert len(sent(app)) == 1
    assert not sender.finalized


@pytest.mark.parametrize("how", ["delay", "send_task", "signature", "keyword"])
def test_raise_publishes_nothing(how: str, app: Celery) -> None:
    """The error comes from the call that would have sent the message."""
    configure(conformance="raise")
    shop = declared()
    ways = {
        "delay": shop.notify.delay,
        "send_task": lambda: app.send_task(shop.notify.name),
        "signature": lambda: shop.notify.s().apply_async(),
        "keyword": lambda: app.send_task(name=shop.notify.name),
    }

    with pytest.raises(FlowOrderError, match="'reserve' had not ended"):
        shop.receive(ways[how])

    assert sent(app) == []
    assert counted()["steps"]["notify"] == 0


def test_raise_stops_an_eager_task(app: Celery) -> None:
    """As any direct call."""
    configure(conformance="raise")
    app.conf.task_always_eager = True
    shop = declared()

    with pytest.raises(FlowOrderError, match="'reserve' had not ended"):
        shop.receive(lambda: shop.notify.apply(throw=True))


def test_each_call_is_counted_once(app: Celery) -> None:
    """By the sender; a message that is delivered twice was sent once."""
    shop = declared()
    shop.receive(shop.reserve, shop.notify.delay)
    (message,) = sent(app)
    assert field(message)["call"] == "orders/notify"

    for _ in range(2):
        received(app, message)

    assert counted()["steps"]["notify"] == 1
    assert witnessed()["reserve->notify"] == 1


def test_the_receiver_counts_what_the_sender_could_not(app: Celery) -> None:
    """A task that the sender does not declare, by its name."""
    shop = declared()
    shop.receive(shop.reserve, lambda: app.send_task("unknown"))
    (message,) = sent(app)
    assert "call" not in field(message)
    assert field(message)["done"] == ["receive", "reserve"]

    message.headers["task"] = shop.notify.name
    received(app, message)

    assert counted()["steps"]["notify"] == 1
    assert witnessed()["reserve->notify"] == 1


def test_another_flows_task_is_foreign(app: Celery) -> None:
    """It is counted once, and not judged."""
    shop = declared()
    invoice = task("invoice", "nothing yet", in_flow="billing")

    shop.receive(invoice.delay)
    (message,) = sent(app)
    received(app, message)

    assert counted()["foreign"] == [{"flow": "billing", "step": "invoice", "count": 1}]
    assert verdict() == set()


@pytest.mark.parametrize("given", ["another", ["no", "ID"]])
def test_a_message_under_another_id_is_no_call_of_this_run(given: object) -> None:
    """An ID that the caller gives names another operation."""
    shop = declared()

    shop.receive(lambda: shop.notify.apply_async(headers={"X-Correlation-ID": given}))

    assert verdict() == set()
    assert counted()["steps"]["notify"] == 0


def test_an_entrypoint_begins_a_run_of_its_own(app: Celery) -> None:
    """A task without ``after`` is judged by nothing, and counted where it runs."""
    shop = declared()
    begin = task("begin")

    shop.receive(begin.delay)
    (message,) = sent(app)
    assert "call" not in field(message)
    received(app, message)

    assert counted()["steps"]["begin"] == 1
    assert counted()["runs"] == 2
    assert verdict() == set()


@pytest.mark.parametrize("is_entrypoint", [False, True])
def test_the_body_of_a_task_is_judged(is_entrypoint: bool, app: Celery) -> None:  # noqa: FBT001  # a parameter
    """``ship(); charge()``: at once where the task begins the run, else at its end."""
    step("receive")
    charge, ship = step("charge", "receive"), step("ship", "charge")
    after = None if is_entrypoint else "receive"
    work = task("work", after, lambda: (ship(), charge()))

    with start_flow():
        work.delay()
    (message,) = sent(app)
    received(app, message)

    expected = {"charge->ship"}
    if is_entrypoint:
        expected |= {"R1 ship", "R1 charge"}
    assert verdict() == expected


def test_two_tasks_that_meet_at_a_counter(app: Celery) -> None:
    """The second sends the join, and knows nothing of what the first has run."""
    take = step("take")
    done: list[int] = []

    def meet() -> None:
        done.append(1)
        if len(done) == 2:
            send.delay()

    charge = task("charge", "take", meet)
    reserve = task("reserve", "take", meet)
    send = task("send", all_of("charge", "reserve"))
    take(charge.delay, reserve.delay)
    for message in sent(app):
        received(app, message)
    (join,) = sent(app)
    received(app, join)

    assert verdict() == set()
    assert counted()["steps"] == {"take": 1, "charge": 1, "reserve": 1, "send": 1}
    assert witnessed() == {
        "take->charge": 1,
        "take->reserve": 1,
        "charge->send": 0,
        "reserve->send": 1,
    }


def test_a_chain_goes_on_from_what_the_link_before_has_done(app: Celery) -> None:
    """Celery sends the next link; its message says what had ended."""
    shop = declared()
    app.conf.task_always_eager = True

    shop.receive(chain(shop.validate.si(), shop.charge.si()))

    assert verdict() == set()
    assert witnessed()["validate->charge"] == 1


def test_a_chord_in_one_process(app: Celery) -> None:
    """Eager branches have ended when the body is called."""
    app.conf.task_always_eager = True
    take = step("take")
    charge, reserve = task("charge", "take"), task("reserve", "take")
    send = task("send", all_of("charge", "reserve"))

    take(lambda: chord([charge.si(), reserve.si()])(send.si()))
    assert verdict() == set()
    take(lambda: chord([charge.si()])(send.si()))

    assert verdict() == {"R3 send"}


def test_an_eager_retry_accuses_nobody(app: Celery) -> None:
    """Each attempt comes after the same predecessors."""
    app.conf.task_always_eager = True
    take = step("take")
    attempts: list[int] = []

    @flow("orders")
    @flow_task(after="take", bind=True, name=f"charge-{next(numbers)}")
    def charge(self: Any) -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise self.retry(countdown=0)

    take(charge.delay)

    assert len(attempts) == 3
    assert verdict() == set()


def test_a_link_is_sent_by_celery(app: Celery) -> None:
    """What is missing for a callback is not known, even if the task runs here."""
    shop = declared()

    shop.receive(lambda: shop.validate.apply(link=shop.notify.si()))
    (message,) = sent(app)

    assert "call" not in field(message)
    assert field(message)["done"] == ["receive", "validate"]
    assert verdict() == set()


def test_a_failure_of_penstock_stops_no_message(
    app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent, and its receiver counts it."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    shop = declared()
    monkeypatch.setattr("penstock.conformance.run_progress.RunProgress.send", fail)
    monkeypatch.setattr("penstock.conformance.plan.FlowPlan.names", fail)
    shop.receive(shop.notify.delay)

    (message,) = sent(app)
    assert "call" not in field(message)
    assert "done" not in field(message)


ON_COMMIT = """
import django
from celery import Celery
from django.conf import settings

import penstock
from penstock import flow
from penstock.contrib.celery import flow_task

database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
settings.configure(DATABASES={"default": database})
django.setup()
from django.db import transaction

app = Celery("shop", broker="memory://")
orders = flow("orders")

@orders.entrypoint
def receive():
    with transaction.atomic():
        transaction.on_commit(notify.delay)
        reserve()

@orders.step(after=receive)
def reserve(): ...

@orders
@flow_task(after=reserve)
def notify(): ...

penstock.configure(conformance="raise")
receive()
with penstock.start_flow(), transaction.atomic():  # as a request does
    receive()
found = penstock.conformance_report().to_dict()["flows"]["orders"]
print(found["violations"], [edge["witnessed"] for edge in found["edges"]])
"""


def test_tasks_that_are_sent_on_commit() -> None:
    """They are sent when the transaction ends, perhaps after the run."""
    pytest.importorskip("django", reason="needs django")

    said, errors = run_python(ON_COMMIT)

    assert (said, errors) == ("[] [2, 2]\n", "")
