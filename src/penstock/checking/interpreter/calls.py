"""What a call does: to functions of the project, and to what others are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .binding import bound
from .effects import ANYTHING, Body, State, Summary, merged
from .values import (
    NOTHING,
    Awaitable,
    Class,
    Func,
    Generator,
    Instance,
    in_order,
)
from .visits import Notes

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from .binding import Given
    from .effects import Kind
    from .values import Thing, Things


__all__ = ["Calls"]


class Calls(Notes):
    """The part of a reader that knows what calls do."""

    def call(
        self, things: Things, given: Given, node: ast.expr, state: State, kind: Kind
    ) -> Things:
        """Call one of *things*, whichever it is; return what may come back."""
        ways: list[State] = []
        results = NOTHING
        for thing in in_order(things):
            way = state.copy() if len(things) == 1 else state.branch()
            result = self._call_one(thing, given, node, way, kind)
            results |= result
            ways.append(way)
        if ways:
            state.become(merged(ways, certain=state.is_certain))
        return results

    def escape(
        self,
        things: Things,
        node: ast.expr,
        state: State,
        *,
        when_known: bool = False,
    ) -> None:
        """Note that functions among *things* were handed over, to be called by others.

        Args:
            things: What was handed over.
            node: Where.
            state: What has run; it may be more afterwards.
            when_known: Whether they are called now, rather than at any time.
        """
        for thing in in_order(things):
            if isinstance(thing, Func | Awaitable | Generator):
                aside = state.branch()
                if not when_known:
                    aside.may |= ANYTHING
                self._all_of(thing, node, aside)
                state.may |= aside.may & ~(0 if when_known else ANYTHING)
                state.running |= aside.running

    def protocol(
        self,
        things: Things,
        name: str,
        given: Given,
        node: ast.expr,
        state: State,
        kind: Kind = "call",
    ) -> Things:
        """Call the method that the language calls by itself, where there is one."""
        found: set[Thing] = set()
        for thing in things:
            if isinstance(thing, Instance):
                methods = self.engine.methods(thing, name)
                found |= {Func(one, thing) for one in methods}
        if not found:
            return NOTHING
        return self.call(frozenset(found), given, node, state, kind)

    def consume(self, things: Things, node: ast.expr, state: State) -> list[Summary]:
        """Begin to iterate *things*; return what is left to do of generators."""
        rests: list[Summary] = []
        ways: list[State] = []
        generators = [t for t in in_order(things) if isinstance(t, Generator)]
        for thing in generators:
            way = state.copy() if len(generators) == 1 else state.branch()
            summary = self._run(thing.func, thing.arguments, node, way, "call")
            rests += self._rest(thing.func, summary)
            ways.append(way)
        if ways:
            state.become(merged(ways, certain=state.is_certain))
        return rests

    def go_on(self, rests: Iterable[Summary], state: State) -> None:
        """Do what is left to do of generators."""
        for rest in rests:
            self._apply(rest, state, "call")

    def _call_one(  # noqa: PLR0911  # one for each kind of thing
        self, thing: Thing, given: Given, node: ast.expr, state: State, kind: Kind
    ) -> Things:
        if isinstance(thing, Func):
            arguments = bound(thing, given)
            if thing.function.is_coroutine:
                return frozenset({Awaitable(thing, arguments)})
            if thing.function.has_yield:
                return frozenset({Generator(thing, arguments)})
            return self._run(thing, arguments, node, state, kind).returns
        if isinstance(thing, Awaitable):
            return self._run(thing.func, thing.arguments, node, state, kind).returns
        if isinstance(thing, Class):
            return self._make(thing, given, node, state, kind)
        if isinstance(thing, Instance):
            return self.protocol(
                frozenset({thing}), "__call__", given, node, state, kind
            )
        return NOTHING

    def _make(
        self, thing: Class, given: Given, node: ast.expr, state: State, kind: Kind
    ) -> Things:
        callables = [t for _, ts in given for t in ts if isinstance(t, Func)]
        site = (self.module.path, node.lineno, node.col_offset) if callables else None
        made = Instance(thing.klass, thing.is_exact, site)
        for name in ("__init__", "__post_init__"):
            for function in self.engine.methods(made, name)[:1]:
                arguments = bound(Func(function, made), given)
                self._run(Func(function, made), arguments, node, state, kind)
        if not self.engine.methods(made, "__init__"):
            self._fill(made, given)
        return frozenset({made})

    def _fill(self, made: Instance, given: Given) -> None:
        """Set the fields of a dataclass, or of what is like one."""
        fields = [
            name
            for klass in reversed(self.engine.bases(made.klass))
            for name in klass.annotations
        ]
        for place, (name, things) in enumerate(given):
            if name is None:
                name = fields[place] if place < len(fields) else ""  # noqa: PLW2901  # the same
            if things and name:
                self.engine.hold(made.site or made.klass, name, things)

    def _run(
        self,
        func: Func,
        arguments: tuple[tuple[str, Things], ...],
        node: ast.expr,
        state: State,
        kind: Kind,
    ) -> Summary:
        """Read a function and add what it does to *state*."""
        body = Body(func, arguments)
        bit = self.engine.bits.get(func.function, 0)
        if bit:
            self._note(body, node, state, kind)
        summary = self.engine.summary(body)
        if bit:
            state.may |= summary.may | bit
            state.must |= summary.must | bit
            state.running |= summary.running
        else:
            self._apply(summary, state, kind)
        return summary

    def _rest(self, func: Func, summary: Summary) -> list[Summary]:
        """Return what is left after a first yield; a step's calls are its own."""
        rest = summary.rest
        if rest is None:
            return []
        if func.function in self.engine.bits:
            return [Summary(may=rest.may, must=rest.must)]
        return [rest]

    def _all_of(
        self,
        thing: Func | Awaitable | Generator,
        node: ast.expr,
        state: State,
        *,
        is_escape: bool = True,
    ) -> None:
        """Call a function that others will call, to its end."""
        kind: Kind = "escape" if is_escape else "call"
        arguments = () if isinstance(thing, Func) else thing.arguments
        func = thing if isinstance(thing, Func) else thing.func
        summary = self._run(func, arguments, node, state, kind)
        for rest in self._rest(func, summary):
            self._apply(rest, state, kind)
