"""Many runs at once, and many one after the other; see conftest.py for how many."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock import (
    current_flow_id,
    entrypoint,
    flow,
    set_flow_context_value,
    start_flow,
    step,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

pytestmark = pytest.mark.stress

orders = "orders"


@pytest.fixture(params=["quiet", "logged"])
def loudness(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run once with a quiet log, and once with lines that go nowhere."""
    logger = logging.getLogger("penstock")
    logger.setLevel(logging.INFO if request.param == "logged" else logging.WARNING)
    logger.addFilter(drop)  # pytest would keep every line
    yield
    logger.removeFilter(drop)
    logger.setLevel(logging.NOTSET)


def drop(_record: logging.LogRecord) -> bool:
    """Let no record through."""
    return False


def declare() -> Callable[[], tuple[str | None, ...]]:
    """Declare a flow of three functions; a call returns the ID that each has seen."""

    @flow(orders)
    @step(after="receive")
    def charge() -> tuple[str | None, ...]:
        return current_flow_id(), ship(), current_flow_id()

    @flow(orders)
    @step(after="charge")
    def ship() -> str | None:
        return current_flow_id()

    @flow(orders)
    @entrypoint
    def receive() -> tuple[str | None, ...]:
        return current_flow_id(), *charge(), current_flow_id()

    return receive


@pytest.mark.usefixtures("loudness")
def test_threads(size: Callable[[int, int], int]) -> None:
    """Of 8 threads × 20,000 runs no two have one ID, and no step has another's."""
    threads, runs = 8, size(500, 20_000)
    receive = declare()
    barrier = threading.Barrier(threads)

    def work() -> list[str | None]:
        barrier.wait()
        ids = []
        for _ in range(runs):
            seen = receive()
            assert len(set(seen)) == 1
            ids.append(seen[0])
        assert current_flow_id() is None
        return ids

    with ThreadPoolExecutor(threads) as pool:
        done = [pool.submit(work) for _ in range(threads)]
        ids = [one for job in done for one in job.result()]

    assert len(set(ids)) == len(ids) == threads * runs
    assert None not in ids


@pytest.mark.usefixtures("loudness")
def test_tasks(size: Callable[[int, int], int]) -> None:
    """Of 10,000 runs that wait at the same time each step has its own run's ID."""
    runs = size(500, 10_000)

    @flow(orders)
    @step
    async def charge() -> list[str | None]:
        await asyncio.sleep(0)
        return [current_flow_id(), *[item async for item in produce()]]

    @flow(orders)
    @step
    async def produce() -> AsyncGenerator[str | None]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield current_flow_id()

    @flow(orders)
    @entrypoint
    async def receive() -> set[str | None]:
        before = current_flow_id()
        seen = await asyncio.gather(charge(), charge())
        await asyncio.sleep(0)
        return {before, *seen[0], *seen[1], current_flow_id()}

    async def main() -> list[set[str | None]]:
        return await asyncio.gather(*(receive() for _ in range(runs)))

    seen = asyncio.run(main())

    assert all(len(ids) == 1 for ids in seen)
    assert len(set.union(*seen)) == runs


def run_ids(count: int) -> list[str | None]:
    """Return the IDs of *count* runs."""
    receive = declare()
    return [receive()[0] for _ in range(count)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are for POSIX systems")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_children_of_a_busy_process(size: Callable[[int, int], int]) -> None:
    """While threads hold every lock now and then, children start, run and end."""
    children, runs = size(10, 200), 100
    stop = threading.Event()
    ids: list[list[str | None]] = [[] for _ in range(3)]

    def busy(mine: list[str | None]) -> None:
        with start_flow():
            number = 0
            while not stop.is_set():
                number += 1
                set_flow_context_value(f"key-{number % 10}", number)
                mine.extend(run_ids(1))

    threads = [threading.Thread(target=busy, args=(mine,)) for mine in ids]
    for thread in threads:
        thread.start()
    try:
        said = [ids_of_child(runs) for _ in range(children)]
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    everything = [one for some in said for one in some]
    assert len(set(everything)) == len(everything) == children * runs


def ids_of_child(count: int) -> list[str]:
    """Return the IDs of *count* runs in a forked child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover  # the child says what it does
        try:
            ids = run_ids(count)
            os.write(writing, " ".join(map(str, ids)).encode())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said.split()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are for POSIX systems")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_pool_of_forked_workers(size: Callable[[int, int], int]) -> None:
    """Workers that fork from one parent never repeat an ID, nor the parent's."""
    mine = run_ids(10)
    pool = multiprocessing.get_context("fork").Pool(4)
    ids = pool.map(run_ids, [100] * size(8, 100), chunksize=1)
    pool.close()
    pool.join()

    everything = [*mine, *run_ids(10), *(one for some in ids for one in some)]
    assert len(set(everything)) == len(everything)


@pytest.mark.usefixtures("loudness")
def test_runs_leave_nothing_behind(size: Callable[[int, int], int]) -> None:
    """After a million runs the process holds what it held before."""
    runs = size(5_000, 1_000_000)
    receive = declare()

    @flow(orders)
    @entrypoint
    def produce() -> Generator[str | None]:
        set_flow_context_value("key", object())
        yield current_flow_id()

    @flow(orders)
    @entrypoint
    def fail() -> None:
        raise KeyError

    def work(count: int) -> None:
        for number in range(count):
            receive()
            if number % 10 == 0:
                list(produce())
                with pytest.raises(KeyError):
                    fail()
                with start_flow(number=number):
                    penstock.inject()

    work(2_000)
    gc.collect()
    before = sys.getallocatedblocks()
    work(runs)
    gc.collect()

    assert sys.getallocatedblocks() - before < 1_000
