"""What is kept where: in names, attributes and collections."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .values import NOTHING, Class, Func, Instance, ModuleRef, Running

if TYPE_CHECKING:
    from collections.abc import Callable

    from .calls import Calls
    from .effects import PathState
    from .frame import Frame
    from .interpreter import Interpreter
    from .values import Value, Values

__all__ = ["Assignments"]


class Assignments:
    """Assigns to names, attributes and collections.

    Args:
        interpreter: Keeps what attributes and global names are set to.
        frame: The function that assigns.
        calls: Records functions that are handed over.
        evaluate: Returns what an expression may stand for.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        frame: Frame,
        calls: Calls,
        evaluate: Callable[[ast.expr, PathState], Values],
    ) -> None:
        self._interpreter = interpreter
        self._frame = frame
        self._calls = calls
        self._evaluate = evaluate

    def assign(self, target: ast.expr, values: Values, state: PathState) -> None:
        """Give *values* to a name, or to whatever else stands on the left."""
        if isinstance(target, ast.Name):
            self.name(target.id, values, state)
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self.assign(one, values, state)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, values, state)
        elif isinstance(target, ast.Attribute):
            self._set(target, values, state)
        elif isinstance(target, ast.Subscript):
            self._evaluate(target.slice, state)
            self.keep(target.value, values, state)

    def name(self, name: str, values: Values, state: PathState) -> None:
        """Bind a name, which may be declared ``global``."""
        invocation = self._frame.invocation
        if invocation and name in invocation.func.function.global_names:
            self._interpreter.names.hold(self._frame.module.name, name, values)
        self._frame.bind(name, values, state)

    def keep(self, target: ast.expr, values: Values, state: PathState) -> None:
        """Add *values* to the collection *target*."""
        if isinstance(target, ast.Call) and isinstance(target.func, ast.Attribute):
            target = target.func.value  # one that another holds: table.get(key).append
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Attribute):
            holders = self._evaluate(target.value, state)
            owners = frozenset(self._owner(one, target.attr) for one in holders)
            self._hold(owners, target.attr, values, target, state)
        elif not isinstance(target, ast.Name) or not self._keep_in(
            target.id, values, state
        ):
            self._calls.escape(values, target, state)

    def _set(self, target: ast.Attribute, values: Values, state: PathState) -> None:
        """Set an attribute; setting a property is a call."""
        holders = self._evaluate(target.value, state)
        setters: set[Func] = set()
        for holder in holders:
            if isinstance(holder, Instance):
                classes = self._interpreter.classes.bases(holder.klass)
                own = (k.setters.get(target.attr) for k in classes)
                setters |= {Func(one, holder) for one in own if one is not None}
        if setters:
            self._calls.call(frozenset(setters), [(None, values)], target, state)
        else:
            self._hold(holders, target.attr, values, target, state)

    def _hold(
        self,
        holders: Values,
        name: str,
        values: Values,
        node: ast.expr,
        state: PathState,
    ) -> None:
        kept = frozenset(one for one in values if not isinstance(one, Running))
        is_ours = False
        for holder in holders:
            if isinstance(holder, Instance | Class):
                site = holder.site if isinstance(holder, Instance) else None
                self._interpreter.heap.add(site or holder.klass, name, kept)
                is_ours = True
            elif isinstance(holder, ModuleRef):
                self._interpreter.names.hold(holder.name, name, kept)
                is_ours = True
        if not is_ours:
            self._calls.escape(values, node, state)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            state.names[f"{node.value.id}.{name}"] = values

    def _owner(self, holder: Value, name: str) -> Value:
        """Return the class that has the collection *name*, if it is that of a class."""
        if isinstance(holder, Instance | Class):
            for klass in self._interpreter.classes.bases(holder.klass):
                if name in klass.values:
                    return Class(klass)
        return holder

    def _keep_in(self, name: str, values: Values, state: PathState) -> bool:
        """Add *values* to the collection *name*; return whether it is known."""
        frame = self._frame
        known = state.names.get(name, NOTHING)
        if name in frame.local or known:
            frame.bind(name, known | values, state)
            return True
        owner = frame.scope.owner(name)
        if owner is not None:
            owner.learn(name, values)
            return True
        home = self._interpreter.names.home(frame.module.name, name)
        if home is not None:
            self._interpreter.names.hold(*home, values)
        return home is not None
