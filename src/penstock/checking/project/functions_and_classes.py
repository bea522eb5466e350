"""Functions and classes, as the source defines them."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from .ast_walk import children, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock._project.source_files import Module

__all__ = ["SCOPES", "Def", "Function", "Klass", "last_name"]

Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)


@dataclass(eq=False)
class Function:
    """One ``def`` or ``lambda``, equal only to itself.

    Attributes:
        node: Its syntax tree.
        module: The module that defines it.
        qualname: Its qualified name, as Python would have it.
        number: Its number among all functions and classes, the same in each check.
        klass: The class whose method it is.
        names: Names and attributes in its code, nested functions included.
    """

    node: Def
    module: Module
    qualname: str
    number: int
    klass: Klass | None = None
    names: set[str] = field(default_factory=set[str])

    @property
    def name(self) -> str:
        """Its own name."""
        return getattr(self.node, "name", "<lambda>")

    @cached_property
    def decorators(self) -> frozenset[str]:
        """The last parts of its decorators' names, such as ``setter``."""
        nodes = getattr(self.node, "decorator_list", [])
        return frozenset(last_name(node) for node in nodes)

    @property
    def is_coroutine(self) -> bool:
        """Whether a call returns something to await."""
        return isinstance(self.node, ast.AsyncFunctionDef) and not self.has_yield

    @cached_property
    def has_yield(self) -> bool:
        """Whether a call returns something to iterate."""
        return any(isinstance(n, ast.Yield | ast.YieldFrom) for n in self.own_nodes())

    @cached_property
    def may_suspend(self) -> bool:
        """Whether it awaits something, so that other tasks can run meanwhile."""
        kinds = (ast.Await, ast.AsyncFor, ast.AsyncWith)
        return any(isinstance(node, kinds) for node in self.own_nodes())

    @cached_property
    def is_abstract(self) -> bool:
        """Whether it leaves the body to an override."""
        if self.decorators & {"abstractmethod", "overload"}:
            return True
        body = self.node.body
        return isinstance(body, list) and all(map(_is_nothing, body))

    @cached_property
    def assigned_attributes(self) -> frozenset[str]:
        """Names of the attributes that it sets on something."""
        return frozenset(
            node.attr
            for node in walk(self.node)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        )

    @cached_property
    def locals(self) -> frozenset[str]:
        """Names that are local to it, parameters included."""
        outer: set[str] = set()
        names = {arg.arg for arg in _arguments(self.node)}
        for node in self.own_nodes():
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names |= {node.id}
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names |= {(a.asname or a.name).partition(".")[0] for a in node.names}
            elif isinstance(node, ast.Global | ast.Nonlocal):
                outer |= set(node.names)
            elif isinstance(node, _NAMED):
                names |= {node.name} if node.name else set()
        return frozenset(names - outer)

    @cached_property
    def global_names(self) -> frozenset[str]:
        """Global names that it may rebind."""
        declared = (n.names for n in self.own_nodes() if isinstance(n, ast.Global))
        return frozenset(name for names in declared for name in names)

    def own_nodes(self) -> Iterator[ast.AST]:
        """Yield the nodes of its body, without those of nested functions."""
        body = self.node.body
        todo: list[ast.AST] = list(body) if isinstance(body, list) else [body]
        while todo:
            node = todo.pop()
            yield node
            if not isinstance(node, SCOPES):
                todo += children(node)

    def __hash__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        """Show the dotted name."""
        return f"{self.module.name}.{self.qualname}"


@dataclass(eq=False)
class Klass:
    """One ``class``."""

    node: ast.ClassDef
    module: Module
    qualname: str
    number: int
    methods: dict[str, Function] = field(default_factory=dict[str, Function])
    setters: dict[str, Function] = field(default_factory=dict[str, Function])

    @property
    def name(self) -> str:
        """Its own name."""
        return self.node.name

    @cached_property
    def values(self) -> dict[str, list[ast.expr]]:
        """What its body assigns to each name."""
        found: dict[str, list[ast.expr]] = defaultdict(list)
        for node in self.node.body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found[target.id].append(node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                found[node.target.id] += [node.value] if node.value else []
        return found

    @cached_property
    def setting(self) -> dict[str, list[Function]]:
        """The methods that set an attribute, by the attribute's name."""
        found: dict[str, list[Function]] = defaultdict(list)
        for function in self.methods.values():
            for name in function.assigned_attributes:
                found[name].append(function)
        return found

    @cached_property
    def annotations(self) -> dict[str, ast.expr]:
        """The annotations in its body, by name."""
        return {
            node.target.id: node.annotation
            for node in self.node.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }

    def __hash__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        """Show the dotted name."""
        return f"{self.module.name}.{self.qualname}"


def last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name, or of the name of what is called."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _arguments(node: Def) -> list[ast.arg]:
    given = node.args
    extra = [arg for arg in (given.vararg, given.kwarg) if arg is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.dump(node)
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
