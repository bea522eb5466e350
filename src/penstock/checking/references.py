"""From flows and files to what every step refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .effects import Body
from .engine import Engine
from .reader import Reader
from .things import Func

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from penstock._types import FlowInfo, StepInfo

    from .effects import Kind
    from .program import Function, Program
    from .resolvers import Resolver

__all__ = ["Reference", "Steps", "read_program", "references", "steps_of"]

_MAX_ROUNDS = 3  # of reading all, until that finds no more
_LARGE = 5_000  # functions; there two rounds have to do


@dataclass(frozen=True)
class Steps:
    """Which function is which step, and which bit stands for it.

    Attributes:
        of: The steps that each function is, one in each of its flows.
        functions: The function of each ``(flow, step)``.
        bits: The bit of each function.
    """

    of: Mapping[Function, tuple[StepInfo, ...]]
    functions: Mapping[tuple[str, str], Function]
    bits: Mapping[Function, int]


class Reference(NamedTuple):
    """One place where the code of a step refers to another."""

    caller: Function
    called: Function
    path: str
    line: int
    kind: Kind


def steps_of(flows: Iterable[FlowInfo], program: Program) -> Steps:
    """Find the functions of the steps of *flows*."""
    of: dict[Function, tuple[StepInfo, ...]] = {}
    functions: dict[tuple[str, str], Function] = {}
    for flow in flows:
        for step in flow.steps:
            function = program.function_at(step.path, step.line)
            if function is not None:
                of[function] = (*of.get(function, ()), step)
                functions.setdefault((flow.name, step.name), function)
    bits = {function: 2 << place for place, function in enumerate(of)}
    return Steps(of, functions, bits)


def read_program(
    program: Program,
    steps: Steps,
    resolver: Resolver,
    progress: Callable[[int, int], None],
) -> Engine:
    """Read every step; return who can tell what each does.

    Args:
        program: What there is.
        steps: Which functions are steps.
        resolver: Who is asked where the code around a name does not tell.
        progress: Is told how many of how many are done.
    """
    engine = Engine(program, resolver, steps.bits, Reader)
    total = len(engine.bits)
    is_large = len(program.functions) > _LARGE
    for _ in range(_MAX_ROUNDS - is_large):
        engine.forget()
        for done, function in enumerate(engine.bits):
            engine.summary(Body(Func(function)))
            progress(done + 1, total)
        if not engine.needs_more:
            break
    return engine


def references(engine: Engine) -> list[Reference]:
    """Return every reference from step to step, each once, in order."""
    found: set[Reference] = set()
    for body, summary in engine.read_steps():
        for part in (summary, summary.rest):
            for site in part.visits if part is not None else ():
                called, caller = site.body.func.function, body.func.function
                found.add(Reference(caller, called, site.path, site.line, site.kind))
    return sorted(found, key=_order)


def _order(one: Reference) -> tuple[str, int, str, str, str]:
    return one.path, one.line, repr(one.caller), repr(one.called), one.kind
