from __future__ import annotations

import asyncio
import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    FlowDefinitionError,
    NotInFlowError,
    bind_flow,
    configure,
    continue_flow,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    get_flow_context_value,
    inject,
    outside_flow,
    set_flow_context_value,
    start_flow,
    step,
)
from tests.support.call_styles import KINDS, finish, marked, run_python, unique

if TYPE_CHECKING:
    import logging

    from penstock import FlowContext

pytestmark = pytest.mark.usefixtures("mode")


def here() -> FlowContext:
    """Return the context of the run around, which is known to be there."""
    context = get_flow_context()
    assert context is not None
    return context


@pytest.mark.parametrize("kind", KINDS)
def test_an_entrypoint_takes_the_carried_id_and_metadata(kind: str) -> None:
    """In a carried context a run goes by the ID that came in."""
    func = marked(
        kind,
        lambda: (current_flow_id(), get_flow_context_value("user")),
        role="entrypoint",
    )

    async def main() -> object:
        with start_flow("order-17", user="alice"):
            return await finish(func)

    assert asyncio.run(main()) == ("order-17", "alice")


@pytest.mark.parametrize("kind", KINDS)
def test_two_entrypoints_and_a_retry_in_one_carried_context_show_one_id(
    kind: str,
) -> None:
    """The caller, the response and the logs all speak of one operation."""
    first = marked(kind, current_flow_id, role="entrypoint")
    second = marked(kind, current_flow_id, role="entrypoint")

    async def main() -> list[Any]:
        with start_flow("order-17"):
            return [await finish(func) for func in (first, second, first)]

    assert asyncio.run(main()) == ["order-17"] * 3


def test_a_gather_in_a_carried_context_shows_one_id() -> None:
    """Concurrent entrypoints under one request share its ID."""
    funcs = [marked("async", current_flow_id, role="entrypoint") for _ in range(3)]

    async def main() -> list[Any]:
        with start_flow("order-17"):
            return await asyncio.gather(*(func() for func in funcs))

    assert asyncio.run(main()) == ["order-17"] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_inside_a_run_that_took_the_carried_id_runs_are_fresh_again(kind: str) -> None:
    """The exception holds for the nearest context only."""
    inner = marked(kind, here, role="entrypoint")

    @flow(unique("outer"))
    @entrypoint
    async def outer() -> FlowContext:
        context: FlowContext = await finish(inner)
        return context

    async def main() -> FlowContext:
        with start_flow("order-17"):
            return await outer()

    context = asyncio.run(main())

    assert context.correlation_id != "order-17"
    assert context.parent_id == "order-17"
    assert context.root_id == "order-17"


def test_a_run_in_a_carried_context_keeps_where_that_came_from() -> None:
    """Parent and root are those of the carried context."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> FlowContext:
        return here()

    with start_flow("root"), start_flow("child"):
        context = receive()

    assert (context.correlation_id, context.parent_id) == ("child", "root")
    assert context.root_id == "root"
    assert not context.is_carried


def test_what_a_run_sets_is_seen_by_the_next_in_the_carried_context() -> None:
    """A retry finds what the first attempt has left, in both directions."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> int:
        attempt: int = get_flow_context_value("attempt", 0) + 1
        set_flow_context_value("attempt", attempt)
        return attempt

    with start_flow() as context:
        assert [receive(), receive()] == [1, 2]
        assert context.metadata["attempt"] == 2


def test_a_step_beside_the_only_run_of_a_carried_context_belongs_to_it() -> None:
    """A background task belongs to the run of its request; of two runs, to neither."""
    orders = flow(unique("orders"))

    @orders.entrypoint
    def receive() -> str:
        return here().run_id

    @orders.step(after="receive")
    def mail() -> str:
        return here().run_id

    with start_flow():
        before, run = mail(), receive()
        assert before == run == mail()
        second, third = receive(), receive()
        assert len({run, second, third, mail()}) == 4
        assert mail() == mail()


