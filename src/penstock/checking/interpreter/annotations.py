"""Which objects an annotation allows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .values import NOTHING, Class, Foreign, Instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from .values import Values

__all__ = ["annotated"]


def annotated(node: ast.expr | None, evaluate: Callable[[ast.expr], Values]) -> Values:
    """Return the objects that an annotation allows.

    Args:
        node: The annotation.
        evaluate: Returns what a name in it stands for.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except SyntaxError:
            return NOTHING
    if isinstance(node, ast.Name | ast.Attribute):
        return frozenset(
            Instance(value.klass) if isinstance(value, Class) else value
            for value in evaluate(node)
            if isinstance(value, Class | Foreign)
        )
    if isinstance(node, ast.Subscript) and _last(node.value) in {"type", "Type"}:
        kinds = annotated(node.slice, evaluate)
        return frozenset(
            Class(v.klass, is_exact=False) for v in kinds if isinstance(v, Instance)
        )
    if isinstance(node, ast.BinOp | ast.Subscript | ast.Tuple):
        parts = (n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr))
        return NOTHING.union(*(annotated(part, evaluate) for part in parts))
    return NOTHING


def _last(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))
