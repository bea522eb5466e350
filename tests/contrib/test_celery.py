"""Celery tasks as steps: what ``flow_task`` makes, and eager and direct calls."""

# pyright: reportCallIssue=none, reportOperatorIssue=none
# pyright: reportOptionalMemberAccess=none, reportOptionalSubscript=none
# pyright: reportAttributeAccessIssue=none, reportFunctionMemberAccess=none
# pyright: reportArgumentType=none, reportAssignmentType=none, reportReturnType=none
# Celery has no types, and pyright guesses wrong what its functions return.

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import FlowDefinitionError, current_flow_id, flow, get_flow_context
from penstock._runtime.state import state
from tests.support.declarations import steps_of, the_flow, the_step

pytest.importorskip("celery", reason="needs celery")

from celery import Celery, Task, _state, chord, shared_task, signals

from penstock.contrib.celery import (
    flow_task,
    install_celery_signals,
    uninstall_celery_signals,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = (
    signals.before_task_publish,
    signals.task_prerun,
    signals.task_postrun,
    signals.worker_process_shutdown,
)


@pytest.fixture(autouse=True)
def app() -> Iterator[Celery]:
    """Give an app of its own, whose broker is in memory; connect nothing for others."""
    finalizers = _state._on_app_finalizers  # noqa: SLF001  # where shared tasks stay
    shared = set(finalizers)
    app = Celery("tests", broker="memory://", backend="cache+memory://")
    app.conf.task_default_queue = "tests"
    app.set_current()
    app.set_default()  # for other threads
    yield app
    app.close()
    _state.set_default_app(None)
    finalizers.intersection_update(shared)
    uninstall_celery_signals()


def sent(app: Celery) -> list[Any]:
    """Take the messages that wait in the queue."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("tests")
        messages = []
        while queue.qsize():
            message = queue.get_nowait()
            message.ack()
            messages.append(message)
        queue.close()
    return messages


def connected() -> list[int]:
    """Count the receivers of each signal."""
    return [len(signal.receivers) for signal in SIGNALS]


def test_the_readme_runs() -> None:
    """The snippet of the README makes a task, and an entrypoint of the flow."""

    @flow("async_processing")
    @flow_task
    def process_in_background(data: object) -> object:
        return data

    assert isinstance(process_in_background, Task)
    assert steps_of("async_processing") == {"process_in_background": ()}
    assert process_in_background.apply((5,)).get() == 5


def test_without_after_it_is_an_entrypoint_else_a_step() -> None:
    """The diagram shows where it stands, and that a message brings it."""

    @flow("orders")
    @flow_task
    def receive() -> None:
        """Take an order."""

    @flow("orders")
    @flow_task(after=receive, tags=("io",), step_name="take_money")
    def charge() -> None: ...

    first, second = the_flow("orders").steps
    assert (first.is_entrypoint, first.crosses) == (True, True)
    assert first.description == "Take an order."
    assert (second.name, second.is_entrypoint) == ("take_money", False)
    assert second.predecessors == ("receive",)
    assert second.tags == ("io",)
    assert penstock.generate_dag("orders", format="mermaid") == (
        "graph TD\n    receive --> take_money"
    )


def test_a_task_of_one_app_is_sent_by_that_app() -> None:
    """``app=`` names it, also in a thread, which has another current app."""
    app = Celery("shop", broker="memory://", set_as_current=False)
    app.conf.task_always_eager = True
    ran: list[int] = []

    @flow("orders")
    @flow_task(app=app)
    def charge(number: int) -> None:
        ran.append(number)

    with ThreadPoolExecutor() as pool:
        pool.submit(charge.delay, 7).result()

    assert ran == [7]
    assert charge.app is app


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_option_of_a_shared_task_is_its_own() -> None:
    """Name, queue, binding and retries are Celery's; nothing of them is lost."""

    @flow("orders")
    @flow_task(
        bind=True,
        name="shop.receive",
        queue="fast",
        autoretry_for=(OSError,),
        max_retries=7,
        rate_limit="10/m",
        ignore_result=True,
    )
    def receive(self: Task, number: int) -> tuple[str, int]:
        return self.name, number

    assert receive.name == "shop.receive"
    assert (receive.queue, receive.rate_limit) == ("fast", "10/m")
    assert (receive.max_retries, receive.ignore_result) == (7, True)
    assert receive(17) == ("shop.receive", 17)
    assert receive.s(17).task == "shop.receive"
    assert (receive.__name__, receive.__module__) == ("receive", __name__)
    assert list(steps_of("orders")) == ["receive"]


def test_several_flows_share_a_task() -> None:
    """A handle and a class take it as they take any function."""
    orders = flow("orders")

    @flow("returns")
    @orders
    @flow_task
    def receive() -> str | None:
        context = get_flow_context()
        return None if context is None else context.flow

    @flow("background")
    class Background:
        @flow_task
        @staticmethod
        def work() -> str | None:
            return current_flow_id()

    assert list(steps_of("orders")) == list(steps_of("returns")) == ["receive"]
    assert receive() == "orders"
    with penstock.start_flow("order-17"):
        assert Background.work() == "order-17"


def test_celery_checks_the_arguments() -> None:
    """A call that cannot fit fails at the caller's, before anything is sent."""

    @flow("orders")
    @flow_task
    def receive(number: int, *, gift: bool = False) -> None: ...

    with pytest.raises(TypeError, match="number"):
        receive.delay()
    with pytest.raises(TypeError, match="colour"):
        receive.delay(1, colour="red")


def test_declaring_makes_no_task_yet(app: Celery) -> None:
    """Nothing asks the proxy for anything: its app may not be there yet."""

    @flow("orders")
    @flow_task
    def receive() -> None: ...

    @flow("orders")
    @flow_task(after=[receive])
    def charge() -> None: ...

    @flow("orders")
    @penstock.step(after=[charge, receive])
    def ship() -> None: ...

    assert not app.finalized
    assert steps_of("orders")["ship"] == ("charge", "receive")


async def work() -> None:
    """Do something that has to be awaited."""


async def items() -> Any:
    """Give things that have to be awaited."""
    yield 1


@pytest.mark.parametrize("func", [work, items])
def test_async_functions_are_refused(func: Any) -> None:
    """Celery would never await them; the message says so, and what to do."""
    with pytest.raises(
        FlowDefinitionError,
        match=rf"{func.__name__} .*test_celery\.py:\d+.*never awaits.*asyncio\.run",
    ):
        flow_task(func)


def test_a_marker_above_a_task_is_refused(app: Celery) -> None:
    """The message fits the decorator that made the task."""

    @flow_task(app=app)
    def charge() -> None: ...

    with pytest.raises(FlowDefinitionError, match=r"delay\(\).*marked already"):
        flow("shop").step(after="receive")(charge)

    @app.task  # type: ignore[untyped-decorator]  # Celery's own
    def ship() -> None: ...

    with pytest.raises(FlowDefinitionError, match=r"delay\(\).*or use @flow_task"):
        flow("shop").step(after="receive")(ship)


def test_a_task_is_refused() -> None:
    """One decorator makes the task."""
    with pytest.raises(FlowDefinitionError, match="use it alone"):
        flow_task(shared_task(lambda: None))


def test_a_direct_call_takes_the_ambient_id() -> None:
    """Called as a function it is a step of the flow, as it would be in a worker."""

    @flow("orders")
    @flow_task
    def receive() -> tuple[str, str | None]:
        context = get_flow_context()
        assert context is not None
        return context.correlation_id, charge()

    @flow("orders")
    @flow_task(after="receive")
    def charge() -> str | None:
        return current_flow_id()

    @flow("web")
    @penstock.entrypoint
    def view() -> tuple[str | None, Any]:
        return current_flow_id(), receive()

    view_id, found = view()
    assert found == (view_id, view_id)
    with penstock.start_flow("order-17"):
        assert receive() == ("order-17", "order-17")
    assert charge() not in {None, view_id}
    assert current_flow_id() is None


@pytest.mark.parametrize("call", ["apply", "always_eager", "signature"])
def test_an_eager_call_takes_the_ambient_id(call: str, app: Celery) -> None:
    """The ambient ID where there is one, else a fresh one for each call."""

    @flow("orders")
    @flow_task(after="view")
    def charge() -> str | None:
        return current_flow_id()

    def called() -> Any:
        if call == "signature":
            return charge.s().apply().get()
        app.conf.task_always_eager = call == "always_eager"
        return (charge.delay() if call == "always_eager" else charge.apply()).get()

    @flow("orders")
    @penstock.entrypoint
    def view() -> tuple[Any, Any]:
        return current_flow_id(), called()

    ours, theirs = view()
    assert ours == theirs
    assert len({called(), called(), None}) == 3
    assert current_flow_id() is None


def test_an_eager_call_takes_the_header_first() -> None:
    """Headers that are given tell, as in a worker."""

    @flow("orders")
    @flow_task
    def receive() -> str | None:
        return current_flow_id()

    with penstock.start_flow("ambient"):
        headers = {"X-Correlation-ID": "given"}
        assert receive.apply(headers=headers).get() == "given"


def test_an_eager_retry_keeps_the_id() -> None:
    """Every attempt is one operation, also where nothing was around the first."""
    ids = []

    @flow("orders")
    @flow_task(bind=True)
    def receive(self: Task) -> None:
        ids.append(current_flow_id())
        if self.request.retries < 2:
            raise self.retry(countdown=0)

    receive.apply()
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_an_eager_errback_keeps_the_id() -> None:
    """What is called because a task failed belongs to its operation."""
    ids = []

    @flow("orders")
    @flow_task
    def receive() -> None:
        ids.append(current_flow_id())
        raise ValueError

    @flow("orders")
    @flow_task(after=receive)
    def note(request: Any, exc: object, traceback: object) -> None:
        ids.append(current_flow_id())

    receive.apply(link_error=note.s())
    assert len(ids) == 2
    assert len(set(ids)) == 1


@pytest.mark.parametrize("error", [None, ValueError, SystemExit])
def test_the_value_before_comes_back(error: type[BaseException] | None) -> None:
    """However a task ends, and whatever it leaves behind."""

    @flow("orders")
    @flow_task
    def receive() -> None:
        penstock.start_flow("left behind").__enter__()
        if error is not None:
            raise error

    with penstock.start_flow("order-17"):
        try:
            receive.apply()
        except SystemExit:
            assert error is SystemExit
        assert current_flow_id() == "order-17"
    assert current_flow_id() is None


def test_exceptions_pass_unchanged() -> None:
    """A failing task raises what it raised."""
    problem = ValueError("no money")

    @flow("orders")
    @flow_task
    def receive() -> None:
        raise problem

    with pytest.raises(ValueError, match="no money") as caught:
        receive()
    assert caught.value is problem
    assert (problem.__context__, problem.__cause__) == (None, None)


def test_calls_are_recorded_with_their_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Lines of the backend say flow, step and task."""

    @flow("orders")
    @flow_task
    def receive() -> None: ...

    caplog.set_level(logging.INFO, "penstock")
    with penstock.start_flow("order-17"):
        receive.apply(task_id="task-1")

    said = [vars(record) for record in caplog.records if record.name == "penstock"]
    assert [line["outcome"] for line in said[1:]] == ["ok"]
    for line in said:
        assert (line["flow"], line["step"]) == ("orders", "receive")
        assert (line["correlation_id"], line["task_id"]) == ("order-17", "task-1")


def test_a_message_carries_two_headers(app: Celery) -> None:
    """The ID and one field of ASCII; nothing that a request uses itself."""

    @flow("orders")
    @flow_task
    def receive() -> None: ...

    penstock.configure(service="smörgås", headers=["id", "retries"])
    before = set()
    receive.delay()
    with penstock.start_flow("order-17"):
        receive.delay()

    plain, message = sent(app)
    before = set(plain.headers)
    assert set(message.headers) - before == {"X-Correlation-ID", "penstock"}
    assert message.headers["X-Correlation-ID"] == "order-17"
    assert message.headers["penstock"].isascii()
    assert message.headers["id"] != "order-17"


def test_an_id_that_is_given_wins(app: Celery) -> None:
    """What the caller writes into the headers stays; other headers do not matter."""

    @flow("orders")
    @flow_task
    def receive() -> None: ...

    with penstock.start_flow("order-17"):
        receive.apply_async(headers={"X-Correlation-ID": "given"})
        receive.apply_async(headers={"tenant": "acme"})
        receive.apply_async(headers={"X-Correlation-ID": ["no", "ID"]})

    first, second, third = sent(app)
    assert first.headers["X-Correlation-ID"] == "given"
    assert "penstock" not in first.headers
    assert second.headers["X-Correlation-ID"] == "order-17"
    assert second.headers["tenant"] == "acme"
    assert third.headers["X-Correlation-ID"] == ["no", "ID"]


def test_errbacks_carry_the_id_themselves(app: Celery) -> None:
    """Celery sends them in no flow where the process is lost; ours stay untouched."""

    @flow("orders")
    @flow_task
    def receive() -> None: ...

    errback = receive.si()
    body = receive.si().on_error(receive.si())
    with penstock.start_flow("order-17"):
        receive.apply_async(link_error=[errback, receive.si()])
        receive.apply_async(link_error="named")
        chord([receive.si()], app=app)(body)

    errbacks: list[Any] = []
    for message in sent(app):
        _, _, embedded = message.payload
        chord_options = (embedded["chord"] or {}).get("options", {})
        errbacks += embedded["errbacks"] or []
        errbacks += chord_options.get("link_error") or []
    ids = [found["options"]["headers"]["X-Correlation-ID"] for found in errbacks]
    assert ids == ["order-17"] * 4
    assert "headers" not in errback.options
    assert "headers" not in body.options["link_error"][0]["options"]


@pytest.mark.parametrize(
    "inbound",
    [["X-Amzn-Trace-Id"], ["traceparent", "X-Request-ID"], ["traceparent"]],
)
def test_http_settings_do_not_matter(inbound: list[str]) -> None:
    """Which HTTP headers bring an ID says nothing about messages."""

    @flow("orders")
    @flow_task
    def receive() -> str | None:
        return current_flow_id()

    penstock.configure(headers="X-Edge-ID", inbound_headers=inbound)
    given = receive.apply(headers={"X-Correlation-ID": "given"}).get()
    with penstock.start_flow("order-17"):
        ambient = receive(), receive.apply().get()
    assert (given, *ambient) == ("given", "order-17", "order-17")


def test_trust_can_be_refused() -> None:
    """``trust_inbound`` decides what is believed of a message."""

    @flow("orders")
    @flow_task
    def receive() -> str | None:
        return current_flow_id()

    penstock.configure(trust_inbound="none")
    assert receive.apply(headers={"X-Correlation-ID": "given"}).get() != "given"
    with penstock.start_flow("order-17"):
        assert receive.apply().get() == "order-17"


@pytest.mark.parametrize(
    "value", ["\r\nx", "", 17, b"\xff", {"a": 1}, None, "x" * 9999]
)
@pytest.mark.parametrize("name", ["X-Correlation-ID", "penstock"])
def test_bad_headers_never_raise(name: str, value: object) -> None:
    """A message that makes no sense is run under a fresh ID."""

    @flow("orders")
    @flow_task
    def receive() -> str | None:
        return current_flow_id()

    found = receive.apply(headers={name: value}).get()
    assert found is not None
    assert len(found) == 32


def test_metadata_travels_where_it_is_allowed() -> None:
    """As over any transport: by allow-list, and what the task writes stays there."""

    @flow("orders")
    @flow_task
    def receive() -> tuple[Any, Any]:
        penstock.set_flow_context_value("tenant", "changed")
        context = get_flow_context()
        assert context is not None
        return sorted(context.metadata), context.parent_id

    penstock.configure(propagate=["tenant"])
    with penstock.start_flow(tenant="acme", password="secret") as around:  # noqa: S106  # a sample
        inner = penstock.start_flow("inner", tenant="acme", secret=1)
        with inner:
            assert receive.apply().get() == (["tenant"], around.correlation_id)
        assert around.metadata["tenant"] == "acme"


def test_install_is_idempotent_and_has_an_inverse() -> None:
    """Connecting twice is connecting once; disconnecting leaves nothing."""
    uninstall_celery_signals()
    before = connected()

    for _ in range(3):
        install_celery_signals()
    gc.collect()
    assert connected() == [count + 1 for count in before]
    assert "task_id" in state.record_fields

    for _ in range(3):
        uninstall_celery_signals()
    assert connected() == before
    assert "task_id" not in state.record_fields


def test_tasks_without_flow_task_take_part(app: Celery) -> None:
    """Once installed, every task of the process carries the flow; before, none does."""

    @shared_task  # type: ignore[untyped-decorator]  # Celery has no types
    def plain() -> str | None:
        return current_flow_id()

    uninstall_celery_signals()
    with penstock.start_flow("order-17"):
        plain.delay()
    assert "X-Correlation-ID" not in sent(app)[0].headers

    install_celery_signals()
    with penstock.start_flow("order-17"):
        plain.delay()
        app.send_task("somewhere.else")
        assert plain.apply().get() == "order-17"
    ids = [message.headers["X-Correlation-ID"] for message in sent(app)]
    assert ids == ["order-17", "order-17"]


def test_threads_and_tasks_do_not_mix() -> None:
    """Fifty at a time, each under its own ID."""

    @flow("orders")
    @flow_task
    def receive(number: int) -> str | None:
        return current_flow_id()

    def run(number: int) -> str | None:
        with penstock.start_flow(f"order-{number}"):
            found: str | None = receive.apply((number,)).get()
        return found

    async def gathered() -> list[str | None]:
        calls = [asyncio.to_thread(run, number) for number in range(200)]
        return await asyncio.gather(*calls)

    assert asyncio.run(gathered()) == [f"order-{number}" for number in range(200)]


def test_disabled_it_is_a_shared_task() -> None:
    """``PENSTOCK_DISABLED`` leaves Celery's own task, and the diagram."""
    program = """
from celery import Celery, signals
from penstock import current_flow_id, flow, generate_dag
from penstock.contrib.celery import flow_task

app = Celery(broker="memory://")

@flow("orders")
@flow_task
def receive(number):
    return number, current_flow_id()

assert receive.apply((1,)).get() == (1, None)
assert receive(1) == (1, None)
assert not hasattr(receive.run, "__wrapped__")
assert not signals.task_prerun.receivers
assert generate_dag("orders") == "graph TD\\n    receive"
"""
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={"PENSTOCK_DISABLED": "1"}
    )


