"""Read the body of one function: in which order may it call what?"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .effects import State, Summary, merged
from .expressions import Expressions
from .things import (
    NOTHING,
    Awaitable,
    Class,
    Foreign,
    Func,
    Generator,
    Instance,
    Scope,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .effects import Body, Visits
    from .engine import Engine
    from .program import Function
    from .source import Module
    from .things import Things

__all__ = ["Reader"]

_Def = ast.FunctionDef | ast.AsyncFunctionDef
_With = ast.With | ast.AsyncWith
_For = ast.For | ast.AsyncFor
_Try = ast.Try | ast.TryStar


class _Loop:
    """The ways out of a loop's body, other than its end."""

    def __init__(self) -> None:
        self.breaks: list[State] = []
        self.continues: list[State] = []


class Reader(Expressions):
    """Reads one function, or an expression of a module's global scope."""

    visits: Visits
    scope: Scope
    local: frozenset[str]
    rests: list[Summary]
    returned: Things

    def __init__(
        self, engine: Engine, module: Module, body: Body | None = None
    ) -> None:
        super().__init__(engine, module, body)
        self.scope = Scope(body.func.scope if body else None)
        self.local = body.func.function.locals if body else frozenset()
        self.rests = []
        self._ends: list[State] = []
        self._loops: list[_Loop] = []
        self._raised: list[list[State]] = []

    def read(self) -> Summary:
        """Return what one call of the function does."""
        assert self.body is not None  # noqa: S101  # without one there is no function
        function = self.body.func.function
        state = State()
        is_step = function in self.engine.bits
        if is_step:
            self._decorated(function, state)
        self._parameters(self.body, state)
        if isinstance(function.node, ast.Lambda):
            self.returned = self.value(function.node.body, state)
        else:
            self.block(function.node.body, state)
        end = merged([*self._ends, state], certain=True)
        if is_step and end.is_alive:
            kinds = (Func, Awaitable, Generator)
            handed = frozenset(t for t in self.returned if isinstance(t, kinds))
            self.escape(handed, _first_of(function), end)
            self.returned -= handed - {t for t in handed if isinstance(t, Func)}
        return self._summary(end)

    def block(self, nodes: Iterable[ast.stmt], state: State) -> None:
        """Read statements; what comes after a return is not reached."""
        for node in nodes:
            if not state.is_alive:
                return
            self._statement(node, state)

    def _summary(self, end: State) -> Summary:
        if self.first is None:
            return Summary(self.visits, end.may, end.must, self.returned, end.running)
        visits, may, must = self.first
        rest = Summary(self.visits, end.may, end.must, NOTHING, end.running)
        return Summary(visits, may, must, self.returned, frozenset(), rest)

    def _statement(self, node: ast.stmt, state: State) -> None:
        read = _STATEMENTS.get(type(node))
        if read is not None:
            read(self, node, state)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, state)

    def _decorated(self, function: Function, state: State) -> None:
        """Note what decorators other than ours are given to call."""
        if isinstance(function.node, ast.Lambda):
            return
        outer = self.engine.reader(function.module.name)
        for node in function.node.decorator_list:
            if isinstance(node, ast.Call) and not is_ours(outer.peek(node.func)):
                values = [*node.args, *(one.value for one in node.keywords)]
                for value in values:
                    self.escape(outer.peek(value), value, state)

    def _parameters(self, body: Body, state: State) -> None:
        func, known = body.func, dict(body.arguments)
        spec = func.function.node.args
        names = [*spec.posonlyargs, *spec.args]
        outer = self.engine.reader(self.module.name)
        defaults: dict[str, ast.expr | None] = {
            arg.arg: default
            for arg, default in (
                *zip(reversed(names), reversed(spec.defaults), strict=False),
                *zip(spec.kwonlyargs, spec.kw_defaults, strict=True),
            )
        }
        receiver = self._receiver(func)
        for place, arg in enumerate([*names, *spec.kwonlyargs]):
            things = known.get(arg.arg, NOTHING)
            if place == 0 and receiver is not None:
                things = frozenset({receiver})
            if not things:
                things = outer.annotated(arg.annotation)
                default = defaults.get(arg.arg)
                if default is not None:
                    things |= {
                        t for t in outer.peek(default) if not isinstance(t, Foreign)
                    }
            self._name(arg.arg, things, state)
        for extra in (spec.vararg, spec.kwarg):
            if extra is not None:
                self._name(extra.arg, known.get(extra.arg, NOTHING), state)

    def _receiver(self, func: Func) -> Instance | Class | None:
        klass = func.function.klass
        if func.receiver is not None or klass is None:
            return func.receiver
        if "staticmethod" in func.function.decorators:
            return None
        if "classmethod" in func.function.decorators:
            return Class(klass, is_exact=False)
        return Instance(klass)

    def _name(self, name: str, things: Things, state: State) -> None:
        state.names[name] = things
        self.scope.learn(name, things)

    def read_assign(self, node: ast.Assign, state: State) -> None:
        """Read ``a = b = value``."""
        things = self.value(node.value, state)
        for target in node.targets:
            both = isinstance(target, ast.Tuple), isinstance(node.value, ast.Tuple)
            if both == (True, True):
                self._pairwise(target, node.value, things, state)
            else:
                self.assign(target, things, state)

    def _pairwise(
        self, target: ast.expr, value: ast.expr, things: Things, state: State
    ) -> None:
        """Read ``a, b = one, other``."""
        targets = getattr(target, "elts", [])
        values = getattr(value, "elts", [])
        stars = any(isinstance(one, ast.Starred) for one in (*targets, *values))
        if stars or len(targets) != len(values):
            self.assign(target, things, state)
            return
        found = [self.peek_at(one, state) for one in values]
        for one, each in zip(targets, found, strict=True):
            self.assign(one, each, state)

    def peek_at(self, node: ast.expr, state: State) -> Things:
        """Return what *node* may stand for here, and note nothing."""
        kept, self.visits = self.visits, {}
        try:
            return self.value(node, state.copy())
        finally:
            self.visits = kept

    def read_annotated(self, node: ast.AnnAssign, state: State) -> None:
        """Read ``name: kind = value``."""
        things = self.value(node.value, state) or self.annotated(node.annotation)
        self.assign(node.target, things, state)

    def read_augmented(self, node: ast.AugAssign, state: State) -> None:
        """Read ``name += value``."""
        things = self.value(node.value, state)
        self._keep(node.target, things, state)

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
            self.go_on(rests, node.iter, inside)

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

    def read_try(self, node: _Try, state: State) -> None:
        """Read ``try``: an exception may come after each statement in it."""
        entry, ends_before = state.copy(), len(self._ends)
        self._raised.append([])
        for one in node.body:
            if state.is_alive:
                self._statement(one, state)
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

    def read_with(self, node: _With, state: State) -> None:
        """Read ``with``."""
        entered: list[tuple[Things, list[Summary], str, ast.expr]] = []
        is_async = isinstance(node, ast.AsyncWith)
        for item in node.items:
            things = self.value(item.context_expr, state)
            rests = self.consume(things, item.context_expr, state)
            result = self._enter(things, item.context_expr, state, "enter")
            if is_async:
                self.suspend(state)
            owner = ""
            if item.optional_vars is not None:
                self.assign(item.optional_vars, result, state)
                if isinstance(item.optional_vars, ast.Name):
                    owner = item.optional_vars.id
            entered.append((things, rests, owner, item.context_expr))
        before = state.copy()
        self.block(node.body, state)
        is_alive = state.is_alive
        state.is_alive = True  # the way out is always taken
        for things, rests, owner, at in reversed(entered):
            owned = [r for r in state.running if owner and r.owner == owner]
            self.finish(owned, state)
            self._enter(things, at, state, "exit")
            self.go_on(rests, at, state)
            if any(isinstance(t, Foreign) and _swallows(t) for t in things):
                state.must &= before.must
                is_alive = True
        state.is_alive = is_alive

    def _enter(self, things: Things, node: ast.expr, state: State, way: str) -> Things:
        """Call ``__enter__`` or ``__exit__``, or what is theirs in async code."""
        found = NOTHING
        for thing in things:
            if isinstance(thing, Instance):
                for name in (f"__{way}__", f"__a{way}__"):
                    methods = self.engine.methods(thing, name)
                    funcs = frozenset(Func(one, thing) for one in methods)
                    made = self.call(funcs, [], node, state, "call")
                    found |= self.wait_for(made, node, state) if made else NOTHING
            elif isinstance(thing, Generator):
                found |= self.engine.summary_of(thing).returns
        return found or frozenset(t for t in things if not isinstance(t, Generator))

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

    def read_def(self, node: _Def, state: State) -> None:
        """Read a function in this one: what it does counts when it is called."""
        for decorator in node.decorator_list:
            self.value(decorator, state)
        function = self.engine.program.defined[node]
        self._name(node.name, frozenset({Func(function, None, self.scope)}), state)  # type: ignore[arg-type]  # a def defines no class

    def read_class(self, node: ast.ClassDef, state: State) -> None:
        """Read a class in this function."""
        klass = self.engine.program.defined[node]
        self._name(node.name, frozenset({Class(klass)}), state)  # type: ignore[arg-type]  # it defines a class

    def read_import(self, node: ast.Import | ast.ImportFrom, state: State) -> None:
        """Read an import in a function."""
        for alias in node.names:
            name = (alias.asname or alias.name).partition(".")[0]
            found = self.engine.imported(self.module, node, alias)
            self._name(name, found, state)


