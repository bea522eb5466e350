from __future__ import annotations

import asyncio
import gc
import logging
import threading
import types
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    LoggingBackend,
    bind_flow,
    configure,
    current_flow_id,
    entrypoint,
    flow,
    outside_flow,
    start_flow,
    step,
)
from tests.support.call_styles import Traces, finish, marked, unique

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

Ids = list[str | None]

span_id: ContextVar[str] = ContextVar("span_id", default="none")
"""What a tracing library keeps as its current span."""


class Current(Traces):
    """A backend whose span is current, in a context variable, while it is open."""

    @contextmanager
    def span(self, step_name: str, flow_name: str, **attrs: object) -> Iterator[None]:
        with super().span(step_name, flow_name, **attrs):
            token = span_id.set(step_name)
            try:
                yield
            finally:
                span_id.reset(token)


def numbers(ids: Ids) -> Generator[int, object, str]:
    """Yield 0, 1, 2 and note the ID before each, and at the end."""
    try:
        for number in range(3):
            ids.append(current_flow_id())
            yield number
    finally:
        ids.append(current_flow_id())
    return "result"


async def async_numbers(ids: Ids) -> AsyncGenerator[int, object]:
    """Do the same, asynchronously."""
    try:
        for number in range(3):
            ids.append(current_flow_id())
            await asyncio.sleep(0)
            yield number
    finally:
        ids.append(current_flow_id())


def test_the_body_runs_in_the_flow_and_the_consumer_does_not() -> None:
    """Between items nothing of the body's run is to be seen."""
    ids: Ids = []
    produce = flow("orders")(entrypoint(numbers))

    outside = [current_flow_id() for _ in produce(ids)]

    assert outside == [None, None, None]
    assert len(set(ids)) == 1
    assert ids[0] is not None


def test_an_async_body_runs_in_the_flow_and_the_consumer_does_not() -> None:
    """The same holds for an async generator."""
    ids: Ids = []
    produce = flow("orders")(entrypoint(async_numbers))

    async def main() -> Ids:
        return [current_flow_id() async for _ in produce(ids)]

    assert asyncio.run(main()) == [None, None, None]
    assert len(set(ids)) == 1
    assert ids[0] is not None


def test_steps_called_by_the_body_belong_to_its_run() -> None:
    """A step called between two yields runs under the generator's ID."""
    orders = flow("orders")
    consume = orders.step(current_flow_id_step)

    @orders.entrypoint
    def produce() -> Generator[tuple[str | None, str | None]]:
        for _ in range(2):
            yield current_flow_id(), consume()

    assert all(own == step_id is not None for own, step_id in produce())


def current_flow_id_step() -> str | None:
    """Return the ID around."""
    return current_flow_id()


def test_two_generators_at_once_keep_apart() -> None:
    """Interleaved, each body sees its own run each time."""
    first: Ids = []
    second: Ids = []
    produce = flow("orders")(entrypoint(numbers))

    list(zip(produce(first), produce(second), strict=True))

    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]


def test_a_generator_binds_when_it_is_first_resumed() -> None:
    """Made in one flow and resumed in another, a step belongs to the latter."""
    ids: Ids = []
    produce = flow("orders")(step(numbers))

    with start_flow("made-here"):
        generator = produce(ids)
    with start_flow("resumed-here"):
        next(generator)
    with start_flow("finished-here"):
        list(generator)

    assert set(ids) == {"resumed-here"}


def test_bind_flow_binds_a_generator_earlier() -> None:
    """Bound where it is made, it runs there wherever it is consumed."""
    ids: Ids = []
    produce = flow("orders")(step(numbers))

    with start_flow("made-here"):
        generator = bind_flow(produce(ids))
    with start_flow("consumed-here"):
        assert list(generator) == [0, 1, 2]

    assert set(ids) == {"made-here"}


def test_bind_flow_binds_an_async_generator_earlier() -> None:
    """The same holds for an async generator."""
    ids: Ids = []
    produce = flow("orders")(step(async_numbers))

    async def main() -> list[int]:
        with start_flow("made-here"):
            generator = bind_flow(produce(ids))
        with start_flow("consumed-here"):
            return [item async for item in generator]

    assert asyncio.run(main()) == [0, 1, 2]
    assert set(ids) == {"made-here"}


