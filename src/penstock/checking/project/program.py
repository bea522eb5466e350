"""Every function, class and global name of the parsed modules."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from .ast_walk import children, walk
from .functions_and_classes import SCOPES, Def, Function, Klass, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._project.source_files import Module

__all__ = ["Program"]


class Program:
    """The parsed modules, and what they define.

    Attributes:
        modules: The modules by name.
        functions: The functions by file and line: that of ``def``, and that of the
            first decorator.
        classes: The classes by file and line.
        named: The functions by their own name.
        defined: The ``Function`` or ``Klass`` of each node.
        registered: Functions that ``.register`` of a name adds to it, by that name.
        packages: The names of modules and of everything that has modules below it.
        globals: For each module, the nodes that bind its global names.
        names: For each module, the names in it, and the last parts of strings:
            ``"shop.charge"`` may mean ``charge``.
    """

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules: dict[str, Module] = {}
        self.functions: dict[tuple[str, int], Function] = {}
        self.classes: dict[tuple[str, int], Klass] = {}
        self.named: dict[str, list[Function]] = defaultdict(list)
        self.defined: dict[ast.AST, Function | Klass] = {}
        self.globals: dict[str, dict[str, list[ast.AST]]] = {}
        self.packages: set[str] = set()
        self.registered: dict[str, list[Function]] = defaultdict(list)
        self.names: dict[str, set[str]] = defaultdict(set)
        for module in modules:
            self.modules[module.name] = module
            names = self._define(module.tree, module, "", None)
            self.names[module.name] |= names
            self.globals[module.name] = _bindings(module.tree)
            parts = module.name.split(".")
            self.packages |= {".".join(parts[:end]) for end in range(len(parts) + 1)}

    def function_at(self, path: str, line: int) -> Function | None:
        """Return the function whose definition starts there, or None."""
        return self.functions.get((path, line))

    def leading_to(self, functions: Iterable[Function]) -> frozenset[str]:
        """Return the names that may lead to a call of one of *functions*.

        Only names count: a function leads there if its code has such a name.
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
        """Record what is defined below *parent*; return the names used there."""
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
                self.registered[owner].append(function)
            if klass is not None and "setter" in function.decorators:
                klass.setters[name] = function
            elif klass is not None and "deleter" not in function.decorators:
                klass.methods[name] = function
        inside = f"{function.qualname}.<locals>."
        function.names = self._define(node, module, inside, None)
        return function.names


def _bindings(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """Return the nodes that bind each global name, by definition or assignment."""
    found: dict[str, list[ast.AST]] = defaultdict(list)
    todo: list[ast.AST] = list(reversed(tree.body))
    while todo:
        node = todo.pop()
        for name in _bound_by(node):
            found[name].append(node)
        if not isinstance(node, (*SCOPES, ast.expr)):
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
    """Yield the names of the ``singledispatch`` functions that this one extends."""
    for decorator in node.decorator_list:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(func, ast.Attribute) and func.attr == "register":
            yield last_name(func.value)
