"""Which steps anything in the project refers to, if only by their name."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from penstock.checking.project.ast_walk import children, walk
from penstock.checking.project.functions_and_classes import last_name

from .decorators import is_ours
from .known_functions import HARMLESS_DECORATORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function

    from .interpreter import Interpreter

__all__ = ["named_steps"]


def named_steps(interpreter: Interpreter) -> set[Function]:
    """Return the steps that something refers to, or that a framework may call.

    This is generous: nothing at all calls a step that is not among them.
    """
    found = {step for step in interpreter.bits if _is_called_unseen(step, interpreter)}
    for invocation, summary in interpreter.read_steps():
        for part in summary.parts:
            called = {site.invocation.func.function for site in part.visits}
            found |= called - {invocation.func.function}
    by_name: dict[str, list[Function]] = defaultdict(list)
    for step in interpreter.bits:
        by_name[step.name].append(step)
    for module in interpreter.program.modules.values():
        if not interpreter.program.names[module.name].isdisjoint(by_name):
            for node, owner in _uses(module):
                for step in by_name.get(_name(node), ()):
                    if owner is not step.node and _may_mean(
                        node, module.name, step, interpreter
                    ):
                        found.add(step)
    return found


def _uses(module: Module) -> Iterator[tuple[ast.AST, ast.AST | None]]:
    """Yield names, attributes and strings, each with the function it is in."""
    declarations = {id(node) for node in _declarations(module.tree)}
    todo: list[tuple[ast.AST, ast.AST | None]] = [(module.tree, None)]
    while todo:
        node, owner = todo.pop()
        if id(node) in declarations:
            continue
        if isinstance(node, ast.Name | ast.Attribute | ast.Constant):
            yield node, owner
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            owner = node
        todo += [(child, owner) for child in children(node)]


def _declarations(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what names steps without using them: ``after=`` and ``__all__``."""
    for node in walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = (one for one in node.decorator_list if isinstance(one, ast.Call))
            for keyword in (keyword for call in calls for keyword in call.keywords):
                if keyword.arg in {"after", "name", "step_name"}:
                    yield keyword.value
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(getattr(target, "id", "") == "__all__" for target in targets):
                yield node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node


def _name(node: ast.AST) -> str:
    value = node.value if isinstance(node, ast.Constant) else None
    if isinstance(value, str):
        return value.rpartition(".")[2]
    return last_name(node) if isinstance(node, ast.expr) else ""


def _may_mean(
    node: ast.AST, module: str, step: Function, interpreter: Interpreter
) -> bool:
    """Return whether a name may be that step; a method's is always an attribute."""
    if not isinstance(node, ast.Name):
        return True
    if step.klass is not None and "." in step.qualname:
        return module == step.module.name and isinstance(node.ctx, ast.Load)
    known = interpreter.names.value(module, node.id)
    return known is None or any(getattr(v, "function", step) is step for v in known)


def _is_called_unseen(step: Function, interpreter: Interpreter) -> bool:
    """Return whether a framework, a protocol or Python itself may call *step*."""
    if step.name.startswith("__") and step.name.endswith("__"):
        return True
    if step.klass is not None and interpreter.classes.has_foreign_base(step.klass):
        return True
    return any(
        last_name(node) not in HARMLESS_DECORATORS
        and not is_ours(
            interpreter.readers.evaluate(
                step.module, node.func if isinstance(node, ast.Call) else node
            )
        )
        for node in getattr(step.node, "decorator_list", ())
    )
