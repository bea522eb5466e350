"""What code looks up by a name that is a text."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from .assignments import Storing
from .effects import ANYTHING
from .values import NOTHING, Class, Foreign, Instance, ModuleRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .binding import Given
    from .effects import State
    from .values import Things

__all__ = ["Lookups"]

_NAMESPACE = "builtins.globals()"


class Lookups(Storing):
    """The part of a reader that knows ``getattr``, ``globals`` and their like."""

    def _special(self, name: str, node: ast.Call, state: State) -> Things | None:
        """Read what looks things up by name."""
        last = name.rpartition(".")[2]
        if name in {"builtins.getattr", "operator.attrgetter"} and node.args[1:]:
            return self._by_name(node.args[0], node.args[1], node, state)
        if last == "import_module" and node.args:
            return self._modules(node)
        if name == "builtins.__import__" and node.args:
            return self._modules(node, only_first=True)
        if name == "builtins.type" and len(node.args) == 1:
            things = self.value(node.args[0], state)
            kinds = (t for t in things if isinstance(t, Instance))
            return frozenset(Class(t.klass, t.is_exact) for t in kinds)
        if name in {"builtins.globals", "builtins.vars", "builtins.locals"}:
            return frozenset({Foreign(_NAMESPACE)})
        return None

    def _by_name(
        self, holder: ast.expr, name: ast.expr, node: ast.Call, state: State
    ) -> Things:
        holders = self.value(holder, state)
        pattern = _pattern(name)
        found = NOTHING
        for default in node.args[2:]:
            found |= self.value(default, state)
        if pattern is None:
            if any(isinstance(t, Instance | Class | ModuleRef) for t in holders):
                state.may |= ANYTHING
            return found
        for thing in holders:
            for known in self._names_of(thing):
                if pattern.fullmatch(known):
                    found |= self._attribute_of(thing, known)
        return found

    def _modules(self, node: ast.Call, *, only_first: bool = False) -> Things:
        pattern = _pattern(node.args[0])
        if pattern is None:
            return NOTHING
        first = node.args[0]
        if isinstance(first, ast.Constant) and str(first.value).startswith("."):
            package = _text(node.args[1]) if node.args[1:] else self.module.name
            pattern = re.compile(re.escape(package + str(first.value)))
        modules = self.engine.program.modules
        names = [name for name in modules if pattern.fullmatch(name)]
        if only_first:
            names = [name.partition(".")[0] for name in names]
        return frozenset(ModuleRef(name) for name in names)

    def read_subscript(self, node: ast.Subscript, state: State) -> Things:
        """Return what a collection holds."""
        base = self.value(node.value, state)
        given: Given = [(None, self.value(node.slice, state))]
        name = "__delitem__" if isinstance(node.ctx, ast.Del) else "__getitem__"
        got = self.protocol(base, name, given, node, state)
        if Foreign(_NAMESPACE) not in base:
            return (
                got
                | frozenset(t for t in base if not isinstance(t, Foreign))
                | (
                    frozenset({Foreign(f"{next(iter(base))}[]()")})
                    if base and all(isinstance(t, Foreign) for t in base)
                    else NOTHING
                )
            )
        pattern = _pattern(node.slice)
        if pattern is None:
            state.may |= ANYTHING
            return NOTHING
        names = self.engine.program.globals.get(self.module.name, {})
        found = (self._global(self.module.name, n) for n in names if pattern.match(n))
        return NOTHING.union(*found)


def _pattern(node: ast.expr) -> re.Pattern[str] | None:
    """Return what a text that is made at run time must look like, if that says much."""
    if isinstance(node, ast.Constant):
        return re.compile(re.escape(str(node.value)))
    parts: Sequence[ast.expr] = ()
    if isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    texts = [_text(part) for part in parts]
    if not any(texts):
        return None
    return re.compile("".join(re.escape(text) if text else ".*" for text in texts))


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""
