"""Measure large numbers: flows with many steps, and many runs.

Each runs in its own process, which prints JSON:
``python -m benchmarks.volume drawing 1000``.
"""

from __future__ import annotations

import json
import random
import sys
import tracemalloc
import warnings
from contextlib import suppress
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import penstock

from .processes import rss_kib, run
from .report import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["rows"]

SIZES = (1_000, 10_000, 100_000)
RUNS = 1_000_000
_ARENA_KIB = 1024  # the allocator gets this much from the system at a time


def rows(seconds: float) -> Iterator[Row]:
    """Draw each size for *seconds*, run a million times; yield the rows."""
    drawn = [json.loads(_child("drawing", size, seconds)) for size in SIZES]
    first = drawn[0]["seconds"] / SIZES[0]
    for size, found in zip(SIZES, drawn, strict=True):
        what = f"{size:,}-step flow to Mermaid"
        limit = 0.5 if size == SIZES[-1] else None
        note = f"{found['first']:.2f} s the first time"
        yield Row(what, found["seconds"], limit, "s", note)
        if size != SIZES[0]:
            ratio = found["seconds"] / size / first
            yield Row(f"{what}, per step", ratio, 2.5, "x that of 1,000")
        note = f"{found['rss_mib']:.0f} MiB of the process"
        yield Row(f"{what}, peak memory", found["peak_mib"], None, "MiB", note)
    grown = json.loads(_child("runs", RUNS))
    note = f"{grown['blocks']} blocks"
    yield Row("one million runs: memory", grown["kib"], _ARENA_KIB, "KiB more", note)


def _child(*args: str | float) -> str:
    return run("-m", "benchmarks.volume", *map(str, args))


def _drawing(steps: int, seconds: float) -> dict[str, float]:
    penstock.generate_dag("small")  # imports what drawing needs
    _declare(steps)
    warnings.simplefilter("ignore")  # a diagram of so many edges is hard to read
    before = rss_kib(peak=True)
    took: list[float] = []
    end = perf_counter() + seconds
    while perf_counter() < end or len(took) < 3:
        started = process_time()  # a round is longer than a scheduler's time slice
        penstock.generate_dag("large")
        took.append(process_time() - started)
    grown = rss_kib(peak=True) - before
    tracemalloc.start()
    penstock.generate_dag("large")
    _, peak = tracemalloc.get_traced_memory()
    return {
        "first": took[0],
        "seconds": min(took),
        "peak_mib": peak / 2**20,
        "rss_mib": grown / 2**10,
    }


@penstock.flow("small")
@penstock.entrypoint
def receive() -> None:
    """Take an order."""


def _declare(steps: int) -> None:
    """Declare a flow in which most steps come after one, and one in five after two."""
    choose = random.Random(steps)  # noqa: S311  # the same flow each time
    large = penstock.flow("large")

    def charge() -> None:
        """Charge the order."""

    large.entrypoint(name="step_0")(charge)
    for i in range(1, steps):
        after = {f"step_{choose.randrange(max(0, i - 100), i)}"}
        if i % 5 == 0:
            after.add(f"step_{choose.randrange(i)}")
        large.step(name=f"step_{i}", after=after)(charge)


def _runs(runs: int) -> dict[str, float]:
    orders = penstock.flow("orders")

    @orders.entrypoint
    def receive(order: int) -> None:
        penstock.set_flow_context_value("order", order)
        charge(order)

    @orders.step(after="receive")
    def charge(order: int) -> None:
        if order % 1000 == 0:
            raise LookupError(order)

    def run_all(count: int) -> None:
        for order in range(count):
            with suppress(LookupError):
                receive(order)

    run_all(runs // 10)
    kib, blocks = rss_kib(), sys.getallocatedblocks()
    run_all(runs)
    return {"kib": rss_kib() - kib, "blocks": sys.getallocatedblocks() - blocks}


_CHILDREN: dict[str, Any] = {"drawing": _drawing, "runs": _runs}

if __name__ == "__main__":
    child, size, *others = sys.argv[1:]
    print(json.dumps(_CHILDREN[child](int(size), *map(float, others))))
