from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from penstock import current_flow_id, start_flow
from penstock.contrib.threads import (
    FlowThreadPoolExecutor,
    install_threads,
    threads_inherit,
    uninstall_threads,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Undo what a test has installed."""
    yield
    uninstall_threads()


def in_thread(**options: Any) -> list[str | None]:
    """Return the ID that a plain thread sees."""
    seen: list[str | None] = []
    thread = threading.Thread(target=lambda: seen.append(current_flow_id()), **options)
    thread.start()
    thread.join()
    return seen


def test_the_executor_runs_each_task_in_the_flow_that_submitted_it() -> None:
    """One pool serves many runs, and no task sees another's."""
    with FlowThreadPoolExecutor(1) as pool:
        with start_flow("first"):
            first = pool.submit(current_flow_id)
            mapped = list(pool.map(lambda _: current_flow_id(), range(2)))
        outside = pool.submit(current_flow_id)
        with start_flow("second"):
            second = pool.submit(current_flow_id)
        seen = [done.result() for done in (first, outside, second)]

    assert seen == ["first", None, "second"]
    assert mapped == ["first", "first"]


def test_the_executor_passes_arguments_and_errors() -> None:
    """It is a ``ThreadPoolExecutor`` in everything else."""
    with FlowThreadPoolExecutor(1) as pool, start_flow():
        assert pool.submit(divmod, 7, 2).result() == (3, 1)
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 7, 0).result()


def test_the_executor_serves_a_loop() -> None:
    """``run_in_executor`` goes through it."""

    async def main() -> str | None:
        with FlowThreadPoolExecutor() as pool, start_flow("order-17"):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, current_flow_id)

    assert asyncio.run(main()) == "order-17"


@pytest.mark.skipif(threads_inherit(), reason="threads of this build inherit contexts")
def test_plain_threads_and_pools_see_no_flow() -> None:
    """That is Python's rule, and it holds until ``install_threads()`` is called."""
    with start_flow("order-17"), ThreadPoolExecutor(1) as pool:
        assert in_thread() == [None]
        assert pool.submit(current_flow_id).result() is None


def test_installed_threads_timers_and_pools_see_the_flow() -> None:
    """A thread that is started in a flow runs in it."""
    install_threads()
    seen: list[str | None] = []

    async def main() -> str | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, current_flow_id)

    with start_flow("order-17"), ThreadPoolExecutor(1) as pool:
        timer = threading.Timer(0, lambda: seen.append(current_flow_id()))
        timer.start()
        timer.join()
        seen += in_thread()
        seen.append(pool.submit(current_flow_id).result())
        seen.append(asyncio.run(main()))

    assert seen == ["order-17"] * 4


def test_a_subclass_that_overrides_run_sees_the_flow() -> None:
    """Threads of other libraries are such subclasses."""
    install_threads()
    seen: list[str | None] = []

    class Worker(threading.Thread):
        def run(self) -> None:
            seen.append(current_flow_id())

    with start_flow("order-17"):
        worker = Worker()
        worker.start()
        worker.join()

    assert seen == ["order-17"]


def test_a_pools_threads_do_not_stay_in_the_flow_that_started_them() -> None:
    """A thread that one run's task started serves other runs, or none."""
    install_threads()

    with ThreadPoolExecutor(1) as pool:
        with start_flow("first"):
            first = pool.submit(current_flow_id).result()
        uninstall_threads()
        later = pool.submit(current_flow_id).result()

    assert (first, later) == ("first", None)


def test_threads_started_outside_a_flow_are_plain() -> None:
    """A thread that is started outside a flow has none."""
    install_threads()

    assert in_thread() == [None]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(current_flow_id).result() is None


def test_a_finished_thread_is_not_kept_alive() -> None:
    """Nothing of penstock refers to the thread after its end."""
    install_threads()
    with start_flow():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
    gone = weakref.ref(thread)
    gc.disable()
    try:
        del thread
        assert gone() is None
    finally:
        gc.enable()


def test_a_thread_can_be_started_once_as_ever() -> None:
    """The second ``start`` raises Python's own error."""
    install_threads()
    with start_flow():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        with pytest.raises(RuntimeError, match="once"):
            thread.start()
        thread.join()


def test_installing_is_idempotent_and_has_an_inverse() -> None:
    """Installing twice is installing once; uninstalling restores the original."""
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    install_threads()
    installed = threading.Thread.start
    install_threads()
    assert threading.Thread.start is installed is not start
    uninstall_threads()
    uninstall_threads()

    assert threading.Thread.start is start
    assert ThreadPoolExecutor.submit is submit


def test_another_library_that_patches_after_us_keeps_its_patch() -> None:
    """Uninstalling keeps another patch; penstock's own passes calls through."""
    original = threading.Thread.start
    calls: list[threading.Thread] = []
    install_threads()
    below = threading.Thread.start

    def other_patch(self: threading.Thread) -> None:
        calls.append(self)
        below(self)

    threading.Thread.start = other_patch  # type: ignore[method-assign]  # the point
    try:
        with start_flow("order-17"):
            with_ours = in_thread()
            uninstall_threads()
            without = in_thread()
        assert threading.Thread.start is other_patch
    finally:
        threading.Thread.start = original  # type: ignore[method-assign]  # the same

    assert with_ours == ["order-17"]
    assert threads_inherit() or without == [None]
    assert len(calls) == 2


def test_whether_threads_inherit_is_told_by_the_interpreter() -> None:
    """``threads_inherit`` says what a plain thread does."""
    with start_flow("order-17"):
        assert in_thread() == ["order-17" if threads_inherit() else None]
