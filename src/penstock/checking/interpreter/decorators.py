"""What decorators turn functions into, and what modules do when they are imported."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from penstock.checking.project.ast_walk import walk
from penstock.checking.project.functions_and_classes import Function

from .nesting import once
from .values import Class, Foreign, Func, Instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from penstock._project.source_files import Module
    from penstock.checking.project.program import Program

    from .effects import Invocation, Summary
    from .heap import Heap
    from .values import Values

    Wrappers = list[tuple[ast.expr, Values]]

__all__ = ["Decorators", "Readers", "is_ours"]

_DISPATCHERS = frozenset({"singledispatch", "singledispatchmethod"})
_PROPERTIES = frozenset({"property", "cached_property", "setter"})


class Readers(NamedTuple):
    """How source is read: functions, and code in the global scope of a module.

    Attributes:
        read: Returns what one call of a function does.
        evaluate: Returns what an expression may stand for.
        evaluate_in: The same, with names that are not the module's.
        annotated: Returns the objects that an annotation allows.
        apply: Calls a decorator with what it decorates; returns what it gives back.
        run: Reads statements, and records what they store in names and objects.
    """

    read: Callable[[Invocation], Summary]
    evaluate: Callable[[Module, ast.expr], Values]
    evaluate_in: Callable[[Module, ast.expr, Mapping[str, Values]], Values]
    annotated: Callable[[Module, ast.expr | None], Values]
    apply: Callable[[Module, Values, Values, ast.expr], Values]
    run: Callable[[Module, Iterable[ast.stmt]], None]


class Decorators:
    """What the names of decorated functions stand for.

    Attributes:
        wrapping: Functions that decorate others; each is read once for each of these.
        leading: Names that may lead to a step.
    """

    def __init__(
        self,
        program: Program,
        bits: Mapping[Function, int],
        heap: Heap,
        readers: Readers,
    ) -> None:
        self.wrapping: set[Function] = set()
        self.leading: frozenset[str] = program.leading_to(bits)
        self._program = program
        self._bits = bits
        self._heap = heap
        self._readers = readers
        self._decorated: dict[Function, Values] = {}

    def forget(self) -> None:
        """Evaluate the decorators again when next asked, because more is known now."""
        self._decorated.clear()

    def decorated(self, function: Function) -> Values:
        """Return what the name of *function* stands for: it, or what wraps it."""
        plain: Values = frozenset({Func(function)})
        return once(
            self._decorated, function, plain, lambda: self._wrapped(function, plain)
        )

    def _wrapped(self, function: Function, values: Values) -> Values:
        if function.decorators & _PROPERTIES:
            return values
        if function.decorators & _DISPATCHERS:
            registered = self._program.registered.get(function.name, ())
            values |= {Func(one) for one in registered}
        outer, _ = self.wrappers(function)
        for node, wrappers in reversed(outer):
            self.wrapping |= {w.function for w in wrappers if isinstance(w, Func)}
            found = self._readers.apply(function.module, wrappers, values, node)
            result = frozenset(t for t in found if isinstance(t, Func | Instance))
            values = result or values
        return values

    def wrappers(self, function: Function) -> tuple[Wrappers, Wrappers]:
        """Return the decorators that the project defines, outermost first.

        Those of a step that stand below penstock's marker are part of the step, and
        come second.
        """
        outer: Wrappers = []
        inner: Wrappers = []
        for node in getattr(function.node, "decorator_list", ()):
            found = self._readers.evaluate(function.module, node)
            if is_ours(found) and function in self._bits:
                outer, inner = [*outer, *inner], []
            kinds = (Func, Class, Instance)
            wrappers = frozenset(one for one in found if isinstance(one, kinds))
            if wrappers:
                inner.append((node, wrappers))
        return (outer, inner) if function in self._bits else (inner, [])

    def is_other_step(self, method: Function, own: Function) -> bool:
        """Return whether *method* is a step, and not the one that *own* is."""
        bit = self._bits.get(method)
        return bit is not None and bit != self._bits.get(own)

    def import_all(self) -> None:
        """Read what modules do when they are imported, as far as it may matter."""
        for module in self._program.modules.values():
            self._readers.run(module, self._statements(module.tree.body))

    def _statements(self, nodes: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                function = self._program.defined[node]
                if node.decorator_list and node.name in self.leading:
                    assert isinstance(function, Function)  # noqa: S101  # a def is one
                    self.decorated(function)
            elif isinstance(node, ast.ClassDef):
                list(self._statements(node.body))
            elif isinstance(node, ast.If | ast.Try):
                if not _is_main(node):
                    yield from self._statements(_inside(node))
            elif self._may_matter(node):
                yield node

    def _may_matter(self, node: ast.stmt) -> bool:
        """Return whether a statement may store something that leads to a step."""
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if all(isinstance(target, ast.Name) for target in targets):
                return False  # worked out where the name is used
        elif not isinstance(node, ast.Expr | ast.AugAssign | ast.For | ast.With):
            return False
        names = (getattr(n, "id", getattr(n, "attr", "")) for n in walk(node))
        return not self.leading.isdisjoint(names)


def is_ours(values: Values) -> bool:
    """Return whether a decorator is one of penstock's."""
    return any(isinstance(v, Foreign) and v.name.startswith("penstock") for v in values)


def _inside(node: ast.If | ast.Try) -> list[ast.stmt]:
    handlers = node.handlers if isinstance(node, ast.Try) else []
    caught = [one for handler in handlers for one in handler.body]
    last = node.finalbody if isinstance(node, ast.Try) else []
    return [*node.body, *caught, *node.orelse, *last]


def _is_main(node: ast.stmt) -> bool:
    test = node.test if isinstance(node, ast.If) else ast.Pass()
    return any(getattr(one, "id", "") == "__name__" for one in walk(test))
