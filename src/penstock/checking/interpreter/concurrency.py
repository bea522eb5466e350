"""Work that goes on beside the code: tasks, threads, and what runs them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from .calls import Calls
from .known_functions import (
    COLLECT,
    EXHAUST,
    FINISH,
    GATHER,
    GIVE_BACK,
    NOW,
    PARALLEL,
    TASK,
)
from .values import (
    NOTHING,
    Awaitable,
    Func,
    Generator,
    Running,
    in_order,
)

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from .binding import Given
    from .effects import State, Summary
    from .values import Thing, Things

__all__ = ["Work"]


class Work(Calls):
    """The part of a reader that knows what others do with what they are given.

    Attributes:
        rests: What generators that are being iterated have left to do.
    """

    rests: list[Summary]

    def start(
        self,
        things: Things,
        node: ast.expr,
        state: State,
        *,
        owner: str = "",
        is_parallel: bool = False,
        is_escape: bool = True,
    ) -> Things:
        """Begin what *things* are beside this code; return the work."""
        begun: set[Thing] = set()
        for thing in in_order(things):
            if isinstance(thing, Running):
                begun.add(thing)
            elif isinstance(thing, Func | Awaitable | Generator):
                aside = state.copy()
                before = aside.may, aside.must
                self._all_of(thing, node, aside, is_escape=is_escape)
                begun.add(Running(*_gained(before, aside), owner, is_parallel))
        state.running |= {one for one in begun if isinstance(one, Running)}
        if is_parallel:
            for one in begun:
                if isinstance(one, Running):
                    state.may |= one.may
        return frozenset(begun)

    def finish(self, things: Iterable[Thing], state: State) -> None:
        """Wait for the work among *things*."""
        for thing in things:
            if isinstance(thing, Running):
                state.may |= thing.may
                state.must |= thing.must
                state.running -= {thing}

    def suspend(self, state: State) -> None:
        """Let tasks go on while this code waits for something else."""
        for running in state.running:
            state.may |= running.may

    def wait_for(self, things: Things, node: ast.expr, state: State) -> Things:
        """Await *things*."""
        coroutines = frozenset(t for t in things if isinstance(t, Awaitable))
        result = self.call(coroutines, [], node, state, "call")
        self.suspend(state)
        self.finish(things, state)
        others = (t for t in things if not isinstance(t, Awaitable | Running))
        return result | frozenset(others)

    def by_verb(  # noqa: PLR0911  # one for each kind of verb
        self, name: str, owner: str, given: Given, node: ast.expr, state: State
    ) -> Things | None:
        """Do what a function of another package is known to do; None if it is not."""
        everything = NOTHING.union(*(things for _, things in given))
        if name in GATHER:
            return self._gather(given, node, state)
        if name in TASK:
            return self.start(everything, node, state, owner=owner, is_escape=True)
        if name in PARALLEL:
            return self.start(everything, node, state, owner=owner, is_parallel=True)
        if name in NOW:
            self.finish(everything, state)
            self._now(name, everything, node, state)
            return everything if name == "sorted" else NOTHING
        if name in EXHAUST:
            items = self.exhaust(everything, name, node, state)
            return frozenset(t for t in items if not isinstance(t, Generator))
        if name in GIVE_BACK:
            return everything
        if name in COLLECT and not any(isinstance(t, Func) for t in everything):
            return everything
        if name in FINISH:
            self.finish(everything, state)
            return everything
        return None

    @abstractmethod
    def iterate(self, things: Things, node: ast.expr, state: State) -> Things:
        """Begin to iterate *things*; return the items."""

    def exhaust(
        self, things: Things, name: str, node: ast.expr, state: State
    ) -> Things:
        """Take every item of *things*, or with ``next`` one."""
        if name in {"next", "anext"}:
            made = self.protocol(things, f"__{name}__", [], node, state)
            self.go_on(self.consume(things, node, state), state)
            return things | made
        before = len(self.rests)
        items = self.iterate(things, node, state)
        self.go_on(self.rests[before:], state)
        del self.rests[before:]
        return items

    def _now(self, name: str, things: Things, node: ast.expr, state: State) -> None:
        if name in {"run", "run_until_complete"}:
            for thing in things:
                if isinstance(thing, Awaitable):
                    self.call(frozenset({thing}), [], node, state, "escape")
            things = frozenset(t for t in things if not isinstance(t, Awaitable))
        self.go_on(self.consume(things, node, state), state)
        funcs = frozenset(t for t in things if isinstance(t, Func))
        self.escape(funcs, node, state, when_known=True)

    def _gather(self, given: Given, node: ast.expr, state: State) -> Things:
        """Start each; one that never waits is done before the next begins."""
        begun = NOTHING
        for _, things in given:
            started = self.start(things, node, state, is_escape=True)
            begun |= started
            if not any(_may_suspend(thing) for thing in things):
                self.finish(started, state)
        return begun


def _may_suspend(thing: Thing) -> bool:
    if isinstance(thing, Awaitable):
        return thing.func.function.may_suspend
    return True


def _gained(before: tuple[int, int], after: State) -> tuple[int, int]:
    return after.may & ~before[0], after.must & ~before[1]
