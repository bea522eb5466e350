from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock import (
    current_flow_id,
    entrypoint,
    flow,
    set_flow_context_value,
    start_flow,
)
from tests.support.call_styles import run_python, unique

if TYPE_CHECKING:
    from collections.abc import Callable

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="forks are for POSIX systems"
)


def in_child(work: Callable[[], str]) -> str:
    """Fork, run *work* in the child, and return what it says."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:  # pragma: no cover  # a child reports through the pipe
        try:
            os.write(writing, work().encode())
        except BaseException:  # noqa: BLE001  # nothing may leave the child
            os.write(writing, traceback.format_exc().encode())
        finally:  # no exit handler of the parent's tools may wait for its threads
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


def run_ids(count: int) -> list[str]:
    """Return the IDs of *count* runs."""
    receive = flow(unique("orders"))(entrypoint(name="receive")(current_flow_id_of))
    return [receive() for _ in range(count)]


def current_flow_id_of() -> str:
    """Return the current ID."""
    return current_flow_id() or ""


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_forked_children_never_repeat_an_id() -> None:
    """Parent and children go on with IDs of their own."""
    mine = run_ids(3)

    children = [in_child(lambda: " ".join(run_ids(100))).split() for _ in range(4)]

    everything = [*mine, *run_ids(100), *(one for ids in children for one in ids)]
    assert {len(one) for one in everything} == {32}
    assert len(set(everything)) == len(everything)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_goes_on_in_the_flow_of_its_parent() -> None:
    """A fork inside a run keeps the run's ID and what was set."""
    with start_flow("order-17", user="alice") as context:
        said = in_child(lambda: f"{current_flow_id()} {context.metadata['user']}")

    assert said == "order-17 alice"


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_does_not_wait_for_a_lock_that_another_thread_held() -> None:
    """Locks that are held at the moment of the fork are free in the child."""
    stop = threading.Event()

    def busy() -> None:
        number = 0
        with start_flow():
            while not stop.is_set():
                number += 1
                set_flow_context_value(f"key-{number % 20}", number)
                run_ids(1)
                penstock.configure(service=str(number))

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()

    def work() -> str:
        with start_flow():
            set_flow_context_value("key", 1)
            run_ids(2)
        return "done"

    said = [in_child(work) for _ in range(20)]
    stop.set()
    for thread in threads:
        thread.join()

    assert said == ["done"] * 20


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_multiprocessing_by_fork_never_repeats_an_id() -> None:
    """The workers of a forked pool have IDs of their own, too."""
    mine = run_ids(1)
    pool = multiprocessing.get_context("fork").Pool(2)
    ids = pool.map(run_ids, [50] * 6)
    pool.close()
    pool.join()

    everything = [*mine, *(one for some in ids for one in some)]
    assert len(set(everything)) == len(everything)


def test_after_fork_is_for_servers_that_fork_by_themselves() -> None:
    """It drops IDs that the parent may use, and does not break a run."""
    with start_flow("order-17", user="alice"):
        penstock.after_fork()
        set_flow_context_value("source", "api")
        assert current_flow_id() == "order-17"

    assert len(set(run_ids(200))) == 200


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_disabled_readers_give_nothing_and_setters_do_nothing(value: str) -> None:
    """With ``PENSTOCK_DISABLED`` the functions are the user's own, and quiet."""
    program = """
        from penstock import *

        def plain(): return current_flow_id()

        marked = flow("orders")(entrypoint(plain))
        assert marked is plain
        @flow("orders")
        @step(after="plain")
        def charge():
            set_flow_context_value("user", "alice")
            return get_flow_context_value("user", "nobody"), get_flow_context()
        with start_flow("order-17"):
            print(marked(), charge(), inject())
            with outside_flow(): pass
        print(charge())
        with continue_flow({"x-correlation-id": "order-17"}):
            print(current_flow_id())
    """
    out, errors = run_python(program, PENSTOCK_DISABLED=value)

    assert errors == ""
    assert out.splitlines() == [
        "None ('nobody', None) {}",
        "('nobody', None)",
        "None",
    ]


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_not_disabled(value: str) -> None:
    """Any other value leaves penstock on."""
    program = "from penstock import *\nwith start_flow('a'): print(current_flow_id())"
    out, _ = run_python(program, PENSTOCK_DISABLED=value)

    assert out == "a\n"


def test_a_step_that_no_flow_took_says_so_where_nobody_listens() -> None:
    """In its own process, because a logger that was asked once stays asked."""
    program = """
        import penstock
        charge = penstock.step(name="charge")(lambda: None)
        first = penstock.flow("orders")(penstock.step(name="first")(lambda: None))
        with penstock.start_flow():
            first()  # which asks the logger, once
            try:
                charge()
            except penstock.FlowDefinitionError as exc:
                print("belongs to no flow" in str(exc))
    """
    assert run_python(program) == ("True\n", "")
