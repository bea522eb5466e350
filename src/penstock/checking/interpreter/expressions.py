"""What an expression stands for, and what is called while it is worked out."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .call_targets import Callees
from .effects import State, merged
from .values import NOTHING, Foreign, Func

if TYPE_CHECKING:
    from collections.abc import Callable

    from .effects import Visits
    from .values import Things

__all__ = ["Expressions"]

_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions(Callees):
    """The part of a reader that reads expressions.

    Attributes:
        returned: What the function may give back.
        first: What was found up to the first yield.
    """

    visits: Visits
    returned: Things = NOTHING
    first: tuple[Visits, int, int] | None = None

    def value(self, node: ast.expr | None, state: State) -> Things:
        """Work out *node*: note what is called, return what it may stand for."""
        if node is None or isinstance(node, ast.Constant):
            return NOTHING
        read = _READERS.get(type(node))
        if read is not None:
            return read(self, node, state)
        found = NOTHING
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                found |= self.value(child, state)
        return found

    def read_name(self, node: ast.Name, state: State) -> Things:
        """Return what a name stands for."""
        if node.id in state.names:
            return state.names[node.id]
        if node.id in self.local:
            return self.scope.seen.get(node.id, NOTHING)
        outer = self.scope.find(node.id)
        if outer is not None:
            return outer
        known = self.engine.global_value(self.module.name, node.id)
        if known is None:
            return frozenset({Foreign(f"builtins.{node.id}")})
        return known

    def read_attribute(self, node: ast.Attribute, state: State) -> Things:
        """Return what an attribute is; a property is called for it."""
        held = NOTHING
        if isinstance(node.value, ast.Name):
            held = state.names.get(f"{node.value.id}.{node.attr}", NOTHING)
        things = self.attribute(self.value(node.value, state), node.attr, node) | held
        return self._unwrapped(things, node, state)

    def read_lambda(self, node: ast.Lambda, _state: State) -> Things:
        """Return the function that a lambda is."""
        function = self.engine.program.defined[node]
        return frozenset({Func(function, None, self.scope)})  # type: ignore[arg-type]  # a lambda defines no class

    def read_named(self, node: ast.NamedExpr, state: State) -> Things:
        """Read ``name := value``."""
        things = self.value(node.value, state)
        self.assign(node.target, things, state)
        return things

    def read_choice(self, node: ast.IfExp, state: State) -> Things:
        """Read ``one if test else other``."""
        self.value(node.test, state)
        yes, no = state.branch(), state.branch()
        found = self.value(node.body, yes) | self.value(node.orelse, no)
        state.become(merged([yes, no], certain=state.is_certain))
        return found

    def read_bool(self, node: ast.BoolOp, state: State) -> Things:
        """Read ``and`` and ``or``: only the first is sure to be looked at."""
        first, *others = node.values
        found = self.value(first, state)
        ways = [state.copy()]
        way = state.branch()
        for other in others:
            found |= self.value(other, way)
            ways.append(way.copy())
        state.become(merged(ways, certain=state.is_certain))
        return found

    def read_compare(self, node: ast.Compare, state: State) -> Things:
        """Read a comparison; ``in`` asks the object on its right."""
        left = self.value(node.left, state)
        for kind, one in zip(node.ops, node.comparators, strict=True):
            things = self.value(one, state)
            if isinstance(kind, ast.In | ast.NotIn):
                self.protocol(things, "__contains__", [(None, left)], one, state)
            left = things
        return NOTHING

    def read_await(self, node: ast.Await, state: State) -> Things:
        """Read ``await``."""
        return self.wait_for(self.value(node.value, state), node.value, state)

    def read_comprehension(self, node: _Comprehension, state: State) -> Things:
        """Read a comprehension: a loop."""
        inner = state.branch()
        ways = [state.copy()]
        for part in node.generators:
            items = self.iterate(self.value(part.iter, inner), part.iter, inner)
            ways.append(inner.copy())
            inner.is_first, inner.is_certain = (
                True,
                inner.is_certain or not (inner.is_first),
            )
            self.assign(part.target, items, inner)
            for test in part.ifs:
                self.value(test, inner)
                inner.is_certain = False
        found = self._items(node, inner)
        ways.append(inner.copy())
        again = merged(ways, certain=False)
        again.is_first, again.is_certain = state.is_first, False
        for part in node.generators:
            for test in part.ifs:
                self.value(test, again)
        found |= self._items(node, again)
        after = merged([*ways, again], certain=state.is_certain)
        after.is_first, after.is_certain = state.is_first, state.is_certain
        state.become(after)
        return found

    def _items(self, node: _Comprehension, state: State) -> Things:
        if isinstance(node, ast.DictComp):
            return self.value(node.key, state) | self.value(node.value, state)
        return self.value(node.elt, state)

    def read_text(self, node: ast.JoinedStr, state: State) -> Things:
        """Read an f-string."""
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.value(part.value, state)
                self.value(part.format_spec, state)
        return NOTHING

    def read_yield(self, node: ast.Yield, state: State) -> Things:
        """Read ``yield``: what it gives is for whoever iterates."""
        self.returned |= self.value(node.value, state)
        self._split(state)
        return NOTHING

    def read_yield_from(self, node: ast.YieldFrom, state: State) -> Things:
        """Read ``yield from``."""
        rests = self.consume(self.value(node.value, state), node.value, state)
        self._split(state)
        self.go_on(rests, state)
        return NOTHING

    def _split(self, state: State) -> None:
        """Keep what was found so far apart from what comes after the first yield."""
        if self.first is None:
            self.first = self.visits, state.may, state.must
            self.visits = {}


_READERS: dict[type[ast.expr], Callable[..., Things]] = {
    ast.Name: Expressions.read_name,
    ast.Attribute: Expressions.read_attribute,
    ast.Call: Expressions.read_call,
    ast.Subscript: Expressions.read_subscript,
    ast.Lambda: Expressions.read_lambda,
    ast.NamedExpr: Expressions.read_named,
    ast.IfExp: Expressions.read_choice,
    ast.BoolOp: Expressions.read_bool,
    ast.Compare: Expressions.read_compare,
    ast.Await: Expressions.read_await,
    ast.ListComp: Expressions.read_comprehension,
    ast.SetComp: Expressions.read_comprehension,
    ast.GeneratorExp: Expressions.read_comprehension,
    ast.DictComp: Expressions.read_comprehension,
    ast.JoinedStr: Expressions.read_text,
    ast.Yield: Expressions.read_yield,
    ast.YieldFrom: Expressions.read_yield_from,
}