def test_a_plain_generator_can_be_bound_too() -> None:
    """``bind_flow`` takes generators that no flow knows, and gives their result."""
    ids: Ids = []

    def delegate(generator: Generator[int, object, str]) -> Generator[int, object, str]:
        return (yield from generator)

    with start_flow("made-here"):
        generator = bind_flow(numbers(ids))
    outer = delegate(generator)
    assert [next(outer), next(outer), next(outer)] == [0, 1, 2]
    with pytest.raises(StopIteration) as stop:
        next(outer)

    assert stop.value.value == "result"
    assert set(ids) == {"made-here"}


def test_a_generator_gives_its_result() -> None:
    """``return`` in the body arrives where ``yield from`` waits for it."""
    produce = flow("orders")(entrypoint(numbers))

    def consume() -> Generator[int, object, str]:
        return (yield from produce([]))

    generator = consume()
    assert [next(generator), next(generator), next(generator)] == [0, 1, 2]
    with pytest.raises(StopIteration) as stop:
        next(generator)

    assert stop.value.value == "result"


def test_closing_early_runs_the_cleanup_in_the_flow() -> None:
    """``finally`` in the body logs under the ID of its run."""
    ids: Ids = []
    generator = flow("orders")(entrypoint(numbers))(ids)

    next(generator)
    generator.close()

    assert len(ids) == 2
    assert ids[0] == ids[1] is not None
    assert current_flow_id() is None


def test_a_collected_generator_cleans_up_in_the_flow() -> None:
    """So it does when nobody holds the generator any more."""
    ids: Ids = []
    generator = flow("orders")(entrypoint(numbers))(ids)

    next(generator)
    with start_flow("consumer"):
        del generator
        gc.collect()
        assert current_flow_id() == "consumer"

    assert len(ids) == 2
    assert ids[0] == ids[1] not in {None, "consumer"}


def test_an_async_generator_closed_early_cleans_up_in_the_flow() -> None:
    """``aclose`` runs the cleanup under the ID of the run, and leaves no trace."""
    ids: Ids = []
    produce = flow("orders")(entrypoint(async_numbers))

    async def main() -> str | None:
        generator = produce(ids)
        await anext(generator)
        await generator.aclose()
        return current_flow_id()

    assert asyncio.run(main()) is None
    assert len(ids) == 2
    assert ids[0] == ids[1] is not None


def test_a_collected_async_generator_cleans_up_in_the_flow() -> None:
    """The event loop closes it; its cleanup still knows the run."""
    ids: Ids = []
    produce = flow("orders")(entrypoint(async_numbers))

    async def main() -> None:
        async for _ in produce(ids):
            break
        gc.collect()
        await asyncio.sleep(0.01)

    asyncio.run(main())

    assert len(ids) == 2
    assert ids[0] == ids[1] is not None


def test_an_async_generator_left_open_is_closed_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The loop's shutdown closes the generator and not its body behind its back."""
    ids: Ids = []
    kept = []

    @flow("orders")
    @entrypoint
    async def produce() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            ids.append(current_flow_id())

    async def main() -> None:
        kept.append(produce())
        await anext(kept[0])

    asyncio.run(main())

    assert [record for record in caplog.records if record.name == "asyncio"] == []
    assert len(ids) == 1
    assert ids[0] is not None


def test_a_generator_finished_in_another_thread_stays_in_its_flow() -> None:
    """Begun here and finished there, it leaves both threads as they were."""
    ids: Ids = []
    there: Ids = []
    generator = flow("orders")(entrypoint(numbers))(ids)
    next(generator)

    def finish() -> None:
        there.extend(current_flow_id() for _ in generator)
        there.append(current_flow_id())

    thread = threading.Thread(target=finish)
    thread.start()
    thread.join()

    assert there == [None, None, None]
    assert len(ids) == 4
    assert len(set(ids)) == 1
    assert current_flow_id() is None


def test_an_async_generator_finished_in_another_task_stays_in_its_flow() -> None:
    """Begun in one task and finished in another, it leaves both as they were."""
    ids: Ids = []
    produce = flow("orders")(entrypoint(async_numbers))

    async def main() -> list[str | None]:
        generator = produce(ids)
        await anext(generator)

        async def finish() -> Ids:
            with start_flow("task"):
                return [current_flow_id() async for _ in generator]

        return [*await asyncio.create_task(finish()), current_flow_id()]

    assert asyncio.run(main()) == ["task", "task", None]
    assert len(ids) == 4
    assert len(set(ids)) == 1


