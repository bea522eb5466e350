"""Programs that keep to their order in ways that are easy to misjudge."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    all_of,
    bind_flow,
    configure,
    flow,
    outside_flow,
    start_flow,
)
from penstock._steps.marked import find_marked

pytestmark = pytest.mark.usefixtures("clean_counts")

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Shop:
    """A flow of most kinds of steps, each of which calls what it is given."""

    def __init__(self) -> None:
        orders = flow("orders")
        self.receive = orders.entrypoint(name="receive")(_call)
        self.validate = orders.step(name="validate", after="receive")(_call)
        self.charge = orders.step(name="charge", after="validate")(_call)
        self.reserve = orders.step(name="reserve", after="validate")(_call)
        both = all_of("charge", "reserve")
        self.send = orders.step(name="send", after=both)(_call)
        self.lines = orders.step(name="lines", after="validate")(_items)
        self.pack = orders.step(name="pack", after=["lines", "lines_async"])(_call)
        self.lines_async = orders.step(name="lines_async", after="validate")(
            _items_async
        )
        self.fetch = orders.step(name="fetch", after="receive")(_fetch)
        self.store = orders.step(name="store", after="fetch")(_call)
        self.bill = flow("billing").entrypoint(name="bill")(_call)
        self.enter = flow("billing").step(name="enter", after="bill")(_call)
        self.notify = orders.step(name="notify", after=["billing:bill", "send"])(_call)


def _call(*inner: Callable[[], Any]) -> None:
    for one in inner:
        one()


def _items(count: int = 2) -> Generator[int]:
    yield from range(count)


async def _items_async() -> Any:
    for number in range(2):
        await asyncio.sleep(0)
        yield number


async def _fetch(*inner: Callable[[], Any]) -> None:
    await asyncio.sleep(0)
    _call(*inner)


def pool_with_bind_flow(shop: Shop) -> None:
    """Both branches in threads, waited for."""
    with ThreadPoolExecutor(2) as pool:

        def branches() -> None:
            made = [pool.submit(bind_flow(one)) for one in (shop.charge, shop.reserve)]
            for one in made:
                one.result()

        shop.receive(shop.validate, branches, shop.send)


def pool_below_a_step(shop: Shop) -> None:
    """A thread that works below an open predecessor."""
    with ThreadPoolExecutor(1) as pool:
        shop.receive(
            lambda: shop.validate(lambda: pool.submit(bind_flow(shop.charge)).result())
        )


def thread_that_outlives_the_run(shop: Shop) -> None:
    """It was started below the predecessor, and goes on when all has ended."""
    release = threading.Event()
    threads: list[threading.Thread] = []

    def later() -> None:
        release.wait(10)
        shop.charge()
        shop.reserve()
        shop.send()

    def start() -> None:
        threads.append(threading.Thread(target=bind_flow(later)))
        threads[0].start()

    shop.receive(lambda: shop.validate(start))
    release.set()
    threads[0].join()


def bare_context_in_a_thread(shop: Shop) -> None:
    """Nobody knows what is open above."""
    contexts: list[Any] = []
    shop.receive(lambda: contexts.append(penstock.get_flow_context()))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(bind_flow(shop.charge, contexts[0])).result()


def task_started_early_and_awaited(shop: Shop) -> None:
    """It begins before the predecessor, but its step runs after it."""

    async def later(event: asyncio.Event) -> None:
        await event.wait()
        shop.store()

    async def run() -> None:
        event = asyncio.Event()
        made = asyncio.create_task(later(event))
        await shop.fetch()
        event.set()
        await made

    shop.receive(lambda: asyncio.run(run()))


def task_below_an_open_predecessor(shop: Shop) -> None:
    """The task is a child of the predecessor, which awaits it."""

    async def run() -> None:
        async def store() -> None:
            shop.store()

        made: list[asyncio.Task[None]] = []
        await shop.fetch(lambda: made.append(asyncio.create_task(store())))
        await asyncio.gather(*made)

    shop.receive(lambda: copy_context().run(asyncio.run, run()))


def cancelled_task(shop: Shop) -> None:
    """It has ended all the same."""

    async def run() -> None:
        made = asyncio.create_task(shop.fetch())
        await asyncio.sleep(0)
        made.cancel()
        await asyncio.wait([made])
        shop.store()

    shop.receive(lambda: asyncio.run(run()))


def generator_closed_early(shop: Shop) -> None:
    """What has delivered one item has ended."""

    def first() -> None:
        made = shop.lines()
        next(made)
        made.close()

    shop.receive(shop.validate, first, shop.pack)


def generator_never_finished(shop: Shop) -> None:
    """It is collected some time."""
    shop.receive(shop.validate, lambda: next(shop.lines()), shop.pack)


def generator_without_items(shop: Shop) -> None:
    """It ends and never yields."""
    shop.receive(shop.validate, lambda: list(shop.lines(0)), shop.pack)


def async_generator_closed_early(shop: Shop) -> None:
    """By the loop, after a break."""

    async def run() -> None:
        made: Any = shop.lines_async()
        async for _ in made:
            shop.pack()
            break

    shop.receive(shop.validate, lambda: asyncio.run(run()))


def retries(shop: Shop) -> None:
    """Each attempt fails but the last."""

    def failing() -> None:
        with pytest.raises(ZeroDivisionError):
            shop.charge(lambda: 1 / 0)

    shop.receive(shop.validate, failing, failing, shop.charge, shop.reserve, shop.send)


def retried_run(shop: Shop) -> None:
    """An entrypoint that failed is called again, in one context."""

    def fail() -> None:
        raise ZeroDivisionError

    with start_flow():
        with pytest.raises(ZeroDivisionError):
            shop.receive(shop.validate, fail)
        shop.receive(shop.validate, shop.charge)


def outside_and_back(shop: Shop) -> None:
    """What runs outside begins a run of its own."""

    def outside() -> None:
        with outside_flow():
            shop.receive(shop.validate, shop.charge)

    shop.receive(outside, shop.validate, shop.reserve)


def steps_by_hand(shop: Shop) -> None:
    """A script without an entrypoint."""
    with start_flow():
        shop.charge(shop.enter)
        shop.send()


def steps_by_hand_inside_a_run(shop: Shop) -> None:
    """They belong to another run, of which nothing is known."""

    def by_hand() -> None:
        with start_flow():
            shop.send()

    shop.receive(shop.validate, by_hand)


def flows_that_call_back(shop: Shop) -> None:
    """Another flow's run calls a step of the one around it."""
    shop.receive(shop.validate, lambda: shop.bill(shop.enter, shop.notify))
    shop.receive(lambda: shop.bill(lambda: shop.receive(shop.validate, shop.charge)))


