"""Tasks whose call looks like any other, but sends a message."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.program import Program

__all__ = ["is_queued"]

_HUEY = {"task", "periodic_task", "db_task", "db_periodic_task", "on_commit_task"}
"""Decorators of huey; its tasks are called as functions are."""


def is_queued(function: Function, program: Program) -> bool:
    """Return whether it is a task of huey, or of a decorator made with huey."""
    if function.decorators.isdisjoint(_HUEY):
        return False
    own = program.globals[function.module.name]
    roots = [_root(node) for node in getattr(function.node, "decorator_list", ())]
    sources = {name for root in roots for name in _imported(own.get(root, ()))}
    modules = [
        *(one for one in program.modules if {one, one.rpartition(".")[2]} & sources),
        function.module.name,
    ]
    return any(
        name.partition(".")[0] == "huey"
        for module in modules
        for nodes in program.globals[module].values()
        for name in _imported(nodes)
    )


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the modules that names come from."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
