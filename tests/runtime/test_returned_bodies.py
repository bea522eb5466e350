"""A plain function that returns a coroutine or a generator runs it in its flow."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    conformance_report,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    step,
)
from tests.support.call_styles import KINDS, Traces, finish, function, unique

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

BODIES = KINDS[1:]


def get(value: Any) -> Any:
    """Return *value*."""
    return value


every_body = pytest.mark.parametrize("kind", BODIES)


def plain(kind: str, work: Callable[[], Any]) -> Callable[[], Any]:
    """Return a plain function that returns a body of *kind*, as a wrapper does."""
    inner = function(kind, work)

    @functools.wraps(inner)
    def wrapper() -> Any:
        return inner()

    return wrapper


def plainly(inner: Callable[[], Any]) -> Callable[[], Any]:
    """Return a plain function that returns what *inner* does."""
    return lambda: inner()  # noqa: PLW0108  # inner is of another kind


@pytest.mark.usefixtures("mode")
@every_body
class TestInItsFlow:
    """What the body sees, however calls are listened to."""

    def test_of_an_entrypoint(self, kind: str) -> None:
        """The body runs in the run that the call began."""
        name = unique("flow")
        run = flow(name)(entrypoint(name="go")(plain(kind, get_flow_context)))

        context = asyncio.run(finish(run))

        assert context.flow == name
        assert current_flow_id() is None

    def test_of_a_step(self, kind: str) -> None:
        """The body runs in the run that its step was called in."""
        name = unique("flow")
        inside = flow(name)(step(name="inside")(plain(kind, current_flow_id)))

        @flow(name)
        @entrypoint
        async def go() -> tuple[str | None, Any]:
            return current_flow_id(), await finish(inside)

        here, there = asyncio.run(go())

        assert here == there

    def test_after_the_run_has_ended(self, kind: str) -> None:
        """A body that is resumed later is still in the run of its call."""
        name = unique("flow")
        late = flow(name)(step(name="late")(plain(kind, current_flow_id)))

        @flow(name)
        @entrypoint
        def go() -> tuple[str | None, Any]:
            return current_flow_id(), late()

        async def main() -> tuple[str | None, Any]:
            here, body = go()
            return here, await finish(lambda: body)

        here, there = asyncio.run(main())

        assert here == there

    def test_its_failure_is_the_users(self, kind: str) -> None:
        """The exception comes through unchanged, with nothing attached."""
        error = KeyError("own")

        def fail() -> None:
            raise error

        run = flow(unique("flow"))(entrypoint(name="go")(plain(kind, fail)))

        with pytest.raises(KeyError) as caught:
            asyncio.run(finish(run))

        assert caught.value is error
        assert error.__context__ is error.__cause__ is None


@every_body
def test_its_end_is_that_of_the_body(kind: str, lines: list[logging.LogRecord]) -> None:
    """The line of the end comes when the body ends, with the time that it took."""
    seen: list[int] = []
    run = flow(unique("flow"))(
        entrypoint(name="go")(plain(kind, lambda: seen.append(len(lines))))
    )

    asyncio.run(finish(run))

    assert seen == [1]  # step.start; the end was not there yet
    assert len(lines) == 2
    assert vars(lines[1])["duration_ms"] > 0


@every_body
def test_its_failure_is_recorded(kind: str) -> None:
    """A backend hears of the failure, and of no good end before it."""
    traces = Traces()
    penstock.configure(traces)

    def fail() -> None:
        raise ValueError

    run = flow(unique("flow"))(entrypoint(name="go")(plain(kind, fail)))

    with pytest.raises(ValueError, match=r"^$"):
        asyncio.run(finish(run))

    assert traces.events == [("enter", "go"), ("ValueError", "go")]


@every_body
def test_a_marked_body_is_handed_on(kind: str) -> None:
    """A step leaves alone what a marked function returned: it has its own call."""
    orders = flow(unique("flow"))
    inner = orders.step(name="inner")(function(kind, current_flow_id))
    made: list[object] = []

    @orders.step
    def outer() -> Any:
        made.append(inner())
        return made[0]

    @orders.entrypoint
    async def go() -> bool:
        body = outer()
        await finish(lambda: body)
        return body is made[0]

    assert asyncio.run(go())


@every_body
def test_an_entrypoint_keeps_its_run_for_a_marked_body(kind: str) -> None:
    """What it returns runs in its run, though the function has ended."""
    orders = flow(unique("flow"))
    inner = orders.step(name="inner")(function(kind, current_flow_id))
    run = orders.entrypoint(name="go")(plainly(inner))

    assert asyncio.run(finish(run)) is not None


@pytest.mark.parametrize("make", [list, asyncio.Event, lambda: iter([1])])
def test_every_other_result_is_a_value(make: Callable[[], object]) -> None:
    """Only the exact types of coroutines and generators are run."""
    value = make()
    run = flow(unique("flow"))(entrypoint(name="go")(partial(get, value)))

    assert run() is value


def test_a_future_is_a_value() -> None:
    """An awaitable that is not a coroutine comes back as the same object."""

    async def main() -> bool:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        run = flow(unique("flow"))(entrypoint(name="go")(partial(get, future)))
        return run() is future

    assert asyncio.run(main())


def test_cached_entrypoint() -> None:
    """``functools.cache`` below the marker keeps the flow of the first call."""

    @flow(unique("flow"))
    @entrypoint(name="go")
    @functools.cache
    def go() -> Any:
        return function("generator", current_flow_id)()

    assert list(go()) != [None]


def test_a_generator_that_is_driven_by_hand() -> None:
    """``send``, ``throw`` and the result reach the body."""

    def body() -> Generator[object, str, str]:
        while True:
            try:
                heard = yield current_flow_id()
            except KeyError:
                return "stopped"
            assert heard == "go on"

    run = flow(unique("flow"))(entrypoint(name="go")(plainly(body)))
    items = run()

    first = next(items)
    assert first is not None
    assert items.send("go on") == first
    assert current_flow_id() is None
    with pytest.raises(StopIteration) as stop:
        items.throw(KeyError())
    assert stop.value.value == "stopped"


def test_an_async_generator_that_is_driven_by_hand() -> None:
    """``asend`` and ``athrow`` reach the body of an async generator."""

    async def body() -> AsyncGenerator[object, Any]:
        heard = yield current_flow_id()
        try:
            yield heard
        except KeyError:
            yield "caught"

    run = flow(unique("flow"))(entrypoint(name="go")(plainly(body)))

    async def main() -> list[object]:
        items = run()
        assert inspect.isasyncgen(items)
        return [
            await anext(items) is not None,
            await items.asend("go on"),  # type: ignore[arg-type]  # inspect narrows it away
            await items.athrow(KeyError()),
        ]

    assert asyncio.run(main()) == [True, "go on", "caught"]


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("times", [1, 3])  # judged at length, then by flags
def test_the_order_knows_that_a_coroutine_ends_late(times: int) -> None:
    """A step that returns a coroutine comes before others only once that has ended."""
    name = unique("flow")
    orders = flow(name)
    load = orders.step(after="go", name="load")(plain("async", lambda: None))

    @orders.step(after="load")
    def keep() -> None: ...

    @orders.entrypoint
    async def go(*, is_late: bool) -> None:
        pending = load()
        if is_late:
            keep()
        await pending
        if not is_late:
            keep()

    for _ in range(times):
        asyncio.run(go(is_late=False))
    good = conformance_report().to_dict()["flows"][name]
    asyncio.run(go(is_late=True))
    bad = conformance_report().to_dict()["flows"][name]

    assert not good["violations"]
    assert {one["step"] for one in bad["violations"]} == {"keep"}


@pytest.mark.usefixtures("recorded")
def test_the_order_takes_a_returned_generator_as_ended() -> None:
    """A step that returns a generator has ended when it returns."""
    name = unique("flow")
    orders = flow(name)
    load = orders.step(after="go", name="load")(plain("generator", lambda: 1))

    @orders.step(after="load")
    def keep(items: Any) -> int:
        return sum(items)

    @orders.entrypoint
    def go() -> int:
        return keep(load())

    assert [go() for _ in range(3)] == [1, 1, 1]
    assert not conformance_report().to_dict()["flows"][name]["violations"]


@pytest.mark.usefixtures("recorded")
def test_the_order_of_several_predecessors() -> None:
    """A coroutine after one of several steps ends late, too, once that is known."""
    name = unique("flow")
    orders = flow(name)

    @orders.step(after="go")
    def charge() -> None: ...

    @orders.step(after="go")
    def refund() -> None: ...

    load = orders.step(after=[charge, refund], name="load")(
        plain("async", lambda: None)
    )

    @orders.step(after="load")
    def keep() -> None: ...

    @orders.entrypoint
    async def go(*, is_late: bool) -> None:
        charge()
        pending = load()
        if is_late:
            keep()
        await pending
        if not is_late:
            keep()

    for _ in range(3):
        asyncio.run(go(is_late=False))
    good = conformance_report().to_dict()["flows"][name]
    asyncio.run(go(is_late=True))
    bad = conformance_report().to_dict()["flows"][name]

    assert not good["violations"]
    assert {one["step"] for one in bad["violations"]} == {"keep"}


def test_a_body_from_super_is_that_of_the_override() -> None:
    """A call of the overridden method is a plain one, whatever it returns."""

    class Base:
        @step(name="load")
        def load(self) -> Any:
            return function("generator", current_flow_id)()

    @flow(unique("flow"))
    class Orders(Base):
        @step(name="load")
        def load(self) -> Any:
            return super().load()

        @entrypoint
        def go(self) -> list[object]:
            return list(self.load())

    assert Orders().go() != [None]


def test_a_quiet_step_that_returns_a_coroutine() -> None:
    """Its body runs in the flow, too, where no backend wants it and nothing watches."""
    quiet = penstock.flow(unique("quiet"))

    async def body() -> str | None:
        return penstock.current_flow_id()

    @quiet.step(after="receive")
    def call() -> Any:
        return body()

    @quiet.entrypoint
    async def receive() -> str | None:
        found: str | None = await call()
        return found

    logging.getLogger("penstock").setLevel(logging.ERROR)
    try:
        assert asyncio.run(receive())
    finally:
        logging.getLogger("penstock").setLevel(logging.NOTSET)