def test_a_run_that_a_message_begins_is_not_its_senders() -> None:
    """A task belongs to the run that sent it; an entrypoint there begins its own."""
    orders = flow(unique("orders"))

    @orders.entrypoint
    def receive() -> tuple[dict[str, str], str]:
        return inject(), here().run_id

    @orders.step(after="receive")
    def mail() -> str:
        return here().run_id

    message, sender = receive()
    with continue_flow(message):
        assert mail() == sender
        assert receive()[1] != sender
        assert mail() == sender
    with start_flow() as context:
        fork = context.fork()
    assert bind_flow(receive, fork)()[1] != fork.run_id


def test_a_step_runs_in_the_carried_context() -> None:
    """A step needs no entrypoint where a transport brought a context."""

    @flow(unique("orders"))
    @step
    def charge() -> FlowContext:
        return here()

    with start_flow("order-17") as context:
        assert charge() is context


def test_an_entrypoint_under_a_step_under_a_carried_context_takes_the_id() -> None:
    """The nearest enclosing context is the carried one, also through a step."""
    name = unique("orders")

    @flow(name)
    @entrypoint
    def receive() -> str | None:
        return current_flow_id()

    @flow(name)
    @step
    def relay() -> str | None:
        return receive()

    with start_flow("order-17"):
        assert relay() == "order-17"


def test_a_call_belongs_to_the_flow_of_its_run(lines: list[logging.LogRecord]) -> None:
    """A function in two flows is a step of the one that runs, else of its first."""
    configure("logging")
    first, second = flow(unique("first")), flow(unique("second"))

    @second.step(name="as_second")
    @first.step(name="as_first")
    def shared() -> None: ...

    @second.entrypoint
    def begin() -> None:
        shared()

    begin()
    with start_flow():
        shared()

    labels = [line.getMessage().split()[1] for line in lines if "start" in line.msg]
    assert labels == [
        f"{second.name}/begin",
        f"{second.name}/as_second",
        f"{first.name}/as_first",
    ]


def test_an_entrypoint_that_is_a_step_of_the_running_flow_acts_as_a_step() -> None:
    """No second run begins where the running flow knows it as a step."""
    billing, orders = flow(unique("billing")), flow(unique("orders"))

    @orders.step
    @billing.entrypoint
    def invoice() -> str | None:
        return current_flow_id()

    @orders.entrypoint
    def receive() -> tuple[str | None, str | None]:
        return current_flow_id(), invoice()

    own, invoiced = receive()
    alone = invoice()

    assert own == invoiced
    assert alone not in {None, own}


def test_a_step_first_and_entrypoint_later_is_a_step_outside_its_flows() -> None:
    """Outside every flow the first declaration decides what a call is."""
    orders, billing = flow(unique("orders")), flow(unique("billing"))

    @billing.entrypoint
    @orders.step
    def invoice() -> str | None:
        return current_flow_id()

    @flow(unique("other"))
    @entrypoint
    def other() -> tuple[str | None, str | None]:
        return current_flow_id(), invoice()

    with pytest.raises(NotInFlowError, match=f"{orders.name}/invoice"):
        invoice()
    own, invoiced = other()
    assert own == invoiced


def test_a_nested_entrypoint_runs_in_the_flow_of_its_own_class() -> None:
    """A subclass with a flow of its own does not join the flow of its base's run."""

    @flow(base := unique("base"))
    class Base:
        @entrypoint
        def receive(self, orders: tuple[Base, ...] = ()) -> list[str]:
            return [here().flow, *(name for one in orders for name in one.receive())]

    @flow(child := unique("child"))
    class Child(Base): ...

    assert Base().receive((Child(),)) == [base, child]
    assert Child().receive((Base(), Child())) == [child, base, child]


