"""The classes of the program: what is above and below each, and their methods."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from .values import Class, Instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.checking.project.definitions import Function, Klass
    from penstock.checking.project.program import Program

    from .effects import Summary
    from .values import Things

__all__ = ["Classes", "Reading"]


class Reading(Protocol):
    """Reads one function, or an expression of a module's global scope."""

    def read(self) -> Summary:
        """Return what one call of the function does."""
        ...

    def peek(self, node: ast.expr, names: Mapping[str, Things] | None = None) -> Things:
        """Return what *node* may stand for, and note nothing.

        Args:
            node: An expression.
            names: What names stand for that are not the module's.
        """
        ...

    def run(self, nodes: Iterable[ast.stmt]) -> None:
        """Read statements of the module for what they leave in names and objects."""
        ...

    def applied(self, things: Things, given: Things, node: ast.expr) -> Things:
        """Return what a decorator gives back for what it is *given*."""
        ...

    def annotated(self, node: ast.expr | None, aliases: int = 0) -> Things:
        """Return the objects that an annotation allows."""
        ...


class Classes(ABC):
    """Who derives from whom.

    Attributes:
        program: What there is.
    """

    def __init__(self, program: Program) -> None:
        self.program: Program = program
        self._bases: dict[Klass, tuple[Klass, ...]] = {}
        self._below: dict[Klass, list[Klass]] | None = None
        self._methods: dict[tuple[Klass, bool, str], list[Function]] = {}
        self._foreign: dict[Klass, bool] = {}

    @abstractmethod
    def reader(self, module: str) -> Reading:
        """Return a reader of the global scope of a module."""

    def bases(self, klass: Klass) -> tuple[Klass, ...]:
        """Return the class and those above it, nearest first."""
        if klass not in self._bases:
            self._bases[klass] = (klass,)  # while it is worked out
            found = [klass]
            reader = self.reader(klass.module.name)
            for node in klass.node.bases:
                for thing in reader.peek(node):
                    if isinstance(thing, Class):
                        found += [k for k in self.bases(thing.klass) if k not in found]
            self._bases[klass] = tuple(found)
        return self._bases[klass]

    def has_foreign_base(self, klass: Klass) -> bool:
        """Tell whether a class that is not read here may add to it."""
        if klass not in self._foreign:
            self._foreign[klass] = self._has_foreign_base(klass)
        return self._foreign[klass]

    def _has_foreign_base(self, klass: Klass) -> bool:
        for base in self.bases(klass):
            for node in base.node.bases:
                name = node.attr if isinstance(node, ast.Attribute) else ""
                name = node.id if isinstance(node, ast.Name) else name
                known = self.reader(base.module.name).peek(node)
                if name not in {"object", "ABC", "Protocol", "Generic"} and not any(
                    isinstance(thing, Class) for thing in known
                ):
                    return not isinstance(node, ast.Subscript)
        return False

    def below(self, klass: Klass) -> list[Klass]:
        """Return the classes of the project that derive from *klass*."""
        if self._below is None:
            self._below = {}
            for other in self.program.classes.values():
                for base in self.bases(other)[1:]:
                    self._below.setdefault(base, []).append(other)
        return self._below.get(klass, [])

    def methods(self, receiver: Instance | Class, name: str) -> list[Function]:
        """Return the functions that *name* may be: one, or its overrides too."""
        key = (receiver.klass, receiver.is_exact, name)
        if key not in self._methods:
            self._methods[key] = self._find_methods(receiver, name)
        return self._methods[key]

    def _find_methods(self, receiver: Instance | Class, name: str) -> list[Function]:
        found = [
            base.methods[name]
            for base in self.bases(receiver.klass)
            if name in base.methods
        ][:1]
        if not receiver.is_exact:
            others = (klass.methods.get(name) for klass in self.below(receiver.klass))
            found += [one for one in others if one is not None and one not in found]
            if not found:
                for klass in self.below(receiver.klass):
                    found += [
                        base.methods[name]
                        for base in self.bases(klass)
                        if name in base.methods
                    ][:1]
                found = list(dict.fromkeys(found))
        kept = [one for one in found if not self._is_filled(one, found)]
        return kept or found

    def _is_filled(self, method: Function, others: list[Function]) -> bool:
        """Tell whether one of *others* is the body that *method* leaves to it."""
        return method.is_abstract and any(
            one is not method and one.klass and method.klass in self.bases(one.klass)
            for one in others
        )
