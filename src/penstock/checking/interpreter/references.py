"""Read a program, and list which step refers to which."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .effects import Invocation
from .function_reader import readers_of
from .interpreter import Interpreter
from .values import Func

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.program import Program
    from penstock.checking.project.steps import Steps
    from penstock.checking.resolvers.base import Resolver

    from .effects import ReferenceKind

__all__ = ["Reference", "read_program", "references"]

_MAX_ROUNDS = 3  # of reading everything, until a round finds nothing new
_LARGE = 5_000  # functions; such programs get one round less


class Reference(NamedTuple):
    """One place where the code of a step refers to another step."""

    caller: Function
    called: Function
    path: str
    line: int
    kind: ReferenceKind


def read_program(
    program: Program,
    steps: Steps,
    plain: Container[Function],
    resolver: Resolver,
    progress: Callable[[int, int], None],
) -> Interpreter:
    """Read every step; return the interpreter, which knows what each does.

    Args:
        program: The parsed modules.
        steps: Which functions are steps.
        plain: Methods that override a step, but are not the step.
        resolver: Asked what a name is where the code around it does not say.
        progress: Called with the number of steps read so far, and of all.
    """
    interpreter = Interpreter(program, steps, resolver, readers_of)
    taken = [one for one in steps.of if one.klass is not None]
    steps.add_overrides(taken, interpreter.classes.overrides, plain)
    total = len(steps.bits)
    is_large = len(program.functions) > _LARGE
    for _ in range(_MAX_ROUNDS - is_large):
        interpreter.begin_round()
        for done, function in enumerate(steps.bits):
            interpreter.summary(Invocation(Func(function)))
            progress(done + 1, total)
        if not interpreter.needs_more:
            break
    return interpreter


def references(interpreter: Interpreter) -> list[Reference]:
    """Return every reference from step to step, each once, in order."""
    found: set[Reference] = set()
    for invocation, summary in interpreter.read_steps():
        caller = invocation.func.function
        for part in summary.parts:
            for site in part.visits:
                called = site.invocation.func.function
                found.add(Reference(caller, called, site.path, site.line, site.kind))
    return sorted(found, key=_order)


def _order(one: Reference) -> tuple[str, int, str, str, str]:
    return one.path, one.line, repr(one.caller), repr(one.called), one.kind
