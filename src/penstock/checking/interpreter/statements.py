"""What a statement does, and in which order."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .branches import Branches
from .values import NOTHING, Class, Foreign, Func, Generator, Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .effects import State, Summary, Visits
    from .values import Things

__all__ = ["Statements"]

_Def = ast.FunctionDef | ast.AsyncFunctionDef
_With = ast.With | ast.AsyncWith


class Statements(Branches):
    """The part of a reader that reads statements."""

    visits: Visits

    def block(self, nodes: Iterable[ast.stmt], state: State) -> None:
        """Read statements; what comes after a return is not reached."""
        for node in nodes:
            if not state.is_alive:
                return
            self._statement(node, state)

    def _statement(self, node: ast.stmt, state: State) -> None:
        read = _STATEMENTS.get(type(node))
        if read is not None:
            read(self, node, state)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, state)

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
            self.go_on(rests, state)
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

    def read_def(self, node: _Def, state: State) -> None:
        """Read a function in this one: what it does counts when it is called."""
        function = self.engine.program.defined[node]
        things: Things = frozenset({Func(function, None, self.scope)})  # type: ignore[arg-type]  # a def defines no class
        for decorator in reversed(node.decorator_list):
            found = self.value(decorator, state)
            wrappers = frozenset(t for t in found if isinstance(t, Func | Class))
            made = self.call(wrappers, [(None, things)], decorator, state, "call")
            things = made or things
        self._name(node.name, things, state)

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


def _swallows(thing: Foreign) -> bool:
    return thing.name.endswith(("suppress()", "raises()"))


_STATEMENTS: dict[type[ast.stmt], Callable[..., None]] = {
    ast.Assign: Statements.read_assign,
    ast.AnnAssign: Statements.read_annotated,
    ast.AugAssign: Statements.read_augmented,
    ast.Return: Statements.read_return,
    ast.Raise: Statements.read_raise,
    ast.If: Statements.read_if,
    ast.For: Statements.read_for,
    ast.AsyncFor: Statements.read_for,
    ast.While: Statements.read_while,
    ast.Break: Statements.read_break,
    ast.Continue: Statements.read_continue,
    ast.Try: Statements.read_try,
    ast.TryStar: Statements.read_try,
    ast.With: Statements.read_with,
    ast.AsyncWith: Statements.read_with,
    ast.Match: Statements.read_match,
    ast.FunctionDef: Statements.read_def,
    ast.AsyncFunctionDef: Statements.read_def,
    ast.ClassDef: Statements.read_class,
    ast.Import: Statements.read_import,
    ast.ImportFrom: Statements.read_import,
}
