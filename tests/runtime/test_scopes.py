from __future__ import annotations

import asyncio
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    ConfigurationError,
    configure,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    get_flow_context_value,
    outside_flow,
    start_flow,
)
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


def test_start_flow_makes_an_id_where_none_is_given() -> None:
    """The context is carried, and gone after the block."""
    with start_flow() as context:
        assert current_flow_id() == context.correlation_id
        assert len(context.correlation_id) == 32
        assert context.is_carried
        assert (context.parent_id, context.flow) == (None, "")
        assert context.root_id == context.correlation_id

    assert current_flow_id() is None


def test_start_flow_takes_an_id_and_metadata() -> None:
    """The ID may be named or not; all else is metadata."""
    for scope in (
        start_flow("order-17", source="cron"),
        start_flow(correlation_id="order-17", source="cron"),
    ):
        with scope as context:
            assert current_flow_id() == "order-17"
            assert get_flow_context_value("source") == "cron"
            assert dict(context.metadata) == {"source": "cron"}


def test_start_flow_in_a_flow_knows_its_parent() -> None:
    """A context opened by hand inside another is its child."""
    with start_flow("a"), start_flow("b"), start_flow("c") as context:
        assert (context.parent_id, context.root_id) == ("b", "a")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("", "empty"),
        ("x" * 1025, "1025 characters"),
        (" order", "unsafe"),
        ("a\r\nb", "unsafe"),
        ("a\n", "unsafe"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "unsafe"),
        (17, "int, not str"),
    ],
)
def test_start_flow_refuses_an_id_that_could_not_travel(bad: str, why: str) -> None:
    """It says why, without the value, and enters nothing."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        start_flow(bad)

    assert not bad or str(bad) not in str(caught.value)
    assert current_flow_id() is None


def test_start_flow_uses_the_configured_generator_and_any_printable_id() -> None:
    """``is_valid_id`` decides about inbound IDs only."""
    configure(new_id=lambda: "made", is_valid_id=lambda _text: False)

    with start_flow() as made, start_flow("-any thing") as given:
        assert (made.correlation_id, given.correlation_id) == ("made", "-any thing")


def test_outside_flow_hides_the_flow_for_a_block() -> None:
    """Inside it there is no flow; after it there is again."""
    with start_flow("order-17"):
        with outside_flow():
            assert get_flow_context() is None
        assert current_flow_id() == "order-17"


def test_a_task_started_outside_the_flow_outlives_it_without_its_id() -> None:
    """That is what ``outside_flow`` is for."""

    async def background() -> str | None:
        await asyncio.sleep(0)
        return current_flow_id()

    async def main() -> list[str | None]:
        with start_flow("request"):
            with outside_flow():
                outside = asyncio.create_task(background())
            inside = asyncio.create_task(background())
        return [await outside, await inside]

    assert asyncio.run(main()) == [None, "request"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_is_left_all_the_same(error: type[BaseException]) -> None:
    """The exception passes, and what was there is there again."""
    with start_flow("outer"):
        with pytest.raises(error), start_flow("inner"):
            raise error
        with pytest.raises(error), outside_flow():
            raise error
        assert current_flow_id() == "outer"


def test_one_scope_can_be_entered_again_and_again() -> None:
    """The same object, nested in itself and used twice, restores each time."""
    again, outside = start_flow("again"), outside_flow()

    for _ in range(2):
        with again:
            with outside, again:
                assert current_flow_id() == "again"
            assert current_flow_id() == "again"
        assert current_flow_id() is None


def test_leaving_in_another_context_changes_nothing_there() -> None:
    """A block begun in one thread and ended in another leaves the latter alone."""
    scope = start_flow("begun-here")
    copy_context().run(scope.__enter__)
    seen = []

    def leave() -> None:
        with start_flow("ended-here"):
            scope.__exit__(None, None, None)
            seen.append(current_flow_id())

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()

    assert seen == ["ended-here"]


def test_leaving_in_the_wrong_order_takes_nothing_from_the_inner() -> None:
    """A scope that is left while another one is open does not end that one."""
    outer, inner = start_flow("outer"), start_flow("inner")

    def leave_outer_first() -> str | None:
        outer.__enter__()
        inner.__enter__()
        outer.__exit__(None, None, None)
        return current_flow_id()

    assert copy_context().run(leave_outer_first) == "inner"


def test_an_entrypoint_gives_the_block_back() -> None:
    """After a run in the block the block's own context is the current one."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> object:
        return get_flow_context()

    with start_flow("order-17") as context:
        assert receive() is not context
        assert get_flow_context() is context


def test_contexts_may_be_left_in_any_order() -> None:
    """One that is still open stays current; leaving the last gives what was below."""
    first, second = start_flow("first"), start_flow("second")
    with start_flow("below"):
        first.__enter__()
        second.__enter__()

        first.__exit__(None, None, None)
        assert current_flow_id() == "second"

        second.__exit__(None, None, None)
        assert current_flow_id() == "below"


def test_one_object_may_be_entered_by_two_tasks() -> None:
    """Each task leaves its own block."""

    async def main() -> list[str | None]:
        block = start_flow("shared")

        async def task() -> str | None:
            async with block:
                await asyncio.sleep(0)
            return current_flow_id()

        return list(await asyncio.gather(task(), task()))

    assert asyncio.run(main()) == [None, None]


