"""Read the body of one function: in which order may it call what?"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .decorators import is_ours
from .effects import State, Summary, merged
from .statements import Statements
from .values import NOTHING, Awaitable, Class, Foreign, Func, Generator, Instance, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.checking.project.definitions import Function
    from penstock.checking.project.files import Module

    from .effects import Body, Visits
    from .engine import Engine
    from .values import Things

__all__ = ["Reader"]


class Reader(Statements):
    """Reads one function, or an expression of a module's global scope."""

    visits: Visits
    scope: Scope
    local: frozenset[str]
    rests: list[Summary]
    returned: Things

    def __init__(
        self, engine: Engine, module: Module, body: Body | None = None
    ) -> None:
        super().__init__(engine, module, body)
        self.scope = Scope(body.func.scope if body else None)
        self.local = body.func.function.locals if body else frozenset()
        self.rests = []

    def run(self, nodes: Iterable[ast.stmt]) -> None:
        """Read statements of the module for what they leave in names and objects."""
        self.block(nodes, State())
        self.visits = {}

    def applied(self, things: Things, given: Things, node: ast.expr) -> Things:
        """Return what a decorator gives back for what it is *given*."""
        kept, self.visits = self.visits, {}
        try:
            return self.call(things, [(None, given)], node, State(), "call")
        finally:
            self.visits = kept

    def read(self) -> Summary:
        """Return what one call of the function does."""
        assert self.body is not None  # noqa: S101  # without one there is no function
        function = self.body.func.function
        state = State()
        is_step = function in self.engine.bits
        if is_step:
            self._decorated(function, state)
        self._parameters(self.body, state)
        if isinstance(function.node, ast.Lambda):
            self.returned = self.value(function.node.body, state)
        else:
            self.block(function.node.body, state)
        end = merged([*self._ends, state], certain=True)
        if is_step and end.is_alive:
            kinds = (Func, Awaitable, Generator)
            handed = frozenset(t for t in self.returned if isinstance(t, kinds))
            self.escape(handed, _first_of(function), end)
            self.returned -= handed - {t for t in handed if isinstance(t, Func)}
        return self._summary(end)

    def _summary(self, end: State) -> Summary:
        if self.first is None:
            return Summary(self.visits, end.may, end.must, self.returned, end.running)
        visits, may, must = self.first
        rest = Summary(self.visits, end.may, end.must, NOTHING, end.running)
        return Summary(visits, may, must, self.returned, frozenset(), rest)

    def _decorated(self, function: Function, state: State) -> None:
        """Note what decorators other than ours are given to call."""
        if isinstance(function.node, ast.Lambda):
            return
        outer = self.engine.reader(function.module.name)
        for node in function.node.decorator_list:
            if isinstance(node, ast.Call) and not is_ours(outer.peek(node.func)):
                values = [*node.args, *(one.value for one in node.keywords)]
                for value in values:
                    self.escape(outer.peek(value), value, state)
        for node, wrappers in self.engine.wrappers(function)[1]:
            around = outer.applied(wrappers, NOTHING, node)
            self.escape(around, node, state)

    def _parameters(self, body: Body, state: State) -> None:
        func, known = body.func, dict(body.arguments)
        spec = func.function.node.args
        names = [*spec.posonlyargs, *spec.args]
        outer = self.engine.reader(self.module.name)
        defaults: dict[str, ast.expr | None] = {
            arg.arg: default
            for arg, default in (
                *zip(reversed(names), reversed(spec.defaults), strict=False),
                *zip(spec.kwonlyargs, spec.kw_defaults, strict=True),
            )
        }
        receiver = self._receiver(func)
        for place, arg in enumerate([*names, *spec.kwonlyargs]):
            things = known.get(arg.arg, NOTHING)
            if place == 0 and receiver is not None:
                things = frozenset({receiver})
            if not things:
                things = outer.annotated(arg.annotation)
                default = defaults.get(arg.arg)
                if default is not None:
                    things |= {
                        t for t in outer.peek(default) if not isinstance(t, Foreign)
                    }
            self._name(arg.arg, things, state)
        for extra in (spec.vararg, spec.kwarg):
            if extra is not None:
                self._name(extra.arg, known.get(extra.arg, NOTHING), state)

    def _receiver(self, func: Func) -> Instance | Class | None:
        klass = func.function.klass
        if func.receiver is not None or klass is None:
            return func.receiver
        if "staticmethod" in func.function.decorators:
            return None
        if "classmethod" in func.function.decorators:
            return Class(klass, is_exact=False)
        return Instance(klass)


def _first_of(function: Function) -> ast.expr:
    node = function.node
    place = ast.Constant(None)
    place.lineno, place.col_offset = node.lineno, node.col_offset
    return place
