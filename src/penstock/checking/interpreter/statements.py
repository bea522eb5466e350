"""What statements do, and which ways the code may go."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from penstock.checking.project.ast_walk import walk
from penstock.checking.project.functions_and_classes import Function, Klass, last_name

from .attributes import annotated
from .effects import PathState, merged
from .expressions import Expressions
from .nesting import MAX_DEPTH
from .values import NOTHING, Class, Foreign, Func, Generator, Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .effects import Frame, Summary
    from .interpreter import Interpreter
    from .values import Values

__all__ = ["Statements"]

_Def = ast.FunctionDef | ast.AsyncFunctionDef
_For = ast.For | ast.AsyncFor
_With = ast.With | ast.AsyncWith
_Try = ast.Try | ast.TryStar
_Import = ast.Import | ast.ImportFrom


class _Loop:
    """The ways out of a loop's body, other than its end."""

    def __init__(self) -> None:
        self.breaks: list[PathState] = []
        self.continues: list[PathState] = []


class Statements:
    """Reads the statements of one function.

    Attributes:
        expressions: Evaluates the expressions in the statements.
    """

    def __init__(self, interpreter: Interpreter, frame: Frame) -> None:
        self._interpreter = interpreter
        self._frame = frame
        self.expressions: Expressions = Expressions(interpreter, frame)
        self._calls = self.expressions.calls
        self._value = self.expressions.value
        self._loops: list[_Loop] = []
        self._raised: list[list[PathState]] = []

    def block(self, nodes: Iterable[ast.stmt], state: PathState) -> None:
        """Read statements; what follows a return is not reached."""
        interpreter = self._interpreter
        if interpreter.depth >= MAX_DEPTH:
            interpreter.give_up(state)
            return
        interpreter.depth += 1
        for node in nodes:
            if not state.is_alive:
                break
            read = self._readers.get(type(node))
            if read is not None:
                read(self, node, state)
                continue
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._value(child, state)
        interpreter.depth -= 1

    def _assign(self, node: ast.Assign, state: PathState) -> None:
        values = self._value(node.value, state)
        for target in node.targets:
            self.expressions.assign(target, values, state)

    def _assign_annotated(self, node: ast.AnnAssign, state: PathState) -> None:
        values = self._value(node.value, state)
        if not values:
            # Annotations of local names may use local imports.
            values = annotated(
                node.annotation, lambda one: self.expressions.peek(one, PathState())
            )
        self.expressions.assign(node.target, values, state)

    def _assign_augmented(self, node: ast.AugAssign, state: PathState) -> None:
        self.expressions.keep(node.target, self._value(node.value, state), state)

    def _with(self, node: _With, state: PathState) -> None:
        entered: list[tuple[Values, list[Summary], str, ast.expr]] = []
        for item in node.items:
            values = self._value(item.context_expr, state)
            rests = self._calls.consume(values, item.context_expr, state)
            result = self._enter(values, item.context_expr, state, "enter")
            if isinstance(node, ast.AsyncWith):
                self._calls.suspend(state)
            if item.optional_vars is not None:
                self.expressions.assign(item.optional_vars, result, state)
            owner = getattr(item.optional_vars, "id", "")
            entered.append((values, rests, owner, item.context_expr))
        before = state.copy()
        self.block(node.body, state)
        is_alive = state.is_alive
        state.is_alive = True  # the way out is always taken
        for values, rests, owner, at in reversed(entered):
            owned = [one for one in state.running if owner and one.owner == owner]
            self._calls.finish(owned, state)
            self._enter(values, at, state, "exit")
            self._calls.go_on(rests, state)
            if any(isinstance(one, Foreign) and _swallows(one) for one in values):
                state.must &= before.must
                is_alive = True
        state.is_alive = is_alive

    def _enter(
        self, values: Values, node: ast.expr, state: PathState, way: str
    ) -> Values:
        """Call ``__enter__`` or ``__exit__``, or their async counterparts."""
        found = NOTHING
        for value in values:
            if isinstance(value, Instance):
                for name in (f"__{way}__", f"__a{way}__"):
                    own: Values = frozenset({value})
                    made = self._calls.call_method(own, name, node, state)
                    if made:
                        found |= self._calls.wait_for(made, node, state)
            elif isinstance(value, Generator):
                found |= self._interpreter.summary_of(value).returns
        return found or frozenset(v for v in values if not isinstance(v, Generator))

    def _def(self, node: _Def, state: PathState) -> None:
        """Read a nested function: what it does counts when it is called."""
        function = self._interpreter.program.defined[node]
        assert isinstance(function, Function)  # noqa: S101  # a def is one
        values: Values = frozenset({Func(function, None, self._frame.scope)})
        for decorator in reversed(node.decorator_list):
            if last_name(decorator) == "wraps":
                continue  # it only copies the name of what it is given
            found = self._value(decorator, state)
            wrappers = frozenset(one for one in found if isinstance(one, Func | Class))
            made = self._calls.call(wrappers, [(None, values)], decorator, state)
            values = made or values
        self.expressions.bind(node.name, values, state)

    def _class(self, node: ast.ClassDef, state: PathState) -> None:
        klass = self._interpreter.program.defined[node]
        assert isinstance(klass, Klass)  # noqa: S101  # it defines one
        self.expressions.bind(node.name, frozenset({Class(klass)}), state)

    def _import(self, node: _Import, state: PathState) -> None:
        for alias in node.names:
            name = (alias.asname or alias.name).partition(".")[0]
            names = self._interpreter.names
            found = names.imported(self._frame.module, node, alias)
            self.expressions.bind(name, found, state)

    def _if(self, node: ast.If, state: PathState) -> None:
        """Read ``if`` and all of its ``elif``, and there may be hundreds."""
        ways: list[PathState] = []
        left = state.copy()
        while True:
            self._value(node.test, left)
            yes = left.branch()
            self._narrow(node.test, yes)
            self.block(node.body, yes)
            ways.append(yes)
            left.is_certain = False
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            node = node.orelse[0]
        self.block(node.orelse, left)
        state.become(merged([*ways, left], certain=state.is_certain))

    def _narrow(self, test: ast.expr, state: PathState) -> None:
        """Learn from ``isinstance(name, Class)`` what an unknown name is."""
        match test:
            case ast.Call(ast.Name("isinstance"), [ast.Name(name), kinds]) if (
                not state.names.get(name)
            ):
                classes = self.expressions.peek(kinds, PathState())
                state.names[name] = frozenset(
                    Instance(one.klass) for one in classes if isinstance(one, Class)
                )
            case _:
                pass

    def _for(self, node: _For, state: PathState) -> None:
        values = self._value(node.iter, state)
        items, rests = self._calls.iterate(values, node.iter, state)

        def head(inside: PathState) -> None:
            if isinstance(node, ast.AsyncFor):
                self._calls.suspend(inside)
            self.expressions.assign(node.target, items, inside)

        def between(inside: PathState) -> None:
            self._calls.go_on(rests, inside)

        self._loop(node.body, node.orelse, state, head, between)
        between(state)

    def _while(self, node: ast.While, state: PathState) -> None:
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)

        def head(inside: PathState) -> None:
            self._value(node.test, inside)

        if not is_endless:
            self._value(node.test, state)
        self._loop(node.body, node.orelse, state, _nothing, head, is_endless=is_endless)

    def _loop(
        self,
        body: Sequence[ast.stmt],
        orelse: Sequence[ast.stmt],
        state: PathState,
        head: Callable[[PathState], None],
        between: Callable[[PathState], None],
        *,
        is_endless: bool = False,
    ) -> None:
        """Read a loop's body twice: for the first iteration, and for any other."""
        entry, loop = state.copy(), _Loop()
        self._loops.append(loop)
        ends_before = len(self._frame.ends)
        first = entry.copy()
        first.is_certain = entry.is_certain if entry.is_first else True
        first.is_first = True
        head(first)
        self.block(body, first)
        once = merged([first, *loop.continues], certain=False)
        again = merged([entry, once], certain=False)
        again.is_first, again.is_certain = entry.is_first, False
        if self._interpreter.is_draft:
            again.may, again.must = entry.may, entry.must
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
        has_left = len(self._frame.ends) > ends_before
        after.is_first = entry.is_first
        after.is_certain = entry.is_certain and not has_left
        state.become(after)

    def _break(self, _node: ast.Break, state: PathState) -> None:
        if self._loops:
            self._loops[-1].breaks.append(state.copy())
        state.is_alive = False

    def _continue(self, _node: ast.Continue, state: PathState) -> None:
        if self._loops:
            self._loops[-1].continues.append(state.copy())
        state.is_alive = False

    def _return(self, node: ast.Return, state: PathState) -> None:
        self._frame.returned |= self._value(node.value, state)
        self._frame.ends.append(state.copy())
        state.is_alive = False

    def _raise(self, node: ast.Raise, state: PathState) -> None:
        self._value(node.exc, state)
        self._value(node.cause, state)
        if self._raised:
            self._raised[-1].append(state.copy())
        state.is_alive = False

    def _try(self, node: _Try, state: PathState) -> None:
        """Read ``try``: an exception may come after each statement in it."""
        entry, ends_before = state.copy(), len(self._frame.ends)
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
            self._value(handler.type, way)
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
        ways: Sequence[PathState],
        after: PathState,
        ends_before: int,
    ) -> None:
        """Read what runs however the ``try`` ends."""
        is_alive, is_first = after.is_alive, after.is_first
        ends = self._frame.ends[ends_before:]
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

    def _match(self, node: ast.Match, state: PathState) -> None:
        values = self._value(node.subject, state)
        ways: list[PathState] = []
        left = state.branch()
        for case in node.cases:
            way = left.copy()
            for one in walk(case.pattern):
                if isinstance(one, ast.MatchAs) and one.name:
                    self.expressions.bind(one.name, values, way)
            self._value(case.guard, way)
            left = merged([left, way], certain=False)
            self.block(case.body, way)
            ways.append(way)
            if case.guard is None and _takes_all(case.pattern):
                break
        else:
            ways.append(left)
        state.become(merged(ways, certain=state.is_certain))

    _readers: ClassVar[dict[type[ast.stmt], Callable[..., None]]] = {
        ast.Assign: _assign,
        ast.AnnAssign: _assign_annotated,
        ast.AugAssign: _assign_augmented,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.If: _if,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.While: _while,
        ast.Break: _break,
        ast.Continue: _continue,
        ast.Try: _try,
        ast.TryStar: _try,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Match: _match,
        ast.FunctionDef: _def,
        ast.AsyncFunctionDef: _def,
        ast.ClassDef: _class,
        ast.Import: _import,
        ast.ImportFrom: _import,
    }


def _nothing(_state: PathState) -> None:
    pass


def _swallows(value: Foreign) -> bool:
    return value.name.endswith(("suppress()", "raises()"))


def _takes_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_takes_all, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None
