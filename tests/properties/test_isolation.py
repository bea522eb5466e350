"""Runs that interleave in any way keep apart, and whatever was there comes back."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    get_flow_context_value,
    outside_flow,
    set_flow_context_value,
    start_flow,
    step,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

# One letter is one thing that a run does between two moments when others may run.
ACTIONS = "step", "inner", "write", "carried", "outside", "generate"
plans = st.lists(
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=6), min_size=2, max_size=5
)
orders = st.lists(st.integers(0, 4), min_size=1, max_size=40)


def declare(plan: list[str], number: int) -> Any:
    """Declare a run that does what *plan* says, and checks itself all the time.

    It is a generator that yields, plainly, wherever another run may have its turn.
    """

    @flow("orders")
    @step(after="receive")
    def charge() -> str | None:
        return current_flow_id()

    @flow("inner")
    @entrypoint
    def inner() -> tuple[str | None, str | None]:
        context = get_flow_context()
        assert context is not None
        set_flow_context_value("number", "inner")
        return context.correlation_id, context.parent_id

    @flow("orders")
    @step(after="receive")
    def generate() -> Generator[str | None]:
        yield current_flow_id()
        yield current_flow_id()

    @flow("orders")
    @entrypoint
    async def receive(turn: Any) -> str:
        cid = current_flow_id()
        assert cid is not None
        set_flow_context_value("number", number)
        items = generate()
        for action in plan:
            await turn()
            assert current_flow_id() == cid
            assert get_flow_context_value("number") == number
            if action == "step":
                assert charge() == cid
            elif action == "inner":
                own, parent = inner()
                assert own != cid
                assert parent == cid
            elif action == "write":
                set_flow_context_value(f"key-{number}", action)
            elif action == "generate":
                assert next(items, cid) == cid
            else:
                with start_flow("carried") if action == "carried" else outside_flow():
                    await turn()
                    expected = "carried" if action == "carried" else None
                    assert current_flow_id() == expected
        context = get_flow_context()
        assert context is not None
        assert {"number", f"key-{number}"} >= set(context.metadata)
        return cid

    return receive


@given(plans=plans)
def test_tasks_keep_apart(plans: list[list[str]]) -> None:
    """Concurrent runs on one loop each see their own ID and metadata, and no other."""

    async def turn() -> None:
        await asyncio.sleep(0)

    async def main() -> list[str]:
        runs = [declare(plan, number) for number, plan in enumerate(plans)]
        ids = await asyncio.gather(*(run(turn) for run in runs))
        assert current_flow_id() is None
        return list(ids)

    ids = asyncio.run(main())

    assert len(set(ids)) == len(plans)


class Turns:
    """Lets threads go on one at a time, in a given order."""

    def __init__(self, order: list[int], count: int) -> None:
        self._order = [number % count for number in order]
        self._alive = set(range(count))
        self._changed = threading.Condition()

    def wait(self, number: int) -> None:
        """Return when it is this thread's turn; the order over, any time is right."""
        with self._changed:
            self._changed.wait_for(lambda: self._next() in {number, None})
            if self._order:
                self._order.pop(0)
            self._changed.notify_all()

    def leave(self, number: int) -> None:
        """Say that this thread takes no more turns."""
        with self._changed:
            self._alive.discard(number)
            self._changed.notify_all()

    def _next(self) -> int | None:
        while self._order and self._order[0] not in self._alive:
            self._order.pop(0)
        return self._order[0] if self._order else None


@given(plans=plans, order=orders)
def test_threads_keep_apart(plans: list[list[str]], order: list[int]) -> None:
    """Interleaved in any order, each thread's run sees its own ID and metadata."""
    turns = Turns(order, len(plans))
    ids: list[str] = []
    problems: list[BaseException] = []

    def work(number: int, plan: list[str]) -> None:
        async def turn() -> None:
            turns.wait(number)

        try:
            with_nothing_to_wait_for = declare(plan, number)(turn)
            with_nothing_to_wait_for.send(None)
        except StopIteration as stop:
            ids.append(stop.value)
        except BaseException as exc:  # noqa: BLE001  # told by the test
            problems.append(exc)
        finally:
            turns.leave(number)
        if current_flow_id() is not None:
            problems.append(AssertionError("left behind"))

    threads = [
        threading.Thread(target=work, args=(number, plan))
        for number, plan in enumerate(plans)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(set(ids)) == len(plans)


@given(
    scopes=st.lists(st.sampled_from(["start", "outside", "again"]), max_size=10),
    fails=st.booleans(),
)
def test_nested_scopes_give_back_exactly_what_was_there(
    scopes: list[str], *, fails: bool
) -> None:
    """However deep, and however it ends, each level is back as it was."""
    again = start_flow("again")
    seen: list[object] = [get_flow_context()]

    def nest(rest: list[str]) -> None:
        if not rest:
            if fails:
                raise KeyError
            return
        scope: Any = {
            "start": start_flow(),
            "outside": outside_flow(),
            "again": again,
        }[rest[0]]
        before = get_flow_context()
        try:
            with scope:
                seen.append(get_flow_context())
                nest(rest[1:])
        finally:
            assert get_flow_context() is before

    with suppress(KeyError):
        nest(scopes)

    assert len(seen) == len(scopes) + 1
    assert get_flow_context() is seen[0] is None


async def items(count: int) -> AsyncGenerator[str | None]:
    """Yield the ID that the body sees, again and again."""
    for _ in range(count):
        await asyncio.sleep(0)
        yield current_flow_id()


@given(order=orders, count=st.integers(1, 4))
def test_async_generators_keep_apart(order: list[int], count: int) -> None:
    """Consumed in any order, by any task, each body stays in its own flow."""
    produce = flow("orders")(entrypoint(name="produce")(items))

    async def main() -> None:
        generators = [produce(50) for _ in range(count)]
        ids: dict[int, set[str | None]] = {number: set() for number in range(count)}
        for place, number in enumerate(order):
            generator = generators[number % count]
            move = anext(generator)
            seen = await move if place % 2 else await asyncio.create_task(awaited(move))
            ids[number % count].add(seen)
            assert current_flow_id() is None
        for generator in generators:
            await generator.aclose()
        known = [one for some in ids.values() for one in some]
        assert len(set(known)) == len(known)
        assert None not in known

    asyncio.run(main())


async def awaited(move: Any) -> str | None:
    """Return what *move* gives, in whichever task this is."""
    result: str | None = await move
    return result
