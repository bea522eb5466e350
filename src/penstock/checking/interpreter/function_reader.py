"""Read one function: in which order may it call what?"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .attributes import annotated
from .decorators import Readers, is_ours
from .effects import Frame, PathState, Summary, merged
from .statements import Statements
from .values import (
    NOTHING,
    Awaitable,
    Class,
    Foreign,
    Func,
    Generator,
    Instance,
    Message,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock._project.source_files import Module
    from penstock.checking.project.functions_and_classes import Function

    from .effects import Invocation
    from .interpreter import Interpreter
    from .values import Values

__all__ = ["readers_of"]


def readers_of(interpreter: Interpreter) -> Readers:
    """Return what reads the source for *interpreter*."""
    modules: dict[Module, _ModuleReader] = {}

    def reader(module: Module) -> _ModuleReader:
        if module not in modules:
            modules[module] = _ModuleReader(interpreter, module)
        return modules[module]

    return Readers(
        lambda invocation: _read(interpreter, invocation),
        lambda module, node: reader(module).evaluate(node, {}),
        lambda module, node, names: reader(module).evaluate(node, names),
        lambda module, node: reader(module).annotated(node),
        lambda module, *given: reader(module).apply(*given),
        lambda module, nodes: reader(module).run(nodes),
    )


class _ModuleReader:
    """Reads code in the global scope of a module."""

    def __init__(self, interpreter: Interpreter, module: Module) -> None:
        self._frame = Frame(module)
        self._statements = Statements(interpreter, self._frame)

    def evaluate(self, node: ast.expr, names: Mapping[str, Values]) -> Values:
        return self._statements.expressions.peek(node, PathState(names=dict(names)))

    def annotated(self, node: ast.expr | None) -> Values:
        return annotated(node, lambda one: self.evaluate(one, {}))

    def apply(self, wrappers: Values, given: Values, node: ast.expr) -> Values:
        kept, self._frame.visits = self._frame.visits, {}
        try:
            calls = self._statements.expressions.calls
            return calls.call(wrappers, [(None, given)], node, PathState())
        finally:
            self._frame.visits = kept

    def run(self, nodes: Iterable[ast.stmt]) -> None:
        self._statements.block(nodes, PathState())
        self._frame.visits = {}


def _read(interpreter: Interpreter, invocation: Invocation) -> Summary:
    """Return what one call of a function does."""
    function = invocation.func.function
    frame = Frame(function.module, invocation)
    statements = Statements(interpreter, frame)
    calls = statements.expressions.calls
    state = PathState()
    is_step = bool(interpreter.bit(invocation.func))
    if is_step:
        _call_decorators(interpreter, function, statements, state)
    _bind_parameters(interpreter, invocation, frame, state)
    if isinstance(function.node, ast.Lambda):
        frame.returned = statements.expressions.value(function.node.body, state)
    else:
        statements.block(function.node.body, state)
    end = merged([*frame.ends, state], certain=True)
    if is_step and end.is_alive:
        kinds = (Func, Awaitable, Generator, Message)
        handed = frozenset(one for one in frame.returned if isinstance(one, kinds))
        calls.escape(handed, ast.copy_location(ast.Constant(None), function.node), end)
        frame.returned -= {one for one in handed if not isinstance(one, Func)}
    return frame.summary(end)


def _call_decorators(
    interpreter: Interpreter,
    function: Function,
    statements: Statements,
    state: PathState,
) -> None:
    """Record what decorators other than penstock's are given to call."""
    readers, module = interpreter.readers, function.module
    calls = statements.expressions.calls
    for node in getattr(function.node, "decorator_list", ()):
        if isinstance(node, ast.Call) and not is_ours(
            readers.evaluate(module, node.func)
        ):
            for value in (*node.args, *(one.value for one in node.keywords)):
                calls.escape(readers.evaluate(module, value), value, state)
    for node, wrappers in interpreter.decorators.wrappers(function)[1]:
        around = readers.apply(module, wrappers, NOTHING, node)
        calls.escape(around, node, state)


def _bind_parameters(
    interpreter: Interpreter, invocation: Invocation, frame: Frame, state: PathState
) -> None:
    func, known = invocation.func, dict(invocation.arguments)
    readers, module = interpreter.readers, frame.module
    spec = func.function.node.args
    names = [*spec.posonlyargs, *spec.args]
    defaults: dict[str, ast.expr | None] = {
        arg.arg: default
        for arg, default in (
            *zip(reversed(names), reversed(spec.defaults), strict=False),
            *zip(spec.kwonlyargs, spec.kw_defaults, strict=True),
        )
    }
    receiver = _receiver(func)
    for place, arg in enumerate([*names, *spec.kwonlyargs]):
        values = known.get(arg.arg, NOTHING)
        if place == 0 and receiver is not None:
            values = frozenset({receiver})
        if not values:
            values = readers.annotated(module, arg.annotation)
            default = defaults.get(arg.arg)
            if default is not None:
                found = readers.evaluate(module, default)
                values |= {one for one in found if not isinstance(one, Foreign)}
        frame.bind(arg.arg, values, state)
    for extra in (spec.vararg, spec.kwarg):
        if extra is not None:
            frame.bind(extra.arg, known.get(extra.arg, NOTHING), state)


def _receiver(func: Func) -> Instance | Class | None:
    klass = func.function.klass
    if func.receiver is not None or klass is None:
        return func.receiver
    if "staticmethod" in func.function.decorators:
        return None
    if "classmethod" in func.function.decorators:
        return Class(klass, is_exact=False)
    return Instance(klass)
