from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import all_of, bind_flow, configure, flow, start_flow, step
from penstock._steps.marked import find_marked
from penstock.conformance.judge import process_judge
from penstock.testing import in_flow
from tests.support.call_styles import KINDS, finish, function, run_python

pytestmark = pytest.mark.usefixtures("recorded")

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(params=["fast", "warned", "slow", "logged"])
def speed(
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Judge on the call path, or call by call, or beside a backend."""
    if request.param == "warned":
        configure(conformance="warn")
    elif request.param == "slow":
        monkeypatch.setattr(process_judge, "watchers", (lambda *_: None,))
    elif request.param == "logged":
        caplog.set_level("INFO", "penstock")


def counted(name: str = "orders") -> dict[str, Any]:
    """Return what was counted of a flow."""
    found: dict[str, Any] = penstock.conformance_report().to_dict()["flows"][name]
    return found


def verdict(name: str = "orders") -> set[str]:
    """Return each rule that broke, with its step or edge."""
    flow = counted(name)
    codes = {f"{v['code']} {v['step']}" for v in flow["violations"]}
    edges = {
        f"{edge['before']}->{edge['after']}"
        for edge in flow["edges"]
        if edge["status"] == "contradicted"
    }
    return {code for code in codes if not code.startswith("R2")} | edges


class Orders:
    """The flow of the table: its steps call what they are given."""

    def __init__(self, **after: Any) -> None:
        self.flow = flow("orders")
        self.steps: dict[str, Callable[..., Any]] = {}
        for name, names in after.items():
            self.steps[name] = self._step(name, names)

    def _step(self, name: str, after: Any) -> Callable[..., Any]:
        def work(*inner: Callable[[], Any]) -> list[Any]:
            return [one() for one in inner]

        if after is None:
            return self.flow.entrypoint(name=name)(work)
        return self.flow.step(name=name, after=after)(work)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self.steps[name]

    def failing(self, name: str) -> Callable[[], None]:
        """Return a call of a step that fails, and is caught."""

        def call() -> None:
            with pytest.raises(ZeroDivisionError):
                self.steps[name](lambda: 1 / 0)

        return call


def chain() -> Orders:
    """Return the chain of the table."""
    return Orders(receive=None, validate="receive", charge="validate", ship="charge")


def join(**more: Any) -> Orders:
    """Return the join of the table."""
    both = {"send": ["charge", "reserve"], **more}
    return Orders(receive=None, charge="receive", reserve="receive", **both)


def in_turn(orders: Orders, *names: str) -> None:
    """Run the steps in turn, called by the entrypoint."""
    orders.receive(*(orders.steps[name] for name in names))


def in_pool(orders: Orders) -> None:
    """Wait for a step in another thread, then run the next."""
    with ThreadPoolExecutor(1) as pool:

        def validate() -> None:
            pool.submit(bind_flow(orders.validate)).result()

        orders.receive(validate, orders.charge)


def two_entrypoints() -> None:
    """Begin a run at each of two places."""
    orders = Orders(api=None, admin=None, validate=["api", "admin"])
    orders.api(orders.validate)
    orders.admin(orders.validate)


def nested(*, through_helper: bool) -> None:
    """Have a step call the next."""
    orders = Orders(receive=None, fetch="receive", sync="fetch")

    def helper() -> None:
        orders.sync()

    orders.receive(lambda: orders.fetch(helper if through_helper else orders.sync))


TABLE: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "in turn": (lambda: in_turn(chain(), "validate", "charge", "ship"), set()),
    "nested": (lambda: nested(through_helper=False), set()),
    "nested by a helper": (lambda: nested(through_helper=True), set()),
    "one of two entrypoints": (two_entrypoints, set()),
    "join in turn": (lambda: in_turn(join(), "charge", "reserve", "send"), set()),
    "join: send between": (
        lambda: in_turn(join(), "charge", "send", "reserve"),
        {"reserve->send"},
    ),
    "join: send again after both": (
        lambda: in_turn(join(), "charge", "send", "reserve", "send"),
        set(),
    ),
    "join: one skipped": (lambda: in_turn(join(), "reserve", "send"), set()),
    "all_of: both": (
        lambda: in_turn(
            join(send=all_of("charge", "reserve")), "charge", "reserve", "send"
        ),
        set(),
    ),
    "all_of: one skipped": (
        lambda: in_turn(join(send=all_of("charge", "reserve")), "reserve", "send"),
        {"R3 send"},
    ),
    "all_of or one alone": (
        lambda: in_turn(
            join(send=[all_of("charge", "reserve"), "receive"]), "reserve", "send"
        ),
        set(),
    ),
    "enrich skipped": (
        lambda: in_turn(Orders(receive=None, enrich="receive", save="enrich"), "save"),
        {"R1 save"},
    ),
    "enrich skipped, and allowed to be": (
        lambda: in_turn(
            Orders(receive=None, enrich="receive", save=["receive", "enrich"]), "save"
        ),
        set(),
    ),
    "loop of validate, charge": (
        lambda: in_turn(chain(), *["validate", "charge"] * 3),
        set(),
    ),
    "loop of charge, validate": (
        lambda: in_turn(chain(), *["charge", "validate"] * 3),
        {"R1 charge"},
    ),
    "submit and wait": (lambda: in_pool(chain()), set()),
    "ship without charge": (lambda: in_turn(chain(), "validate", "ship"), {"R1 ship"}),
    "a predecessor is never called": (lambda: in_turn(chain(), "validate"), set()),
    "charge calls its own predecessor": (
        lambda: (orders := chain()).receive(lambda: orders.charge(orders.validate)),
        {"R1 charge", "validate->charge"},
    ),
    "refund after a charge that failed": (
        lambda: (
            orders := Orders(receive=None, charge="receive", refund="charge")
        ).receive(orders.failing("charge"), orders.refund),
        set(),
    ),
    "retries": (
        lambda: (orders := Orders(receive=None, charge=["receive", "charge"])).receive(
            orders.failing("charge"), orders.failing("charge"), orders.charge
        ),
        set(),
    ),
}


@pytest.mark.usefixtures("speed")
@pytest.mark.parametrize("name", TABLE)
def test_table(name: str) -> None:
    """Each row of the table that needs no event loop."""
    run, expected = TABLE[name]

    run()

    assert verdict() == expected


def validate_and_charge(order: str) -> set[str]:
    """Run two async steps together, as *order* says; return the verdict."""
    orders = flow("orders")

    @orders.step(after="receive")
    async def validate() -> None:
        await asyncio.sleep(0.001)

    @orders.step(after="validate")
    async def charge() -> None: ...

    @orders.entrypoint
    async def receive() -> None:
        if order == "gather":
            await asyncio.gather(validate(), charge())
        elif order == "task not awaited":
            task = asyncio.create_task(validate())
            await charge()
            await task
        elif order == "cancelled":
            task = asyncio.create_task(validate())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await charge()
        else:
            await asyncio.create_task(validate())
            await charge()

    asyncio.run(receive())
    return verdict()


@pytest.mark.usefixtures("speed")
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("gather", {"R1 charge", "validate->charge"}),
        ("task not awaited", {"R1 charge", "validate->charge"}),
        ("task awaited", set()),
        ("cancelled", set()),
    ],
)
def test_tasks(order: str, expected: set[str]) -> None:
    """What still runs in another task is not done; what was cancelled is."""
    assert validate_and_charge(order) == expected


@pytest.mark.usefixtures("speed")
def test_a_join_after_gather() -> None:
    """Both have ended when ``gather`` has."""
    orders = flow("orders")

    @orders.step(after="receive")
    async def charge() -> None:
        await asyncio.sleep(0)

    @orders.step(after="receive")
    async def reserve() -> None: ...

    @orders.step(after=all_of(charge, reserve))
    def send() -> None: ...

    @orders.entrypoint
    async def receive() -> None:
        await asyncio.gather(charge(), reserve())
        send()

    asyncio.run(receive())

    assert verdict() == set()


@pytest.mark.usefixtures("speed")
@pytest.mark.parametrize("kind", ["generator", "async generator"])
def test_a_generator_has_ended_at_its_first_item(kind: str) -> None:
    """``for i in produce(): consume(i)`` holds, also where it is never finished."""
    orders = flow("orders")
    produce = orders.step(name="produce", after="receive")(function(kind, lambda: 1))

    @orders.step(after="produce")
    def consume() -> None: ...

    @orders.entrypoint
    async def receive() -> None:
        made = produce()
        if kind == "generator":
            for _ in made:
                consume()
        else:
            async for _ in made:
                consume()

    asyncio.run(receive())

    assert verdict() == set()
    assert counted()["steps"] == {"produce": 1, "consume": 1, "receive": 1}


def pipeline(*names: str) -> dict[str, Callable[..., Any]]:
    """Declare generator steps, each after the one before, and what stores the last."""
    orders = flow("orders")
    steps: dict[str, Callable[..., Any]] = {}

    def pass_on(items: Any) -> Any:
        yield from items

    before = "receive"
    for name in names:
        steps[name] = orders.step(name=name, after=before)(pass_on)
        before = name
    steps["store"] = orders.step(name="store", after=before)(lambda take: take())
    steps["receive"] = orders.entrypoint(name="receive")(lambda call: call())
    return steps


@pytest.mark.usefixtures("speed")
@pytest.mark.parametrize("opened", ["receive", "by a message"])
def test_a_chain_of_generator_steps(opened: str) -> None:
    """``store(parse(load()))``: each begins inside the call that it is given to."""
    steps = pipeline("load", "parse")

    def work() -> None:
        items = steps["parse"](steps["load"]([1, 2]))
        assert steps["store"](lambda: list(items)) == [1, 2]

    for _ in range(2):
        if opened == "receive":
            steps["receive"](work)
        else:
            with penstock.continue_flow({"X-Correlation-ID": "a"}):
                work()

    assert verdict() == set()
    witnessed = {edge["after"]: edge["witnessed"] for edge in counted()["edges"]}
    assert (witnessed["parse"], witnessed["store"]) == (2, 2)
    assert counted()["steps"]["store"] == 2


@pytest.mark.parametrize("mode", ["record", "warn", "raise"])
def test_a_generator_that_never_begins_is_missing(
    mode: str, warnings: list[logging.LogRecord]
) -> None:
    """That is known when the run ends, so that no call is stopped for it."""
    configure(conformance=mode)
    steps = pipeline("load")

    def work() -> None:
        steps["store"](lambda: None)
        assert verdict() == set()

    steps["receive"](work)

    assert verdict() == {"R1 store"}
    assert counted()["steps"]["store"] == 1
    assert len(warnings) == (mode != "record")


def test_a_generator_that_begins_elsewhere_is_missing() -> None:
    """Only inside the call that lacks it does it come in time."""
    steps = pipeline("load")

    def work() -> None:
        steps["store"](lambda: None)
        list(steps["load"]([1]))

    steps["receive"](work)

    assert verdict() == {"R1 store", "load->store"}


def test_a_join_of_generators_and_something_else() -> None:
    """What lacks more than a generator is judged at once."""
    orders = flow("orders")
    load = orders.step(name="load", after="receive")(function("generator", lambda: 1))
    orders.step(name="check", after="receive")(lambda: None)
    both = all_of("load", "check")
    store = orders.step(name="store", after=both)(lambda: list(load()))
    keep = orders.step(name="keep", after=["load", "receive"])(lambda: list(load()))
    configure(conformance="raise")

    @orders.entrypoint
    def receive() -> None:
        with pytest.raises(penstock.FlowOrderError, match="'check'"):
            store()  # type: ignore[no-untyped-call]  # a lambda
        keep()  # type: ignore[no-untyped-call]  # a lambda

    receive()

    edges = {(e["before"], e["after"]): e["witnessed"] for e in counted()["edges"]}
    assert edges["load", "keep"] == edges["receive", "keep"] == 1


def test_a_join_of_generators() -> None:
    """Each of them has to begin inside the call; a test's own call is not counted."""
    orders = flow("orders")
    one, other = (
        orders.step(name=name, after="receive")(function("generator", lambda: 1))
        for name in ("one", "other")
    )

    @orders.step(after=all_of("one", "other"))
    def store(*items: Any) -> list[Any]:
        return [next(each) for each in items]

    orders.entrypoint(name="receive")(lambda: store(one()))()
    assert verdict() == {"R1 store"}
    with in_flow("orders", done={"receive"}):
        store(one(), other())

    assert counted()["steps"]["store"] == 1
    (violation,) = counted()["violations"]
    assert violation["count"] == 1


def test_only_so_many_calls_wait_for_generators() -> None:
    """More of one run are judged at once."""
    steps = pipeline("load")

    def work() -> None:
        for _ in range(102):
            steps["store"](lambda: None)
        (violation,) = counted()["violations"]
        assert violation["count"] == 2

    steps["receive"](work)

    (violation,) = counted()["violations"]
    assert violation["count"] == 102


CACHED = """
import functools
from penstock import entrypoint, flow, step

@flow("orders")
class Orders:
    @entrypoint
    def receive(self, *names):
        for name in names:
            value = getattr(self, name)
            if callable(value):
                value()

    @{decorator}
    @step(after="receive")
    def load({self}):
        return 1

    @step(after="load")
    def use(self): ...
"""


@pytest.mark.parametrize(
    ("decorator", "self", "expected"),
    [
        ("functools.lru_cache", "self", set()),
        ("functools.cached_property", "self", set()),
        ("property", "self", {"R1 use"}),
        ("staticmethod", "", {"R1 use"}),
    ],
)
def test_a_cache_may_have_answered(
    decorator: str, self: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step behind one is not missing in later runs, unless it runs too late."""
    module: Any = ModuleType("cached")
    monkeypatch.setitem(sys.modules, "cached", module)
    exec(CACHED.format(decorator=decorator, self=self), vars(module))  # noqa: S102  # a module
    orders = module.Orders()
    orders.receive("load", "use")
    assert verdict() == set()

    orders.receive("use")
    assert verdict() == expected

    module.Orders().receive("use", "load")
    assert verdict() == expected | {"load->use"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
def test_every_kind_is_counted(kind: str, role: str) -> None:
    """Sync, async and generators, as entrypoints and as steps."""
    orders = flow("orders")
    if role == "entrypoint":
        receive = orders.entrypoint(name="receive")(function(kind, lambda: charge()))  # type: ignore[no-untyped-call]  # noqa: PLW0108  # charge comes below
        charge = orders.step(name="charge", after="receive")(lambda: 1)
        asyncio.run(finish(receive))
    else:
        charge = orders.step(name="charge", after="receive")(function(kind, lambda: 1))

        @orders.entrypoint
        async def receive() -> None:
            await finish(charge)

        asyncio.run(receive())

    assert counted()["steps"] == {"receive": 1, "charge": 1}
    assert counted()["edges"][0]["witnessed"] == 1
    assert counted()["runs"] == 1
    assert verdict() == set()


def test_the_report_has_this_shape() -> None:
    """Word for word as the design has it."""
    orders = join()
    in_turn(orders, "charge", "send", "reserve")
    in_turn(orders, "send")

    report = counted()

    assert [(*v.values(),) for v in report.pop("edges")] == [
        ("receive", "charge", 1, 0, "witnessed"),
        ("receive", "reserve", 1, 0, "witnessed"),
        ("charge", "send", 1, 0, "witnessed"),
        ("reserve", "send", 0, 1, "contradicted"),
    ]
    assert report.pop("runs") == 2
    assert report.pop("steps") == {"receive": 2, "charge": 1, "reserve": 1, "send": 2}
    assert [list(v) for v in report["violations"]] == [
        ["step", "run", "code", "message", "caller", "count"]
    ] * 2
    assert [(v["step"], v["code"], v["caller"]) for v in report.pop("violations")] == [
        ("send", "R2", ""),
        ("send", "R1", "receive"),
    ]
    assert report == {"foreign": []}


def test_a_declared_flow_that_never_ran_is_in_the_report() -> None:
    """Its edges are unexercised."""
    chain()

    assert counted()["runs"] == 0
    assert {edge["status"] for edge in counted()["edges"]} == {"unexercised"}


def test_a_finding_names_the_step_its_place_and_the_fix() -> None:
    """And the fix, followed, is clean."""
    in_turn(chain(), "validate", "ship")

    (violation,) = counted()["violations"]
    message = violation["message"]
    assert message.startswith(f"orders/ship ({__file__}:")
    assert "called by 'receive', when 'charge' had not ended" in message
    assert "declare after=['charge', 'receive']" in message

    process_judge.clear()
    fixed = Orders(
        receive=None, validate="receive", charge="validate", ship=["charge", "receive"]
    )
    in_turn(fixed, "validate", "ship")
    assert verdict() == set()


MESSAGES = {
    "R1 of several": (
        lambda: in_turn(join(), "send"),
        "when none of 'charge', 'reserve' had ended.",
    ),
    "R3": (
        lambda: in_turn(join(send=all_of("charge", "reserve")), "charge", "send"),
        (
            "when 'reserve' had not ended. Fix: call what is missing first, and wait "
            "for it."
        ),
    ),
    "R1 of a join": (
        lambda: in_turn(join(send=all_of("charge", "reserve")), "send"),
        "or declare after=[all_of('charge', 'reserve'), 'receive'].",
    ),
    "R3 called by a predecessor": (
        lambda: (orders := join(send=all_of("charge", "reserve"))).receive(
            lambda: orders.charge(orders.send)
        ),
        "'reserve' had not ended. Fix: call what is missing first, and wait for it.",
    ),
    "R2": (
        lambda: in_turn(join(), "charge", "send", "reserve"),
        (
            ") is declared after 'reserve'; both ran, and 'reserve' had "
            "never ended when 'send' began. Fix: run 'reserve' first, or remove the "
            "edge reserve -> send: after=['charge']."
        ),
    ),
    "R2 beside a join": (
        lambda: in_turn(
            join(send=[all_of("receive", "charge"), "reserve"]),
            *("charge", "send", "reserve"),
        ),
        "remove the edge reserve -> send: after=[all_of('receive', 'charge')].",
    ),
    "R2 of a join": (
        lambda: in_turn(
            join(send=["receive", all_of("charge", "reserve")]),
            *("charge", "send", "reserve"),
        ),
        "'reserve' had never ended when 'send' began. Fix: run 'reserve' first.",
    ),
    "R1 of a name that is like its own": (
        lambda: in_turn(Orders(receive=None, charge="chrage"), "charge"),
        "but no such step is declared. Fix: name one that is.",
    ),
    "R1 of a name that nothing has": (
        lambda: in_turn(Orders(receive=None, charge="recieve"), "charge"),
        (
            "ran, and is declared after 'recieve', but no such step is declared. "
            "Did you mean 'receive'? Fix: name one that is."
        ),
    ),
    "R2 of the only edge": (
        lambda: in_turn(chain(), "charge", "validate"),
        "name what does come before 'charge' in its after=.",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(name: str) -> None:
    """Each names what is missing, and a fix."""
    run, part = MESSAGES[name]

    run()  # type: ignore[no-untyped-call]  # a lambda

    assert part in " | ".join(v["message"] for v in counted()["violations"])


def test_at_most_20_runs_are_named_for_one_finding() -> None:
    """And none is lost from the count."""
    orders = chain()
    for _ in range(30):
        in_turn(orders, "ship", "ship")

    counts = [v["count"] for v in counted()["violations"]]
    assert len(counts) == 20
    assert sum(counts) == 60


def test_warn_logs_each_violation_once(warnings: list[logging.LogRecord]) -> None:
    """However many runs break it."""
    configure(conformance="warn")
    orders = chain()
    for _ in range(3):
        in_turn(orders, "ship")

    (line,) = warnings
    assert line.getMessage().startswith("R1 orders/ship (")
    assert line.levelname == "WARNING"


def test_raise_stops_the_call(warnings: list[logging.LogRecord]) -> None:
    """With an error that carries what broke; the step does not run."""
    configure(conformance="raise")
    orders = chain()
    ran: list[int] = []

    with pytest.raises(penstock.FlowOrderError, match=r"orders/ship.*'charge'") as info:
        orders.receive(lambda: orders.ship(lambda: ran.append(1)))

    error = info.value
    assert (error.flow, error.step, error.code) == ("orders", "ship", "R1")
    assert isinstance(error, RuntimeError)
    assert not ran
    assert counted()["steps"]["ship"] == 0
    assert [line.getMessage()[:10] for line in warnings] == ["step.error"]


@pytest.mark.parametrize("kind", KINDS)
def test_raise_stops_every_kind(kind: str) -> None:
    """Awaited or iterated ones when they would begin."""
    configure(conformance="raise")
    orders = flow("orders")
    charge = orders.step(name="charge", after="validate")(function(kind, lambda: 1))

    @orders.entrypoint
    async def receive() -> None:
        await finish(charge)

    with pytest.raises(penstock.FlowOrderError):
        asyncio.run(receive())


def test_raise_reports_what_no_call_is_to_blame_for(
    warnings: list[logging.LogRecord],
) -> None:
    """R2 is known when the run is over: it is a line."""
    configure(conformance="raise")

    in_turn(join(), "charge", "send", "reserve")

    (line,) = warnings
    assert line.getMessage().startswith("R2 orders/send (")
    assert ") is declared after 'reserve'; both ran" in line.getMessage()


def test_a_later_call_amends_the_verdict() -> None:
    """A task that outlives its run is judged when it ends."""
    orders = join()
    release = threading.Event()
    threads: list[threading.Thread] = []

    def later() -> None:
        release.wait(10)
        orders.send()

    def start() -> None:
        threads.append(threading.Thread(target=bind_flow(later)))
        threads[0].start()

    orders.receive(orders.charge, orders.send, orders.reserve, start)
    assert verdict() == {"reserve->send"}
    release.set()
    threads[0].join()

    assert verdict() == set()
    assert counted()["edges"][3]["contradicted"] == 0


def test_an_amended_finding_beyond_the_named_runs() -> None:
    """The count of the last one goes down."""
    orders = join()
    for _ in range(20):
        in_turn(orders, "charge", "send", "reserve")
    with_both: list[Any] = []
    for _ in range(2):
        orders.receive(
            orders.charge,
            orders.send,
            orders.reserve,
            lambda: with_both.append(copy_context()),
        )
    with_both[0].run(orders.send)

    assert sum(v["count"] for v in counted()["violations"]) == 21


def test_another_flows_step_is_foreign() -> None:
    """It is counted, and not judged."""
    billing = flow("billing")

    @billing.step(after="begin")
    def invoice() -> None: ...

    orders = chain()
    orders.receive(orders.validate, invoice, invoice)

    assert counted()["foreign"] == [{"flow": "billing", "step": "invoice", "count": 2}]
    assert verdict() == verdict("billing") == set()


def test_an_edge_from_another_flow_is_witnessed_and_never_convicts() -> None:
    """By a foreign step, a run inside, the run around, and what was carried."""
    billing = flow("billing")

    @billing.entrypoint
    def begin(*inner: Callable[[], Any]) -> None:
        invoice()
        for one in inner:
            one()

    @billing.step(after=begin)
    def invoice() -> None: ...

    names = ["billing:begin", "billing:invoice"]
    orders = Orders(receive=None, ship=["receive", *names])
    orders.steps["check"] = flow("orders").entrypoint(
        name="check", after="billing:invoice"
    )(lambda: None)

    def witnessed() -> int:
        edges = counted()["edges"]
        return sum(e["witnessed"] for e in edges if e["before"] == "billing:invoice")

    other = flow("other").entrypoint(name="begin")(lambda: None)
    orders.receive(other, orders.ship)
    assert witnessed() == 0
    orders.receive(invoice, orders.ship)
    assert witnessed() == 1
    orders.receive(begin, orders.ship)
    assert witnessed() == 2
    begin(orders.check)
    assert witnessed() == 3
    carriers: list[dict[str, str]] = []
    begin(lambda: carriers.append(penstock.inject()))
    with penstock.continue_flow(carriers[0]):
        orders.check()
    assert witnessed() == 4
    assert verdict() == set()


def test_names_of_steps_elsewhere() -> None:
    """A colon in a name, the own service, another service."""
    configure(service="shop")
    orders = flow("orders")
    after = ["a:b", "shop/billing:invoice", "other/orders:publish", "shop/orders:x:y"]

    @orders.entrypoint
    def receive() -> None:
        first()  # type: ignore[no-untyped-call]  # a lambda
        ship()  # type: ignore[no-untyped-call]  # a lambda

    first = orders.step(name="a:b", after="receive")(lambda: None)
    flow("billing").step(name="invoice")(lambda: None)
    ship = orders.step(name="ship", after=after)(lambda: None)
    receive()

    found = {edge["before"]: edge["status"] for edge in counted()["edges"]}
    assert found == {
        "receive": "witnessed",
        "a:b": "witnessed",
        **dict.fromkeys(after[1:], "unexercised"),
    }


def test_a_step_under_a_context_opened_by_hand_is_unknown() -> None:
    """It proves nothing, and breaks nothing; what it calls is witnessed."""
    orders = chain()
    flow("billing").step(name="invoice", after="begin")(lambda: None)

    with start_flow():
        orders.validate()
        orders.charge(orders.ship)

    statuses = [edge["status"] for edge in counted()["edges"]]
    assert statuses == ["unexercised", "unexercised", "witnessed"]
    assert counted()["runs"] == 0
    assert counted()["steps"]["charge"] == 1
    assert verdict() == set()


def test_several_flows_under_a_context_opened_by_hand() -> None:
    """Each is counted as its own."""
    orders, billing = chain(), flow("billing")
    invoice = billing.step(name="invoice", after="begin")(lambda: None)

    with start_flow():
        for _ in range(2):
            orders.validate(invoice)
            invoice()  # type: ignore[no-untyped-call]  # a lambda

    assert counted()["steps"]["validate"] == 2
    assert counted("billing")["steps"] == {"invoice": 4}
    assert not counted()["foreign"]
    assert not verdict() | verdict("billing")


def test_a_step_that_runs_alone_is_unknown() -> None:
    """``outside="run"`` makes a run without an entrypoint."""
    configure(outside="run")
    orders = chain()

    orders.charge(orders.ship)

    assert verdict() == set()
    assert counted()["runs"] == 0


def sent(*names: str, orders: Orders) -> dict[str, str]:
    """Return what a run sends after it has called the steps of those names."""
    carriers: list[dict[str, str]] = []
    orders.receive(
        *(orders.steps[name] for name in names),
        lambda: carriers.append(penstock.inject()),
    )
    return carriers[0]


def test_what_is_done_travels() -> None:
    """The receiver judges what it calls from there; a run is counted once."""
    orders = chain()
    headers = sent("validate", orders=orders)
    assert json.loads(headers["penstock"])["done"] == ["receive", "validate"]

    with penstock.continue_flow(headers):
        orders.charge(orders.ship)
        further = penstock.inject()

    edges = {edge["after"]: edge["witnessed"] for edge in counted()["edges"]}
    assert edges == {"validate": 1, "charge": 1, "ship": 1}
    assert counted()["runs"] == 1
    assert verdict() == set()
    assert set(json.loads(further["penstock"])["done"]) == set(orders.steps)


def test_what_a_message_brings_is_judged_when_nothing_is_open() -> None:
    """Another message may have run what is missing, unless it runs later here."""
    orders = Orders(receive=None, take="receive", validate="receive", charge="validate")
    headers = sent(orders=orders)

    with penstock.continue_flow(headers):
        orders.take(orders.charge)
        orders.validate()

    assert verdict() == {"validate->charge"}


def test_what_is_done_passes_through_a_process_that_runs_no_step() -> None:
    """A relay passes on the list that it received."""
    headers = sent("validate", orders=chain())

    with penstock.continue_flow(headers):
        further = penstock.inject()

    field, sent_on = (json.loads(h["penstock"]) for h in (headers, further))
    assert sent_on["done"] == field["done"] == ["receive", "validate"]


def test_nothing_is_said_of_what_is_done_where_nobody_judges() -> None:
    """The field is as it was."""
    configure(conformance="off")

    assert "done" not in sent("validate", orders=chain())["penstock"]


@pytest.mark.parametrize("done", ["7", '"receive"', "{}", "[7, null]"])
def test_nonsense_about_what_is_done_convicts_nobody(done: str) -> None:
    """Headers never break the receiver, nor make it accuse."""
    orders = chain()
    field = f'{{"flow":"orders","done":{done}}}'

    with penstock.continue_flow({"X-Correlation-ID": "a", "penstock": field}):
        orders.validate(orders.ship)

    assert verdict() == set()


def test_too_many_names_are_cut_and_then_convict_nobody() -> None:
    """The list ends with null, and the field keeps its limit."""
    names = [f"step-{number}-{'x' * 80}" for number in range(100)]
    orders = Orders(
        receive=None, **dict.fromkeys(names, "receive"), last="gone", take="receive"
    )
    headers = sent(*names, orders=orders)
    assert len(headers["penstock"]) <= 4096
    assert json.loads(headers["penstock"])["done"][-1] is None

    with penstock.continue_flow(headers):
        orders.take(orders.last)

    assert verdict() == set()


def test_a_bound_call_knows_what_is_open_above() -> None:
    """In another thread; bound to the bare context, it is not known and not judged."""
    orders = chain()
    context: list[Any] = []
    with ThreadPoolExecutor(1) as pool:

        def submit() -> None:
            context.append(penstock.get_flow_context())
            pool.submit(bind_flow(orders.charge)).result()

        orders.receive(lambda: orders.validate(submit))
        assert verdict() == set()
        pool.submit(bind_flow(orders.ship, context[0].fork())).result()
        pool.submit(
            bind_flow(lambda: orders.validate(orders.ship), context[0])
        ).result()

    assert counted()["steps"]["ship"] == 2
    assert verdict() == set()


def test_what_is_open_above_is_not_taken_for_known() -> None:
    """Below a bare context, where calls of a predecessor were judged before."""
    orders = Orders(receive=None, fetch="receive", sync="fetch", check="receive")
    contexts: list[Any] = []

    for _ in range(2):
        orders.receive(lambda: orders.fetch(orders.sync))
    orders.receive(lambda: contexts.append(penstock.get_flow_context()))
    bind_flow(lambda: orders.check(orders.sync), contexts[0])()

    assert counted()["steps"]["sync"] == 3
    assert counted()["edges"][1]["witnessed"] == 2
    assert verdict() == set()


def test_switching_in_the_middle_of_a_run_convicts_nobody() -> None:
    """What was not seen proves nothing."""
    orders = chain()

    def off() -> None:
        configure(conformance="off")

    def on() -> None:
        configure(conformance="record")

    off()
    orders.receive(orders.validate, on, orders.charge, off, orders.ship, on)
    orders.receive(
        orders.validate, off, lambda: orders.charge(on, orders.ship), orders.ship
    )

    assert verdict() == set()


def test_switching_off_in_a_run_that_is_over() -> None:
    """A call that is the last one ends without a judge."""
    orders = chain()
    bound: list[Callable[..., Any]] = []

    orders.receive(orders.validate, lambda: bound.append(bind_flow(orders.charge)))
    bound[0](lambda: configure(conformance="off"))

    assert counted()["steps"]["charge"] == 1
    assert verdict() == set()


def test_a_run_inside_one_that_began_unseen() -> None:
    """It is known, whatever the one around may have done."""
    orders = chain()
    configure(conformance="off")

    orders.receive(
        lambda: configure(conformance="record"),
        lambda: orders.receive(orders.validate, orders.ship),
    )

    assert counted()["runs"] == 1
    assert verdict() == {"R1 ship"}


def test_a_step_declared_later_is_judged() -> None:
    """In the run that goes on, and in the next one."""
    orders = chain()
    orders.receive(
        orders.validate,
        lambda: orders.steps.update(late=orders._step("late", "validate")),  # noqa: SLF001  # our own
        lambda: orders.late(),  # noqa: PLW0108  # it is declared by then
        orders.charge,
    )
    in_turn(orders, "late")

    assert counted()["steps"]["late"] == 2
    assert verdict() == {"R1 late"}


def test_a_step_that_is_declared_again_keeps_its_count() -> None:
    """As after a reload; its edges are the new ones."""
    in_turn(chain(), "validate", "charge")
    orders = Orders(receive=None, validate="receive", charge="receive")
    in_turn(orders, "charge")

    assert counted()["steps"]["charge"] == 2
    assert [(e["before"], e["witnessed"]) for e in counted()["edges"]] == [
        ("receive", 1),
        ("receive", 1),
        ("charge", 0),
    ]


def test_a_large_flow_is_judged() -> None:
    """Beyond the size for which each run keeps flags."""
    names = [f"step{number}" for number in range(600)]
    after = dict(zip(names, ["receive", *names], strict=False))
    orders = Orders(receive=None, **after)

    in_turn(orders, *names, "step9")

    assert verdict() == set()
    assert counted()["steps"]["step9"] == 2


def test_very_many_kinds_of_calls_are_counted_in_little_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each predecessor still has its number."""
    monkeypatch.setattr("penstock.conformance.plan._MAX_SETS", 2)
    names = list("abcd")
    orders = Orders(receive=None, **dict.fromkeys(names, "receive"), save=names)
    for number in range(1, 5):
        in_turn(orders, *names[:number], "save")

    edges = counted()["edges"]
    assert counted()["steps"]["save"] == 4
    assert {e["before"]: e["witnessed"] for e in edges if e["after"] == "save"} == {
        "a": 4,
        "b": 3,
        "c": 2,
        "d": 1,
    }


@pytest.mark.parametrize("ship", ["charge", ["receive", "validate", "charge"]])
def test_threads_lose_no_count(ship: Any) -> None:
    """Many at once, on the call path."""
    orders = Orders(receive=None, validate="receive", charge="validate", ship=ship)

    def work() -> None:
        for _ in range(200):
            in_turn(orders, "validate", "charge", "ship")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(counted()["steps"].values()) == {1600}
    assert {edge["witnessed"] for edge in counted()["edges"]} == {1600}


@pytest.mark.parametrize("mode", ["record", "warn", "raise"])
def test_a_failure_of_penstock_breaks_nothing(
    mode: str, monkeypatch: pytest.MonkeyPatch, warnings: list[logging.LogRecord]
) -> None:
    """It is said once, and the calls go on."""
    configure(conformance=mode)
    orders = chain()

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    def fail_too(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("penstock.conformance.judge.find_place", fail)
    in_turn(orders, "validate", "ship")
    monkeypatch.undo()
    monkeypatch.setattr(
        "penstock.conformance.run_progress.RunProgress.find_contradicted", fail_too
    )
    in_turn(orders, "validate")
    in_turn(orders, "validate")

    assert [line.getMessage() for line in warnings] == [
        (
            "Conformance failed, and the step ran anyway: ZeroDivisionError(). "
            "Logged only once."
        )
    ] * 2


def test_a_call_that_fails_ends(warnings: list[logging.LogRecord]) -> None:
    """Its failure is logged as ever."""
    orders = chain()

    orders.receive(orders.failing("validate"), orders.charge)

    assert verdict() == set()
    assert [line.getMessage()[:27] for line in warnings] == [
        "step.error orders/validate "
    ]


def test_what_is_switched_off_counts_nothing() -> None:
    """As if it had never been on."""
    orders = chain()
    configure(conformance="off")

    in_turn(orders, "ship")

    assert counted()["runs"] == 0
    assert verdict() == set()


def test_the_judge_says_what_it_is() -> None:
    """As it would stand in a log line."""
    assert repr(process_judge) == "<conformance record>"


def test_a_wrong_mode_is_refused() -> None:
    """With a suggestion."""
    with pytest.raises(penstock.ConfigurationError, match="Did you mean 'record'"):
        configure(conformance="recrod")


PROGRAM = """
    import os, sys
    import penstock

    shop = penstock.flow("shop")

    @shop.entrypoint
    def receive():
        charge()

    @shop.step(after=receive)
    def charge(): ...

    def work():
        receive()

    receive()
    exec(sys.argv[1])
"""

FORKED = """
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=work)
process.start()
process.join()
"""
STOPPED = """
import signal
os.kill(os.getpid(), signal.SIGTERM)
"""
STOPPED_LATER = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
signal.getsignal(signal.SIGTERM)(signal.SIGTERM, None)
receive()
"""
NOWHERE = """
os.environ["PENSTOCK_CONFORMANCE_DIR"] = "/nowhere/at/all"
"""


@pytest.mark.parametrize(
    ("code", "runs"),
    [
        ("", 1),
        (FORKED, 2),
        (STOPPED, 1),
        (STOPPED_LATER, 1),
        ("if not os.fork(): os._exit(0)\nos.wait()", 1),
        ("penstock.configure(conformance='warn')", 1),
        (NOWHERE, 0),
        ("del os.environ['PENSTOCK_CONFORMANCE_DIR']", 0),
    ],
)
def test_processes_leave_their_reports(tmp_path: Path, code: str, runs: int) -> None:
    """Each in the folder that the environment names; merged they are one."""
    variables = {
        "PENSTOCK_CONFORMANCE": "record",
        "PENSTOCK_CONFORMANCE_DIR": str(tmp_path),
    }
    _, errors = run_python(PROGRAM, code, **variables)

    assert ("was not written" in errors) is ("nowhere" in code)
    merged = penstock.ConformanceReport.merge(sorted(tmp_path.glob("*.json")))
    found = merged.to_dict()["flows"].get("shop", {"runs": 0, "steps": {}})
    assert found["runs"] == runs
    assert set(found["steps"].values()) <= {runs}


@pytest.mark.parametrize(
    "start",
    ["signal.signal(signal.SIGTERM, print)", "pass"],
    ids=["own handler", "thread"],
)
def test_signals_of_others_are_left_alone(tmp_path: Path, start: str) -> None:
    """A handler of SIGTERM stays; outside the main thread none can be set."""
    program = f"""
import signal, sys, threading
{start}
before = signal.getsignal(signal.SIGTERM)
import penstock
work = threading.Thread(target=penstock.configure, kwargs={{"conformance": "warn"}})
work.start()
work.join()
print(signal.getsignal(signal.SIGTERM) is before)
"""
    said, errors = run_python(program, PENSTOCK_CONFORMANCE_DIR=str(tmp_path))

    assert (said, errors) == ("True\n", "")


def test_reports_merge() -> None:
    """FlowCounts add up, and statuses are those of the sums."""
    billing = flow("billing").step(name="invoice")(lambda: None)
    orders = join()
    orders.receive(orders.charge, orders.send, orders.reserve, billing)
    first = penstock.conformance_report()
    process_judge.clear()
    in_turn(orders, "reserve", "send")
    for _ in range(25):
        in_turn(orders, "send")
    second = penstock.conformance_report()

    merged = penstock.ConformanceReport.merge([first, second.to_dict(), second])
    found = merged.to_dict()["flows"]["orders"]

    assert repr(merged) == "<ConformanceReport billing orders>"
    assert found["runs"] == 53
    assert found["steps"]["send"] == 53
    edges = {(e["before"], e["after"]): e for e in found["edges"]}
    assert edges["reserve", "send"]["witnessed"] == 2
    assert edges["reserve", "send"]["status"] == "contradicted"
    assert found["foreign"] == [{"flow": "billing", "step": "invoice", "count": 1}]
    assert sum(v["count"] for v in found["violations"]) == 51
    assert len(found["violations"]) == 21


@pytest.mark.parametrize(
    "report", [7, {}, {"flows": 7}, {"flows": {"a": {}}}, "nowhere.json"], ids=str
)
def test_what_is_no_report_cannot_be_merged(report: Any) -> None:
    """The error says what is wrong with what."""
    with pytest.raises(
        penstock.ConfigurationError, match="is not a conformance report"
    ):
        penstock.ConformanceReport.merge([report])


def test_listeners_learn_of_violations_and_of_corrections() -> None:
    """The pytest plugin is one of them."""
    found: list[tuple[str, bool]] = []

    def listen(violation: Any, _run: str, is_found: bool) -> None:  # noqa: FBT001  # Listener
        found.append((violation.code, is_found))

    process_judge.reporter.listeners = (listen,)
    try:
        test_a_later_call_amends_the_verdict()
    finally:
        process_judge.reporter.listeners = ()

    assert found == [("R2", True), ("R2", False)]


def test_more_runs_than_are_named_merge() -> None:
    """20 of them, with every count."""
    orders = chain()
    reports = []
    for _ in range(2):
        for _ in range(15):
            in_turn(orders, "ship")
        reports.append(penstock.conformance_report())
        process_judge.clear()

    merged = penstock.ConformanceReport.merge(reports).to_dict()["flows"]["orders"]
    assert len(merged["violations"]) == 20
    assert sum(v["count"] for v in merged["violations"]) == 30


def test_a_function_of_two_flows_is_judged_in_the_one_that_runs() -> None:
    """Nothing of it is foreign."""
    orders, billing = flow("orders"), flow("billing")

    @orders.step(after="receive")
    @billing.step(after="receive")
    def audit() -> None: ...

    for each in (orders, billing):
        each.entrypoint(name="receive")(lambda: audit())()  # noqa: PLW0108  # each its own function

    assert counted()["steps"]["audit"] == counted("billing")["steps"]["audit"] == 1
    assert verdict() == verdict("billing") == set()


def test_a_log_handler_may_call_steps() -> None:
    """Where a failure is logged, the steps open above are not known."""
    orders = chain()
    called: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not called:
                called.append(record.getMessage())
                orders.validate(orders.ship)

    orders.receive(orders.validate)  # which asks the logger, once
    handler = Handler(logging.WARNING)
    logging.getLogger("penstock").addHandler(handler)
    try:
        orders.receive(orders.failing("validate"))
    finally:
        logging.getLogger("penstock").removeHandler(handler)

    assert called
    assert counted()["steps"]["ship"] == 1
    assert verdict() == set()


def test_what_another_flow_had_done_tells_nothing_of_this_one() -> None:
    """A message of one flow calls a step of a flow that runs elsewhere."""
    field = '{"service":"other","flow":"elsewhere","done":["validate"]}'
    orders = chain()

    with penstock.continue_flow({"X-Correlation-ID": "a", "penstock": field}):
        orders.charge(orders.ship)

    assert counted()["edges"][1]["witnessed"] == 0
    assert verdict() == set()


@pytest.mark.parametrize("after", ["receive", ["receive", "charge"]])
def test_a_judged_step_takes_what_it_is_given(after: Any) -> None:
    """By position and by keyword, and gives back what the function does, or raises."""
    orders = flow("orders")

    @orders.entrypoint
    def receive() -> tuple[int, int]:
        with pytest.raises(ZeroDivisionError):
            charge(0)
        return charge(1), charge(amount=2)

    @orders.step(after=after)
    def charge(amount: int) -> int:
        return amount // amount * amount

    for _ in range(3):  # the first call asks the logger, the second is judged slowly
        assert receive() == (1, 2)
    assert counted()["steps"]["charge"] == 9


def test_a_step_after_a_task_or_something_else_is_judged_each_time() -> None:
    """Whether the task may have run depends on the run."""
    orders = flow("orders")
    task = step(name="task", after="receive")(lambda: None)
    mark: Any = find_marked(task)
    mark.set_crossing()
    orders(task)
    ship = orders.step(name="ship", after=["receive", "task"])(lambda: None)

    @orders.entrypoint
    def receive() -> None:
        ship()  # type: ignore[no-untyped-call]  # a lambda

    for _ in range(3):
        receive()

    assert counted()["steps"] == {"task": 0, "ship": 3, "receive": 3}


def test_a_predecessor_that_is_declared_again_keeps_the_counts() -> None:
    """Of what the call path judged by the old one, too."""
    orders = join()
    for _ in range(3):
        in_turn(orders, "charge", "reserve", "send")
    orders.steps["charge"] = orders._step("charge", "receive")  # noqa: SLF001  # our own
    for _ in range(3):
        in_turn(orders, "charge", "reserve", "send")

    assert counted()["steps"]["send"] == 6
    assert {edge["witnessed"] for edge in counted()["edges"]} == {6}


def cell(after: str | list[str]) -> tuple[Any, Any]:
    """Declare a flow as the cell of a notebook does, and run it once."""
    orders = flow("cell")

    @orders.entrypoint
    def receive() -> None:
        pay()

    @orders.step(after="receive")
    def check() -> None: ...

    @orders.step(after=after)
    def pay() -> None: ...

    for _ in range(3):
        receive()
    return receive, pay


@pytest.mark.parametrize("after", ["receive", ["receive", "check"]])
def test_what_is_declared_again_is_let_go(after: Any) -> None:
    """A notebook may run a cell for ever; the calls are still counted."""
    functions = [weakref.ref(func) for func in cell(after)]
    cell("receive")
    cell(after)
    gc.collect()

    assert [ref() for ref in functions] == [None, None]
    found = penstock.conformance_report().to_dict()["flows"]["cell"]
    assert found["steps"] == {"receive": 9, "check": 0, "pay": 9}
    witnessed = {(e["before"], e["after"]): e["witnessed"] for e in found["edges"]}
    assert witnessed["receive", "pay"] == 9


def test_an_old_function_is_judged_as_the_new_one() -> None:
    """A caller may have kept it; it does not come back."""
    receive, _ = cell("receive")
    cell(["check", "receive"])

    receive()

    found = penstock.conformance_report().to_dict()["flows"]["cell"]
    assert found["steps"] == {"receive": 7, "check": 0, "pay": 7}
    edges = [edge["before"] for edge in found["edges"] if edge["after"] == "pay"]
    assert edges == ["check", "receive"]