def test_a_nested_entrypoint_of_a_class_in_two_flows_stays_in_the_running_one() -> None:
    """Where the class is in both flows, the run that calls decides."""

    @flow(second := unique("second"))
    @flow(first := unique("first"))
    class Orders:
        @entrypoint
        def receive(self) -> str:
            return here().flow

    runs = {}
    for name in (first, second):

        @flow(name).entrypoint(name="outer")
        def outer() -> str:
            return Orders().receive()

        runs[name] = outer()

    assert runs == {first: first, second: second}


def test_super_is_a_plain_call() -> None:
    """``super().receive()`` from an override is not a second run."""

    class Base:
        @entrypoint
        def receive(self) -> list[str | None]:
            return [current_flow_id()]

    @flow(unique("orders"))
    class Child(Base):
        @entrypoint
        def receive(self) -> list[str | None]:
            return [current_flow_id(), *super().receive()]

    own, inherited = Child().receive()

    assert own == inherited is not None


def test_outside_by_default_names_the_step_and_three_ways_out() -> None:
    """The message says what happened, where, and what to do."""
    name = unique("orders")

    @flow(name)
    @step
    def charge() -> None: ...

    with pytest.raises(NotInFlowError) as caught:
        charge()

    message = str(caught.value)
    assert isinstance(caught.value, RuntimeError)
    assert f"{name}/charge" in message
    assert re.search(r"test_run_of\.py:\d+", message)
    for way in ("@entrypoint", "start_flow()", "configure(outside="):
        assert way in message


routed = flow("routed")


@routed.entrypoint
def receive_route(*, leave: bool = False) -> object:
    """Charge, as a route of a web framework does."""
    if leave:
        with outside_flow():
            return charge_route()
    return charge_route()


@routed.step(after="receive_route")
def charge_route() -> object:
    """Return something."""
    return "charged"


class Routes:
    """The same for a method, under a decorator that keeps no name."""

    @routed.entrypoint
    def get(self) -> object:
        """Charge."""
        return charge_route()


def test_outside_names_an_entrypoint_that_was_called_without_its_marker() -> None:
    """As by a web framework whose decorator stands below the marker."""
    for call, name in (
        (inspect.unwrap(receive_route), "routed/receive_route"),
        (lambda: inspect.unwrap(Routes.get)(Routes()), "routed/get"),
    ):
        with pytest.raises(
            NotInFlowError, match=rf"entrypoint {name} .* without its m"
        ):
            call()


def test_outside_accuses_no_entrypoint_that_left_its_flow() -> None:
    """``outside_flow()`` is a way to be outside, too."""
    with pytest.raises(NotInFlowError) as caught:
        receive_route(leave=True)

    assert "without its marker" not in str(caught.value)