def is_ours(things: Things) -> bool:
    """Tell whether a decorator is one of penstock."""
    return any(isinstance(t, Foreign) and t.name.startswith("penstock") for t in things)


def _first_of(function: Function) -> ast.expr:
    node = function.node
    place = ast.Constant(None)
    place.lineno, place.col_offset = node.lineno, node.col_offset
    return place


def _nothing(_state: State) -> None:
    pass


def _swallows(thing: Foreign) -> bool:
    return thing.name.endswith(("suppress()", "raises()"))


def _takes_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_takes_all, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


_STATEMENTS: dict[type[ast.stmt], Callable[..., None]] = {
    ast.Assign: Reader.read_assign,
    ast.AnnAssign: Reader.read_annotated,
    ast.AugAssign: Reader.read_augmented,
    ast.Return: Reader.read_return,
    ast.Raise: Reader.read_raise,
    ast.If: Reader.read_if,
    ast.For: Reader.read_for,
    ast.AsyncFor: Reader.read_for,
    ast.While: Reader.read_while,
    ast.Break: Reader.read_break,
    ast.Continue: Reader.read_continue,
    ast.Try: Reader.read_try,
    ast.TryStar: Reader.read_try,
    ast.With: Reader.read_with,
    ast.AsyncWith: Reader.read_with,
    ast.Match: Reader.read_match,
    ast.FunctionDef: Reader.read_def,
    ast.AsyncFunctionDef: Reader.read_def,
    ast.ClassDef: Reader.read_class,
    ast.Import: Reader.read_import,
    ast.ImportFrom: Reader.read_import,
}
