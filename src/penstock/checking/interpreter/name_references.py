"""Which steps anything in the project refers to, if only by their name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from penstock.checking.project.ast_walk import children, walk

from .decorators import is_ours

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock.checking.project.definitions import Function

    from .interpreter import Interpreter

__all__ = ["named_steps"]


def named_steps(interpreter: Interpreter) -> set[Function]:
    """Return the steps that something refers to, or that others may call unseen.

    That is generous: who is not among them is called by nobody.
    """
    unseen = {step for step in interpreter.bits if _is_called_unseen(step, interpreter)}
    return unseen | set(_named(interpreter)) | set(_called(interpreter))


def _called(interpreter: Interpreter) -> Iterator[Function]:
    for invocation, summary in interpreter.read_steps():
        for part in summary.parts:
            for site in part.visits:
                called = site.invocation.func.function
                if called is not invocation.func.function:
                    yield called


def _named(interpreter: Interpreter) -> Iterator[Function]:
    by_name: dict[str, list[Function]] = {}
    for step in interpreter.bits:
        by_name.setdefault(step.name, []).append(step)
    for module in interpreter.program.modules.values():
        if interpreter.program.names[module.name].isdisjoint(by_name):
            continue
        ours = {id(node) for node in _declarations(module.tree)}
        for node, owner in _uses(module.tree, None, ours):
            name = node.attr if isinstance(node, ast.Attribute) else _text(node)
            for step in by_name.get(name, ()):
                if owner is not step.node and _may_mean(
                    node, module.name, step, interpreter
                ):
                    yield step


def _uses(
    node: ast.AST, owner: ast.AST | None, ours: set[int]
) -> Iterator[tuple[ast.expr, ast.AST | None]]:
    """Yield names, attributes and texts, each with the function it is in."""
    todo = [(node, owner)]
    while todo:
        one, inside = todo.pop()
        if id(one) in ours:
            continue
        if isinstance(one, ast.Name | ast.Attribute | ast.Constant):
            yield one, inside
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = one
        todo += [(child, inside) for child in children(one)]


def _declarations(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what names steps without a use of them: ``after=`` and ``__all__``."""
    for node in walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                for keyword in (
                    decorator.keywords if isinstance(decorator, ast.Call) else ()
                ):
                    if keyword.arg in {"after", "name", "step_name"}:
                        yield keyword.value
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
                yield node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    value = node.value if isinstance(node, ast.Constant) else None
    return value.rpartition(".")[2] if isinstance(value, str) else ""


def _may_mean(
    node: ast.expr, module: str, step: Function, interpreter: Interpreter
) -> bool:
    """Tell whether a name may be that step: a method's is always an attribute."""
    if not isinstance(node, ast.Name):
        return True
    if step.klass is not None and "." in step.qualname:
        return module == step.module.name and isinstance(node.ctx, ast.Load)
    known = interpreter.names.value(module, node.id)
    return known is None or any(
        getattr(thing, "function", step) is step for thing in known
    )


def _is_called_unseen(step: Function, interpreter: Interpreter) -> bool:
    """Tell whether a framework, a protocol or the language may call *step*."""
    if step.name.startswith("__") and step.name.endswith("__"):
        return True
    if step.klass is not None and interpreter.classes.has_foreign_base(step.klass):
        return True
    nodes: Iterable[ast.expr] = getattr(step.node, "decorator_list", ())
    for node in nodes:
        func = node.func if isinstance(node, ast.Call) else node
        known = interpreter.scope.evaluate(step.module, func)
        if not is_ours(known) and not step.decorators <= _HARMLESS:
            name = getattr(func, "attr", getattr(func, "id", ""))
            if name not in _HARMLESS:
                return True
    return False


_HARMLESS = frozenset(
    {
        "staticmethod",
        "classmethod",
        "property",
        "cached_property",
        "abstractmethod",
        "override",
        "final",
        "lru_cache",
        "cache",
        "wraps",
        "contextmanager",
        "asynccontextmanager",
        "step",
        "flow",
        "entrypoint",
    }
)
