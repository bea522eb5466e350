from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock import LoggingBackend, bind_flow, configure, flow, install_log_fields
from penstock.runs.trees import operations_of
from tests.support.stored_lines import stored_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.runs.operation import StoredCall


@pytest.fixture(params=["each", "run"], autouse=True)
def lines(request: pytest.FixtureRequest) -> Iterator[str]:
    """Write lines for each call, or one for each run."""
    mode: str = request.param
    configure(LoggingBackend(lines=mode))
    install_log_fields()
    yield mode
    penstock.uninstall_log_fields()


def tree(call: StoredCall) -> str:
    """Return a call and what it called, as ``a(b c(d))``."""
    inner = " ".join(map(tree, call.children))
    return f"{call.step}({inner})" if inner else call.step


def test_tasks_threads_generators_and_nested_runs() -> None:
    """Each call is below the one that made it, whoever else runs meanwhile."""
    orders, billing = flow("orders"), flow("billing")

    @orders.step(after="receive")
    async def charge(number: int) -> None:
        await asyncio.sleep(0.005 * (2 - number))
        logging.getLogger("shop").info("charged")
        notify()

    @orders.step(after="charge")
    def notify() -> None: ...

    @orders.step(after="charge")
    def load() -> Iterator[int]:
        yield from range(2)

    @billing.entrypoint
    def bill() -> None:
        notify()

    @orders.entrypoint
    async def receive() -> None:
        await asyncio.gather(charge(0), charge(1))
        thread = threading.Thread(target=bind_flow(notify))
        thread.start()
        thread.join()
        for _ in load():
            notify()
        bill()

    with stored_log() as log:
        asyncio.run(receive())
    (operation,) = operations_of(log.lines()[::-1])

    assert tree(operation.roots[0]) == (
        "receive(charge(notify) charge(notify) notify load notify notify bill(notify))"
    )
    assert operation.gaps == []
    assert [len(one.lines) for one in operation.calls].count(1) == 2
    generator = next(one for one in operation.calls if one.step == "load")
    assert generator.first_item_us is not None
    assert generator.end_us is not None
    assert generator.first_item_us < generator.end_us


def test_hops_and_the_sending_time() -> None:
    """A step that a message brought is below its sender, at the time of sending."""
    orders = flow("orders")
    notify = orders.step(name="notify", after="receive")(lambda: None)
    consume = orders.entrypoint(name="consume")(lambda: notify())  # type: ignore[no-untyped-call]  # noqa: PLW0108  # a lambda
    reserve = orders.step(name="reserve", after="receive")(lambda: None)
    headers: list[dict[str, str]] = []

    @orders.entrypoint
    def receive() -> None:
        headers.append(penstock.inject())
        reserve()  # type: ignore[no-untyped-call]  # the same

    with stored_log() as log:
        receive()
        for _ in range(2):
            with penstock.continue_flow(headers[0]):
                notify()  # type: ignore[no-untyped-call]  # the same
                consume()  # type: ignore[no-untyped-call]  # the same
    (operation,) = operations_of(log.lines())

    message = "notify consume(notify)"
    assert tree(operation.roots[0]) == f"receive({message} {message} reserve)"
    assert len({call.run_id for call in operation.calls}) == 3


def test_two_runs_under_one_carried_id() -> None:
    """They are two operations: nothing says that one has caused the other."""
    orders = flow("orders")
    receive = orders.entrypoint(name="receive")(lambda: None)

    with stored_log() as log:
        for _ in range(2):
            with penstock.continue_flow({"X-Correlation-ID": "order-17"}):
                receive()  # type: ignore[no-untyped-call]  # a lambda
    operations = operations_of(log.lines()[::-1])

    assert [one.root_id for one in operations] == ["order-17"] * 2
    assert [len(one.calls) for one in operations] == [1, 1]
    first, second = (one.roots[0].start_us or 0 for one in operations)
    assert first < second


def test_steps_under_a_context_without_an_entrypoint() -> None:
    """They are one operation with several roots, and nothing is missing."""
    orders = flow("orders")
    step = orders.step(name="step", after="receive")(lambda: None)

    with stored_log() as log, penstock.start_flow():
        step()  # type: ignore[no-untyped-call]  # a lambda
        step()  # type: ignore[no-untyped-call]  # the same
    (operation,) = operations_of(log.lines())

    assert [call.step for call in operation.roots] == ["step", "step"]
    assert operation.gaps == []
