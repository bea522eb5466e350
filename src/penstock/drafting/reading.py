"""Read what an entry leads to, in the order of execution, without any marker."""

from __future__ import annotations

import re
from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock._project.source_files import (
    Module,
    files_below,
    is_test,
    module_name,
    parsed,
)
from penstock.checking.interpreter.effects import Context, Invocation
from penstock.checking.interpreter.function_reader import readers_of
from penstock.checking.interpreter.interpreter import Interpreter
from penstock.checking.project.program import Program
from penstock.checking.project.steps import Steps
from penstock.checking.resolvers.registry import open_resolver

from .queued import is_queued

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from penstock.checking.interpreter.effects import Site
    from penstock.checking.interpreter.values import Func
    from penstock.checking.project.functions_and_classes import Function, Klass
    from penstock.checking.resolvers.base import Resolver

__all__ = ["Reached", "Reading", "read_entry", "read_project"]

_ASIDE = re.compile(r"(^|\.)(docs|examples|migrations\.\d{4}_\w+)(\.|$)")
"""Modules that no run leads to; other packages may be called ``migrations``, too."""


@dataclass(eq=False, slots=True)
class Reached:
    """One function that the entry leads to.

    Attributes:
        function: The function.
        position: Its place in the order of execution, from 0; between two numbers if
            only a run has shown it.
        distance: How many calls lead from the entry to it, at least.
        may: The functions that may have run, or are open, at some call of it.
        must: Those that certainly have, or are.
        callers: The functions that call it, each with those that certainly have run
            in it before the call.
        is_sent: Whether a message brings each call.
        is_guess: Whether its name alone says that it is called.
    """

    function: Function
    position: float
    distance: int
    may: int = 0
    must: int = -1
    callers: dict[Function, int] = field(default_factory=dict["Function", int])
    is_sent: bool = True
    is_guess: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """What an entry leads to.

    Attributes:
        entry: The function that a run begins in.
        klass: The class of the object that it is called on, None for a function.
        reached: What was reached, in the order of execution, the entry first.
        bits: The bit of each function, in the masks of ``Reached``.
        overridden: The function at the top of its class hierarchy, for each method.
        notes: What the user should know about the answers of the resolver.
    """

    entry: Function
    klass: Klass | None
    reached: Mapping[Function, Reached]
    bits: Mapping[Function, int]
    overridden: Mapping[Function, Function]
    notes: Sequence[str]


def read_project(folders: Iterable[Path], roots: Sequence[Path]) -> Program:
    """Parse the modules below *folders*, except tests and migrations."""
    modules: dict[str, Module] = {}
    for folder in folders:
        for path in [folder] if folder.is_file() else files_below(folder):
            name = module_name(path, roots)
            if name is None or is_test(path, folder) or _ASIDE.search(name):
                continue
            found = parsed(path, name)
            if isinstance(found, Module):
                modules.setdefault(name, found)
    return Program(modules.values())


def read_entry(
    program: Program, entry: Func, roots: Sequence[Path], resolver: str = "auto"
) -> Reading:
    """Read *entry* and everything that it leads to.

    Raises:
        MissingExtraError: No resolver is installed.
        ResolverError: The resolver failed.
    """
    with closing(open_resolver(resolver, roots[0], roots)) as session:
        interpreter, start = _interpreted(program, entry, session)
    reached = _follow(interpreter, start)
    tops = {one: _top(one, interpreter) for one in reached}
    bits = interpreter.bits
    klass = getattr(entry.receiver, "klass", None)
    return Reading(entry.function, klass, reached, bits, tops, session.notes())


def _interpreted(
    program: Program, entry: Func, resolver: Resolver
) -> tuple[Interpreter, Invocation]:
    functions = dict.fromkeys(program.functions.values())
    bits = {one: 2 << place for place, one in enumerate(functions)}
    interpreter = Interpreter(
        program,
        Steps({}, {}, bits),
        resolver,
        readers_of,
        is_draft=True,
        queued={one for one in functions if is_queued(one, program)},
    )
    start = Invocation(entry)
    interpreter.begin_round()
    interpreter.summary(start)
    return interpreter, start


def _sites(interpreter: Interpreter, of: Invocation) -> list[tuple[Site, Context]]:
    return [
        (site, context)
        for part in interpreter.summary(of).parts
        for site, contexts in part.visits.items()
        for context in sorted(contexts)
    ]


def _follow(interpreter: Interpreter, start: Invocation) -> dict[Function, Reached]:
    """Return every function that *start* leads to, in the order of execution."""
    found: dict[Function, Reached] = {}
    calls: dict[Invocation, list[tuple[Site, Context]]] = {}
    todo: list[Invocation] = [start]
    while todo:  # depth first: what a call leads to comes before the next call
        invocation = todo.pop()
        if invocation in calls:
            continue
        function = invocation.func.function
        found.setdefault(function, Reached(function, len(found), 0))
        calls[invocation] = _sites(interpreter, invocation)
        sites = dict.fromkeys(site for site, _ in calls[invocation])
        todo += [site.invocation for site in reversed(sites)]
    _spread(interpreter, start, calls, found)
    return found


def _spread(
    interpreter: Interpreter,
    start: Invocation,
    calls: Mapping[Invocation, list[tuple[Site, Context]]],
    found: Mapping[Function, Reached],
) -> None:
    """Work out what may have run before each call, and what certainly has."""
    states = {start: (0, 0, 0)}
    todo = deque([start])
    first = found[start.func.function]
    first.must, first.is_guess, first.is_sent = 0, False, False
    while todo:
        invocation = todo.popleft()
        may, must, distance = states[invocation]
        caller = invocation.func.function
        bit = interpreter.bits.get(caller, 0)
        for site, context in calls[invocation]:
            called = found[site.invocation.func.function]
            inside = called.callers.get(caller, -1)
            called.callers[caller] = inside & context.must
            called.is_sent &= site.is_sent
            is_override = site.invocation.func.is_guess
            called.is_guess &= site.kind == "possible" and not is_override
            old = states.get(site.invocation, (0, -1, distance + 1))
            new = (
                old[0] | may | bit | context.may,
                old[1] & (must | bit | context.must),
                min(old[2], distance + 1),
            )
            if new != states.get(site.invocation):
                states[site.invocation] = new
                todo.append(site.invocation)
    for invocation, (may, must, distance) in states.items():
        one = found[invocation.func.function]
        one.distance = min(one.distance or distance, distance)
        one.may |= may
        one.must &= must


def _top(method: Function, interpreter: Interpreter) -> Function:
    """Return the method that *method* overrides, at the top of the hierarchy."""
    if method.klass is None or method.name.startswith("__"):
        return method
    bases = interpreter.classes.bases(method.klass)
    held = [one.methods[method.name] for one in bases if method.name in one.methods]
    return held[-1] if held else method