def test_a_generator_that_ignores_its_closing_fails_as_a_plain_one() -> None:
    """Python's own complaint comes through; the consumer's flow stays."""

    @flow("orders")
    @entrypoint
    def stubborn() -> Generator[int]:
        try:
            yield 1
        except GeneratorExit:
            yield 2

    generator = stubborn()
    next(generator)

    with (
        start_flow("consumer"),
        pytest.raises(RuntimeError, match="ignored GeneratorExit"),
    ):
        generator.close()
    assert list(generator) == []


@pytest.mark.parametrize("is_async", [False, True])
def test_a_scope_opened_in_a_body_holds_across_its_yields(*, is_async: bool) -> None:
    """``with start_flow()`` around a yield is the body's, and only the body's."""
    inside: Ids = []

    @flow("orders")
    @entrypoint
    def produce() -> Generator[int]:
        with start_flow("inner"):
            for number in range(3):
                inside.append(current_flow_id())
                yield number
        inside.append(current_flow_id())

    @flow("async-orders")
    @entrypoint
    async def async_produce() -> AsyncGenerator[int]:
        with start_flow("inner"):
            for number in range(3):
                inside.append(current_flow_id())
                yield number
        inside.append(current_flow_id())

    async def main() -> Ids:
        if is_async:
            return [current_flow_id() async for _ in async_produce()]
        return [current_flow_id() for _ in produce()]

    with start_flow("consumer"):
        outside = asyncio.run(main())

    assert outside == ["consumer"] * 3
    assert inside[:3] == ["inner"] * 3
    assert inside[3] not in {None, "inner"}


def test_a_backends_variables_are_the_bodys_alone() -> None:
    """What a span sets is current while the body runs, and not between items."""
    backend = Current()
    configure(backend)
    seen = []

    @flow("orders")
    @entrypoint
    def produce() -> Generator[int]:
        for number in range(3):
            seen.append(span_id.get())
            yield number
        seen.append(span_id.get())

    outside = [span_id.get() for _ in produce()]

    assert outside == ["none"] * 3
    assert seen == ["produce"] * 4
    assert span_id.get() == "none"
    assert backend.events == [("enter", "produce"), ("exit", "produce")]


def test_a_backends_variables_are_the_async_bodys_alone() -> None:
    """The same holds for an async generator, also when it is closed early."""
    backend = Current()
    configure(backend)
    seen = []

    @flow("orders")
    @entrypoint
    async def produce() -> AsyncGenerator[int]:
        try:
            for number in range(3):
                seen.append(span_id.get())
                yield number
        finally:
            seen.append(span_id.get())

    async def main() -> list[str]:
        generator = produce()
        await anext(generator)
        outside = [span_id.get()]
        await generator.aclose()
        return [*outside, span_id.get()]

    assert asyncio.run(main()) == ["none", "none"]
    assert seen == ["produce", "produce"]
    assert backend.events == [("enter", "produce"), ("GeneratorExit", "produce")]


def test_what_a_body_makes_current_stays_current_for_it() -> None:
    """A span that the body opens around a yield is there when it goes on."""
    configure(Current())
    seen = []

    @flow("orders")
    @entrypoint
    def produce() -> Generator[int]:
        token = span_id.set("opened by hand")
        yield 1
        seen.append(span_id.get())
        span_id.reset(token)
        yield 2
        seen.append(span_id.get())

    outside = [span_id.get() for _ in produce()]

    assert seen == ["opened by hand", "produce"]
    assert outside == ["none", "none"]


def test_nested_generators_each_have_their_span() -> None:
    """A generator that consumes another sees its own span between the items."""
    configure(Current())
    orders = flow("orders")
    seen = []

    @orders.step
    def inner() -> Generator[str]:
        yield span_id.get()
        yield span_id.get()

    @orders.entrypoint
    def outer() -> Generator[str]:
        for item in inner():
            seen.append(span_id.get())
            yield item

    assert list(outer()) == ["inner", "inner"]
    assert seen == ["outer", "outer"]


