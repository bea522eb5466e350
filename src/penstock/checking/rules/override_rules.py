"""Overrides that are not the step that they override: PEN005."""

from __future__ import annotations

import ast
import sys
from types import FunctionType
from typing import TYPE_CHECKING, TypeGuard

from penstock.checking.findings import Finding, Place
from penstock.checking.project.ast_walk import walk
from penstock.checking.project.functions_and_classes import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._declaring.overrides import UnmarkedOverride
    from penstock.checking.project.functions_and_classes import Function, Klass
    from penstock.checking.project.program import Program

__all__ = ["judge_overrides", "plain_methods"]


def judge_overrides(
    overrides: Iterable[UnmarkedOverride], flows: Iterable[str], program: Program
) -> Iterator[Finding]:
    """Yield a finding for each override in *program* that is left alone."""
    flows = set(flows)
    for override, klass in _in_program(overrides, program):
        for step in (step for step in override.steps if step.flow in flows):
            what, fix = _why(override, klass)
            yield Finding(
                "PEN005",
                f"{klass.qualname}.{override.attr} is not the step that it overrides: "
                f"{what}. {fix}.",
                _place(override, klass, program),
                step.flow,
                step.name,
                edge=(klass.qualname, override.attr),
            )


def plain_methods(
    overrides: Iterable[UnmarkedOverride], program: Program
) -> set[Function]:
    """Return the methods among *overrides*: calls of them are not the step."""
    return {
        klass.methods[override.attr]
        for override, klass in _in_program(overrides, program)
        if override.attr in klass.methods
    }


def _in_program(
    overrides: Iterable[UnmarkedOverride], program: Program
) -> Iterator[tuple[UnmarkedOverride, Klass]]:
    by_name = {repr(klass): klass for klass in program.classes.values()}
    for override in overrides:
        one = override.klass
        klass = by_name.get(f"{one.__module__}.{one.__qualname__}")
        if klass is not None and _is_in_use(one):
            yield override, klass


def _is_in_use(klass: type) -> bool:
    """Return whether no other class, such as a copy, has taken the name of *klass*."""
    held: object = sys.modules.get(klass.__module__)
    for name in klass.__qualname__.split("."):
        held = getattr(held, "__dict__", {}).get(name)
    return held is klass or not isinstance(held, type)


def _why(override: UnmarkedOverride, klass: Klass) -> tuple[str, str]:
    """Return what keeps it from being the step, and the fix."""
    blocker, attr = override.silenced_by, override.attr
    value = getattr(override.value, "__func__", override.value)
    if type(value) is not FunctionType:
        kind = type(value).__name__
        return f"it is a {kind}, not a function", "Define a method that calls it"
    is_inherited = attr not in vars(override.klass)
    if blocker is not None and (is_inherited or _line_in_class(attr, klass)):
        name = f"{blocker.__qualname__}.__init_subclass__()"
        return f"{name} does not call super()", "Call super().__init_subclass__()"
    return "it was assigned after the class was made", "Define it in the class"


def _place(override: UnmarkedOverride, klass: Klass, program: Program) -> Place:
    """Return the line of the definition, else of the assignment, else of the class."""
    line = _line_in_class(override.attr, klass)
    if not line:
        for module in program.modules.values():
            for node in walk(module.tree):
                if _assigns(node, klass.name, override.attr):
                    return Place(module.path, node.lineno)
    return Place(klass.module.path, line or klass.node.lineno)


def _line_in_class(attr: str, klass: Klass) -> int:
    if attr in klass.methods:
        return klass.methods[attr].node.lineno
    return klass.values[attr][0].lineno if klass.values.get(attr) else 0


def _assigns(node: ast.AST, klass: str, attr: str) -> TypeGuard[ast.Attribute]:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and (last_name(node.value), node.attr) == (klass, attr)
    )
