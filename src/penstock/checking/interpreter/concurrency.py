"""Work that goes on beside the code: tasks, threads, messages, and waiting for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effects import ANYTHING
from .known_functions import (
    AFTER_COMMIT,
    COLLECT,
    EXHAUST,
    FINISH,
    GATHER,
    GIVE_BACK,
    NOW,
    PARALLEL,
    TASK,
)
from .values import NOTHING, Awaitable, Func, Generator, Message, Running, in_order

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from .binding import Given
    from .calls import Calls
    from .effects import PathState
    from .frame import Frame
    from .values import Value, Values

__all__ = ["Concurrency", "combined"]


class Concurrency:
    """What functions of other packages do with what they are given.

    Args:
        frame: The function that calls them.
        calls: Calls what they call.
    """

    def __init__(self, frame: Frame, calls: Calls) -> None:
        self._frame = frame
        self._calls = calls

    def start(
        self,
        values: Values,
        node: ast.expr,
        state: PathState,
        *,
        owner: str = "",
        is_parallel: bool = False,
    ) -> Values:
        """Start what *values* are beside this code; return the work."""
        begun: set[Running] = set()
        for value in in_order(values):
            if isinstance(value, Running):
                begun.add(value)
            elif isinstance(value, Func | Awaitable | Generator):
                aside = state.copy()
                self._calls.call_to_end(value, node, aside, kind="escape")
                may, must = aside.may & ~state.may, aside.must & ~state.must
                begun.add(Running(may, must, owner, is_parallel))
        state.running |= begun
        for one in begun if is_parallel else ():
            state.may |= one.may
        return frozenset(begun)

    def finish(self, values: Iterable[Value], state: PathState) -> None:
        """Wait for the work among *values*."""
        for value in values:
            if isinstance(value, Running):
                state.may |= value.may
                state.must |= value.must
                state.running -= {value}

    def suspend(self, state: PathState) -> None:
        """Let tasks go on while this code waits for something else."""
        for running in state.running:
            state.may |= running.may

    def wait_for(self, values: Values, node: ast.expr, state: PathState) -> Values:
        """Await *values*."""
        coroutines = frozenset(v for v in values if isinstance(v, Awaitable))
        result = self._calls.call(coroutines, [], node, state)
        self.suspend(state)
        self.finish(values, state)
        others = (v for v in values if not isinstance(v, Awaitable | Running))
        return result | frozenset(others)

    def iterate(self, values: Values, node: ast.expr, state: PathState) -> Values:
        """Begin to iterate *values*; return the items."""
        calls, rests = self._calls, self._frame.rests
        rests += calls.consume(values, node, state)
        iterators = values
        for name in ("__iter__", "__aiter__"):
            made = calls.call_method(values, name, [], node, state)
            rests += calls.consume(made, node, state)
            iterators |= made
        for name in ("__next__", "__anext__"):
            item = calls.call_method(iterators, name, [], node, state)
            iterators |= self.wait_for(item, node, state) if item else NOTHING
        return iterators

    def call_known(  # noqa: C901, PLR0911  # one for each kind of function
        self, name: str, owner: str, given: Given, node: ast.expr, state: PathState
    ) -> Values | None:
        """Do what the function *name* is known to do; return None if it is unknown."""
        everything = NOTHING.union(*(values for _, values in given))
        if name in GATHER:
            return self._gather(given, node, state)
        if name in TASK:
            return self.start(everything, node, state, owner=owner)
        if name in PARALLEL:
            return self.start(everything, node, state, owner=owner, is_parallel=True)
        if name in AFTER_COMMIT:
            self._defer(everything, node, state)
            return NOTHING
        if name in NOW:
            self.finish(everything, state)
            self._now(name, everything, node, state)
            return everything if name == "sorted" else NOTHING
        if name in EXHAUST:
            items = self._exhaust(everything, name, node, state)
            return frozenset(t for t in items if not isinstance(t, Generator))
        if any(isinstance(value, Message) for value in everything):
            return combined(name, [values for _, values in given])
        if name in GIVE_BACK:
            return everything
        if name in COLLECT and not any(isinstance(t, Func) for t in everything):
            return everything
        if name in FINISH:
            self.finish(everything, state)
            return everything
        return None

    def _exhaust(
        self, values: Values, name: str, node: ast.expr, state: PathState
    ) -> Values:
        """Take every item of *values*, or with ``next`` one."""
        calls, rests = self._calls, self._frame.rests
        if name in {"next", "anext"}:
            made = calls.call_method(values, f"__{name}__", [], node, state)
            calls.go_on(calls.consume(values, node, state), state)
            return values | made
        before = len(rests)
        items = self.iterate(values, node, state)
        calls.go_on(rests[before:], state)
        del rests[before:]
        return items

    def _now(self, name: str, values: Values, node: ast.expr, state: PathState) -> None:
        calls = self._calls
        if name in {"run", "run_until_complete"}:
            for value in values:
                if isinstance(value, Awaitable):
                    calls.call(frozenset({value}), [], node, state, "escape")
            values = frozenset(v for v in values if not isinstance(v, Awaitable))
        calls.go_on(calls.consume(values, node, state), state)
        funcs = frozenset(v for v in values if isinstance(v, Func))
        calls.escape(funcs, node, state, when_known=True)

    def _gather(self, given: Given, node: ast.expr, state: PathState) -> Values:
        """Start each; one that never waits is done before the next begins."""
        begun = NOTHING
        for _, values in given:
            started = self.start(values, node, state)
            begun |= started
            if not any(_may_suspend(value) for value in values):
                self.finish(started, state)
        return begun

    def _defer(self, values: Values, node: ast.expr, state: PathState) -> None:
        """Register callbacks that run at the end of a transaction, in this order."""
        for value in in_order(values):
            aside = state.copy()
            aside.may |= ANYTHING | state.deferred
            aside.must |= state.deferred
            if isinstance(value, Message):
                self._calls.send(value, node, aside)
            elif isinstance(value, Func):
                self._calls.call_to_end(value, node, aside, kind="escape")
            state.deferred |= aside.must & ~state.must
            state.may |= aside.may & ~ANYTHING


def _may_suspend(value: Value) -> bool:
    if isinstance(value, Awaitable):
        return value.func.function.may_suspend
    return True


def combined(name: str, given: list[Values]) -> Values | None:
    """Return the message that messages are made into, as Celery's ``chain`` does."""
    parts = [[v for v in values if isinstance(v, Message)] for values in given]
    group = Message((frozenset(one for part in parts for one in part),))
    if name == "group":
        return frozenset({group})
    if name == "chord":
        first, *others = (Message((frozenset(part),)) for part in parts)
        return frozenset({Message(sum((one.stages for one in others), first.stages))})
    if name == "chain" and all(len(part) == 1 for part in parts):
        return frozenset({Message(sum((part[0].stages for part in parts), ()))})
    return NOTHING.union(*given) if name in GIVE_BACK - {"chain"} else None
