"""What every test needs: a clean penstock, Hypothesis profiles, coverage that forks."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import coverage
import pytest
from hypothesis import HealthCheck, settings

import penstock
from penstock._registry import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.support.fixtures", "tests.support.shop"]

# Tests write a program, run it, and change it. Python runs the old bytecode where that
# happens within a second and leaves the file as long as it was: so none is written.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

# Deadlines measure the machine, not the code: two workers on two cores miss them.
settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def let_coverage_fork() -> None:
    """Keep a forked child from waiting for a lock that a thread of its parent held.

    The lock is coverage's: it guards what the tracer records, and nothing frees it in
    a child. Whoever forks takes it first, so that no other thread has it then.
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
    """Forget flows and settings, so that no test sees another's."""
    penstock.reset()
    registry.clear()
    yield
    penstock.reset()
    registry.clear()
