"""Which ways the code may go: conditions, loops, exceptions."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING

from .effects import State, merged
from .expressions import Expressions
from .values import Class, Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from penstock.checking.project.files import Module

    from .effects import Body
    from .engine import Engine
    from .values import Things

__all__ = ["Branches"]

_For = ast.For | ast.AsyncFor
_Try = ast.Try | ast.TryStar


class _Loop:
    """The ways out of a loop's body, other than its end."""

    def __init__(self) -> None:
        self.breaks: list[State] = []
        self.continues: list[State] = []


class Branches(Expressions):
    """The part of a reader that follows every way."""

    returned: Things

    def __init__(self, engine: Engine, module: Module, body: Body | None) -> None:
        super().__init__(engine, module, body)
        self._ends: list[State] = []
        self._loops: list[_Loop] = []
        self._raised: list[list[State]] = []

    @abstractmethod
    def block(self, nodes: Iterable[ast.stmt], state: State) -> None:
        """Read statements; what comes after a return is not reached."""

    def read_if(self, node: ast.If, state: State) -> None:
        """Read ``if``."""
        self.value(node.test, state)
        yes, no = state.branch(), state.branch()
        self._narrow(node.test, yes)
        self.block(node.body, yes)
        self.block(node.orelse, no)
        state.become(merged([yes, no], certain=state.is_certain))

    def _narrow(self, test: ast.expr, state: State) -> None:
        """Learn from ``isinstance(name, Class)``."""
        if not (isinstance(test, ast.Call) and isinstance(test.func, ast.Name)):
            return
        if test.func.id != "isinstance" or len(test.args) != 2:  # noqa: PLR2004  # two
            return
        name, kinds = test.args
        if isinstance(name, ast.Name) and not state.names.get(name.id):
            classes = self.peek(kinds)
            state.names[name.id] = frozenset(
                Instance(t.klass) for t in classes if isinstance(t, Class)
            )

    def read_for(self, node: _For, state: State) -> None:
        """Read ``for``."""
        things = self.value(node.iter, state)
        before = len(self.rests)
        items = self.iterate(things, node.iter, state)
        rests = self.rests[before:]
        del self.rests[before:]
        is_async = isinstance(node, ast.AsyncFor)

        def head(inside: State) -> None:
            if is_async:
                self.suspend(inside)
            self.assign(node.target, items, inside)

        def between(inside: State) -> None:
            self.go_on(rests, inside)

        self._loop(node.body, node.orelse, state, head, between)
        between(state)

    def read_while(self, node: ast.While, state: State) -> None:
        """Read ``while``."""
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)

        def head(inside: State) -> None:
            self.value(node.test, inside)

        if not is_endless:
            self.value(node.test, state)
        self._loop(node.body, node.orelse, state, _nothing, head, is_endless=is_endless)

    def _loop(
        self,
        body: Sequence[ast.stmt],
        orelse: Sequence[ast.stmt],
        state: State,
        head: Callable[[State], None],
        between: Callable[[State], None],
        *,
        is_endless: bool = False,
    ) -> None:
        """Read a loop's body twice: for the first time around, and for any other."""
        entry, loop = state.copy(), _Loop()
        self._loops.append(loop)
        ends_before = len(self._ends)
        first = entry.copy()
        first.is_certain = entry.is_certain if entry.is_first else True
        first.is_first = True
        head(first)
        self.block(body, first)
        once = merged([first, *loop.continues], certain=False)
        again = merged([entry, once], certain=False)
        again.is_first, again.is_certain = entry.is_first, False
        between(again)
        head(again)
        self.block(body, again)
        self._loops.pop()
        ways = [once, merged([again, *loop.continues], certain=False)]
        after = merged([*([] if is_endless else [entry]), *ways], certain=False)
        if is_endless:
            after.is_alive = False
        after.is_first, after.is_certain = entry.is_first, entry.is_certain
        self.block(orelse, after)
        after = merged([after, *loop.breaks], certain=False)
        has_left = len(self._ends) > ends_before
        after.is_first = entry.is_first
        after.is_certain = entry.is_certain and not has_left
        state.become(after)

    def read_break(self, _node: ast.Break, state: State) -> None:
        """Read ``break``."""
        if self._loops:
            self._loops[-1].breaks.append(state.copy())
        state.is_alive = False

    def read_continue(self, _node: ast.Continue, state: State) -> None:
        """Read ``continue``."""
        if self._loops:
            self._loops[-1].continues.append(state.copy())
        state.is_alive = False

    def read_return(self, node: ast.Return, state: State) -> None:
        """Read ``return``."""
        self.returned |= self.value(node.value, state)
        self._ends.append(state.copy())
        state.is_alive = False

    def read_raise(self, node: ast.Raise, state: State) -> None:
        """Read ``raise``."""
        self.value(node.exc, state)
        self.value(node.cause, state)
        if self._raised:
            self._raised[-1].append(state.copy())
        state.is_alive = False

    def read_try(self, node: _Try, state: State) -> None:
        """Read ``try``: an exception may come after each statement in it."""
        entry, ends_before = state.copy(), len(self._ends)
        self._raised.append([])
        for one in node.body:
            if state.is_alive:
                self.block([one], state)
                self._raised[-1].append(state.copy())
        snapshots = self._raised.pop()
        for snapshot in snapshots:
            snapshot.is_alive = True
        failed = merged(snapshots or [entry], certain=False)
        failed.is_first, failed.is_certain = entry.is_first, False
        ways = [state.copy()]
        for handler in node.handlers:
            way = failed.copy()
            self.value(handler.type, way)
            self.block(handler.body, way)
            ways.append(way)
        self.block(node.orelse, ways[0])
        after = merged(ways, certain=entry.is_certain)
        if node.finalbody:
            self._finally(node.finalbody, [*ways, failed], after, ends_before)
        state.become(after)

    def _finally(
        self,
        body: Sequence[ast.stmt],
        ways: Sequence[State],
        after: State,
        ends_before: int,
    ) -> None:
        """Read what runs however the ``try`` ends."""
        is_alive, is_first = after.is_alive, after.is_first
        ends = self._ends[ends_before:]
        every = [way.copy() for way in (*ways, *ends)]
        for way in every:
            way.is_alive = True
        last = merged(every, certain=after.is_certain)
        last.is_first, last.is_certain = is_first, after.is_certain
        may, must = last.may, last.must
        self.block(body, last)
        for way in (*ends, after):
            way.may |= last.may & ~may
            way.must |= last.must & ~must
        after.is_alive = is_alive and last.is_alive
        after.names |= last.names

    def read_match(self, node: ast.Match, state: State) -> None:
        """Read ``match``."""
        things = self.value(node.subject, state)
        ways: list[State] = []
        left = state.branch()
        for case in node.cases:
            way = left.copy()
            for one in ast.walk(case.pattern):
                if isinstance(one, ast.MatchAs) and one.name:
                    self._name(one.name, things, way)
            self.value(case.guard, way)
            left = merged([left, way], certain=False)
            self.block(case.body, way)
            ways.append(way)
            if case.guard is None and _takes_all(case.pattern):
                break
        else:
            ways.append(left)
        state.become(merged(ways, certain=state.is_certain))


def _nothing(_state: State) -> None:
    pass


def _takes_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_takes_all, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None
