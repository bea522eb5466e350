from __future__ import annotations

import asyncio
import inspect
import types
from contextlib import nullcontext
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import pytest

from penstock import (
    FlowDefinitionError,
    NotInFlowError,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    install_log_fields,
    start_flow,
    step,
    uninstall_log_fields,
)
from tests.support.call_styles import KINDS, finish, function, marked, unique

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from penstock import FlowContext

pytestmark = pytest.mark.usefixtures("mode")


@dataclass(frozen=True)
class Frozen(Exception):  # noqa: N818  # a sample
    """An exception whose attributes cannot be set, as dataclasses make them."""

    code: int = 0


class Falsy(Exception):  # noqa: N818  # a sample
    """An exception that is false, and equal to nothing."""

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    __hash__ = Exception.__hash__


ENDINGS: dict[str, Callable[[], BaseException]] = {
    "exception": lambda: ValueError("own"),
    "interrupt": lambda: KeyboardInterrupt("own"),
    "exit": lambda: SystemExit(3),
    "cancellation": lambda: asyncio.CancelledError("own"),
    "group": lambda: ExceptionGroup("own", [KeyError("a"), TypeError("b")]),
    "base group": lambda: BaseExceptionGroup("own", [KeyboardInterrupt()]),
}
ODD: dict[str, Callable[[], BaseException]] = {
    "frozen": lambda: Frozen(7),
    "falsy": Falsy,
}


def raising(exc: BaseException) -> Callable[[], NoReturn]:
    """Return a function that raises *exc* itself."""

    def work() -> NoReturn:
        raise exc

    return work


def context() -> FlowContext:
    """Return the context of the run around, which is known to be there."""
    found = get_flow_context()
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
def test_a_call_gives_what_the_function_gives(kind: str, role: str) -> None:
    """The very object that the function makes comes out, from every kind of call."""
    made = object()
    func = marked(kind, lambda: made, role=role)

    async def main() -> object:
        with start_flow():
            return await finish(func)

    assert asyncio.run(main()) is made


@pytest.mark.parametrize("role", ["entrypoint", "step"])
@pytest.mark.parametrize("inside", [True, False])
def test_arguments_reach_the_function(role: str, *, inside: bool) -> None:
    """Positional ones and named ones, as they are given, in every kind of call."""
    mark = flow(unique("orders"), outside="run")
    decorate = mark.entrypoint if role == "entrypoint" else mark.step

    @decorate
    def plain(*args: object, **kwargs: object) -> object:
        return args, kwargs

    @decorate
    async def awaited(*args: object, **kwargs: object) -> object:
        return args, kwargs

    @decorate
    def items(*args: object, **kwargs: object) -> Generator[object]:
        yield args, kwargs

    @decorate
    async def async_items(*args: object, **kwargs: object) -> AsyncGenerator[object]:
        yield args, kwargs

    async def main() -> list[object]:
        return [
            await finish(partial(func, 1, two=2))
            for func in (plain, awaited, items, async_items)
        ]

    with start_flow() if inside else nullcontext():
        assert asyncio.run(main()) == [((1,), {"two": 2})] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_super_is_a_plain_call_of_every_kind(kind: str) -> None:
    """An override may call what it overrides; the run is one."""

    class Base:
        @entrypoint
        def sync(self) -> object:
            return current_flow_id()

        @entrypoint
        async def awaited(self) -> object:
            return current_flow_id()

        @entrypoint
        def items(self) -> Generator[object]:
            yield current_flow_id()

        @entrypoint
        async def async_items(self) -> AsyncGenerator[object]:
            yield current_flow_id()

    @flow(unique("orders"))
    class Child(Base):
        @entrypoint
        def sync(self) -> object:
            return current_flow_id(), super().sync()

        @entrypoint
        async def awaited(self) -> object:
            return current_flow_id(), await super().awaited()

        @entrypoint
        def items(self) -> Generator[object]:
            yield current_flow_id(), *super().items()

        @entrypoint
        async def async_items(self) -> AsyncGenerator[object]:
            inherited = super().async_items()
            yield current_flow_id(), *[item async for item in inherited]

    child = Child()
    funcs = (child.sync, child.awaited, child.items, child.async_items)
    func = dict(zip(KINDS, funcs, strict=True))[kind]

    own, inherited = asyncio.run(finish(func))

    assert own == inherited is not None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
@pytest.mark.parametrize("ending", [*ENDINGS, *ODD])
def test_an_exception_passes_through_unchanged(
    kind: str, role: str, ending: str
) -> None:
    """The same object comes out, with nothing of ours in what it points to."""
    exc = (ENDINGS | ODD)[ending]()
    func = marked(kind, raising(exc), role=role)
    seen: list[BaseException] = []

    async def main() -> None:
        with start_flow():
            try:
                await finish(func)
            except BaseException as error:  # noqa: BLE001  # that is the question
                seen.append(error)

    asyncio.run(main())

    assert [id(error) for error in seen] == [id(exc)]
    assert exc.__context__ is None
    assert exc.__cause__ is None
    assert exc.__suppress_context__ is False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
