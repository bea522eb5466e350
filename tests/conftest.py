"""What every test needs: a clean penstock, Hypothesis profiles, coverage that forks."""

from __future__ import annotations

import compileall
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coverage
import pytest
from hypothesis import HealthCheck, settings

import penstock
from penstock._runtime.state import state

if TYPE_CHECKING:
    from collections.abc import Iterator

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # It is ignored in background jobs of a shell; some tests interrupt themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.support.fixtures", "tests.support.shop"]

# Deadlines measure the machine, not the code: two workers on two cores miss them.
settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_configure() -> None:
    """Compile penstock once, so that no process of a test has to (0.1 s each)."""
    compileall.compile_dir(Path(penstock.__file__).parent, quiet=1)


def pytest_collection_finish() -> None:
    """Write no bytecode from here on: tests write a program, run it, and change it.

    Python runs the old bytecode if that happens within a second and leaves the size of
    the file as it was.
    """
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: many tests wait for a server."""
    return (os.cpu_count() or 1) + 1


def let_coverage_fork() -> None:
    """Keep a forked child from waiting for a lock that a thread of its parent held.

    The lock is coverage's: it guards what the tracer records, and nothing frees it in
    a child. So the thread that forks takes it first, and no other thread has it then.
    """
    collector: Any = getattr(coverage.Coverage.current(), "_collector", None)
    if collector is None or collector.data_lock is None or not hasattr(os, "fork"):
        return
    lock = threading.RLock()  # re-entrant: handlers of the fork are traced, too
    collector.data_lock = lock
    os.register_at_fork(
        before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
    )


let_coverage_fork()


@pytest.fixture(autouse=True)
def clean_penstock() -> Iterator[None]:
    """Forget flows and settings before and after each test."""
    penstock.reset()
    penstock.forget_flow()
    yield
    penstock.reset()
    penstock.forget_flow()
    for reader in ("flow filter", "JSON formatter", "log keys"):
        state.unwatch(reader)  # what has them made never does