def entrypoint_in_itself(shop: Shop) -> None:
    """Each is a run of its own."""
    shop.receive(lambda: shop.receive(shop.validate, shop.charge), shop.validate)


def message_and_back(shop: Shop) -> None:
    """A task that was sent and waited for is before what follows here."""
    task = penstock.step(name="task", after="receive")(_call)
    mark: Any = find_marked(task)
    mark.set_crossing()  # as a task of Celery is
    flow("orders")(task)
    done = flow("orders").step(name="done", after="task")(_call)
    shop.receive(penstock.inject, done)


def process_pool_with_bind_flow(shop: Shop) -> None:
    """What runs in another process, waited for, is before what follows here."""
    bound: list[Any] = []
    shop.receive(
        shop.validate,
        lambda: bound.append(pickle.dumps(bind_flow(_call))),
        shop.charge,
        shop.send,
    )
    assert bound


def fork_in_a_run(shop: Shop) -> None:
    """What the child does is not seen by its parent, nor the other way round."""

    def in_a_child() -> None:
        child = os.fork()
        if not child:
            code = 1
            try:
                shop.reserve()
                shop.send()
                code = len(_findings())
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    shop.receive(shop.validate, in_a_child, shop.charge, shop.send)


PROGRAMS: list[Callable[[Shop], None]] = [
    pool_with_bind_flow,
    pool_below_a_step,
    thread_that_outlives_the_run,
    bare_context_in_a_thread,
    task_started_early_and_awaited,
    task_below_an_open_predecessor,
    cancelled_task,
    generator_closed_early,
    generator_never_finished,
    generator_without_items,
    async_generator_closed_early,
    retries,
    retried_run,
    outside_and_back,
    steps_by_hand,
    steps_by_hand_inside_a_run,
    flows_that_call_back,
    entrypoint_in_itself,
    message_and_back,
    process_pool_with_bind_flow,
    fork_in_a_run,
]


def _findings() -> list[str]:
    flows = penstock.conformance_report().to_dict()["flows"].values()
    return [f"{v['code']} {v['message']}" for one in flows for v in one["violations"]]


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("mode", ["record", "warn", "raise"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_no_false_finding(program: Callable[[Shop], None], mode: str) -> None:
    """The second time, too, when the call path knows it."""
    configure(conformance=mode)
    shop = Shop()

    for _ in range(2):
        program(shop)

    assert _findings() == []
