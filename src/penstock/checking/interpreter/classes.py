"""The classes of the program: what each derives from, and its methods."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .nesting import once
from .values import Class

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function, Klass
    from penstock.checking.project.program import Program

    from .values import Instance, Values

__all__ = ["Classes"]

_PLAIN_BASES = {"object", "ABC", "Protocol", "Generic"}


class Classes:
    """Which class derives from which."""

    def __init__(
        self, program: Program, evaluate: Callable[[Module, ast.expr], Values]
    ) -> None:
        self._program = program
        self._evaluate = evaluate
        self._bases: dict[Klass, tuple[Klass, ...]] = {}
        self._below: dict[None, dict[Klass, list[Klass]]] = {}
        self._methods: dict[tuple[Klass, bool, str], list[Function]] = {}
        self._foreign: dict[Klass, bool] = {}

    def bases(self, klass: Klass) -> tuple[Klass, ...]:
        """Return the class and those that it derives from, nearest first."""
        return once(self._bases, klass, (klass,), lambda: self._find_bases(klass))

    def _find_bases(self, klass: Klass) -> tuple[Klass, ...]:
        found = [klass]
        for node in klass.node.bases:
            for value in self._evaluate(klass.module, node):
                if isinstance(value, Class):
                    found += [k for k in self.bases(value.klass) if k not in found]
        return tuple(found)

    def has_foreign_base(self, klass: Klass) -> bool:
        """Return whether a class outside the project may add to it."""
        if klass not in self._foreign:
            self._foreign[klass] = self._has_foreign_base(klass)
        return self._foreign[klass]

    def _has_foreign_base(self, klass: Klass) -> bool:
        for base in self.bases(klass):
            for node in base.node.bases:
                made = node.value if isinstance(node, ast.Subscript) else node
                name = getattr(made, "attr", getattr(made, "id", ""))
                known = self._evaluate(base.module, made)
                if name not in _PLAIN_BASES and not any(
                    isinstance(value, Class) for value in known
                ):
                    return True
        return False

    def below(self, klass: Klass) -> list[Klass]:
        """Return the classes of the project that derive from *klass*."""
        return once(self._below, None, {}, self._find_below).get(klass, [])

    def _find_below(self) -> dict[Klass, list[Klass]]:
        found: dict[Klass, list[Klass]] = {}
        for other in self._program.classes.values():
            for base in self.bases(other)[1:]:
                found.setdefault(base, []).append(other)
        return found

    def may_be(self, receiver: Instance | Class) -> list[Klass]:
        """Return the classes of the project that *receiver* may be, or be of."""
        below = [] if receiver.is_exact else self.below(receiver.klass)
        return [receiver.klass, *below]

    def overrides(
        self, method: Function, steps: Container[Function]
    ) -> Iterator[Function]:
        """Yield what classes below that of *method* have in its place.

        Where another of *steps* stands between, that one is overridden.
        """
        name = method.name
        for klass in self.below(method.klass) if method.klass else ():
            held = (
                one.methods[name] for one in self.bases(klass) if name in one.methods
            )
            if next((one for one in held if one in steps), None) is method:
                yield from self._inherited(klass, name)

    def methods(self, receiver: Instance | Class, name: str) -> list[Function]:
        """Return the functions that *name* may be: one, or its overrides as well."""
        key = (receiver.klass, receiver.is_exact, name)
        if key not in self._methods:
            self._methods[key] = self._find_methods(receiver, name)
        return self._methods[key]

    def _find_methods(self, receiver: Instance | Class, name: str) -> list[Function]:
        found = self._inherited(receiver.klass, name)
        if not receiver.is_exact:
            below = self.below(receiver.klass)
            found += [one for k in below for one in self._inherited(k, name)]
        found = list(dict.fromkeys(found))
        return [one for one in found if not self._is_filled(one, found)] or found

    def _inherited(self, klass: Klass, name: str) -> list[Function]:
        for one in self.bases(klass):
            if name in one.methods:
                return [one.methods[name]]
            if one.values.get(name):
                break  # something else stands in its place
        return []

    def _is_filled(self, method: Function, others: list[Function]) -> bool:
        """Return whether one of *others* is the body that *method* leaves to it."""
        return method.is_abstract and any(
            one is not method and one.klass and method.klass in self.bases(one.klass)
            for one in others
        )
