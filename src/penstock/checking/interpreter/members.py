"""What the attributes of objects, classes and modules may be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .annotations import Annotations
from .known_functions import PLAIN_ATTRIBUTES
from .values import NOTHING, Class, Foreign, Func, Instance, ModuleRef, Super

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from penstock.checking.project.definitions import Function, Klass

    from .values import Thing, Things

__all__ = ["Members"]


class Members(Annotations):
    """The part of a reader that knows what is where."""

    def attribute(self, things: Things, name: str, node: ast.Attribute) -> Things:
        """Return what ``.name`` of *things* may be.

        Of what another package gives back nothing is known here but where it came
        from; the resolver may know its class, and that this is one of the project.
        """
        found = NOTHING
        for thing in things:
            found |= self._attribute_of(thing, name)
        if self._is_unknown(things) and all(isinstance(t, Foreign) for t in found):
            return self._asked(node) or found
        return found

    def _asked(self, node: ast.Attribute) -> Things:
        return frozenset(
            Func(one, Instance(one.klass) if one.klass else None)
            for one in self.engine.asked(self.module, node) or ()
        )

    def _attribute_of(self, thing: object, name: str) -> Things:
        if isinstance(thing, ModuleRef):
            return self._global(thing.name, name)
        if isinstance(thing, Foreign):
            return frozenset({Foreign(f"{thing.name}.{name}")})
        if isinstance(thing, Func) and name in PLAIN_ATTRIBUTES:
            return frozenset({thing})
        if isinstance(thing, Super):
            return self._above(thing, name)
        if isinstance(thing, Instance | Class):
            return self._member(thing, name)
        return NOTHING

    def _global(self, module: str, name: str) -> Things:
        found = self.engine.global_value(module, name)
        if found is None and f"{module}.{name}" in self.engine.program.packages:
            return frozenset({ModuleRef(f"{module}.{name}")})
        return found or NOTHING

    def _above(self, thing: Super, name: str) -> Things:
        receiver = thing.receiver
        start = receiver.klass if receiver is not None else thing.klass
        order = list(self.engine.bases(start))
        if thing.klass in order:
            order = order[order.index(thing.klass) + 1 :]
        for klass in order:
            if name in klass.methods:
                method = klass.methods[name]
                return frozenset(
                    replace(one, receiver=receiver) if isinstance(one, Func) else one
                    for one in self.engine.decorated(method)
                )
        return NOTHING

    def _member(self, receiver: Instance | Class, name: str) -> Things:
        methods = self.engine.methods(receiver, name)
        if methods:
            return NOTHING.union(*(self._method_of(receiver, one) for one in methods))
        below = [] if receiver.is_exact else self.engine.below(receiver.klass)
        self._fill_attribute(receiver, name)
        found = self._held(receiver, below, name)
        for klass in (receiver.klass, *(k for k in below if name in k.values)):
            values = self.engine.class_value(klass, name)
            found |= {_bound(one, receiver) for one in values}
        return found

    def _held(
        self, receiver: Instance | Class, below: Iterable[Klass], name: str
    ) -> Things:
        """Return what the attribute was given, in a method or from outside."""
        if name not in self.engine.heap:
            return NOTHING
        holders: list[object] = [*self.engine.bases(receiver.klass), *below]
        if isinstance(receiver, Instance) and receiver.site is not None:
            holders.append(receiver.site)
        return NOTHING.union(*(self.engine.heap.get(one, name) for one in holders))

    def _method_of(self, receiver: Instance | Class, method: Function) -> Things:
        """Return a method as its decorators leave it, bound to its object."""
        if method.klass in self.engine.below(receiver.klass):
            receiver = replace(receiver, klass=method.klass, is_exact=False)
        to = _bound_to(method, receiver)
        return frozenset(
            replace(one, receiver=to)
            if isinstance(one, Func) and one.receiver is None
            else one
            for one in self.engine.decorated(method)
        )

    def _fill_attribute(self, receiver: Instance | Class, name: str) -> None:
        """Read the methods that set the attribute, if nobody has."""
        for klass in self.engine.bases(receiver.klass):
            for function in klass.setting.get(name, ()):
                self.engine.read_for_attributes(function, klass)

    def _is_unknown(self, things: Things) -> bool:
        """Tell whether the object is one that the resolver may know better."""
        for thing in things:
            if isinstance(thing, Foreign):
                if not thing.name.endswith("()"):
                    return False
            elif isinstance(thing, Instance | Class):
                if not self.engine.has_foreign_base(thing.klass):
                    return False
            elif not isinstance(thing, Super):
                return False
        return True

    def _names_of(self, thing: object) -> Iterable[str]:
        if isinstance(thing, ModuleRef):
            return self.engine.program.globals.get(thing.name, {})
        if isinstance(thing, Instance | Class):
            classes = [
                *self.engine.bases(thing.klass),
                *self.engine.below(thing.klass),
            ]
            names = (name for k in classes for name in (*k.methods, *k.values))
            return dict.fromkeys(names)  # in an order that is the same in each run
        return ()

    def _returned(self, called: Things) -> Things:
        """Return what the annotations of functions say that they give back."""
        found = NOTHING
        for thing in called:
            if isinstance(thing, Func):
                returns = getattr(thing.function.node, "returns", None)
                module = self.engine.reader(thing.function.module.name)
                found |= module.annotated(returns)
        return found


def _bound(thing: Thing, receiver: Instance | Class) -> Thing:
    """Bind a function that the body of a class has another name for."""
    if not isinstance(thing, Func) or thing.receiver or thing.function.klass is None:
        return thing
    return replace(thing, receiver=_bound_to(thing.function, receiver))


def _bound_to(
    function: Function, receiver: Instance | Class
) -> Instance | Class | None:
    if "staticmethod" in function.decorators:
        return None
    if "classmethod" in function.decorators and isinstance(receiver, Instance):
        return Class(receiver.klass, receiver.is_exact)
    if isinstance(receiver, Class) and "classmethod" not in function.decorators:
        return None
    return receiver
