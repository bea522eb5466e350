"""Which steps anything in the project refers to, if only by their name."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from penstock.checking.project.ast_walk import children, walk
from penstock.checking.project.functions_and_classes import last_name

from .decorators import is_ours
from .known_functions import HARMLESS_DECORATORS
from .values import ModuleRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function

    from .interpreter import Interpreter

__all__ = ["Mentions", "named_steps"]


class Mentions(NamedTuple):
    """The steps that something refers to, or that a framework may call.

    Attributes:
        steps: All of them. This is generous: nothing at all calls any other step.
        unseen: Those with a call that the check may not see: a framework's, or one
            where a function has the name and no call of the step was found.
    """

    steps: set[Function]
    unseen: set[Function]


def named_steps(interpreter: Interpreter) -> Mentions:
    """Return the steps that something refers to, if only by their name."""
    found = {step for step in interpreter.bits if _is_called_unseen(step, interpreter)}
    mentions = Mentions(found, set(found))
    lines: dict[tuple[Function, str], set[int]] = defaultdict(set)
    for invocation, summary in interpreter.read_steps():
        for site in (site for part in summary.parts for site in part.visits):
            called = site.invocation.func.function
            lines[called, site.path].add(site.line)
            if called is not invocation.func.function:
                mentions.steps.add(called)
    for step, node, owner, module in _mentions(interpreter):
        mentions.steps.add(step)
        if not _is_within(owner, lines[step, module.path]) and (
            step.klass is not None or _is_of_module(node, module, interpreter)
        ):
            mentions.unseen.add(step)
    return mentions


def _mentions(
    interpreter: Interpreter,
) -> Iterator[tuple[Function, ast.AST, ast.AST | None, Module]]:
    """Yield each step with a name that may mean it, and the function that has it."""
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
                        yield step, node, owner, module


def _is_of_module(node: ast.AST, module: Module, interpreter: Interpreter) -> bool:
    """Return whether a name may be a plain function: an object's attribute is none."""
    if not isinstance(node, ast.Attribute):
        return True
    held = interpreter.readers.evaluate(module, node.value)
    return any(isinstance(one, ModuleRef) for one in held)


def _is_within(owner: ast.AST | None, lines: Iterable[int]) -> bool:
    if not isinstance(owner, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return any(owner.lineno <= line <= (owner.end_lineno or 0) for line in lines)


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
