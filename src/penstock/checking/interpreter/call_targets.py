"""Which function a call calls, and what it does where nobody can tell."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .binding import handed_on
from .dynamic_lookup import Lookups
from .effects import ANYTHING
from .known_functions import COLLECT, FINISH, GIVE_BACK, KEEP, NEVER_POSSIBLE, SEND
from .values import NOTHING, Class, Foreign, Func, Instance, Running, Super

if TYPE_CHECKING:
    from .binding import Given
    from .effects import State
    from .values import Things

__all__ = ["Callees"]

_PROPERTIES = frozenset({"property", "cached_property"})


class Callees(Lookups):
    """The part of a reader that reads calls."""

    def read_call(self, node: ast.Call, state: State) -> Things:
        """Read a call."""
        func = node.func
        if isinstance(func, ast.Name) and func.id == "super":
            return self._super(node, state)
        if isinstance(func, ast.Attribute):
            base = self.value(func.value, state)
            held = NOTHING
            if isinstance(func.value, ast.Name):
                held = state.names.get(f"{func.value.id}.{func.attr}", NOTHING)
            things = self.attribute(base, func.attr, func) | held
            things = self._unwrapped(things, func, state)
        else:
            base = NOTHING
            things = self.value(func, state)
        given = self._given(node, state)
        called = frozenset(t for t in things if not isinstance(t, Foreign))
        if called and not _is_collection(func, base):
            result = self.call(called, given, func, state, "call")
            return result or self._returned(called)
        return self._unresolved(func, base, things, given, node, state)

    def _unwrapped(self, things: Things, node: ast.expr, state: State) -> Things:
        """Call the properties among *things*, and other descriptors."""
        got = self.protocol(things, "__get__", [], node, state)
        if got:
            things = got | {t for t in things if not isinstance(t, Instance)}
        properties = frozenset[Func](
            t
            for t in things
            if isinstance(t, Func)
            and isinstance(t.receiver, Instance)
            and t.function.decorators & _PROPERTIES
        )
        if not properties:
            return things
        result = self.call(properties, [], node, state, "call")
        return (things - properties) | (result or self._returned(properties))

    def _given(self, node: ast.Call, state: State) -> Given:
        given: Given = []
        for one in node.args:
            held = None
            if isinstance(one, ast.Starred):
                held = self._handed_on(one.value, "*")
            given += [(None, self.value(one, state))] if held is None else held
        for keyword in node.keywords:
            things = self.value(keyword.value, state)
            held = self._handed_on(keyword.value, "**") if not keyword.arg else None
            given += [(keyword.arg or "", things)] if held is None else held
        return given

    def _handed_on(self, node: ast.expr, stars: str) -> Given | None:
        """Return what the function's own ``*args`` or ``**kwargs`` hold, else None."""
        spec = self.body.func.function.node.args if self.body else None
        own = spec and (spec.vararg if stars == "*" else spec.kwarg)
        if not own or not isinstance(node, ast.Name) or node.id != own.arg:
            return None
        return handed_on(self.body.arguments, stars) if self.body else None

    def _unresolved(
        self,
        func: ast.expr,
        base: Things,
        things: Things,
        given: Given,
        node: ast.Call,
        state: State,
    ) -> Things:
        """Read a call of what this program does not define."""
        name = func.attr if isinstance(func, ast.Attribute) else ""
        foreign = next((t.name for t in things if isinstance(t, Foreign)), "")
        name = name or foreign.rpartition(".")[2].removesuffix("()")
        everything = NOTHING.union(*(one for _, one in given))
        special = self._special(foreign, node, state)
        if special is not None:
            return special
        if foreign.startswith("penstock.") and not foreign.endswith("bind_flow"):
            return frozenset({Foreign(f"{foreign}()")})
        if isinstance(func, ast.Attribute):
            done = self._method(func, base, name, everything, state)
            if done is not None:
                return done
        owner = ""
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            owner = func.value.id
        done = self.by_verb(name, owner, given, node, state)
        if done is not None:
            return done
        possible = self._possible(func, things, base, state)
        if possible:
            return self.call(possible, given, func, state, "possible")
        self.go_on(self.consume(everything, node, state), state)
        self.escape(everything, node, state)
        if isinstance(func, ast.Name) and func.id in self.local and not things:
            state.may |= ANYTHING  # a parameter that nothing tells about
        kept = everything if name in GIVE_BACK else NOTHING
        return kept | ({Foreign(f"{foreign}()")} if foreign else NOTHING)

    def _method(
        self,
        func: ast.Attribute,
        base: Things,
        name: str,
        everything: Things,
        state: State,
    ) -> Things | None:
        """Read a method of a collection, of a function, or of work that goes on."""
        if name in FINISH and any(isinstance(t, Running) for t in base):
            self.finish(base, state)
            return base
        if name in KEEP and not any(isinstance(t, Foreign) for t in base):
            self.go_on(self.consume(everything, func, state), state)
            self._keep(func.value, everything, state)
            return base | everything
        functions = frozenset(t for t in base if isinstance(t, Func))
        if not functions:
            return base if name in COLLECT and base else None
        if name in COLLECT:
            return base | everything
        if name in SEND:
            self.escape(functions, func, state)
            self.escape(everything, func, state)
            return functions
        return None

    def _possible(
        self, func: ast.expr, things: Things, base: Things, state: State
    ) -> Things:
        """Return the one step of that name; of several note that each may have run."""
        if not isinstance(func, ast.Attribute) or not self._is_unknown(base):
            return NOTHING
        if any(isinstance(t, Foreign) and not _is_result(t) for t in things):
            return NOTHING
        if func.attr in NEVER_POSSIBLE:
            return NOTHING
        named = self.engine.program.named.get(func.attr, [])
        steps = [one for one in named if one in self.engine.bits]
        real = [one for one in named if not one.is_abstract or one in steps]
        if len(steps) == 1 and real == steps:
            (one,) = steps
            receiver = Instance(one.klass) if one.klass else None
            return frozenset({Func(one, receiver)})
        for one in steps:
            state.may |= self.engine.bits[one]
        return NOTHING

    def _super(self, node: ast.Call, state: State) -> Things:
        function = self.body.func.function if self.body else None
        klass = function.klass if function else None
        if node.args:
            for thing in self.value(node.args[0], state):
                if isinstance(thing, Class):
                    klass = thing.klass
        if klass is None or self.body is None:
            return NOTHING
        return frozenset({Super(klass, self.body.func.receiver)})


def _is_result(thing: Foreign) -> bool:
    return "()" in thing.name


def _is_collection(func: ast.expr, base: Things) -> bool:
    """Tell whether a method is that of a collection of functions."""
    return (
        isinstance(func, ast.Attribute)
        and func.attr in SEND | COLLECT
        and any(isinstance(t, Func) for t in base)
    )
