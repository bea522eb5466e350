"""Which function a call calls, and what it does where nothing tells."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from .binding import handed_on
from .effects import ANYTHING
from .known_functions import (
    COLLECT,
    FINISH,
    GIVE_BACK,
    KEEP,
    NEVER_POSSIBLE,
    SIGNATURE,
)
from .values import (
    NOTHING,
    Class,
    Foreign,
    Func,
    Instance,
    Message,
    ModuleRef,
    Running,
    Super,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .assignments import Assignments
    from .binding import Given
    from .calls import Calls
    from .concurrency import Concurrency
    from .effects import PathState
    from .frame import Frame
    from .interpreter import Interpreter
    from .values import Values

__all__ = ["CallTargets"]

_PROPERTIES = frozenset({"property", "cached_property"})
_OWN_FUNCTIONS = re.compile(r"penstock\.(?!contrib\.threads\b)(?!.*\bbind_flow$)")


class CallTargets:
    """Finds what a call calls, and calls it.

    Args:
        interpreter: Knows the program.
        frame: The function that calls.
        calls: Does what a call does.
        concurrency: Does what known functions of other packages do.
        assignments: Keeps what a method puts into a collection.
        evaluate: Returns what an expression may stand for.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        frame: Frame,
        calls: Calls,
        concurrency: Concurrency,
        assignments: Assignments,
        evaluate: Callable[[ast.expr, PathState], Values],
    ) -> None:
        self._interpreter = interpreter
        self._attributes = interpreter.attributes
        self._frame = frame
        self._calls = calls
        self._concurrency = concurrency
        self._assignments = assignments
        self._evaluate = evaluate

    def call(self, node: ast.Call, state: PathState) -> Values:
        """Read a call."""
        func = node.func
        if isinstance(func, ast.Name) and func.id == "super":
            return self._super(node, state)
        base, values = NOTHING, NOTHING
        if isinstance(func, ast.Attribute):
            base = self._evaluate(func.value, state)
            values = self.attribute(func, base, state)
        else:
            values = self._evaluate(func, state)
        given = self._given(node, state)
        called = frozenset(one for one in values if not isinstance(one, Foreign))
        if called:
            result = self._calls.call(called, given, func, state)
            return result or self._attributes.returned(called)
        return self._unresolved(base, values, given, node, state)

    def attribute(self, node: ast.Attribute, base: Values, state: PathState) -> Values:
        """Return what an attribute of *base* is; a property is called for it."""
        values = self._attributes.find(base, node, self._frame.module)
        if isinstance(node.value, ast.Name):
            values |= state.names.get(f"{node.value.id}.{node.attr}", NOTHING)
        properties = frozenset[Func](
            one
            for one in values
            if isinstance(one, Func)
            and isinstance(one.receiver, Instance)
            and one.function.decorators & _PROPERTIES
        )
        if not properties:
            return values
        result = self._calls.call(properties, [], node, state)
        return (values - properties) | (result or self._attributes.returned(properties))

    def _given(self, node: ast.Call, state: PathState) -> Given:
        given: Given = []
        for one in node.args:
            held = None
            if isinstance(one, ast.Starred):
                held = self._handed_on(one.value, "*")
            given += [(None, self._evaluate(one, state))] if held is None else held
        for keyword in node.keywords:
            values = self._evaluate(keyword.value, state)
            held = self._handed_on(keyword.value, "**") if not keyword.arg else None
            given += [(keyword.arg or "", values)] if held is None else held
        return given

    def _handed_on(self, node: ast.expr, stars: str) -> Given | None:
        """Return what the function's own ``*args`` or ``**kwargs`` hold, else None."""
        invocation = self._frame.invocation
        if invocation is None:
            return None
        spec = invocation.func.function.node.args
        own = spec.vararg if stars == "*" else spec.kwarg
        if own is None or not isinstance(node, ast.Name) or node.id != own.arg:
            return None
        return handed_on(invocation.arguments, stars)

    def _unresolved(
        self,
        base: Values,
        values: Values,
        given: Given,
        node: ast.Call,
        state: PathState,
    ) -> Values:
        """Read a call of what this program does not define."""
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else ""
        foreign = next((one.name for one in values if isinstance(one, Foreign)), "")
        name = name or foreign.rpartition(".")[2].removesuffix("()")
        everything = NOTHING.union(*(one for _, one in given))
        if foreign in {"builtins.getattr", "operator.attrgetter"} and node.args[1:]:
            return self._by_name(node, state)
        if _OWN_FUNCTIONS.match(foreign):
            return frozenset({Foreign(f"{foreign}()")})
        if isinstance(func, ast.Attribute):
            done = self._method(func, base, everything, state)
            if done is not None:
                return done
        owner = ""
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
            owner = func.value.id
        done = self._concurrency.call_known(name, owner, given, node, state)
        if done is not None:
            return done
        possible = self._possible(func, values, base, state)
        if possible:
            return self._calls.call(possible, given, func, state, "possible")
        self._calls.go_on(self._calls.consume(everything, node, state), state)
        self._calls.escape(everything, node, state)
        is_parameter = isinstance(func, ast.Name) and func.id in self._frame.local
        if isinstance(func, ast.Subscript) or (is_parameter and not values):
            state.may |= ANYTHING  # nothing says what this is
        kept = everything if name in GIVE_BACK else NOTHING
        return kept | ({Foreign(f"{foreign}()")} if foreign else NOTHING)

    def _method(
        self, func: ast.Attribute, base: Values, everything: Values, state: PathState
    ) -> Values | None:
        """Call a method of a collection, of a function, or of work that goes on."""
        name = func.attr
        if name in FINISH and any(isinstance(one, Running) for one in base):
            self._concurrency.finish(base, state)
            return base
        if name in KEEP and not any(isinstance(one, Foreign) for one in base):
            self._calls.go_on(self._calls.consume(everything, func, state), state)
            self._assignments.keep(func.value, everything, state)
            return base | everything
        functions = frozenset(one for one in base if isinstance(one, Func))
        if name in COLLECT:
            return base | (everything if functions else NOTHING) if base else None
        if functions and name in SIGNATURE:
            self._calls.escape(everything, func, state)
            return frozenset(Message((frozenset({one}),)) for one in functions)
        return None

    def _possible(
        self, func: ast.expr, values: Values, base: Values, state: PathState
    ) -> Values:
        """Return the only step of that name; of several, record that each may run."""
        if not isinstance(func, ast.Attribute) or func.attr in NEVER_POSSIBLE:
            return NOTHING
        if not self._attributes.is_unknown(base):
            return NOTHING
        if any(isinstance(one, Foreign) and not one.is_result for one in values):
            return NOTHING
        bits = self._interpreter.bits
        named = self._interpreter.program.named.get(func.attr, [])
        steps = [one for one in named if one in bits]
        real = [one for one in named if not one.is_abstract or one in steps]
        if len(steps) == 1 and real == steps:
            (one,) = steps
            receiver = Instance(one.klass) if one.klass else None
            return frozenset({Func(one, receiver)})
        for one in steps:
            state.may |= bits[one]
        return NOTHING

    def _super(self, node: ast.Call, state: PathState) -> Values:
        if self._frame.invocation is None:
            return NOTHING
        func = self._frame.invocation.func
        klass = func.function.klass
        for value in self._evaluate(node.args[0], state) if node.args else ():
            if isinstance(value, Class):
                klass = value.klass
        return frozenset({Super(klass, func.receiver)}) if klass else NOTHING

    def _by_name(self, node: ast.Call, state: PathState) -> Values:
        """Read ``getattr``; part of the name may be put together at run time."""
        holders = self._evaluate(node.args[0], state)
        found = NOTHING.union(*(self._evaluate(one, state) for one in node.args[2:]))
        pattern = _pattern(node.args[1])
        if pattern is None:
            if any(isinstance(one, Instance | Class | ModuleRef) for one in holders):
                state.may |= ANYTHING
            return found
        for holder in holders:
            for name in self._attributes.names_of(holder):
                if pattern.fullmatch(name):
                    found |= self._attributes.of(holder, name)
        return found


def _pattern(node: ast.expr) -> re.Pattern[str] | None:
    """Return what a string must look like, if the code says part of it."""
    parts: Sequence[ast.expr] = [node]
    if isinstance(node, ast.JoinedStr):
        parts = node.values
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    texts = [str(one.value) if isinstance(one, ast.Constant) else "" for one in parts]
    if not any(texts):
        return None
    return re.compile("".join(re.escape(text) if text else ".*" for text in texts))
