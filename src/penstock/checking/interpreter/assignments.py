"""What is kept where: in names, attributes and collections."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING

from .effects import State
from .members import Members
from .values import NOTHING, Class, Func, Instance, ModuleRef, Running, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .binding import Given
    from .effects import Summary, Visits
    from .values import Thing, Things

__all__ = ["Storing"]


class Storing(Members):
    """The part of a reader that knows assignments.

    Attributes:
        scope: Names, for the functions that are defined in this one.
        local: Names that are this function's own.
    """

    visits: Visits
    rests: list[Summary]
    scope: Scope
    local: frozenset[str] = frozenset()

    @abstractmethod
    def value(self, node: ast.expr | None, state: State) -> Things:
        """Work out *node*: note what is called, return what it may stand for."""

    def peek(self, node: ast.expr, names: Mapping[str, Things] | None = None) -> Things:
        """Return what *node* may stand for, and note nothing.

        Args:
            node: An expression.
            names: What names stand for that are not the module's.
        """
        kept, self.visits = self.visits, {}
        try:
            return self.value(node, State(names=dict(names or {})))
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
            self._set(holders, target.attr, things, target, state)
        elif isinstance(target, ast.Subscript):
            key = self.value(target.slice, state)
            given: Given = [(None, key), (None, things)]
            base = self.value(target.value, state)
            self.protocol(base, "__setitem__", given, target, state)
            self._keep(target.value, things, state)

    def iterate(self, things: Things, node: ast.expr, state: State) -> Things:
        """Begin to iterate *things*; return the items."""
        self.rests += self.consume(things, node, state)
        iterators = things
        for name in ("__iter__", "__aiter__"):
            made = self.protocol(things, name, [], node, state)
            self.rests += self.consume(made, node, state)
            iterators |= made
        for name in ("__next__", "__anext__"):
            item = self.protocol(iterators, name, [], node, state)
            iterators |= self.wait_for(item, node, state) if item else NOTHING
        return iterators

    def _set(
        self,
        holders: Things,
        name: str,
        things: Things,
        node: ast.Attribute,
        state: State,
    ) -> None:
        """Set an attribute; that of a property is a call."""
        setters: set[Thing] = set()
        for holder in holders:
            if isinstance(holder, Instance):
                classes = self.engine.bases(holder.klass)
                own = (k.setters[name] for k in classes if name in k.setters)
                setters |= {Func(one, holder) for one in own}
        if setters:
            self.call(frozenset(setters), [(None, things)], node, state, "call")
        else:
            self._hold(holders, name, things, node, state)

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
            elif isinstance(holder, ModuleRef):
                self.engine.hold_global(holder.name, name, kept)
                is_ours = True
        if not is_ours:
            self.escape(things, node, state)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            state.names[f"{node.value.id}.{name}"] = things

    def _keep(self, target: ast.expr, things: Things, state: State) -> None:
        """Add *things* to the collection *target*."""
        if isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            target = target.func.value  # one that another holds: table.get(key).append
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Attribute):
            holders = self.value(target.value, state)
            owners = frozenset(self._owner(one, target.attr) for one in holders)
            self._hold(owners, target.attr, things, target, state)
        elif not isinstance(target, ast.Name) or not self._keep_in(
            target.id, things, state
        ):
            self.escape(things, target, state)

    def _owner(self, holder: Thing, name: str) -> Thing:
        """Return the class that has the collection *name*, if it is that of a class."""
        if isinstance(holder, Instance | Class):
            for klass in self.engine.bases(holder.klass):
                if name in klass.values:
                    return Class(klass)
        return holder

    def _keep_in(self, name: str, things: Things, state: State) -> bool:
        """Add *things* to a collection that has a name; tell whether it is known."""
        known = state.names.get(name, NOTHING)
        if name in self.local or known:
            state.names[name] = known | things
            self.scope.learn(name, things)
            return True
        owner = self.scope.owner(name)
        if owner is not None:
            owner.learn(name, things)
            return True
        home = self.engine.home(self.module.name, name)
        if home is not None:
            self.engine.hold_global(*home, things)
        return home is not None

    def _name(self, name: str, things: Things, state: State) -> None:
        function = self.body.func.function if self.body else None
        if function is not None and name in function.global_names:
            self.engine.hold_global(self.module.name, name, things)
        state.names[name] = things
        self.scope.learn(name, things)
