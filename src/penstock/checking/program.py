"""Every function, class and global name of the parsed modules."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from .walking import children, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .source import Module

__all__ = ["Function", "Klass", "Program"]

Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(eq=False)
class Function:
    """One ``def`` or ``lambda``; of two equal ones each is itself.

    Attributes:
        node: Its syntax.
        module: Where it is.
        qualname: As Python would call it.
        number: Its own among all functions and classes, the same in each run.
        klass: Of which class it is a method.
        names: Names and attributes that its code has, with those of functions in it.
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
        """Last names of its decorators, as ``property`` and ``setter``."""
        nodes = getattr(self.node, "decorator_list", [])
        return frozenset(_last_name(node) for node in nodes)

    @property
    def is_coroutine(self) -> bool:
        """Whether a call gives something to await."""
        return isinstance(self.node, ast.AsyncFunctionDef) and not self.has_yield

    @cached_property
    def has_yield(self) -> bool:
        """Whether a call gives something to iterate."""
        return any(isinstance(n, ast.Yield | ast.YieldFrom) for n in self.own_nodes())

    @cached_property
    def may_suspend(self) -> bool:
        """Whether something in it is awaited, so that others can run meanwhile."""
        kinds = (ast.Await, ast.AsyncFor, ast.AsyncWith)
        return any(isinstance(node, kinds) for node in self.own_nodes())

    @cached_property
    def is_abstract(self) -> bool:
        """Whether only an override has a body."""
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
        """Names that an assignment in it makes its own, parameters included."""
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
        """Names of its module that it may bind anew."""
        declared = (n.names for n in self.own_nodes() if isinstance(n, ast.Global))
        return frozenset(name for names in declared for name in names)

    def own_nodes(self) -> Iterator[ast.AST]:
        """Yield the nodes of its body, but not those of functions in it."""
        body = self.node.body
        todo: list[ast.AST] = list(body) if isinstance(body, list) else [body]
        while todo:
            node = todo.pop()
            yield node
            if not isinstance(node, _SCOPES):
                todo += children(node)

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
        """What its body assigns to names, annotations last."""
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
        """The methods that set an attribute, by its name."""
        found: dict[str, list[Function]] = defaultdict(list)
        for function in self.methods.values():
            for name in function.assigned_attributes:
                found[name].append(function)
        return found

    @cached_property
    def annotations(self) -> dict[str, ast.expr]:
        """What its body says that attributes are."""
        return {
            node.target.id: node.annotation
            for node in self.node.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        }

    def __repr__(self) -> str:
        """Show the dotted name."""
        return f"{self.module.name}.{self.qualname}"


class Program:
    """The parsed modules, and what is defined in them.

    Attributes:
        modules: By name.
        functions: By the file and line that they are defined on: that of ``def``,
            and that of the first decorator.
        named: By their own name.
        defined: The ``Function`` or ``Klass`` of each node.
        kinds: Functions that ``.register`` of a name adds to it, by that name.
        packages: The names of modules, and of all that have modules below them.
        globals: For each module, what its global names are bound to.
        names: For each module, what it names, texts included: ``"shop.charge"`` may
            mean ``charge``.
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules: dict[str, Module] = {}
        self.functions: dict[tuple[str, int], Function] = {}
        self.classes: dict[tuple[str, int], Klass] = {}
        self.named: dict[str, list[Function]] = defaultdict(list)
        self.defined: dict[ast.AST, Function | Klass] = {}
        self.globals: dict[str, dict[str, list[ast.AST]]] = {}
        self.packages: set[str] = set()
        self.kinds: dict[str, list[Function]] = defaultdict(list)
        self.names: dict[str, set[str]] = defaultdict(set)
        for module in modules:
            self.modules[module.name] = module
            names = self._define(module.tree, module, "", None)
            self.names[module.name] |= names
            self.globals[module.name] = _bindings(module.tree)
            parts = module.name.split(".")
            self.packages |= {".".join(parts[:end]) for end in range(len(parts) + 1)}

    def function_at(self, path: str, line: int) -> Function | None:
        """Return the function whose definition begins there, or None."""
        return self.functions.get((path, line))

    def leading_to(self, functions: Iterable[Function]) -> frozenset[str]:
        """Return the names that may lead to a call of one of *functions*.

        Going by names alone: a function leads there if its code has such a name.
        """
        users: dict[str, set[str]] = defaultdict(set)
        for function in {id(f): f for f in self.functions.values()}.values():
            own = {function.name} | ({function.klass.name} if function.klass else set())
            for name in function.names:
                users[name] |= own
        found = {function.name for function in functions}
        todo = list(found)
        while todo:
            new = users[todo.pop()] - found
            found |= new
            todo += new
        return frozenset(found)

    def _define(
        self, parent: ast.AST, module: Module, prefix: str, klass: Klass | None
    ) -> set[str]:
        """Note what is defined below *parent*; return what is named there."""
        names: set[str] = set()
        todo = children(parent)[::-1]
        while todo:
            node = todo.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                names |= self._function(node, module, prefix, klass)
            elif isinstance(node, ast.ClassDef):
                found = Klass(node, module, prefix + node.name, len(self.defined))
                self.defined[node] = self.classes[module.path, node.lineno] = found
                names |= self._define(node, module, f"{found.qualname}.", found)
            else:
                self._name(node, module, names)
                todo += reversed(children(node))
        return names

    def _name(self, node: ast.AST, module: Module, names: set[str]) -> None:
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.names[module.name].add(node.value.rpartition(".")[2])

    def _function(
        self, node: Def, module: Module, prefix: str, klass: Klass | None
    ) -> set[str]:
        name = getattr(node, "name", "<lambda>")
        function = Function(node, module, prefix + name, len(self.defined), klass)
        self.defined[node] = function
        if not isinstance(node, ast.Lambda):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            self.functions[module.path, node.lineno] = function
            self.functions[module.path, first] = function
            self.named[name].append(function)
            for owner in _registered_with(node):
                self.kinds[owner].append(function)
            if klass is not None and "setter" in function.decorators:
                klass.setters[name] = function
            elif klass is not None and "deleter" not in function.decorators:
                klass.methods[name] = function
        inside = f"{function.qualname}.<locals>."
        function.names = self._define(node, module, inside, None)
        return function.names


def _bindings(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """Return what binds each global name: a definition, an import, an assignment."""
    found: dict[str, list[ast.AST]] = defaultdict(list)
    todo: list[ast.AST] = list(reversed(tree.body))
    while todo:
        node = todo.pop()
        for name in _bound_by(node):
            found[name].append(node)
        if not isinstance(node, (*_SCOPES, ast.expr)):
            todo += reversed(children(node))
    return found


def _bound_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [a.asname or a.name.partition(".")[0] for a in node.names]
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    every = [one for target in targets for one in walk(target)]
    return [
        one.id
        for one in every
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    ]


def _registered_with(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Yield the names of functions of several kinds of which this is one."""
    for decorator in node.decorator_list:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(func, ast.Attribute) and func.attr == "register":
            yield _last_name(func.value)


def _arguments(node: Def) -> list[ast.arg]:
    given = node.args
    extra = [arg for arg in (given.vararg, given.kwarg) if arg is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.dump(node)
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
