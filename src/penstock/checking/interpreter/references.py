"""From flows and files to what every step refers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .effects import Body
from .engine import Engine
from .reader import Reader
from .values import Func

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.checking.project.definitions import Function
    from penstock.checking.project.program import Program
    from penstock.checking.project.steps import Steps
    from penstock.checking.resolvers.base import Resolver

    from .effects import Kind

__all__ = ["Reference", "read_program", "references"]

_MAX_ROUNDS = 3  # of reading all, until that finds no more
_LARGE = 5_000  # functions; there two rounds have to do


class Reference(NamedTuple):
    """One place where the code of a step refers to another."""

    caller: Function
    called: Function
    path: str
    line: int
    kind: Kind


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
