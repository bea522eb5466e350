"""A marked generator is driven like the plain one: a law, not a list of cases."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock
from penstock import bind_flow, entrypoint, flow, start_flow, step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

Log = list[object]

REACTIONS = ("pass on", "go on", "return", "replace")
"""What a body does with what is thrown into it, at each of its yields."""

ERRORS: dict[str, Callable[[], BaseException]] = {
    "throw error": lambda: ValueError("thrown"),
    "throw exit": lambda: GeneratorExit("thrown"),
    "throw stop": lambda: StopIteration("thrown"),
    "throw async stop": lambda: StopAsyncIteration("thrown"),
}
MOVES = ("next", "send", "close", *ERRORS)

moves = st.lists(st.sampled_from(MOVES), max_size=8)
reactions = st.lists(st.sampled_from(REACTIONS), max_size=5)


def body(log: Log, plan: list[str]) -> Generator[int, object, str]:
    """Yield once for each reaction in *plan*, and note what comes in."""
    ignored = False
    try:
        for number, reaction in enumerate(plan):
            try:
                log.append((yield number))
            except BaseException as exc:
                log.append((type(exc), str(exc)))
                if isinstance(exc, GeneratorExit) and ignored:
                    raise  # otherwise it could never be closed
                ignored = isinstance(exc, GeneratorExit)
                if reaction == "pass on":
                    raise
                if reaction == "replace":
                    raise KeyError("replaced") from exc
                if reaction == "return":
                    return "early"
        return "end"
    finally:
        log.append("finally")


async def async_body(log: Log, plan: list[str]) -> AsyncGenerator[int, object]:
    """Do the same, asynchronously."""
    ignored = False
    try:
        for number, reaction in enumerate(plan):
            try:
                log.append((yield number))
            except BaseException as exc:
                log.append((type(exc), str(exc)))
                if isinstance(exc, GeneratorExit) and ignored:
                    raise  # otherwise it could never be closed
                ignored = isinstance(exc, GeneratorExit)
                await asyncio.sleep(0)
                if reaction == "pass on":
                    raise
                if reaction == "replace":
                    raise KeyError("replaced") from exc
                if reaction == "return":
                    return
    finally:
        log.append("finally")


def seen(exc: BaseException) -> object:
    """Return what a consumer can tell about *exc*."""
    value = exc.value if isinstance(exc, StopIteration) else None
    cause = None if exc.__cause__ is None else type(exc.__cause__)
    return type(exc), str(exc), value, cause, exc.__suppress_context__


def drive(make: Callable[[Log], Generator[Any, Any, Any]], plan: list[str]) -> Log:
    """Move a generator as *plan* says; return all that both sides saw."""
    log: Log = []
    generator = make(log)
    for number, move in enumerate(plan):
        try:
            if move == "next":
                log.append(next(generator))
            elif move == "send":
                log.append(generator.send(number or None))
            elif move == "close":
                log.append(generator.close())  # type: ignore[func-returns-value]  # 3.13 returns
            else:
                log.append(generator.throw(ERRORS[move]()))
        except BaseException as exc:  # noqa: BLE001  # whatever it is
            log.append(seen(exc))
    log.append(current())
    for _ in REACTIONS * 2:  # a body that ignores it is closed again
        with suppress(RuntimeError, KeyError):
            generator.close()
    return log


async def adrive(
    make: Callable[[Log], AsyncGenerator[Any, Any]], plan: list[str]
) -> Log:
    """Move an async generator as *plan* says; return all that both sides saw."""
    log: Log = []
    generator = make(log)
    for number, move in enumerate(plan):
        try:
            if move == "next":
                log.append(await anext(generator))
            elif move == "send":
                log.append(await generator.asend(number or None))
            elif move == "close":
                await generator.aclose()
            else:
                log.append(await generator.athrow(ERRORS[move]()))
        except BaseException as exc:  # noqa: BLE001  # whatever it is
            log.append(seen(exc))
    log.append(current())
    for _ in REACTIONS * 2:  # a body that ignores it is closed again
        with suppress(RuntimeError, KeyError, StopAsyncIteration):
            await generator.aclose()
    return log


def current() -> str | None:
    """Return the ID that the consumer sees: never the body's."""
    return penstock.current_flow_id()


def marks() -> list[Callable[[Any], Any]]:
    """Return every way in which a generator function can come to run in a flow."""

    def bound(func: Any) -> Any:
        return lambda *args: bind_flow(func(*args))

    return [
        lambda func: flow("orders")(entrypoint(func)),
        lambda func: flow("orders")(step(func)),
        bound,
    ]


@pytest.mark.parametrize("number", range(3), ids=["entrypoint", "step", "bound"])
@given(plan=moves, reacts=reactions)
def test_generator(number: int, plan: list[str], reacts: list[str]) -> None:
    """next, send, throw and close do what they do without the mark."""
    func = marks()[number](body)

    with start_flow("consumer"):
        marked = drive(lambda log: func(log, reacts), plan)
        plain = drive(lambda log: body(log, reacts), plan)

    assert marked == plain


@pytest.mark.parametrize("number", range(3), ids=["entrypoint", "step", "bound"])
@given(plan=moves, reacts=reactions)
def test_async_generator(number: int, plan: list[str], reacts: list[str]) -> None:
    """anext, asend, athrow and aclose do what they do without the mark."""
    func = marks()[number](async_body)

    with start_flow("consumer"):
        marked = asyncio.run(adrive(lambda log: func(log, reacts), plan))
        plain = asyncio.run(adrive(lambda log: async_body(log, reacts), plan))

    assert marked == plain
