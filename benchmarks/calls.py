"""Measure the call path: what a call of a decorated function costs."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import penstock

from .floors import async_floor, floor, ten_calls, work, work_async
from .report import Row
from .timing import Case, best

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["rows"]

orders = penstock.flow("orders")
_numbers = count()
_FLOOR = "floors"


def rows(seconds: float) -> Iterator[Row]:
    """Measure each group of cases for *seconds*; yield its rows."""
    yield from _quiet(seconds)
    yield from _watched(seconds)
    yield from _async(seconds)
    yield from _generators(seconds)


def entrypoint(func: Callable[..., Any]) -> Callable[..., Any]:
    """Make *func* an entrypoint with a unique name."""
    return orders.entrypoint(name=f"receive {next(_numbers)}")(func)


def step(func: Callable[..., Any]) -> Callable[..., Any]:
    """Make *func* a step with a unique name."""
    return orders.step(name=f"charge {next(_numbers)}", after="receive")(func)


@entrypoint
def in_flow(loop: Callable[[], float]) -> float:
    """Run a loop in a flow, which a step needs."""
    return loop()


@entrypoint
async def in_flow_async(loop: Callable[[], Any]) -> Any:
    """Run a loop of coroutines in a flow."""
    return await loop()


def _quiet(seconds: float) -> Iterator[Row]:
    cases = [
        Case("floor", floor(work())),
        Case("step", step(work()), within=in_flow),
        Case("entrypoint", entrypoint(work())),
        Case("ten floors", floor(ten_calls(floor))),
        Case("ten steps", entrypoint(ten_calls(step))),
    ]
    took = best(cases, seconds=seconds)
    yield Row("step, backend quiet", took["step"] / took["floor"], 0.8, _FLOOR)
    yield Row(
        "entrypoint, backend quiet, with a real UUID4",
        took["entrypoint"] / took["floor"],
        3.0,
        _FLOOR,
    )
    yield Row(
        "entrypoint and 10 steps, quiet",
        took["ten steps"] / took["ten floors"],
        0.9,
        "x (floor around 10 floors)",
    )


def _watched(seconds: float) -> Iterator[Row]:
    cases = [
        Case("floor", floor(work())),
        Case("step", step(work()), within=in_flow),
        Case("ten floors", floor(ten_calls(floor))),
        Case("ten steps", entrypoint(ten_calls(step))),
    ]
    with log_fields():
        took = best(cases, seconds=seconds)
    yield Row(
        "step, backend quiet, watched by log fields, call ID included",
        took["step"] / took["floor"],
        1.9,
        _FLOOR,
    )
    yield Row(
        "entrypoint and 10 steps, watched",
        took["ten steps"] / took["ten floors"],
        1.7,
        "x (floor around 10 floors)",
    )


def _async(seconds: float) -> Iterator[Row]:
    cases = [
        Case("floor", async_floor(work_async()), "await"),
        Case("step", step(work_async()), "await", in_flow_async),
        Case("entrypoint", entrypoint(work_async()), "await"),
    ]
    took = best(cases, seconds=seconds)
    for name, limit in (("step", 0.95), ("entrypoint", 2.4)):
        ratio = took[name] / took["floor"]
        yield Row(f"async {name}, quiet", ratio, limit, "async floors")


def _generators(seconds: float) -> Iterator[Row]:
    def produce(items: int) -> Iterator[int]:
        yield from range(items)

    cases = [
        Case("floor", floor(work())),
        Case("items", step(produce), "items", in_flow),
    ]
    took = best(cases, seconds=seconds)
    yield Row("generator step, per item", took["items"] / took["floor"], 1.5, _FLOOR)


@contextmanager
def log_fields() -> Generator[None]:
    """Watch the current step."""
    penstock.install_log_fields()
    try:
        yield
    finally:
        penstock.uninstall_log_fields()
