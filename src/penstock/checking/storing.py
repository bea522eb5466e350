"""What is kept where: in names, attributes and collections."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING

from .effects import State
from .members import Members
from .things import NOTHING, Class, Func, Instance, Running, Scope

if TYPE_CHECKING:
    from .effects import Summary
    from .things import Things

__all__ = ["Storing"]


class Storing(Members):
    """The part of a reader that knows assignments.

    Attributes:
        scope: Names, for the functions that are defined in this one.
        local: Names that are this function's own.
        rests: What generators that are being iterated have left to do.
    """

    scope: Scope
    local: frozenset[str] = frozenset()
    rests: list[Summary]

    @abstractmethod
    def value(self, node: ast.expr | None, state: State) -> Things:
        """Work out *node*: note what is called, return what it may stand for."""

    def peek(self, node: ast.expr) -> Things:
        """Return what *node* may stand for, and note nothing."""
        kept, self.visits = self.visits, {}
        try:
            return self.value(node, State())
        finally:
            self.visits = kept

    def assign(self, target: ast.expr, things: Things, state: State) -> None:
        """Give *things* to a name, or to whatever else is on the left."""
        if isinstance(target, ast.Name):
            self._name(target.id, things, state)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self.assign(one, things, state)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, things, state)
        elif isinstance(target, ast.Attribute):
            holders = self.value(target.value, state)
            self._hold(holders, target.attr, things, target, state)
        elif isinstance(target, ast.Subscript):
            self.value(target.slice, state)
            self._keep(target.value, things, state)

    def iterate(self, things: Things, node: ast.expr, state: State) -> Things:
        """Begin to iterate *things*; return the items."""
        self.rests += self.consume(things, node, state)
        for thing in things:
            if isinstance(thing, Instance):
                for name in ("__iter__", "__aiter__"):
                    found = self.engine.methods(thing, name)
                    funcs = frozenset(Func(one, thing) for one in found)
                    made = self.call(funcs, [], node, state, "call")
                    self.rests += self.consume(made, node, state)
                    things |= made
        return things

    def _hold(
        self,
        holders: Things,
        name: str,
        things: Things,
        node: ast.expr,
        state: State,
    ) -> None:
        kept = frozenset(t for t in things if not isinstance(t, Running))
        is_ours = False
        for holder in holders:
            if isinstance(holder, Instance | Class):
                site = holder.site if isinstance(holder, Instance) else None
                self.engine.hold(site or holder.klass, name, kept)
                is_ours = True
        if not is_ours:
            self.escape(things, node, state)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            state.names[f"{node.value.id}.{name}"] = things

    def _keep(self, target: ast.expr, things: Things, state: State) -> None:
        """Add *things* to the collection *target*."""
        if isinstance(target, ast.Name):
            known = state.names.get(target.id, NOTHING)
            if target.id in self.local or known:
                state.names[target.id] = known | things
                self.scope.learn(target.id, things)
                return
        elif isinstance(target, ast.Attribute):
            self._hold(
                self.value(target.value, state), target.attr, things, target, state
            )
            return
        self.escape(things, target, state)

    def _name(self, name: str, things: Things, state: State) -> None:
        state.names[name] = things
        self.scope.learn(name, things)
