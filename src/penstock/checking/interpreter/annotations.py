"""Which objects an annotation allows."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from .concurrency import Work
from .values import NOTHING, Class, Foreign, Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .values import Things

__all__ = ["Annotations"]

_MAX_ALIASES = 8  # of aliases


class Annotations(Work, ABC):
    """The part of a reader that knows what a name of a type says."""

    @abstractmethod
    def peek(self, node: ast.expr, names: Mapping[str, Things] | None = None) -> Things:
        """Return what *node* may stand for, and note nothing."""

    def annotated(self, node: ast.expr | None, aliases: int = 0) -> Things:
        """Return the objects that an annotation allows.

        Args:
            node: The annotation.
            aliases: Of how many aliases it is the meaning.
        """
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return NOTHING
        if isinstance(node, ast.Subscript) and _last(node.value) in {"type", "Type"}:
            kinds = self.annotated(node.slice, aliases)
            return frozenset(
                Class(t.klass, is_exact=False) for t in kinds if isinstance(t, Instance)
            )
        if isinstance(node, ast.BinOp | ast.Subscript | ast.Tuple):
            parts = (n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr))
            return NOTHING.union(*(self.annotated(one, aliases) for one in parts))
        if not isinstance(node, ast.Name | ast.Attribute):
            return NOTHING
        known = self.peek(node)
        if isinstance(node, ast.Name) and not any(isinstance(t, Class) for t in known):
            meant = self._meant(node.id, aliases)
            if meant:
                return meant
        return frozenset(
            Instance(thing.klass) if isinstance(thing, Class) else thing
            for thing in known
            if isinstance(thing, Class | Foreign)
        )

    def _meant(self, name: str, aliases: int) -> Things:
        """Return what an alias such as ``Handler = type["Base"]`` allows."""
        home = self.engine.home(self.module.name, name)
        found = NOTHING
        if home is None or aliases >= _MAX_ALIASES:
            return found
        reader = self.engine.reader(home[0])
        for node in self.engine.program.globals[home[0]].get(home[1], ()):
            value = getattr(node, "value", None)
            if isinstance(value, ast.Subscript | ast.BinOp):
                found |= reader.annotated(value, aliases + 1)
        return found


def _last(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))
