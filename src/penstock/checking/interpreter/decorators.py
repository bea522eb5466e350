"""What decorators make of functions, and what a module does when it is imported."""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING

from .classes import Classes
from .heap import Heap
from .values import NOTHING, Class, Foreign, Func, Instance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from penstock.checking.project.definitions import Function, Klass
    from penstock.checking.project.program import Program

    from .values import Things

    Wrappers = list[tuple[ast.expr, Things]]

__all__ = ["Decorating", "is_ours"]

_KINDS = frozenset({"singledispatch", "singledispatchmethod"})
_PROPERTIES = frozenset({"property", "cached_property", "setter"})


class Decorating(Classes):
    """What there is once everything is imported.

    Attributes:
        bits: The bit of each function that is a step.
        heap: What attributes of objects may hold.
        decorators: Functions that are read anew for each function they decorate.
    """

    def __init__(self, program: Program, bits: Mapping[Function, int]) -> None:
        super().__init__(program)
        self.bits: Mapping[Function, int] = bits
        self.heap: Heap = Heap()
        self.decorators: set[Function] = set()
        self._decorated: dict[Function, Things] = {}
        self._leading = program.leading_to(bits)

    @abstractmethod
    def global_value(self, module: str, name: str, hops: int = 0) -> Things | None:
        """Return what *name* is in *module*; None where it has no such name."""

    def forget_names(self) -> None:
        """Work out anew what decorators give back."""
        self._decorated.clear()

    def decorated(self, function: Function) -> Things:
        """Return what the name of *function* stands for: it, or what wraps it."""
        if function not in self._decorated:
            plain: Things = frozenset({Func(function)})
            self._decorated[function] = plain  # while it is worked out
            self._decorated[function] = self._wrapped(function, plain)
        return self._decorated[function]

    def _wrapped(self, function: Function, things: Things) -> Things:
        if function.decorators & _PROPERTIES:
            return things
        if function.decorators & _KINDS:
            things |= {Func(one) for one in self.program.kinds.get(function.name, ())}
        reader = self.reader(function.module.name)
        outer, _ = self.wrappers(function)
        for node, wrappers in reversed(outer):
            self.decorators |= {t.function for t in wrappers if isinstance(t, Func)}
            found = reader.applied(wrappers, things, node)
            result = frozenset(t for t in found if isinstance(t, Func | Instance))
            if result:
                things = result if self._leads(result, things) else result | things
        return things

    def wrappers(self, function: Function) -> tuple[Wrappers, Wrappers]:
        """Return the decorators that the project defines, outermost first.

        Of a step those below our own marker, which are part of it, come second.
        """
        reader = self.reader(function.module.name)
        outer: Wrappers = []
        inner: Wrappers = []
        for node in getattr(function.node, "decorator_list", ()):
            found = reader.peek(node)
            if is_ours(found) and function in self.bits:
                outer, inner = [*outer, *inner], []
            kinds = (Func, Class, Instance)
            wrappers = frozenset(t for t in found if isinstance(t, kinds))
            if wrappers:
                inner.append((node, wrappers))
        return (outer, inner) if function in self.bits else (inner, [])

    def _leads(self, result: Things, given: Things) -> bool:
        """Tell whether what a decorator gave back has kept what it was given."""
        if result >= given:
            return True
        for thing in result:
            held: list[Things] = []
            if isinstance(thing, Func):
                scope = thing.scope
                while scope is not None:
                    held += scope.seen.values()
                    scope = scope.parent
            elif isinstance(thing, Instance):
                holder = thing.site or thing.klass
                held += self.heap.anything(holder)
            if given <= NOTHING.union(*held):
                return True
        return False

    def import_all(self) -> None:
        """Read what modules do when they are imported, as far as that may matter."""
        for module in self.program.modules.values():
            reader = self.reader(module.name)
            reader.run(self._statements(module.tree.body))
        for klass in self.program.classes.values():
            self._derive(klass)

    def _statements(self, nodes: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if node.decorator_list and node.name in self._leading:
                    self.decorated(self.program.defined[node])  # type: ignore[arg-type]  # a def defines no class
            elif isinstance(node, ast.ClassDef):
                list(self._statements(node.body))
            elif isinstance(node, ast.If | ast.Try):
                if not _is_main(node):
                    yield from self._statements(_inside(node))
            elif self._may_matter(node):
                yield node

    def _may_matter(self, node: ast.stmt) -> bool:
        """Tell whether a statement may put something that leads to a step somewhere."""
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if all(isinstance(target, ast.Name) for target in targets):
                return False  # that is worked out where the name is used
        elif not isinstance(node, ast.Expr | ast.AugAssign | ast.For | ast.With):
            return False
        names = (getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(node))
        return not self._leading.isdisjoint(names)

    def _derive(self, klass: Klass) -> None:
        """Tell the class above *klass* of it, and the class that it is made by."""
        if klass.name not in self._leading:
            return
        hooks = [
            Func(base.methods["__init_subclass__"], Class(klass))
            for base in self.bases(klass)[1:]
            if "__init_subclass__" in base.methods
        ]
        for maker in self._makers(klass):
            methods = self.methods(Instance(maker, is_exact=True), "__init__")
            hooks += [Func(method, Class(klass)) for method in methods]
        reader = self.reader(klass.module.name)
        place = ast.copy_location(ast.Constant(None), klass.node)
        for hook in hooks:
            reader.applied(frozenset({hook}), NOTHING, place)

    def _makers(self, klass: Klass) -> Iterator[Klass]:
        """Yield the metaclasses of *klass*."""
        for base in self.bases(klass):
            for keyword in base.node.keywords:
                if keyword.arg == "metaclass":
                    found = self.reader(base.module.name).peek(keyword.value)
                    yield from (t.klass for t in found if isinstance(t, Class))


def is_ours(things: Things) -> bool:
    """Tell whether a decorator is one of penstock."""
    return any(isinstance(t, Foreign) and t.name.startswith("penstock") for t in things)


def _inside(node: ast.If | ast.Try) -> list[ast.stmt]:
    handlers = node.handlers if isinstance(node, ast.Try) else []
    caught = [one for handler in handlers for one in handler.body]
    last = node.finalbody if isinstance(node, ast.Try) else []
    return [*node.body, *caught, *node.orelse, *last]


def _is_main(node: ast.stmt) -> bool:
    test = node.test if isinstance(node, ast.If) else None
    return test is not None and "__name__" in ast.dump(test)