def test_an_async_move_closed_in_another_context_changes_nothing_there(
    warnings: list[logging.LogRecord],
) -> None:
    """A move that is abandoned and collected elsewhere leaves that place as it is."""
    configure(Current())

    @types.coroutine
    def suspended() -> Generator[None, None, None]:
        yield

    @flow("orders")
    @entrypoint
    async def produce() -> AsyncGenerator[int]:
        await suspended()
        yield 1

    async def consume() -> None:
        await anext(produce())

    move = consume()
    copy_context().run(move.send, None)

    with start_flow("closed-here"):
        move.close()
        assert current_flow_id() == "closed-here"
        assert span_id.get() == "none"

    assert warnings == []


def test_a_step_generator_outside_a_flow_runs_plainly_where_allowed() -> None:
    """With ``outside="warn"`` the generator is the plain one, both kinds."""
    configure(outside="warn")
    ids: Ids = []
    name = unique("orders")
    produce = flow(name)(step(numbers))
    async_produce = flow(name)(step(async_numbers))

    async def main() -> list[int]:
        generator = async_produce(ids)
        items = [await anext(generator)]
        with pytest.raises(KeyError):
            await generator.athrow(KeyError("thrown"))
        return items

    async def all_of_them() -> list[int]:
        return [item async for item in async_produce(ids)]

    assert list(produce(ids)) == [0, 1, 2]
    assert asyncio.run(all_of_them()) == [0, 1, 2]
    assert asyncio.run(main()) == [0]
    assert set(ids) == {None}


@pytest.mark.parametrize("make", [numbers, async_numbers])
def test_a_bound_generator_function_binds_what_it_makes(
    make: Callable[[Ids], Any],
) -> None:
    """``bind_flow`` of a generator function keeps its name, and binds each call."""
    ids: Ids = []
    with start_flow("bound-here"):
        bound = bind_flow(make)

    async def main() -> list[int]:
        if make is numbers:
            return list(bound(ids))
        return [item async for item in bound(ids)]

    with outside_flow():
        assert asyncio.run(main()) == [0, 1, 2]

    assert set(ids) == {"bound-here"}
    assert bound.__name__ == make.__name__


def test_a_generator_line_is_one_start_and_one_end(
    lines: list[logging.LogRecord],
) -> None:
    """However many items there are, the log tells of one call."""
    produce = flow("orders")(entrypoint(numbers))

    list(produce([]))

    assert [line.getMessage().split()[0] for line in lines] == [
        "step.start",
        "step.end",
    ]


def test_what_a_generator_logs_between_items_is_under_its_id(
    lines: list[logging.LogRecord],
) -> None:
    """Log fields read in the body name the step; in the consumer, nothing."""
    penstock.install_log_fields()
    produce = flow("orders")(entrypoint(numbers))

    for _ in produce([]):
        logging.getLogger("penstock.test").info("consumed")
    penstock.uninstall_log_fields()

    consumed = [vars(line)["step"] for line in lines if line.name == "penstock.test"]
    assert consumed == ["-", "-", "-"]


@pytest.mark.parametrize("kind", ["generator", "async generator"])
@pytest.mark.parametrize("method", ["resume", "pause"])
def test_a_backend_that_fails_between_items_breaks_no_generator(
    warnings: list[logging.LogRecord], kind: str, method: str
) -> None:
    """Resuming and pausing a recording are calls of a backend like any other."""

    class Failing(LoggingBackend):
        def enabled(self) -> bool:
            return True

        def resume(self, started: Any) -> None:
            if method == "resume":
                raise OSError

        def pause(self, started: Any) -> None:
            if method == "pause":
                raise OSError

        def __repr__(self) -> str:
            return name

    name = unique("failing")
    configure(Failing())
    func = marked(kind, current_flow_id, role="entrypoint")

    assert asyncio.run(finish(func)) is not None
    (line,) = [line for line in warnings if line.levelno == logging.WARNING]
    assert f"{name} failed at {method}" in line.getMessage()


@pytest.mark.parametrize("kind", ["generator", "async generator"])
def test_a_generator_with_one_quiet_backend_of_two(kind: str) -> None:
    """A backend that wants nothing is not resumed, and not paused."""
    quiet, loud = Traces(), Traces()
    quiet.wants = False
    configure(quiet, loud)
    func = marked(kind, current_flow_id, role="entrypoint")

    assert asyncio.run(finish(func)) is not None
    assert (len(quiet.events), len(loud.events)) == (0, 2)
