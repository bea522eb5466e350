"""What the global names of modules stand for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from penstock.checking.project.functions_and_classes import Function

from .nesting import once
from .values import NOTHING, Class, Foreign, ModuleRef

if TYPE_CHECKING:
    from penstock._project.source_files import Module
    from penstock.checking.project.program import Program

    from .decorators import Decorators, Readers
    from .heap import Heap
    from .values import Values

__all__ = ["GlobalNames"]

_MAX_HOPS = 20  # of imports of imports


class GlobalNames:
    """What each global name is: a definition, an import, or what it is set to."""

    def __init__(
        self, program: Program, heap: Heap, decorators: Decorators, readers: Readers
    ) -> None:
        self._program = program
        self._heap = heap
        self._decorators = decorators
        self._readers = readers
        self._known: dict[tuple[str, str], Values | None] = {}

    def forget(self) -> None:
        """Work out again what names stand for: more is known now."""
        self._known.clear()

    def hold(self, module: str, name: str, values: Values) -> None:
        """Record that *name* of *module* may be, or hold, one of *values*."""
        self._heap.add((module,), name, values)
        known = self._known.get((module, name))
        if known is not None:
            self._known[module, name] = known | values

    def home(self, module: str, name: str, hops: int = 0) -> tuple[str, str] | None:
        """Return the module that binds *name*, and its name there, or None."""
        nodes = self._program.globals.get(module, {}).get(name)
        if not nodes or hops > _MAX_HOPS:
            return None
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                base = _absolute(self._program.modules[module], node)
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return self.home(base, alias.name, hops + 1)
        return module, name

    def value(self, module: str, name: str, hops: int = 0) -> Values | None:
        """Return what *name* is in *module*; None if it has no such name."""
        if module not in self._program.globals or hops > _MAX_HOPS:
            return self._known.get((module, name))
        work = lambda: self._find(module, name, hops)  # noqa: E731  # fits the line
        return once(self._known, (module, name), None, work)

    def _find(self, module: str, name: str, hops: int) -> Values | None:
        bindings = self._program.globals[module]
        found: Values | None = None
        for node in bindings.get(name, ()):
            found = (found or NOTHING) | self._bound(module, name, node, hops)
        for node in bindings.get("*", ()) if found is None else ():
            if isinstance(node, ast.ImportFrom):
                target = _absolute(self._program.modules[module], node)
                found = found or self.value(target, name, hops + 1)
        if found is None:
            found = self._submodule(module, name)
        held = self._heap.get((module,), name)
        return (found or NOTHING) | held if held else found

    def _submodule(self, module: str, name: str) -> Values | None:
        whole = f"{module}.{name}"
        is_ours = whole in self._program.modules
        return frozenset({ModuleRef(whole)}) if is_ours else None

    def attribute(self, module: str, name: str) -> Values:
        """Return what ``module.name`` is, which may be a package without a file."""
        found = self.value(module, name)
        if found is None and f"{module}.{name}" in self._program.packages:
            return frozenset({ModuleRef(f"{module}.{name}")})
        return found or NOTHING

    def imported(
        self, module: Module, node: ast.Import | ast.ImportFrom, alias: ast.alias
    ) -> Values:
        """Return what one name of an import statement brings."""
        if isinstance(node, ast.Import):
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            is_ours = whole in self._program.packages
            return frozenset({ModuleRef(whole) if is_ours else Foreign(whole)})
        base = _absolute(module, node)
        known = self.value(base, alias.name, 1)
        if known is None:
            known = self._submodule(base, alias.name)
        if known is None and base not in self._program.modules:
            known = frozenset({Foreign(f"{base}.{alias.name}")})
        return known or NOTHING

    def _bound(self, module: str, name: str, node: ast.AST, hops: int) -> Values:
        where = self._program.modules[module]
        defined = self._program.defined.get(node)
        if isinstance(defined, Function):
            return self._decorators.decorated(defined)
        if defined is not None:
            return frozenset({Class(defined)})
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names if hops <= _MAX_HOPS else ():
                if (alias.asname or alias.name.partition(".")[0]) == name:
                    return self.imported(where, node, alias)
            return NOTHING
        values = NOTHING
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            values = self._readers.evaluate(where, node.value)
        if not values and isinstance(node, ast.AnnAssign):
            values = self._readers.annotated(where, node.annotation)
        return values


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    """Return the whole name of the module that ``from ... import`` names."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    keep = len(parts) - node.level + (1 if module.is_package else 0)
    return ".".join([*parts[: max(keep, 0)], *([node.module] if node.module else [])])