def test_a_task_keeps_its_flow_after_the_block_that_started_it() -> None:
    """What a task was started in is its own, and so is what it enters there."""

    async def main() -> list[str | None]:
        ended = asyncio.Event()

        async def task() -> list[str | None]:
            await ended.wait()
            seen = [current_flow_id()]
            with start_flow("inner"):
                seen.append(current_flow_id())
            return [*seen, current_flow_id()]

        with start_flow("outer"):
            started = asyncio.create_task(task())
            await asyncio.sleep(0)
        ended.set()
        return await started

    assert asyncio.run(main()) == ["outer", "inner", "outer"]


def test_leaving_elsewhere_changes_nothing_there() -> None:
    """A thread or context whose stack does not hold the block keeps its own flow."""
    block = start_flow("here")
    block.__enter__()

    def elsewhere() -> str | None:
        with start_flow("there"):
            block.__exit__(None, None, None)
            return current_flow_id()

    with ThreadPoolExecutor() as pool:
        assert pool.submit(elsewhere).result() == "there"
    assert current_flow_id() == "here"
    penstock.reset()
    assert current_flow_id() is None


class InterruptError(BaseException):
    """Raised as a signal handler does."""


def repeat(work: Callable[[], object]) -> None:
    """Do *work* until something interrupts it."""
    while True:
        work()


@contextmanager
def interrupted_at(number: int) -> Iterator[None]:
    """Interrupt penstock after its *number*-th call of ``ContextVar.set()``."""
    left = number

    def look(frame: FrameType, event: str, function: object) -> None:
        nonlocal left
        is_set = event == "c_return" and getattr(function, "__name__", "") == "set"
        if is_set and frame.f_globals.get("__name__", "").startswith("penstock"):
            left -= 1
            if left == 0:
                sys.setprofile(None)
                raise InterruptError

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize("number", range(1, 14))
def test_an_interrupt_leaves_no_flow_open(number: int) -> None:
    """Wherever it comes, what was current before is current again."""
    orders = flow(unique("flow"))

    @orders.step
    def charge() -> None: ...

    @orders.step
    def items() -> Iterator[int]:
        yield 1

    @orders.entrypoint
    def receive() -> int:
        charge()
        return sum(items())

    with pytest.raises(InterruptError), interrupted_at(number):
        repeat(receive)
    assert current_flow_id() is None

    def work() -> None:
        with start_flow("order-17"):
            receive()

    with pytest.raises(InterruptError), interrupted_at(number):
        repeat(work)

    assert current_flow_id() is None


@pytest.mark.parametrize(
    ("block", "told"),
    [(start_flow, "with start_flow(...)"), (outside_flow, "with outside_flow()")],
)
def test_blocks_are_not_decorators(block: Any, told: str) -> None:
    """The error says how to write it."""
    with pytest.raises(TypeError, match=re.escape(told)):
        block()(print)


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize("number", range(1, 14))
def test_an_interrupt_leaves_no_flow_open_where_runs_are_judged(number: int) -> None:
    """Runs that the flags judge heal, too."""
    orders = flow(unique("flow"))

    @orders.step(after="receive")
    def charge() -> None:
        ship()

    @orders.step(after=["charge", "refund"])
    def ship() -> None: ...

    @orders.step(after="receive")
    def refund() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        for _ in range(2):
            charge()

    receive()
    with pytest.raises(InterruptError), interrupted_at(number):
        repeat(receive)

    assert current_flow_id() is None


@pytest.mark.parametrize("conformance", ["off", "record"])
@pytest.mark.parametrize("is_watched", [False, True])
def test_a_recursion_error_is_the_users_own(
    conformance: str, *, is_watched: bool
) -> None:
    """Steps that call each other for ever end in it, with no flow left open."""
    configure(conformance=conformance)
    if is_watched:
        penstock.install_log_fields()
    orders = flow(unique("flow"))

    @orders.step(after="receive")
    def charge() -> None:
        charge()

    @orders.entrypoint
    def receive() -> None:
        charge()

    with pytest.raises(RecursionError) as caught:
        receive()
    penstock.uninstall_log_fields()

    assert caught.value.__context__ is caught.value.__cause__ is None
    assert current_flow_id() is None


def test_a_block_that_is_left_inside_a_step() -> None:
    """The rest of the step runs in what was below the block."""
    penstock.install_log_fields()  # so that the step is current
    block = start_flow("order-17")
    orders = flow(unique("flow"))

    @orders.step
    def close() -> str | None:
        block.__exit__(None, None, None)
        return current_flow_id()

    with start_flow("below"):
        block.__enter__()
        assert close() == "below"
    penstock.uninstall_log_fields()
    penstock.reset()


def test_outside_is_left_while_a_flow_is_open() -> None:
    """The flow that was entered outside every flow stays current."""
    inner = start_flow("inner")
    with start_flow("outer"):
        with outside_flow():
            inner.__enter__()
        assert current_flow_id() == "inner"
    penstock.reset()
