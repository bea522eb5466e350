"""What an expression stands for, and what is called while it is evaluated."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar

from penstock.checking.project.ast_walk import children
from penstock.checking.project.definitions import Function

from .assignments import Assignments
from .call_targets import CallTargets
from .calls import Calls
from .concurrency import Concurrency, combined
from .effects import merged
from .nesting import MAX_DEPTH
from .values import NOTHING, Foreign, Func

if TYPE_CHECKING:
    from collections.abc import Callable

    from .effects import PathState
    from .frame import Frame
    from .interpreter import Interpreter
    from .values import Values

__all__ = ["Expressions"]

_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions:
    """Evaluates the expressions of one function.

    Args:
        interpreter: Knows the program.
        frame: The function.

    Attributes:
        calls: Does what a call does.
        concurrency: Does what starts, and waits for, other work.
        assignments: Assigns to names, attributes and collections.
    """

    def __init__(self, interpreter: Interpreter, frame: Frame) -> None:
        self._interpreter = interpreter
        self._frame = frame
        self.calls: Calls = Calls(interpreter, frame)
        self.concurrency: Concurrency = Concurrency(frame, self.calls)
        self.assignments: Assignments = Assignments(
            interpreter, frame, self.calls, self.value
        )
        self._targets = CallTargets(
            interpreter,
            frame,
            self.calls,
            self.concurrency,
            self.assignments,
            self.value,
        )

    def value(self, node: ast.expr | None, state: PathState) -> Values:
        """Evaluate *node*: record what is called, return what it may stand for."""
        read = self._readers.get(type(node))
        if read is None:
            return self._parts(node, state)
        interpreter = self._interpreter
        if interpreter.depth >= MAX_DEPTH:
            return interpreter.give_up(state)
        interpreter.depth += 1
        values = read(self, node, state)
        interpreter.depth -= 1
        return values

    def peek(self, node: ast.expr, state: PathState) -> Values:
        """Return what *node* may stand for, and record nothing."""
        frame = self._frame
        kept, frame.visits = frame.visits, {}
        try:
            return self.value(node, state)
        finally:
            frame.visits = kept

    def _parts(self, node: ast.expr | None, state: PathState) -> Values:
        """Evaluate what is in *node*, from left to right."""
        values = NOTHING
        todo = [] if node is None else children(node)[::-1]
        while todo:
            one = todo.pop()
            if type(one) in self._readers and isinstance(one, ast.expr):
                values |= self.value(one, state)
            else:
                todo += children(one)[::-1]
        return values

    def _name(self, node: ast.Name, state: PathState) -> Values:
        frame = self._frame
        if node.id in state.names:
            return state.names[node.id]
        if node.id in frame.local:
            return frame.scope.seen.get(node.id, NOTHING)
        owner = frame.scope.owner(node.id)
        if owner is not None:
            return owner.seen[node.id]
        known = self._interpreter.names.value(frame.module.name, node.id)
        return frozenset({Foreign(f"builtins.{node.id}")}) if known is None else known

    def _attribute(self, node: ast.Attribute, state: PathState) -> Values:
        return self._targets.attribute(node, self.value(node.value, state), state)

    def _call(self, node: ast.Call, state: PathState) -> Values:
        return self._targets.call(node, state)

    def _subscript(self, node: ast.Subscript, state: PathState) -> Values:
        """Return what a collection holds."""
        base = self.value(node.value, state)
        self.value(node.slice, state)
        held = frozenset(one for one in base if not isinstance(one, Foreign))
        if not base or held:
            return held
        return frozenset({Foreign(f"{next(iter(base))}[]()")})

    def _lambda(self, node: ast.Lambda, _state: PathState) -> Values:
        function = self._interpreter.program.defined[node]
        assert isinstance(function, Function)  # noqa: S101  # a lambda is one
        return frozenset({Func(function, None, self._frame.scope)})

    def _operation(self, node: ast.BinOp, state: PathState) -> Values:
        """Read ``a + b + c``, of any length; ``|`` makes a chain of messages."""
        operands = [node.right]
        left = node.left
        while isinstance(left, ast.BinOp):
            operands.append(left.right)
            left = left.left
        values = [self.value(one, state) for one in (left, *reversed(operands))]
        if isinstance(node.op, ast.BitOr):
            chain = combined("chain", values)
            if chain is not None:
                return chain
        return NOTHING.union(*values)

    def _named(self, node: ast.NamedExpr, state: PathState) -> Values:
        values = self.value(node.value, state)
        self.assignments.assign(node.target, values, state)
        return values

    def _choice(self, node: ast.IfExp, state: PathState) -> Values:
        self.value(node.test, state)
        yes, no = state.branch(), state.branch()
        found = self.value(node.body, yes) | self.value(node.orelse, no)
        state.become(merged([yes, no], certain=state.is_certain))
        return found

    def _bool(self, node: ast.BoolOp, state: PathState) -> Values:
        """Read ``and`` and ``or``: only the first is sure to be evaluated."""
        first, *others = node.values
        found = self.value(first, state)
        ways = [state.copy()]
        way = state.branch()
        for other in others:
            found |= self.value(other, way)
            ways.append(way.copy())
        state.become(merged(ways, certain=state.is_certain))
        return found

    def _compare(self, node: ast.Compare, state: PathState) -> Values:
        self._parts(node, state)
        return NOTHING

    def _await(self, node: ast.Await, state: PathState) -> Values:
        values = self.value(node.value, state)
        return self.concurrency.wait_for(values, node.value, state)

    def _comprehension(self, node: _Comprehension, state: PathState) -> Values:
        """Read a comprehension: a loop."""
        inner = state.branch()
        ways = [state.copy()]
        for part in node.generators:
            values = self.value(part.iter, inner)
            items = self.concurrency.iterate(values, part.iter, inner)
            ways.append(inner.copy())
            inner.is_certain = inner.is_certain or not inner.is_first
            inner.is_first = True
            self.assignments.assign(part.target, items, inner)
            for test in part.ifs:
                self.value(test, inner)
                inner.is_certain = False
        found = self._items(node, inner)
        ways.append(inner.copy())
        again = merged(ways, certain=False)
        again.is_first, again.is_certain = state.is_first, False
        for part in node.generators:
            for test in part.ifs:
                self.value(test, again)
        found |= self._items(node, again)
        after = merged([*ways, again], certain=state.is_certain)
        after.is_first, after.is_certain = state.is_first, state.is_certain
        state.become(after)
        return found

    def _items(self, node: _Comprehension, state: PathState) -> Values:
        if isinstance(node, ast.DictComp):
            return self.value(node.key, state) | self.value(node.value, state)
        return self.value(node.elt, state)

    def _text(self, node: ast.JoinedStr, state: PathState) -> Values:
        self._parts(node, state)
        return NOTHING

    def _yield(self, node: ast.Yield, state: PathState) -> Values:
        """Read ``yield``: what it gives belongs to whatever iterates."""
        self._frame.returned |= self.value(node.value, state)
        self._frame.split(state)
        return NOTHING

    def _yield_from(self, node: ast.YieldFrom, state: PathState) -> Values:
        values = self.value(node.value, state)
        rests = self.calls.consume(values, node.value, state)
        self._frame.split(state)
        self.calls.go_on(rests, state)
        return NOTHING

    _readers: ClassVar[dict[type[ast.AST | None], Callable[..., Values]]] = {
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Subscript: _subscript,
        ast.Lambda: _lambda,
        ast.BinOp: _operation,
        ast.NamedExpr: _named,
        ast.IfExp: _choice,
        ast.BoolOp: _bool,
        ast.Compare: _compare,
        ast.Await: _await,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _comprehension,
        ast.JoinedStr: _text,
        ast.Yield: _yield,
        ast.YieldFrom: _yield_from,
    }
