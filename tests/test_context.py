from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock import (
    FlowContext,
    NotInFlowError,
    bind_flow,
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


def test_outside_readers_give_nothing() -> None:
    """Outside a flow there is no context, no ID, and the default for a value."""
    assert get_flow_context() is None
    assert current_flow_id() is None
    assert get_flow_context_value("user") is None
    assert get_flow_context_value("user", "nobody") == "nobody"


def test_setting_outside_raises_and_leaves_nothing() -> None:
    """A value that no one could read is refused, and not kept for the next run."""
    with pytest.raises(NotInFlowError, match=r"'user'.*start_flow\(\)"):
        set_flow_context_value("user", "alice")

    with start_flow():
        assert get_flow_context_value("user") is None


def test_a_later_step_sees_what_an_earlier_one_set() -> None:
    """Metadata goes through a run in the order of its calls."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        set_flow_context_value("charged", True)

    @orders.step
    def ship() -> object:
        return get_flow_context_value("charged", False)

    @orders.entrypoint
    def receive() -> tuple[object, object]:
        before = ship()
        charge()
        return before, ship()

    assert receive() == (False, True)


def test_none_is_a_value() -> None:
    """A key that was set to None is not a missing one."""
    with start_flow():
        set_flow_context_value("user", None)
        assert get_flow_context_value("user", "nobody") is None


def test_runs_do_not_share_metadata() -> None:
    """An inner run starts with nothing and leaves nothing behind."""

    @flow(unique("inner"))
    @entrypoint
    def inner() -> object:
        before = get_flow_context_value("user")
        set_flow_context_value("user", "bob")
        return before

    @flow(unique("outer"))
    @entrypoint
    def outer() -> list[object]:
        set_flow_context_value("user", "alice")
        return [inner(), get_flow_context_value("user")]

    assert outer() == [None, "alice"]


def test_tasks_and_threads_share_the_metadata_of_their_run() -> None:
    """What a task or a thread sets, the run sees when it is back."""

    @flow(unique("orders"))
    @entrypoint
    async def receive() -> dict[str, object]:
        async def task(number: int) -> None:
            await asyncio.sleep(0)
            set_flow_context_value(f"task{number}", number)

        await asyncio.gather(
            task(1), task(2), asyncio.to_thread(set_flow_context_value, "thread", 3)
        )
        context = get_flow_context()
        assert context is not None
        return dict(context.metadata)

    assert asyncio.run(receive()) == {"task1": 1, "task2": 2, "thread": 3}


def test_no_write_of_three_threads_is_lost() -> None:
    """Writers at the same time do not undo each other."""
    barrier = threading.Barrier(3)

    with start_flow() as context, ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(bind_flow(write_few), barrier, i) for i in range(3)]:
            done.result()

        assert len(context.metadata) == 3 * KEYS


KEYS = 300


def write_few(barrier: threading.Barrier, writer: int) -> None:
    """Set many keys as fast as can be, at the same moment as others do."""
    barrier.wait()
    for number in range(KEYS):
        set_flow_context_value(f"{writer}-{number}", number)


def test_readers_never_meet_a_half_changed_mapping() -> None:
    """Iterating and forking go on while other threads write."""
    stop = threading.Event()
    problems: list[BaseException] = []

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            set_flow_context_value(f"key-{number % 50}", number)

    def read(context: FlowContext) -> None:
        try:
            for _ in range(2_000):
                metadata = context.metadata
                assert len(dict(metadata)) == len(list(metadata.items()))
                assert len(context.fork().metadata) <= 50
        except BaseException as exc:  # noqa: BLE001  # the test reports it
            problems.append(exc)

    with start_flow() as context:
        writers = [threading.Thread(target=bind_flow(write)) for _ in range(2)]
        reader = threading.Thread(target=read, args=(context,))
        for thread in (*writers, reader):
            thread.start()
        reader.join()
        stop.set()
        for thread in writers:
            thread.join()

    assert problems == []


def test_a_fork_is_an_independent_copy() -> None:
    """It has the same IDs and today's metadata; later writes do not meet."""
    with start_flow("root"), start_flow("order-17", user="alice") as context:
        copy = context.fork()
        copy.set("user", "bob")
        context.set("source", "api")

    assert dict(context.metadata) == {"user": "alice", "source": "api"}
    assert dict(copy.metadata) == {"user": "bob"}
    assert (copy.correlation_id, copy.parent_id, copy.root_id, copy.is_carried) == (
        "order-17",
        "root",
        "root",
        True,
    )


def test_a_fork_of_a_run_copies_what_the_run_shares() -> None:
    """Also where the metadata is that of the carried context around the run."""

    @flow(name := unique("orders"))
    @entrypoint
    def receive() -> FlowContext:
        set_flow_context_value("source", "api")
        context = get_flow_context()
        assert context is not None
        return context.fork()

    with start_flow(user="alice") as context:
        copy = receive()
        copy.set("more", 1)

    assert dict(copy.metadata) == {"user": "alice", "source": "api", "more": 1}
    assert dict(context.metadata) == {"user": "alice", "source": "api"}
    assert copy.flow == name


def test_the_metadata_is_read_only_and_stays_as_it_was() -> None:
    """A view cannot be written through, and shows one moment."""
    with start_flow(user="alice") as context:
        before = context.metadata
        set_flow_context_value("user", "bob")

        assert isinstance(before, Mapping)
        assert not isinstance(before, MutableMapping)
        assert before["user"] == "alice"
        assert context.metadata["user"] == "bob"


def test_a_context_shows_its_id_and_not_its_metadata() -> None:
    """What may be secret does not reach logs through ``repr``."""

    @flow(name := unique("orders"))
    @step
    def charge() -> None: ...

    @flow(name)
    @entrypoint
    def receive() -> str:
        return repr(get_flow_context())

    with start_flow("order-17", password="hunter2") as context:  # noqa: S106  # sample
        assert repr(context) == "<carried FlowContext order-17 ->"
        assert receive() == f"<FlowContext order-17 {name}>"
