"""Time cases against each other: interleaved rounds, the minimum of many.

The minimum shows what the code costs, because other work of the machine can only add to
a round. Each case has its own loop, compiled from source, so what the interpreter
learns in one case neither helps nor hurts another. Each round runs in a new
``Context``, so no case sees variables that another has set.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import ExitStack, contextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["Case", "best"]

ROUND_S = 0.0003
"""How long a round may take: well below the time slice that a scheduler gives."""

_FIRST = 10  # rounds and calls to find out how many make a round

_LOOPS = {
    "call": """
def loop(count):
    started = clock()
    for _ in repeat(None, count):
        call(1)
    return (clock() - started) / count
""",
    "await": """
async def loop(count):
    started = clock()
    for _ in repeat(None, count):
        await call(1)
    return (clock() - started) / count
""",
    "items": """
def loop(count):
    started = clock()
    for _ in call(count):
        pass
    return (clock() - started) / count
""",
}


def _directly(loop: Callable[[], Any]) -> Any:
    return loop()


@dataclass(frozen=True, slots=True)
class Case:
    """Something to time.

    Attributes:
        name: Its name in the results.
        call: Takes one number; with *kind* ``items`` it yields as many items.
        kind: How it is used.
        within: Calls the loop, inside a flow for instance.
    """

    name: str
    call: Callable[[int], Any]
    kind: Literal["call", "await", "items"] = "call"
    within: Callable[[Callable[[], Any]], Any] = _directly


def best(cases: Sequence[Case], *, seconds: float) -> dict[str, float]:
    """Return the least seconds per call of each case, after *seconds* of rounds."""
    found = dict.fromkeys((case.name for case in cases), float("inf"))
    with ExitStack() as stack:
        rounds = [(case.name, stack.enter_context(_rounds_of(case))) for case in cases]
        stack.enter_context(_no_collection())
        end = perf_counter() + seconds
        while perf_counter() < end:
            for name, run in rounds:
                found[name] = min(found[name], run())
    return found


@contextmanager
def _rounds_of(case: Case) -> Generator[Callable[[], float]]:
    names: dict[str, Any] = {
        "call": case.call,
        "clock": perf_counter,
        "repeat": repeat,
    }
    exec(compile(_LOOPS[case.kind], f"<{case.name}>", "exec"), names)  # noqa: S102  # its own loop
    with asyncio.Runner() as runner:

        def run(count: int) -> float:
            loop = partial(names["loop"], count)
            if case.kind == "await":
                return float(runner.run(case.within(loop), context=Context()))
            return float(Context().run(case.within, loop))

        count = max(1, int(ROUND_S / min(run(_FIRST) for _ in range(_FIRST))))
        yield partial(run, count)


@contextmanager
def _no_collection() -> Generator[None]:
    """Switch the garbage collector off, as ``timeit`` does: its cost hits any case."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
