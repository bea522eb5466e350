"""PEN004: modules with flows that nothing imports, so that every picture lacks them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .findings import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .source import Module

__all__ = ["unreached"]

_MARKERS = frozenset({"entrypoint", "step", "flow_task"})


def unreached(
    modules: Iterable[Module], imported: Collection[str]
) -> Iterator[Finding]:
    """Yield a finding for each module that declares steps and is not *imported*.

    Args:
        modules: The project's.
        imported: The files of the modules that are.
    """
    for module in modules:
        line = _first_marker(module.tree)
        if line and module.path not in imported:
            yield Finding(
                "PEN004",
                f"{module.name} declares steps, and nothing imports it: no picture and "
                "no check has them",
                Place(module.path, line),
                suggestion=f'import = [..., "{module.name}"]',
                edge=(module.name,),
            )


def _first_marker(tree: ast.Module) -> int:
    """Return the line of the first function that penstock marks, 0 without one."""
    names, modules = _imported_names(tree)
    if not names and not modules:
        return 0
    handles = _handles(tree, names, modules)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if _marks(decorator, names, modules | handles):
                    return decorator.lineno
    return 0


def _imported_names(tree: ast.Module) -> tuple[dict[str, str], set[str]]:
    names: dict[str, str] = {}
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            if (node.module or "").partition(".")[0] == "penstock":
                names |= {
                    alias.asname or alias.name: alias.name for alias in node.names
                }
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "penstock":
                    modules.add(alias.asname or "penstock")
    return names, modules


def _handles(tree: ast.Module, names: dict[str, str], modules: set[str]) -> set[str]:
    """Return the names that ``flow("...")`` is assigned to."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            func = node.value.func
            is_flow = isinstance(func, ast.Name) and names.get(func.id) == "flow"
            if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
                is_flow = func.attr == "flow" and func.value.id in modules
            if is_flow:
                found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return found


def _marks(node: ast.expr, names: dict[str, str], holders: set[str]) -> bool:
    func = node.func if isinstance(node, ast.Call) else node
    if isinstance(func, ast.Name):
        return names.get(func.id) in _MARKERS
    return (
        isinstance(func, ast.Attribute)
        and func.attr in _MARKERS
        and isinstance(func.value, ast.Name)
        and func.value.id in holders
    )
