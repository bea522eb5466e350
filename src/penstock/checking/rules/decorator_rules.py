"""Markers above a decorator that registers the function without them: PEN006.

The flows are imported, so the decorators can be looked up as they are, not guessed
from their names.
"""

from __future__ import annotations

import ast
import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from penstock._steps.marked import find_marked
from penstock.checking.findings import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.steps import Steps

    Names = Mapping[str, object]

__all__ = ["judge_decorators"]

_REGISTERING = frozenset(
    {"django.dispatch.dispatcher.receiver", "sqlalchemy.event.api.listens_for"}
)
"""Functions that do it; others, such as REST framework's, only add to what they get."""


def judge_decorators(
    steps: Steps, flows: Container[str], modules: Container[str]
) -> Iterator[Finding]:
    """Yield a finding for each step of *flows* that is registered without its marker.

    Functions in classes and in other functions are left out. *modules* are those of
    the project, whose own decorators may return what they are given for any reason.
    """
    for function, infos in steps.of.items():
        info = next((one for one in infos if one.flow in flows), None)
        if info is None or function.qualname != function.name:
            continue
        names = getattr(sys.modules.get(info.module), "__dict__", {})
        for node in _registering(function, names, modules):
            shown = ast.unparse(node.func)
            yield Finding(
                "PEN006",
                f"{shown}() stands below the marker, so it registers the function "
                "without it, and those calls are not the step. Put the marker below.",
                Place(function.module.path, node.lineno),
                info.flow,
                info.name,
                edge=(shown, info.name),
            )


def _registering(
    function: Function, names: Names, modules: Container[str]
) -> Iterator[ast.Call]:
    """Yield the decorators below the marker that return the function itself."""
    marked = find_marked(names.get(function.name))
    nodes = getattr(function.node, "decorator_list", [])
    ours = [i for i, node in enumerate(nodes) if _is_ours(_value(node, names))]
    if marked is None or not ours or not _is_defined_at(marked.func, function):
        return
    for node in nodes[ours[-1] + 1 :]:
        if isinstance(node, ast.Call):
            called = _value(node, names)
            owner = getattr(called, "__self__", None)
            if _is_object(owner):
                if type(owner).__module__ not in modules:
                    yield node
            elif _name(called) in _REGISTERING:
                yield node


def _is_defined_at(func: object, function: Function) -> bool:
    """Tell whether *func* is what ``def`` made, and not what a decorator made of it."""
    if type(func) is not FunctionType:
        return False
    code = func.__code__
    decorators = [node.lineno for node in function.node.decorator_list]  # type: ignore[union-attr]  # a lambda has no marker above it
    first = min(decorators)
    is_here = first <= code.co_firstlineno <= function.node.lineno
    return is_here and code.co_filename == function.module.path


def _value(node: ast.expr, names: Names) -> object:
    """Return what a decorator stands for, without calling it; None if unknown."""
    if isinstance(node, ast.Call):
        return _value(node.func, names)
    if isinstance(node, ast.Attribute):
        try:
            return getattr(_value(node.value, names), node.attr, None)
        except Exception:  # noqa: BLE001  # a proxy may raise anything
            return None
    return names.get(node.id) if isinstance(node, ast.Name) else None


def _name(value: object) -> str:
    module, name = (getattr(value, one, "") for one in ("__module__", "__name__"))
    return f"{module}.{name}"


def _is_ours(value: object) -> bool:
    module = getattr(value, "__module__", None) or ""
    return isinstance(module, str) and module.partition(".")[0] == "penstock"


def _is_object(owner: object) -> bool:
    """Tell whether *owner* is neither a class nor a module, but an object of one."""
    return owner is not None and not isinstance(owner, type | ModuleType)