@pytest.mark.parametrize("per_flow", [True, False])
def test_outside_warn_speaks_once_per_step_and_calls_plainly(
    warnings: list[logging.LogRecord], *, per_flow: bool
) -> None:
    """The function runs outside any flow; the log says so once for each step."""
    name = unique("orders")
    if not per_flow:
        configure(outside="warn")
    orders = flow(name, outside="warn" if per_flow else "")

    @orders.step
    def charge() -> str | None:
        return current_flow_id()

    @orders.step
    def ship() -> str | None:
        return current_flow_id()

    results = [charge(), charge(), ship()]

    said = [line.getMessage() for line in warnings if line.levelname == "WARNING"]
    assert results == [None, None, None]
    assert [f"{name}/charge" in said[0], f"{name}/ship" in said[1]] == [True, True]
    assert len(said) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_outside_warn_calls_every_kind_plainly(kind: str) -> None:
    """The function is run as if it had no mark."""
    configure(outside="warn")
    charge = marked(kind, lambda: [current_flow_id()], role="step")

    assert asyncio.run(finish(charge)) == [None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("per_flow", [True, False])
def test_outside_run_makes_a_run_of_one_call(kind: str, *, per_flow: bool) -> None:
    """The step gets an ID, its steps share it, and it is gone afterwards."""
    name = unique("orders")
    if not per_flow:
        configure(outside="run")
    orders = flow(name, outside="run" if per_flow else "")
    inner = orders.step(name="inner")(current_flow_id_of)
    func = marked(kind, lambda: (here(), inner()), role="step", in_flow=name)

    async def main() -> Any:
        result = await finish(func)
        return *result, current_flow_id()

    context, inner_id, after = asyncio.run(main())

    assert context.correlation_id == inner_id
    assert context.flow == name
    assert after is None


def current_flow_id_of() -> str | None:
    """Return the ID around."""
    return current_flow_id()


def test_the_setting_of_a_flow_beats_the_global_one() -> None:
    """``flow(outside=)`` decides for its steps, whatever ``configure`` says."""
    configure(outside="run")
    strict = flow(unique("strict"), outside="raise")

    @strict.step
    def charge() -> None: ...

    with pytest.raises(NotInFlowError):
        charge()


def test_the_setting_reaches_steps_that_were_declared_before() -> None:
    """A later ``flow(name, outside=)`` speaks for the whole flow."""
    name = unique("orders")

    @flow(name)
    @step
    def charge() -> str | None:
        return current_flow_id()

    @flow(name, outside="run")
    @entrypoint
    def receive() -> None: ...

    assert charge() is not None


def test_an_unknown_setting_of_a_flow_is_refused() -> None:
    """A misspelled mode is refused at once, with the nearest one."""
    with pytest.raises(FlowDefinitionError, match="Did you mean 'raise'"):
        flow("orders", outside="rise")


def test_outside_flow_is_outside_for_steps_and_fresh_for_entrypoints() -> None:
    """In ``outside_flow()`` a step is refused and a run knows no parent."""
    name = unique("orders")
    charge = marked("sync", current_flow_id, role="step", in_flow=name)
    receive = marked("sync", here, role="entrypoint", in_flow=name)

    with start_flow("order-17"), outside_flow():
        with pytest.raises(NotInFlowError):
            charge()
        context = receive()

    assert context.correlation_id != "order-17"
    assert context.parent_id is None


def test_tasks_of_a_run_belong_to_it() -> None:
    """What a run starts with ``gather`` and ``to_thread`` is under its ID."""
    name = unique("orders")
    charge = marked("async", current_flow_id, role="step", in_flow=name)
    ship = marked("sync", current_flow_id, role="step", in_flow=name)

    @flow(name)
    @entrypoint
    async def receive() -> set[str | None]:
        ids = await asyncio.gather(charge(), charge(), asyncio.to_thread(ship))
        return {current_flow_id(), *ids}

    ids = asyncio.run(receive())

    assert len(ids) == 1
    assert None not in ids


@pytest.mark.parametrize(
    ("mode_value", "outcome"),
    [("raise", "NotInFlowError"), ("warn", "None"), ("run", "str"), ("", "NotInFlow")],
)
def test_outside_by_environment(mode_value: str, outcome: str) -> None:
    """``PENSTOCK_OUTSIDE`` decides where the code says nothing."""
    program = (
        "from penstock import *\n"
        "@flow('orders')\n@step\ndef charge(): return current_flow_id()\n"
        "try: print(type(charge()).__name__)\n"
        "except NotInFlowError as e: print(type(e).__name__)\n"
    )
    out, _ = run_python(program, PENSTOCK_OUTSIDE=mode_value)

    assert out.startswith(outcome)


def test_a_run_inside_belongs_to_the_flow_of_the_class_that_is_called() -> None:
    """Also where the run around is one of the flow of its base class."""
    orders, returns = unique("orders"), unique("returns")

    @flow(orders)
    class Orders:
        @entrypoint
        def receive(self, *inner: Orders) -> list[str]:
            return [here().flow, *(name for one in inner for name in one.receive())]

    @flow(returns)
    class Returns(Orders):
        pass

    assert Orders().receive(Returns(), Orders()) == [orders, returns, orders]
    assert Returns().receive(Orders()) == [returns, orders]
