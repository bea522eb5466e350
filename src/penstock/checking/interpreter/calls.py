"""What a call does to what has run: to functions, to other work, to messages."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from .binding import bound
from .effects import ANYTHING, Context, Invocation, Site, Summary, merged
from .known_functions import (
    AFTER_COMMIT,
    AFTER_RESPONSE,
    COLLECT,
    ENQUEUE,
    EXHAUST,
    FINISH,
    GATHER,
    GIVE_BACK,
    NOW,
    PARALLEL,
    TASK,
)
from .values import (
    NOTHING,
    Awaitable,
    Class,
    Func,
    Generator,
    Instance,
    Message,
    Running,
    in_order,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .binding import Arguments, Given
    from .effects import Frame, PathState
    from .interpreter import Interpreter
    from .values import Value, Values

__all__ = ["Calls", "combined"]


class Calls:
    """Does what the calls in one function do."""

    def __init__(self, interpreter: Interpreter, frame: Frame) -> None:
        self._interpreter = interpreter
        self._frame = frame

    def call(
        self, values: Values, given: Given, node: ast.expr, state: PathState
    ) -> Values:
        """Call one of *values*, whichever it is; return what may come back."""
        ways: list[PathState] = []
        results = NOTHING
        for value in in_order(values):
            way = state.copy() if len(values) == 1 else state.branch()
            results |= self._call_one(value, given, node, way)
            ways.append(way)
        if ways:
            state.become(merged(ways, certain=state.is_certain))
        return results

    def call_method(
        self, values: Values, name: str, node: ast.expr, state: PathState
    ) -> Values:
        """Call a method that Python calls by itself, where objects have it."""
        found: set[Value] = set()
        for value in values:
            if isinstance(value, Instance):
                methods = self._interpreter.classes.methods(value, name)
                found |= {Func(one, value) for one in methods}
        return self.call(frozenset(found), [], node, state)

    def escape(
        self,
        values: Values,
        node: ast.expr,
        state: PathState,
        *,
        when_known: bool = False,
    ) -> None:
        """Record that functions among *values* are handed over for others to call.

        There may have been more by then, unless *when_known*: they are called now.
        """
        before = state.may
        for value in in_order(values):
            if isinstance(value, Message):
                members = [one for stage in value.stages for one in in_order(stage)]
                self.escape(frozenset(members), node, state)
            elif isinstance(value, Func | Awaitable | Generator):
                aside = state.branch()
                if self._interpreter.is_draft:
                    aside.may = before
                aside.may |= 0 if when_known else ANYTHING
                self._call_to_end(value, node, aside)
                state.may |= aside.may & ~(0 if when_known else ANYTHING)
                state.running |= aside.running

    def consume(
        self, values: Values, node: ast.expr, state: PathState
    ) -> list[Summary]:
        """Begin to iterate *values*; return what is left to do of generators."""
        rests: list[Summary] = []
        ways: list[PathState] = []
        generators = [one for one in in_order(values) if isinstance(one, Generator)]
        for one in generators:
            way = state.copy() if len(generators) == 1 else state.branch()
            summary = self._run(one.func, one.arguments, node, way)
            rests += self._rest(one.func, summary)
            ways.append(way)
        if ways:
            state.become(merged(ways, certain=state.is_certain))
        return rests

    def go_on(self, rests: Iterable[Summary], state: PathState) -> None:
        """Do what is left to do of generators."""
        for rest in rests:
            self._frame.apply(rest, state)

    def iterate(
        self, values: Values, node: ast.expr, state: PathState
    ) -> tuple[Values, list[Summary]]:
        """Begin to iterate *values*; return the items, and what is left to do."""
        rests = self.consume(values, node, state)
        iterators = values
        for name in ("__iter__", "__aiter__"):
            made = self.call_method(values, name, node, state)
            rests += self.consume(made, node, state)
            iterators |= made
        for name in ("__next__", "__anext__"):
            item = self.call_method(iterators, name, node, state)
            iterators |= self.wait_for(item, node, state) if item else NOTHING
        return iterators, rests

    def finish(self, values: Iterable[Value], state: PathState) -> None:
        """Wait for the work among *values*."""
        for value in values:
            if isinstance(value, Running):
                state.may |= value.may
                state.must |= value.must
                state.running -= {value}

    def suspend(self, state: PathState) -> None:
        """Let tasks go on while this code waits for something else."""
        for running in state.running:
            state.may |= running.may

    def wait_for(self, values: Values, node: ast.expr, state: PathState) -> Values:
        """Await *values*."""
        coroutines = frozenset(v for v in values if isinstance(v, Awaitable))
        result = self.call(coroutines, [], node, state)
        self.suspend(state)
        self.finish(values, state)
        others = (v for v in values if not isinstance(v, Awaitable | Running))
        return result | frozenset(others)

    def call_known(  # noqa: PLR0911  # one for each kind of function
        self, name: str, owner: str, given: Given, node: ast.expr, state: PathState
    ) -> Values | None:
        """Do what the function *name* is known to do; return None if it is unknown."""
        everything = NOTHING.union(*(values for _, values in given))
        if name in GATHER:
            return self._gather(given, node, state)
        if name in TASK | PARALLEL:
            is_parallel = name in PARALLEL
            return self._start(everything, node, state, owner, is_parallel=is_parallel)
        later = self._later(name, everything, node, state)
        if later is not None:
            return later
        if name in NOW:
            self.finish(everything, state)
            self._now(name, everything, node, state)
            return everything if name == "sorted" else NOTHING
        if name in EXHAUST:
            items = self._exhaust(everything, name, node, state)
            return frozenset(t for t in items if not isinstance(t, Generator))
        if any(isinstance(value, Message) for value in everything):
            return combined(name, [values for _, values in given])
        if name in GIVE_BACK:
            return everything
        if name in COLLECT and not any(isinstance(t, Func) for t in everything):
            return everything
        if name in FINISH:
            self.finish(everything, state)
            return everything
        return None

    def _later(
        self, name: str, values: Values, node: ast.expr, state: PathState
    ) -> Values | None:
        """Keep functions that run when this code is done, or in another process."""
        functions = frozenset(one for one in values if isinstance(one, Func))
        is_draft = self._interpreter.is_draft
        if functions and is_draft and name in ENQUEUE:
            return frozenset({self._send(Message((functions,)), node, state)})
        if name in AFTER_COMMIT or (is_draft and name in AFTER_RESPONSE):
            self._defer(values, node, state)
            return NOTHING
        return None

    def _start(
        self,
        values: Values,
        node: ast.expr,
        state: PathState,
        owner: str = "",
        *,
        is_parallel: bool = False,
    ) -> Values:
        """Start what *values* are beside this code; return the work."""
        begun: set[Running] = set()
        for value in in_order(values):
            if isinstance(value, Running):
                begun.add(value)
            elif isinstance(value, Func | Awaitable | Generator):
                aside = state.copy()
                self._call_to_end(value, node, aside)
                may, must = aside.may & ~state.may, aside.must & ~state.must
                begun.add(Running(may, must, owner, is_parallel))
        state.running |= begun
        for one in begun if is_parallel else ():
            state.may |= one.may
        return frozenset(begun)

    def _gather(self, given: Given, node: ast.expr, state: PathState) -> Values:
        """Start each; one that never waits is done before the next begins."""
        begun = NOTHING
        for _, values in given:
            started = self._start(values, node, state)
            begun |= started
            if all(
                isinstance(one, Awaitable) and not one.func.function.may_suspend
                for one in values
            ):
                self.finish(started, state)
        return begun

    def _defer(self, values: Values, node: ast.expr, state: PathState) -> None:
        """Register callbacks that run later, in this order: when all is committed."""
        for value in in_order(values):
            aside = state.copy()
            aside.is_deferred = True
            aside.may |= state.deferred
            aside.must |= state.deferred
            if isinstance(value, Message):
                self._send(value, node, aside)
            elif isinstance(value, Func):
                self._call_to_end(value, node, aside)
            state.deferred |= aside.must & ~state.must
            if not self._interpreter.is_draft:
                state.may |= aside.may

    def _exhaust(
        self, values: Values, name: str, node: ast.expr, state: PathState
    ) -> Values:
        """Take every item of *values*, or with ``next`` one."""
        if name in {"next", "anext"}:
            made = self.call_method(values, f"__{name}__", node, state)
            self.go_on(self.consume(values, node, state), state)
            return values | made
        items, rests = self.iterate(values, node, state)
        self.go_on(rests, state)
        return items

    def _now(self, name: str, values: Values, node: ast.expr, state: PathState) -> None:
        if name in {"run", "run_until_complete"}:
            for value in in_order(values):
                if isinstance(value, Awaitable):
                    self._call_to_end(value, node, state)
            values = frozenset(v for v in values if not isinstance(v, Awaitable))
        self.go_on(self.consume(values, node, state), state)
        funcs = frozenset(v for v in values if isinstance(v, Func))
        self.escape(funcs, node, state, when_known=True)

    def _send(self, message: Message, node: ast.expr, state: PathState) -> Running:
        """Send a message: for the order of steps, this calls them here.

        When they end is not known, unless what this returns is waited for.
        """
        aside = state.copy()
        for stage in message.stages:
            before, must = aside.copy(), aside.must
            for member in in_order(stage):
                way = before.copy()
                self._send_one(member, node, way)
                aside.may |= way.may
                must |= way.must
            aside.must = must
        may, must = aside.may & ~state.may, aside.must & ~state.must
        state.may |= self._interpreter.sent(may)
        return Running(may, must, "", is_parallel=True)

    def _send_one(self, value: Value, node: ast.expr, state: PathState) -> None:
        if isinstance(value, Message):
            self.finish([self._send(value, node, state)], state)
        elif isinstance(value, Func):
            # A task that is not a step may run after any of its siblings.
            unknown = 0 if self._interpreter.bit(value) else ANYTHING & ~state.may
            state.may |= unknown
            summary = self._call_to_end(value, node, state, is_sent=True)
            state.may &= ~unknown | summary.may

    def _call_to_end(
        self,
        value: Func | Awaitable | Generator,
        node: ast.expr,
        state: PathState,
        *,
        is_sent: bool = False,
    ) -> Summary:
        """Call a function that others will call, and whatever it leaves to do."""
        kind = state.kind
        state.kind = "escape" if kind == "call" else kind
        arguments = () if isinstance(value, Func) else value.arguments
        func = value if isinstance(value, Func) else value.func
        summary = self._run(func, arguments, node, state, is_sent=is_sent)
        self.go_on(self._rest(func, summary), state)
        state.kind = kind
        return summary

    def _call_one(
        self, value: Value, given: Given, node: ast.expr, state: PathState
    ) -> Values:
        if isinstance(value, Func):
            return self._call_func(value, given, node, state)
        if isinstance(value, Awaitable):
            return self._run(value.func, value.arguments, node, state).returns
        if isinstance(value, Class):
            return self._make(value, given, node, state)
        if isinstance(value, Instance):
            methods = self._interpreter.classes.methods(value, "__call__")
            funcs = frozenset(Func(one, value) for one in methods)
            return self.call(funcs, given, node, state)
        if isinstance(value, Message):
            for name, others in given:
                if name in {None, "link"}:
                    after = [one.stages for one in others if isinstance(one, Message)]
                    value = Message(sum(after, value.stages))
                else:
                    self.escape(others, node, state)
            return frozenset({self._send(value, node, state)})
        return NOTHING

    def _call_func(
        self, func: Func, given: Given, node: ast.expr, state: PathState
    ) -> Values:
        if func.function in self._interpreter.queued:
            message = Message((frozenset({func}),))
            return frozenset({self._send(message, node, state)})
        arguments = bound(func, given)
        if func.function.is_coroutine:
            return frozenset({Awaitable(func, arguments)})
        if func.function.has_yield:
            return frozenset({Generator(func, arguments)})
        return self._run(func, arguments, node, state).returns

    def _make(
        self, value: Class, given: Given, node: ast.expr, state: PathState
    ) -> Values:
        """Make an object; where it is given functions, its place tells it apart."""
        classes = self._interpreter.classes
        has_callables = any(isinstance(one, Func) for _, ones in given for one in ones)
        place = (self._frame.module.path, node.lineno, node.col_offset)
        made = Instance(value.klass, value.is_exact, place if has_callables else None)
        for name in ("__init__", "__post_init__"):
            for function in classes.methods(made, name)[:1]:
                func = Func(function, made)
                self._run(func, bound(func, given), node, state)
        if not classes.methods(made, "__init__"):
            self._fill(made, given)
        return frozenset({made})

    def _fill(self, made: Instance, given: Given) -> None:
        """Set the fields of a dataclass, or of what is like one."""
        bases = reversed(self._interpreter.classes.bases(made.klass))
        fields = [name for klass in bases for name in klass.annotations]
        for place, (keyword, values) in enumerate(given):
            name = keyword
            if name is None and place < len(fields):
                name = fields[place]
            if values and name:
                self._interpreter.heap.add(made.site or made.klass, name, values)

    def _run(
        self,
        func: Func,
        arguments: Arguments,
        node: ast.expr,
        state: PathState,
        *,
        is_sent: bool = False,
    ) -> Summary:
        """Read a function and add what it does to *state*."""
        if self._calls_overridden(func):
            func = replace(func, is_plain=True)
        invocation = Invocation(func, arguments)
        summary = self._interpreter.summary(invocation)
        bit = self._interpreter.bit(func)
        if not bit:
            self._frame.apply(summary, state)
            return summary
        line = node.end_lineno if isinstance(node, ast.Attribute) else None
        path, line = self._frame.module.path, line or node.lineno
        kind = "possible" if func.is_guess else state.kind
        site = Site(invocation, path, line, kind, is_sent, state.is_deferred)
        given = self._given_generators(arguments)
        context = Context(given & summary.may, given & summary.must)
        self._frame.note(site, context, state)
        state.may |= summary.may | bit
        state.must |= summary.must | bit
        state.running |= summary.running
        return summary

    def _calls_overridden(self, func: Func) -> bool:
        """Return whether an override calls it by its class: ``Base.fetch(self)``."""
        called, around = func.function, self._frame.invocation
        if func.receiver is not None or called.klass is None or around is None:
            return False
        own = around.func.function
        return (
            (own.name, own is called) == (called.name, False)
            and own.klass is not None
            and called.klass in self._interpreter.classes.bases(own.klass)
            and (around.func.is_plain or bool(self._interpreter.bit(around.func)))
        )

    def _given_generators(self, arguments: Arguments) -> int:
        """Return the generator steps among *arguments*, which start in the call."""
        mask = 0
        for _, values in arguments:
            for value in values:
                if isinstance(value, Generator):
                    mask |= self._interpreter.bit(value.func)
        return mask

    def _rest(self, func: Func, summary: Summary) -> list[Summary]:
        """Return what is left after a first yield; a step's calls are its own."""
        rest = summary.rest
        if rest is not None and self._interpreter.bit(func):
            rest = Summary(may=rest.may, must=rest.must)
        return [] if rest is None else [rest]


def combined(name: str, given: list[Values]) -> Values | None:
    """Return the message that messages are made into, as Celery's ``chain`` does."""
    parts = [[v for v in values if isinstance(v, Message)] for values in given]
    group = Message((frozenset(one for part in parts for one in part),))
    if name == "group":
        return frozenset({group})
    if name == "chord":
        first, *others = (Message((frozenset(part),)) for part in parts)
        return frozenset({Message(sum((one.stages for one in others), first.stages))})
    if name == "chain" and all(len(part) == 1 for part in parts):
        return frozenset({Message(sum((part[0].stages for part in parts), ()))})
    return NOTHING.union(*given) if name in GIVE_BACK - {"chain"} else None