def test_a_task_above_a_marker_is_brought_by_a_message(
    app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is drawn as one, as with ``flow_task``."""
    orders = flow("tasks_above")

    def mail() -> None: ...

    def note() -> None: ...

    for func in mail, note:
        func.__qualname__ = func.__name__
        marked = orders.step(after="receive")(func)
        is_task = func is mail
        held = app.task(marked) if is_task else marked
        monkeypatch.setitem(globals(), func.__name__, held)

    orders.entrypoint(name="receive")(lambda: None)
    assert the_step("tasks_above", "mail").crosses
    assert not the_step("tasks_above", "note").crosses


def test_a_task_whose_process_is_not_connected_says_so(
    app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    """The step ran without the flow of its message, and the warning has the reason."""
    orders = flow("unconnected", outside="warn")

    @orders.step(after="receive")
    def mail() -> None: ...

    @orders.step(after="receive")
    def note() -> None: ...

    app.task(mail).apply()
    note()

    first, second = (one.getMessage() for one in caplog.records)
    advice = (
        "A Celery task called it, but nothing in this process has called "
        "penstock.contrib.celery.install_celery_signals(). Call that where the app is "
        "made."
    )
    assert first.endswith(f"It runs as a plain function. {advice}")
    assert "Celery" not in second

    @flow("lonely").step(after="receive")
    def print_label() -> None: ...

    assert str(app.task(print_label).apply().result).endswith(advice)


def test_a_worker_is_connected_once_and_restored() -> None:
    """Only a worker has the classes whose lines get an ID."""
    from celery.worker.request import Request  # noqa: PLC0415  # senders have none

    parts = [(Task, "start_strategy"), (Request, "on_failure"), (Request, "on_timeout")]
    before = [getattr(owner, name) for owner, name in parts]
    install_celery_signals()
    assert [getattr(owner, name) for owner, name in parts] == before

    signals.worker_init.send(sender=None)
    connected = [getattr(owner, name) for owner, name in parts]
    signals.worker_init.send(sender=None)

    assert not {*before} & {*connected}
    assert [getattr(owner, name) for owner, name in parts] == connected
    uninstall_celery_signals()
    assert [getattr(owner, name) for owner, name in parts] == before
    install_celery_signals()
