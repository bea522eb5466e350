"""What every name, attribute and function of the program comes to, worked out once."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from penstock.checking.project.definitions import Function

from .decorators import Decorating
from .effects import Body, Summary
from .values import NOTHING, Class, Foreign, Func, Instance, ModuleRef

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock.checking.project.definitions import Klass
    from penstock.checking.project.files import Module
    from penstock.checking.project.program import Program
    from penstock.checking.resolvers.base import Resolver

    from .classes import Reading
    from .values import Generator, Things

__all__ = ["Engine"]

_MAX_BODIES = 8  # of one function with different arguments
_MAX_DEPTH = 120  # of calls in calls
_MAX_HOPS = 20  # of imports of imports


class Engine(Decorating):
    """Read functions, each once for the arguments that matter.

    Attributes:
        resolver: Who is asked where this code does not know.
        needs_more: Whether another round would find more.
    """

    def __init__(
        self,
        program: Program,
        resolver: Resolver,
        bits: Mapping[Function, int],
        reader: Callable[[Engine, Module, Body | None], Reading],
    ) -> None:
        super().__init__(program, bits)
        self._make_reader = reader
        self.resolver = resolver
        self.needs_more: bool = False
        self._is_importing = False
        self._before: dict[Body, Summary] = {}
        self._summaries: dict[Body, Summary] = {}
        self._open: list[Function] = []
        self._bodies: dict[Function, set[Body]] = {}
        self._globals: dict[tuple[str, str], Things | None] = {}
        self._readers: dict[str, Reading] = {}
        self._values: dict[tuple[Klass, str], Things] = {}
        self._asked: dict[tuple[str, int, int], tuple[Function, ...] | None] = {}

    def forget(self) -> None:
        """Begin another round, with what this one has found."""
        self._before, self._summaries = self._summaries, {}
        self.needs_more = False
        self.forget_names()
        self._is_importing = True  # that much is read that the resolver has to wait
        self.import_all()
        self._is_importing = False
        self._summaries = {}
        self.forget_names()

    def forget_names(self) -> None:
        """Work out anew what names come to: more is known of what they hold."""
        super().forget_names()
        self._bodies.clear()
        self._globals.clear()
        self._values.clear()

    def summary(self, body: Body) -> Summary:
        """Return what one call of *body* does."""
        if body.func.function not in self.decorators:
            body = self._bounded(body)
        known = self._summaries.get(body)
        if known is not None:
            return known
        function = body.func.function
        if len(self._open) > _MAX_DEPTH or self._open.count(function) > 1:
            # It calls itself: what the round before has found will do.
            self.needs_more = True
            return self._before.get(body) or Summary()
        self._open.append(function)
        try:
            summary = self._make_reader(self, function.module, body).read()
        finally:
            self._open.pop()
        self._summaries[body] = summary
        return summary

    def _bounded(self, body: Body) -> Body:
        """Return *body*, or what stands for it where there are too many like it."""
        if body in self._summaries:
            return body
        func = body.func
        bodies = self._bodies.setdefault(func.function, set())
        if body not in bodies and len(bodies) >= _MAX_BODIES:
            return Body(Func(func.function, _general(func), func.scope))
        bodies.add(body)
        return body

    def read_steps(self) -> list[tuple[Body, Summary]]:
        """Return what every step does, for all arguments that it was read with."""
        return [
            (body, summary)
            for body, summary in self._summaries.items()
            if body.func.function in self.bits
        ]

    def summary_of(self, thing: Generator) -> Summary:
        """Return what the body of a generator does."""
        return self.summary(Body(thing.func, thing.arguments))

    def hold(self, holder: object, name: str, things: Things) -> None:
        """Note that the attribute *name* of *holder* may be one of *things*."""
        if self.heap.add(holder, name, things):
            self.needs_more = True

    def hold_global(self, module: str, name: str, things: Things) -> None:
        """Note that the global *name* of *module* may be, or hold, one of *things*."""
        self.hold((module,), name, things)
        known = self._globals.get((module, name))
        if known is not None:
            self._globals[module, name] = known | things

    def home(self, module: str, name: str, hops: int = 0) -> tuple[str, str] | None:
        """Return the module and the name that *name* has where it is bound, or None."""
        nodes = self.program.globals.get(module, {}).get(name)
        if not nodes or hops > _MAX_HOPS:
            return None
        for node in nodes:
            if isinstance(node, ast.ImportFrom):
                base = absolute(self.program.modules[module], node)
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return self.home(base, alias.name, hops + 1)
        return module, name

    def global_value(self, module: str, name: str, hops: int = 0) -> Things | None:
        """Return what *name* is in *module*; None where it has no such name."""
        key = (module, name)
        if key in self._globals:
            return self._globals[key]
        bindings = self.program.globals.get(module)
        if bindings is None or hops > _MAX_HOPS:
            return None
        self._globals[key] = None  # while it is worked out: x = x
        found: Things | None = None
        for node in bindings.get(name, ()):
            found = (found or NOTHING) | self._bound(module, name, node, hops)
        for node in bindings.get("*", ()) if found is None else ():
            target = self._star(module, node)
            found = found or self.global_value(target, name, hops + 1)
        if found is None and f"{module}.{name}" in self.program.modules:
            found = frozenset({ModuleRef(f"{module}.{name}")})
        held = self.heap.get((module,), name)
        if held:
            found = (found or NOTHING) | held
        self._globals[key] = found
        return found

    def imported(
        self, module: Module, node: ast.Import | ast.ImportFrom, alias: ast.alias
    ) -> Things:
        """Return what one name of an import statement brings."""
        if isinstance(node, ast.Import):
            whole = alias.name if alias.asname else alias.name.partition(".")[0]
            return self.module_or_foreign(whole)
        base = absolute(module, node)
        if base in self.program.modules:
            known = self.global_value(base, alias.name, 1)
            if known is not None:
                return known
            if f"{base}.{alias.name}" in self.program.modules:
                return frozenset({ModuleRef(f"{base}.{alias.name}")})
            return NOTHING
        if f"{base}.{alias.name}" in self.program.modules:
            return frozenset({ModuleRef(f"{base}.{alias.name}")})
        return frozenset({Foreign(f"{base}.{alias.name}")})

    def module_or_foreign(self, name: str) -> Things:
        """Return the module *name* of the project, or of another package."""
        is_ours = name in self.program.packages
        return frozenset({ModuleRef(name) if is_ours else Foreign(name)})

    def read_for_attributes(self, function: Function, klass: Klass) -> None:
        """Read a method, so that what it sets on its object is known."""
        if function not in self._open:
            self.summary(Body(Func(function, Instance(klass))))

    def reader(self, module: str) -> Reading:
        """Return a reader of the global scope of a module."""
        if module not in self._readers:
            where = self.program.modules[module]
            self._readers[module] = self._make_reader(self, where, None)
        return self._readers[module]

    def class_value(self, klass: Klass, name: str) -> Things:
        """Return what the body of a class, or of one above it, says of *name*."""
        key = (klass, name)
        if key in self._values:
            return self._values[key]
        self._values[key] = NOTHING  # while it is worked out
        found = NOTHING
        for base in self.bases(klass):
            reader = self.reader(base.module.name)
            own = {n: self.decorated(one) for n, one in base.methods.items()}
            for value in base.values.get(name, ()):
                found |= reader.peek(made_by_default(value), own)
            if not found:
                found |= reader.annotated(base.annotations.get(name))
        self._values[key] = found
        return found

    def asked(self, module: Module, node: ast.expr) -> tuple[Function, ...] | None:
        """Return what the resolver says that *node* is; None where it does not know."""
        name, column = "", node.col_offset
        line = node.lineno
        if isinstance(node, ast.Attribute):
            name, line = node.attr, node.end_lineno or node.lineno
            column = (node.end_col_offset or 0) - len(name.encode())
        elif isinstance(node, ast.Name):
            name = node.id
        if name not in self._leading or name not in self.program.named:
            return None
        if self._is_importing:
            return None
        key = (module.path, line, column)
        if key not in self._asked:
            places = self.resolver.definitions(*key)
            found = [
                self.program.function_at(place.path, place.line) for place in places
            ]
            ours = tuple(dict.fromkeys(one for one in found if one is not None))
            self._asked[key] = ours if places else None
        return self._asked[key]

    def _bound(self, module: str, name: str, node: ast.AST, hops: int) -> Things:
        where = self.program.modules[module]
        defined = self.program.defined.get(node)
        if isinstance(defined, Function):
            return self.decorated(defined)
        if defined is not None:
            return frozenset({Class(defined)})
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) == name:
                    if hops > _MAX_HOPS:
                        return NOTHING
                    return self.imported(where, node, alias)
            return NOTHING
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        reader = self.reader(module)
        things = NOTHING if value is None else reader.peek(value)
        if not things and isinstance(node, ast.AnnAssign):
            things = reader.annotated(node.annotation)
        return things

    def _star(self, module: str, node: ast.AST) -> str:
        if not isinstance(node, ast.ImportFrom):
            return ""
        return absolute(self.program.modules[module], node)


def _general(func: Func) -> Instance | Class | None:
    """Return what stands for all objects that a method may be called on."""
    if isinstance(func.receiver, Class):
        return Class(func.receiver.klass, is_exact=False)
    klass = func.function.klass
    return Instance(klass) if klass and func.receiver else func.receiver


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """Return the whole name of the module that ``from ... import`` names."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    keep = len(parts) - node.level + (1 if module.is_package else 0)
    return ".".join([*parts[: max(keep, 0)], *([node.module] if node.module else [])])


def made_by_default(node: ast.expr) -> ast.expr:
    """Return the call that makes a dataclass's field, where that has a factory."""
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg == "default_factory":
            return ast.copy_location(ast.Call(keyword.value, [], []), node)
    return node