def test_an_exception_keeps_the_context_it_had(kind: str, role: str) -> None:
    """What the function chained stays chained, cause and suppression included."""
    first = KeyError("first")
    raised: list[BaseException] = []

    def work() -> NoReturn:
        try:
            raise first
        except KeyError as exc:
            second = ValueError("second")
            raised.append(second)
            raise second from exc

    func = marked(kind, work, role=role)

    async def main() -> None:
        with start_flow():
            await finish(func)

    with pytest.raises(ValueError, match="second") as caught:
        asyncio.run(main())

    assert caught.value is raised[0]
    assert caught.value.__context__ is first
    assert caught.value.__cause__ is first
    assert caught.value.__suppress_context__ is True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
def test_a_call_inside_an_except_block_is_chained_as_any_call(
    kind: str, role: str
) -> None:
    """Called while the user handles an exception, that one is the context."""
    handled = KeyError("handled")
    exc = ValueError("own")
    func = marked(kind, raising(exc), role=role)

    async def main() -> None:
        with start_flow():
            try:
                raise handled
            except KeyError:
                await finish(func)

    with pytest.raises(ValueError, match="own"):
        asyncio.run(main())

    assert exc.__context__ is handled


@pytest.mark.parametrize("kind", KINDS)
def test_each_run_has_an_id_of_its_own(kind: str) -> None:
    """Two calls of one entrypoint are two operations, each with a UUID4 in hex."""
    func = marked(kind, current_flow_id, role="entrypoint")

    async def main() -> list[str]:
        return [await finish(func), await finish(func)]

    first, second = asyncio.run(main())

    assert first != second
    assert len(first) == len(second) == 32
    assert first[12] == "4"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_outside_is_outside_again_however_a_run_ends(kind: str, ending: str) -> None:
    """After the call nothing of the run is left where it was called."""
    exc = ENDINGS[ending]()
    func = marked(kind, raising(exc), role="entrypoint")

    async def main() -> object:
        try:
            await finish(func)
        except BaseException:  # noqa: BLE001  # however it ends
            return current_flow_id()
        raise AssertionError

    assert asyncio.run(main()) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outer_kind", ["sync", "async"])
def test_the_outer_run_is_back_after_an_inner_one(kind: str, outer_kind: str) -> None:
    """An entrypoint called in a run has its own ID, and gives the outer one back."""
    inner = marked(kind, context, role="entrypoint")
    ids: list[str | None] = []
    contexts: list[FlowContext] = []

    async def work() -> None:
        ids.append(current_flow_id())
        contexts.append(await finish(inner))
        ids.append(current_flow_id())

    @flow(unique("outer"))
    @entrypoint
    async def outer() -> None:
        await work()

    @flow(unique("outer"))
    @entrypoint
    def sync_outer() -> None:
        with pytest.raises(StopIteration):  # nothing in it waits
            work().send(None)

    asyncio.run(finish(outer if outer_kind == "async" else sync_outer))

    before, after = ids
    assert before is not None
    assert before == after
    assert contexts[0].correlation_id != before
    assert contexts[0].parent_id == before
    assert contexts[0].root_id == before


def test_runs_inside_runs_know_parent_and_root() -> None:
    """Three runs deep, each knows the one above and the first one."""

    @flow(unique("c"))
    @entrypoint
    def third() -> list[FlowContext]:
        return [context()]

    @flow(unique("b"))
    @entrypoint
    def second() -> list[FlowContext]:
        return [context(), *third()]

    @flow(unique("a"))
    @entrypoint
    def first() -> list[FlowContext]:
        return [context(), *second()]

    one, two, three = first()

    assert (one.parent_id, one.root_id) == (None, one.correlation_id)
    assert (two.parent_id, two.root_id) == (one.correlation_id, one.correlation_id)
    assert (three.parent_id, three.root_id) == (two.correlation_id, one.correlation_id)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_runs_under_the_id_of_its_run(kind: str) -> None:
    """Entrypoint and step show one ID, which is still there after the step."""
    name = unique("orders")
    charge = marked(kind, current_flow_id, role="step", in_flow=name)

    @flow(name)
    @entrypoint
    async def receive() -> list[str | None]:
        return [current_flow_id(), await finish(charge), current_flow_id()]

    ids = asyncio.run(receive())

    assert len(set(ids)) == 1
    assert ids[0] is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_that_fails_leaves_its_run_in_place(kind: str) -> None:
    """A handled failure of a step does not end the run around it."""
    name = unique("orders")
    charge = marked(kind, raising(ValueError("no")), role="step", in_flow=name)

    @flow(name)
    @entrypoint
    async def receive() -> list[str | None]:
        before = current_flow_id()
        with pytest.raises(ValueError, match="no"):
            await finish(charge)
        return [before, current_flow_id()]

    before, after = asyncio.run(receive())

    assert before == after


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_outside_a_flow_is_refused(kind: str) -> None:
    """Outside every flow a step says so, and its function does not run."""
    ran: list[bool] = []
    charge = marked(kind, lambda: ran.append(True), role="step")

    with pytest.raises(NotInFlowError, match="outside a flow"):
        asyncio.run(finish(charge))

    assert ran == []


