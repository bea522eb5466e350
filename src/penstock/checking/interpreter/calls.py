"""What a call does to what has run: calls of functions, objects and generators."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .binding import bound
from .effects import ANYTHING, Context, Invocation, Site, Summary, merged
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
    from .effects import PathState, ReferenceKind
    from .frame import Frame
    from .interpreter import Interpreter
    from .values import Value, Values

__all__ = ["Calls"]


class Calls:
    """Calls what a function calls.

    Args:
        interpreter: Knows what other functions do.
        frame: The function that makes the calls.
    """

    def __init__(self, interpreter: Interpreter, frame: Frame) -> None:
        self._interpreter = interpreter
        self._frame = frame

    def call(
        self,
        values: Values,
        given: Given,
        node: ast.expr,
        state: PathState,
        kind: ReferenceKind = "call",
    ) -> Values:
        """Call one of *values*, whichever it is; return what may come back."""
        ways: list[PathState] = []
        results = NOTHING
        for value in in_order(values):
            way = state.copy() if len(values) == 1 else state.branch()
            results |= self._call_one(value, given, node, way, kind)
            ways.append(way)
        if ways:
            state.become(merged(ways, certain=state.is_certain))
        return results

    def call_method(
        self,
        values: Values,
        name: str,
        given: Given,
        node: ast.expr,
        state: PathState,
        kind: ReferenceKind = "call",
    ) -> Values:
        """Call a method that Python calls by itself, where objects have it."""
        found: set[Value] = set()
        for value in values:
            if isinstance(value, Instance):
                methods = self._interpreter.classes.methods(value, name)
                found |= {Func(one, value) for one in methods}
        return self.call(frozenset(found), given, node, state, kind)

    def escape(
        self,
        values: Values,
        node: ast.expr,
        state: PathState,
        *,
        when_known: bool = False,
    ) -> None:
        """Record that functions among *values* are handed over for others to call.

        Args:
            values: What is handed over.
            node: Where.
            state: What has run; there may be more afterwards.
            when_known: Whether they are called now, not at any time.
        """
        for value in in_order(values):
            if isinstance(value, Message):
                members = [one for stage in value.stages for one in in_order(stage)]
                self.escape(frozenset(members), node, state)
            elif isinstance(value, Func | Awaitable | Generator):
                aside = state.branch()
                aside.may |= 0 if when_known else ANYTHING
                self.call_to_end(value, node, aside, kind="escape")
                state.may |= aside.may & ~(0 if when_known else ANYTHING)
                state.running |= aside.running

    def call_to_end(
        self,
        value: Func | Awaitable | Generator,
        node: ast.expr,
        state: PathState,
        *,
        kind: ReferenceKind,
        is_sent: bool = False,
    ) -> Summary:
        """Call a function that others will call, and whatever it leaves to do."""
        arguments = () if isinstance(value, Func) else value.arguments
        func = value if isinstance(value, Func) else value.func
        summary = self._run(func, arguments, node, state, kind, is_sent=is_sent)
        self.go_on(self._rest(func, summary), state, kind)
        return summary

    def send(self, message: Message, node: ast.expr, state: PathState) -> Running:
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
        state.may |= self._interpreter.sent(may) | (may & ANYTHING)
        return Running(may, must, "", is_parallel=True)

    def _send_one(self, value: Value, node: ast.expr, state: PathState) -> None:
        if isinstance(value, Message):
            running = self.send(value, node, state)
            state.may |= running.may
            state.must |= running.must
        elif isinstance(value, Func):
            # A task that is not a step may run after any of its siblings.
            is_step = value.function in self._interpreter.bits
            unknown = 0 if is_step else ANYTHING & ~state.may
            state.may |= unknown
            summary = self.call_to_end(value, node, state, kind="escape", is_sent=True)
            state.may &= ~unknown | summary.may

    def consume(
        self, values: Values, node: ast.expr, state: PathState
    ) -> list[Summary]:
        """Begin to iterate *values*; return what is left to do of generators."""
        rests: list[Summary] = []
        ways: list[PathState] = []
        generators = [one for one in in_order(values) if isinstance(one, Generator)]
        for one in generators:
            way = state.copy() if len(generators) == 1 else state.branch()
            summary = self._run(one.func, one.arguments, node, way, "call")
            rests += self._rest(one.func, summary)
            ways.append(way)
        if ways:
            state.become(merged(ways, certain=state.is_certain))
        return rests

    def go_on(
        self, rests: Iterable[Summary], state: PathState, kind: ReferenceKind = "call"
    ) -> None:
        """Do what is left to do of generators."""
        for rest in rests:
            self._frame.apply(rest, state, kind)

    def _call_one(  # noqa: PLR0911  # one for each kind of value
        self,
        value: Value,
        given: Given,
        node: ast.expr,
        state: PathState,
        kind: ReferenceKind,
    ) -> Values:
        if isinstance(value, Func):
            arguments = bound(value, given)
            if value.function.is_coroutine:
                return frozenset({Awaitable(value, arguments)})
            if value.function.has_yield:
                return frozenset({Generator(value, arguments)})
            return self._run(value, arguments, node, state, kind).returns
        if isinstance(value, Awaitable):
            return self._run(value.func, value.arguments, node, state, kind).returns
        if isinstance(value, Class):
            return self._make(value, given, node, state, kind)
        if isinstance(value, Instance):
            values: Values = frozenset({value})
            return self.call_method(values, "__call__", given, node, state, kind)
        if isinstance(value, Message):
            for name, others in given:
                if name in {None, "link"}:
                    after = [one.stages for one in others if isinstance(one, Message)]
                    value = Message(sum(after, value.stages))
                else:
                    self.escape(others, node, state)
            return frozenset({self.send(value, node, state)})
        return NOTHING

    def _make(
        self,
        value: Class,
        given: Given,
        node: ast.expr,
        state: PathState,
        kind: ReferenceKind,
    ) -> Values:
        classes = self._interpreter.classes
        has_callables = any(isinstance(one, Func) for _, ones in given for one in ones)
        place = (self._frame.module.path, node.lineno, node.col_offset)
        site = place if has_callables else None
        made = Instance(value.klass, value.is_exact, site)
        for name in ("__init__", "__post_init__"):
            for function in classes.methods(made, name)[:1]:
                arguments = bound(Func(function, made), given)
                self._run(Func(function, made), arguments, node, state, kind)
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
        kind: ReferenceKind,
        *,
        is_sent: bool = False,
    ) -> Summary:
        """Read a function and add what it does to *state*."""
        invocation = Invocation(func, arguments)
        bit = self._interpreter.bits.get(func.function, 0)
        summary = self._interpreter.summary(invocation)
        if bit:
            line = node.end_lineno if isinstance(node, ast.Attribute) else None
            path, line = self._frame.module.path, line or node.lineno
            site = Site(invocation, path, line, kind, is_sent)
            given = self._given_generators(arguments)
            context = Context(given & summary.may, given & summary.must)
            self._frame.note(site, context, state)
            state.may |= summary.may | bit
            state.must |= summary.must | bit
            state.running |= summary.running
        else:
            self._frame.apply(summary, state, kind)
        return summary

    def _given_generators(self, arguments: Arguments) -> int:
        """Return the generator steps among *arguments*, which start in the call."""
        mask = 0
        for _, values in arguments:
            for value in values:
                if isinstance(value, Generator):
                    mask |= self._interpreter.bits.get(value.func.function, 0)
        return mask

    def _rest(self, func: Func, summary: Summary) -> list[Summary]:
        """Return what is left after a first yield; a step's calls are its own."""
        rest = summary.rest
        if rest is None:
            return []
        if func.function in self._interpreter.bits:
            return [Summary(may=rest.may, must=rest.must)]
        return [rest]
