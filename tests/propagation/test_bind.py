from __future__ import annotations

import asyncio
import inspect
import multiprocessing
import pickle
import sys
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from penstock import (
    bind_flow,
    configure,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    get_flow_context_value,
    set_flow_context_value,
    start_flow,
    step,
)
from tests.support.call_styles import unique

other: ContextVar[str] = ContextVar("other", default="none")


def report(*names: str) -> list[object]:
    """Return the ID and some metadata, as whoever calls this sees them."""
    return [current_flow_id(), *(get_flow_context_value(name) for name in names)]


async def areport() -> str | None:
    """Return the ID, after a while."""
    await asyncio.sleep(0)
    return current_flow_id()


def test_a_bound_function_runs_in_its_flow_in_many_threads_at_once() -> None:
    """One bound callable serves several threads at the same moment."""
    barrier = threading.Barrier(4)

    def work() -> str | None:
        barrier.wait()
        set_flow_context_value(threading.current_thread().name, True)
        barrier.wait()
        return current_flow_id()

    with start_flow("order-17") as context:
        bound = bind_flow(work)
    with ThreadPoolExecutor(4) as pool:
        ids = [done.result() for done in [pool.submit(bound) for _ in range(4)]]
        outside = pool.submit(current_flow_id).result()

    assert ids == ["order-17"] * 4
    assert len(context.metadata) == 4
    assert outside is None


def test_a_plain_thread_has_no_flow_and_a_bound_one_has() -> None:
    """Python's threads carry no context variables; ``bind_flow`` does it for ours."""
    seen: list[object] = []

    def work() -> None:
        seen.extend(report())

    with start_flow("order-17"):
        thread = threading.Thread(target=bind_flow(work))
        thread.start()
        thread.join()

    assert seen == ["order-17"]


def test_only_our_variable_is_bound() -> None:
    """Everything else is as the caller has it."""
    with start_flow():
        bound = bind_flow(other.get)
    token = other.set("caller's")

    assert bound() == "caller's"
    other.reset(token)


def test_arguments_results_and_errors_pass() -> None:
    """A bound function takes and gives what the plain one does."""

    def divide(a: int, *, by: int) -> float:
        return a / by

    with start_flow("inner"):
        bound = bind_flow(divide)

    with start_flow("caller"):
        assert bound(6, by=3) == 2
        with pytest.raises(ZeroDivisionError):
            bound(1, by=0)
        assert current_flow_id() == "caller"
    assert bound.__name__ == "divide"
    assert inspect.signature(bound) == inspect.signature(divide)


def test_bound_outside_a_flow_it_runs_outside() -> None:
    """What was bound to no flow sees none, wherever it is called."""
    bound = bind_flow(report)

    with start_flow("caller"):
        assert bound() == [None]
        assert current_flow_id() == "caller"


def test_a_context_can_be_named() -> None:
    """A fork gives a task metadata of its own."""
    with start_flow("order-17", user="alice") as context:
        bound = bind_flow(set_flow_context_value, context.fork())
        bound("user", "bob")

    assert context.metadata["user"] == "alice"


@pytest.mark.parametrize("wrap", [lambda f: f, partial], ids=["function", "partial"])
def test_an_async_function_is_bound_while_it_is_awaited(wrap: Any) -> None:
    """The coroutine sees its flow; whoever awaits it, their own."""

    async def main() -> list[object]:
        with start_flow("bound"):
            bound = bind_flow(wrap(areport))
        with start_flow("caller"):
            return [await bound(), current_flow_id()]

    assert asyncio.run(main()) == ["bound", "caller"]


def test_an_async_function_that_fails_gives_the_context_back() -> None:
    """So it does when the coroutine raises, in many tasks at once."""

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError(current_flow_id())

    async def main() -> list[object]:
        with start_flow("bound"):
            bound = bind_flow(fail)

        async def task(name: str) -> object:
            with start_flow(name):
                with pytest.raises(KeyError, match="bound"):
                    await bound()
                return current_flow_id()

        return list(await asyncio.gather(task("a"), task("b")))

    assert asyncio.run(main()) == ["a", "b"]


def test_a_bound_step_is_a_step_of_its_run() -> None:
    """Steps submitted to a pool belong to the run that submitted them."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> str | None:
        return current_flow_id()

    @orders.entrypoint
    def receive() -> list[str | None]:
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(bind_flow(charge)) for _ in range(4)]
            return [current_flow_id(), *(job.result() for job in jobs)]

    assert len(set(receive())) == 1


def test_a_bound_entrypoint_is_a_run_inside_the_run() -> None:
    """It knows its parent, as if it were called there."""

    @flow(unique("child"))
    @entrypoint
    def child() -> str | None:
        context = get_flow_context()
        assert context is not None
        return context.parent_id

    @flow(unique("parent"))
    @entrypoint
    def parent() -> tuple[str | None, str | None]:
        with ThreadPoolExecutor(1) as pool:
            return current_flow_id(), pool.submit(bind_flow(child)).result()

    own, told = parent()

    assert own == told is not None


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"headers": "X-My-ID"},
        {"headers": ""},
        {"inbound_headers": "X-Other"},
        {"is_valid_id": lambda text: text.startswith("order-")},
    ],
    ids=["default", "renamed", "no header", "other inbound", "validator"],
)
def test_a_bound_function_pickles(settings: dict[str, str]) -> None:
    """It keeps its ID whatever the headers are called, and what may travel."""
    configure(propagate=("user",), **settings)  # type: ignore[arg-type]  # one each
    with start_flow("order-16"), start_flow("order-17", user="alice", hidden="x"):
        pickled = pickle.dumps(bind_flow(report))

    bound = pickle.loads(pickled)  # noqa: S301  # our own

    assert bound("user", "hidden") == ["order-17", "alice", None]
    assert current_flow_id() is None


def test_a_function_bound_outside_pickles_too() -> None:
    """It is bound to no flow over there as well."""
    bound = pickle.loads(pickle.dumps(bind_flow(report)))  # noqa: S301  # our own

    with start_flow("caller"):
        assert bound() == [None]


def test_a_bound_async_function_is_known_as_one() -> None:
    """By whatever a framework asks on this Python; a plain one is not."""
    bound = bind_flow(areport)

    assert is_async(bound)
    assert sys.version_info < (3, 12) or inspect.iscoroutinefunction(bound)
    assert not is_async(bind_flow(report))


def is_async(func: Any) -> bool:
    """Ask asyncio, whose question is deprecated from Python 3.14."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return asyncio.iscoroutinefunction(func)  # type: ignore[deprecated]  # the point


def test_an_async_function_pickles() -> None:
    """It is still one to be awaited afterwards."""
    with start_flow("order-17"):
        pickled = pickle.dumps(bind_flow(areport))

    bound = pickle.loads(pickled)  # noqa: S301  # our own

    assert asyncio.run(bound()) == "order-17"


def test_a_process_pool_continues_the_flow() -> None:
    """The worker runs under the ID of the run that submitted the work."""
    configure(propagate=("user",))
    with (
        start_flow("order-17", user="alice"),
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
    ):
        assert pool.submit(bind_flow(report), "user").result()[0] == "order-17"


def test_a_bound_step_can_be_asked_for_its_plain_function() -> None:
    """``inspect.unwrap`` goes through it to the user's function."""

    def charge() -> None: ...

    marked = flow(unique("orders"))(step(charge))

    assert inspect.unwrap(bind_flow(marked)) is charge