@pytest.mark.parametrize("kind", ["async", "async generator"])
def test_a_cancelled_task_gives_its_context_back(kind: str) -> None:
    """Cancelling what awaits inside a run ends the run as an exception would."""
    ids: list[object] = []
    started = asyncio.Event()

    async def wait() -> None:
        started.set()
        await asyncio.sleep(60)

    @flow(unique("orders"))
    @entrypoint
    async def receive() -> None:
        await wait()

    @flow(unique("orders"))
    @entrypoint
    async def receive_items() -> AsyncGenerator[int]:
        await wait()
        yield 1

    async def task() -> None:
        try:
            await finish(receive if kind == "async" else receive_items)
        except asyncio.CancelledError:
            ids.append(current_flow_id())
            raise

    async def main() -> None:
        running = asyncio.create_task(task())
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())

    assert ids == [None]


def test_an_async_run_is_undone_whatever_its_body_left_open() -> None:
    """A scope that the body entered and never left does not reach the caller."""

    @flow(unique("orders"))
    @entrypoint
    async def receive() -> None:
        start_flow("left-open").__enter__()

    async def main() -> str | None:
        await receive()
        return current_flow_id()

    assert asyncio.run(main()) is None


@types.coroutine
def suspended() -> Generator[None, None, None]:
    """Suspend whoever awaits it, without an event loop."""
    yield


@pytest.mark.parametrize(
    ("role", "inside"), [("entrypoint", True), ("entrypoint", False), ("step", True)]
)
def test_an_abandoned_coroutine_does_not_touch_who_closes_it(
    role: str, *, inside: bool
) -> None:
    """A coroutine that is closed in another context leaves that one as it is."""

    @flow(unique("orders"))
    @(entrypoint if role == "entrypoint" else step)
    async def work() -> None:
        await suspended()

    def begin() -> None:
        if inside:
            start_flow("begun-here").__enter__()
        coroutine.send(None)

    coroutine = work()
    copy_context().run(begin)

    with start_flow("closed-here"):
        coroutine.close()
        assert current_flow_id() == "closed-here"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
def test_a_marked_function_looks_like_the_plain_one(kind: str, role: str) -> None:
    """What asks a function how it runs gets the same answer as before."""
    plain = function(kind, lambda: None)
    func = (entrypoint if role == "entrypoint" else step)(plain)

    for ask in (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.signature,
    ):
        assert ask(func) == ask(plain)
    assert inspect.unwrap(func) is plain


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_marked_function_that_no_flow_took_says_so(
    kind: str, role: str, *, inside: bool
) -> None:
    """Forgetting ``@flow`` is told at the first call, with the way out."""
    func = (entrypoint if role == "entrypoint" else step)(function(kind, lambda: None))

    async def main() -> None:
        if inside:
            with start_flow():
                await finish(func)
        await finish(func)

    with pytest.raises(FlowDefinitionError, match=r"belongs to no flow.*Put @flow"):
        asyncio.run(main())


@pytest.mark.parametrize("is_watched", [False, True])
def test_keywords_reach_the_function(is_watched: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Arguments by name arrive, whoever watches and nobody."""
    if is_watched:
        install_log_fields()

    @flow(unique("orders"))
    @step
    def charge(order: int, *, amount: int = 1) -> tuple[int, int]:
        return order, amount

    try:
        with start_flow():
            assert charge(17, amount=3) == (17, 3)
    finally:
        uninstall_log_fields()


def test_a_run_closed_in_another_context_changes_nothing_there() -> None:
    """Who closes a coroutine of another task keeps the flow that is their own."""

    @flow(unique("orders"))
    @entrypoint
    async def receive() -> None:
        await asyncio.sleep(0)

    run = receive()
    Context().run(run.send, None)

    with start_flow("mine"):
        run.close()
        assert current_flow_id() == "mine"
    assert current_flow_id() is None


def test_named_arguments_of_steps_that_nobody_watches() -> None:
    """The first call asks the backend; later ones know its answer."""
    orders = flow(unique("orders"))

    @orders.step(after="receive")
    def charge(number: int, *, amount: int) -> int:
        return number + amount

    @orders.entrypoint
    def receive() -> list[int]:
        return [charge(number, amount=1) for number in range(3)]

    assert receive() == [1, 2, 3]
