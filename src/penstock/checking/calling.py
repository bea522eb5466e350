"""What a call does: to functions of the project, and to what others are given."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .effects import ANYTHING, Body, Context, Site, State, Summary, add_visit, merged
from .things import (
    NOTHING,
    Awaitable,
    Class,
    Foreign,
    Func,
    Generator,
    Instance,
    Running,
)
from .verbs import (
    COLLECT,
    EXHAUST,
    FINISH,
    GATHER,
    GIVE_BACK,
    NOW,
    PARALLEL,
    TASK,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .effects import Kind, Visits
    from .engine import Engine
    from .source import Module
    from .things import Thing, Things

    Given = list[tuple[str | None, Things]]

__all__ = ["Calls"]

_ORDER: dict[Kind, int] = {"call": 0, "escape": 1, "possible": 2}


class Calls:
    """The part of a reader that knows what calls do.

    Attributes:
        visits: Where the references that are found now are noted.
    """

    def __init__(self, engine: Engine, module: Module, body: Body | None) -> None:
        self.engine = engine
        self.module = module
        self.body = body
        self.visits: Visits = {}

    def call(
        self, things: Things, given: Given, node: ast.expr, state: State, kind: Kind
    ) -> Things:
        """Call one of *things*, whichever it is; return what may come back."""
        ways: list[State] = []
        results = NOTHING
        for thing in _in_order(things):
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
        for thing in _in_order(things):
            if isinstance(thing, Func | Awaitable | Generator):
                aside = state.branch()
                if not when_known:
                    aside.may |= ANYTHING
                self._all_of(thing, node, aside)
                state.may |= aside.may & ~(0 if when_known else ANYTHING)
                state.running |= aside.running

    def start(
        self,
        things: Things,
        node: ast.expr,
        state: State,
        *,
        owner: str = "",
        is_parallel: bool = False,
        is_escape: bool = True,
    ) -> Things:
        """Begin what *things* are beside this code; return the work."""
        begun: set[Thing] = set()
        for thing in _in_order(things):
            if isinstance(thing, Running):
                begun.add(thing)
            elif isinstance(thing, Func | Awaitable | Generator):
                aside = state.copy()
                before = aside.may, aside.must
                self._all_of(thing, node, aside, is_escape=is_escape)
                begun.add(Running(*_gained(before, aside), owner, is_parallel))
        state.running |= {one for one in begun if isinstance(one, Running)}
        if is_parallel:
            for one in begun:
                if isinstance(one, Running):
                    state.may |= one.may
        return frozenset(begun)

    def finish(self, things: Iterable[Thing], state: State) -> None:
        """Wait for the work among *things*."""
        for thing in things:
            if isinstance(thing, Running):
                state.may |= thing.may
                state.must |= thing.must
                state.running -= {thing}

    def suspend(self, state: State) -> None:
        """Let tasks go on while this code waits for something else."""
        for running in state.running:
            state.may |= running.may

    def wait_for(self, things: Things, node: ast.expr, state: State) -> Things:
        """Await *things*."""
        coroutines = frozenset(t for t in things if isinstance(t, Awaitable))
        result = self.call(coroutines, [], node, state, "call")
        self.suspend(state)
        self.finish(things, state)
        others = (t for t in things if not isinstance(t, Awaitable | Running))
        return result | frozenset(others)

    def consume(self, things: Things, node: ast.expr, state: State) -> list[Summary]:
        """Begin to iterate *things*; return what is left to do of generators."""
        rests: list[Summary] = []
        ways: list[State] = []
        generators = [t for t in _in_order(things) if isinstance(t, Generator)]
        for thing in generators:
            way = state.copy() if len(generators) == 1 else state.branch()
            summary = self._run(thing.func, thing.arguments, node, way, "call")
            rests += self._rest(thing.func, summary)
            ways.append(way)
        if ways:
            state.become(merged(ways, certain=state.is_certain))
        return rests

    def go_on(self, rests: Iterable[Summary], node: ast.expr, state: State) -> None:
        """Do what is left to do of generators."""
        for rest in rests:
            self._apply(rest, node, state, "call")

    def _call_one(  # noqa: PLR0911  # one for each kind of thing
        self, thing: Thing, given: Given, node: ast.expr, state: State, kind: Kind
    ) -> Things:
        if isinstance(thing, Func):
            arguments = self._bound(thing, given, node)
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
            found = self.engine.methods(thing, "__call__")
            called = frozenset(Func(one, thing) for one in found)
            return self.call(called, given, node, state, kind)
        return NOTHING

    def _make(
        self, thing: Class, given: Given, node: ast.expr, state: State, kind: Kind
    ) -> Things:
        callables = [t for _, ts in given for t in ts if isinstance(t, Func)]
        site = (self.module.path, node.lineno, node.col_offset) if callables else None
        made = Instance(thing.klass, thing.is_exact, site)
        for name in ("__init__", "__post_init__"):
            for function in self.engine.methods(made, name)[:1]:
                arguments = self._bound(Func(function, made), given, node)
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
            field = name or (fields[place] if place < len(fields) else "")
            if things and field:
                self.engine.hold(made.site or made.klass, field, things)

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
            self._apply(summary, node, state, kind)
        return summary

    def _rest(self, func: Func, summary: Summary) -> list[Summary]:
        """Return what is left after a first yield; a step's calls are its own."""
        rest = summary.rest
        if rest is None:
            return []
        if func.function in self.engine.bits:
            return [Summary(may=rest.may, must=rest.must)]
        return [rest]

    def _apply(
        self, summary: Summary, node: ast.expr, state: State, kind: Kind
    ) -> None:
        """Do here what a plain function does."""
        del node
        for site, contexts in summary.visits.items():
            worst = max(site.kind, kind, key=_ORDER.__getitem__)
            here = site if worst == site.kind else site._replace(kind=worst)
            for context in contexts:
                self._add(here, context, state)
        state.may |= summary.may
        state.must |= summary.must
        state.running |= summary.running

    def _note(self, body: Body, node: ast.expr, state: State, kind: Kind) -> None:
        line = node.lineno
        if isinstance(node, ast.Attribute):
            line = node.end_lineno or line
        site = Site(body, self.module.path, line, kind)
        self._add(site, Context(0, 0), state)

    def _add(self, site: Site, context: Context, state: State) -> None:
        if not state.is_alive:
            return
        is_first = state.is_first or context.is_first
        is_certain = state.is_certain and context.is_certain
        if is_first and not is_certain:
            return  # the second time around the loop tells
        add_visit(
            self.visits,
            site,
            Context(
                context.may | state.may,
                context.must | state.must,
                is_first,
                is_certain,
            ),
        )

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
            self._apply(rest, node, state, kind)

    def _bound(
        self, func: Func, given: Given, node: ast.expr
    ) -> tuple[tuple[str, Things], ...]:
        """Return which parameter is what, of those that may be called."""
        del node
        spec = func.function.node.args
        names = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
        is_static = "staticmethod" in func.function.decorators
        if func.receiver is not None and not is_static:
            names = names[1:]
        found: dict[str, Things] = {}
        for place, (name, things) in enumerate(given):
            kept = frozenset(t for t in things if not isinstance(t, Foreign))
            if not kept:
                continue
            target = name
            if target is None and place < len(names):
                target = names[place]
            elif target is None:
                target = spec.vararg.arg if spec.vararg else None
            elif target not in names and all(a.arg != target for a in spec.kwonlyargs):
                target = spec.kwarg.arg if spec.kwarg else None
            if target is not None:
                found[target] = found.get(target, NOTHING) | kept
        return tuple(sorted(found.items()))

    def by_verb(  # noqa: PLR0911  # one for each kind of verb
        self, name: str, owner: str, given: Given, node: ast.expr, state: State
    ) -> Things | None:
        """Do what a function of another package is known to do; None if it is not."""
        everything = NOTHING.union(*(things for _, things in given))
        if name in GATHER:
            return self._gather(given, node, state)
        if name in TASK:
            return self.start(everything, node, state, owner=owner, is_escape=True)
        if name in PARALLEL:
            return self.start(everything, node, state, owner=owner, is_parallel=True)
        if name in NOW:
            self.finish(everything, state)
            self._now(name, everything, node, state)
            return everything if name == "sorted" else NOTHING
        if name in EXHAUST:
            self.go_on(self.consume(everything, node, state), node, state)
            return frozenset(t for t in everything if not isinstance(t, Generator))
        if name in GIVE_BACK:
            return everything
        if name in COLLECT and not any(isinstance(t, Func) for t in everything):
            return everything
        if name in FINISH:
            self.finish(everything, state)
            return everything
        return None

    def _now(self, name: str, things: Things, node: ast.expr, state: State) -> None:
        if name in {"run", "run_until_complete"}:
            for thing in things:
                if isinstance(thing, Awaitable):
                    self.call(frozenset({thing}), [], node, state, "escape")
            things = frozenset(t for t in things if not isinstance(t, Awaitable))
        self.go_on(self.consume(things, node, state), node, state)
        funcs = frozenset(t for t in things if isinstance(t, Func))
        self.escape(funcs, node, state, when_known=True)

    def _gather(self, given: Given, node: ast.expr, state: State) -> Things:
        """Start each; one that never waits is done before the next begins."""
        begun = NOTHING
        for _, things in given:
            started = self.start(things, node, state, is_escape=True)
            begun |= started
            if not any(_may_suspend(thing) for thing in things):
                self.finish(started, state)
        return begun


def _may_suspend(thing: Thing) -> bool:
    if isinstance(thing, Awaitable):
        return thing.func.function.may_suspend
    return True


def _gained(before: tuple[int, int], after: State) -> tuple[int, int]:
    return after.may & ~before[0], after.must & ~before[1]


def _in_order(things: Iterable[Thing]) -> list[Thing]:
    """Sort what a set holds, so that two runs of the check say the same."""
    if isinstance(things, frozenset) and len(things) < 2:  # noqa: PLR2004  # the rule
        return list(things)
    return sorted(things, key=_key)


def _key(thing: Thing) -> tuple[str, str]:
    if isinstance(thing, Func):
        return "f", repr(thing.function)
    if isinstance(thing, Awaitable | Generator):
        return "g", repr(thing.func.function)
    if isinstance(thing, Class | Instance):
        return "k", repr(thing.klass)
    return type(thing).__name__, ""
