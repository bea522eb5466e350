"""What has run at a point of a function, and what a call adds to that.

Sets of steps are masks with one bit for each marked function, because every branch of
every function unites and intersects them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from .values import NOTHING, Scope, Values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._project.source_files import Module

    from .values import Func, Running, Value

__all__ = [
    "ANYTHING",
    "Context",
    "Frame",
    "Invocation",
    "PathState",
    "ReferenceKind",
    "Site",
    "Summary",
    "Visits",
    "merged",
]

ReferenceKind = Literal["call", "escape", "possible"]
"""How a step is referred to; of two kinds on the way, the later in the alphabet."""

ANYTHING = 1
"""The bit that says that something unknown may have run here."""

_MAX_CONTEXTS = 6


class Invocation(NamedTuple):
    """A function with what is known about its arguments: the unit that is read once."""

    func: Func
    arguments: tuple[tuple[str, Values], ...] = ()


class Site(NamedTuple):
    """One reference to a step: which step, where and how.

    Attributes:
        invocation: The step.
        path: The file.
        line: The line.
        kind: Whether it is called, handed over, or possibly called.
        is_sent: Whether a message brings the call.
        is_deferred: Whether it is called when a transaction commits.
    """

    invocation: Invocation
    path: str
    line: int
    kind: ReferenceKind
    is_sent: bool = False
    is_deferred: bool = False


class Context(NamedTuple):
    """What has run when a site is reached, apart from what ran before its function.

    Attributes:
        may: Steps that may have ended, or are open around it.
        must: Steps that certainly have, or are.
        is_first: Whether this is the first iteration of a loop.
        is_certain: Whether there is no condition between the loop's head and the site.
    """

    may: int
    must: int
    is_first: bool = False
    is_certain: bool = True


Visits = dict[Site, set[Context]]


@dataclass(eq=False, slots=True)
class Summary:
    """What one call of a function does, whatever ran before.

    Attributes:
        visits: The steps that it refers to.
        may: Steps that may have run in it.
        must: Steps that have.
        returns: What it may return.
        running: Work that it leaves running.
        rest: What a generator does after its first yield.
    """

    visits: Visits = field(default_factory=dict[Site, set[Context]])
    may: int = 0
    must: int = 0
    returns: frozenset[Value] = frozenset()
    running: frozenset[Running] = frozenset()
    rest: Summary | None = None

    @property
    def parts(self) -> tuple[Summary, ...]:
        """The summary itself and its rest, if it has one."""
        return (self,) if self.rest is None else (self, self.rest)


@dataclass(slots=True)
class PathState:
    """What is known at one point of a function.

    Attributes:
        may: As in ``Context``, like the next three.
        must: The same.
        is_first: The same.
        is_certain: The same.
        names: What local names stand for.
        running: Work that is under way.
        deferred: Steps that certainly run when the transaction commits.
        is_alive: Whether this point can be reached.
        kind: How what is called here is referred to.
        is_deferred: Whether it is called when the transaction commits.
    """

    may: int = 0
    must: int = 0
    is_first: bool = False
    is_certain: bool = True
    names: dict[str, Values] = field(default_factory=dict[str, Values])
    running: frozenset[Running] = frozenset()
    deferred: int = 0
    is_alive: bool = True
    kind: ReferenceKind = "call"
    is_deferred: bool = False

    def copy(self) -> PathState:
        """Return a state that can go another way."""
        return PathState(
            self.may,
            self.must,
            self.is_first,
            self.is_certain,
            dict(self.names),
            self.running,
            self.deferred,
            self.is_alive,
            self.kind,
            self.is_deferred,
        )

    def branch(self) -> PathState:
        """Return the state inside a condition."""
        inside = self.copy()
        inside.is_certain = False
        return inside

    def become(self, other: PathState) -> None:
        """Go on as *other*."""
        self.may, self.must = other.may, other.must
        self.is_first, self.is_certain = other.is_first, other.is_certain
        self.names, self.running = dict(other.names), other.running
        self.deferred, self.is_alive = other.deferred, other.is_alive


def merged(states: Iterable[PathState], *, certain: bool) -> PathState:
    """Return what is known where ways meet; ways that ended earlier do not count.

    Args:
        states: The ways.
        certain: Whether the code before them was certain: if so, and if every way
            leads here, what follows is certain again.
    """
    states = list(states)
    alive = [state for state in states if state.is_alive]
    if not alive:
        dead = states[0].copy() if states else PathState()
        for state in states:
            dead.may |= state.may
        dead.is_alive = False
        return dead
    first, *others = alive
    result = first.copy()
    for other in others:
        result.may |= other.may
        result.must &= other.must
        result.deferred &= other.deferred
        result.running |= other.running
        for name, values in other.names.items():
            result.names[name] = result.names.get(name, frozenset()) | values
    result.is_certain = certain and len(alive) == len(states)
    return result


class Frame:
    """One function, or the global scope of a module, while it is read.

    Attributes:
        module: The module.
        invocation: The function with its arguments; None for the module itself.
        scope: Names, for the functions that are defined in this one.
        local: Names that belong to this function.
        visits: The references found so far.
        first: The same up to the first yield, with what has run there.
        returned: What the function may return.
        ends: What is known at each return.
    """

    def __init__(self, module: Module, invocation: Invocation | None = None) -> None:
        self.module: Module = module
        self.invocation: Invocation | None = invocation
        func = invocation.func if invocation else None
        self.scope: Scope = Scope(func.scope if func else None)
        self.local: frozenset[str] = func.function.locals if func else frozenset()
        self.visits: Visits = {}
        self.first: tuple[Visits, int, int] | None = None
        self.returned: Values = NOTHING
        self.ends: list[PathState] = []

    def apply(self, summary: Summary, state: PathState) -> None:
        """Do here what a plain function does."""
        for site, contexts in summary.visits.items():
            worst = max(site.kind, state.kind)
            is_deferred = site.is_deferred or state.is_deferred
            here = site._replace(kind=worst, is_deferred=is_deferred)
            for context in contexts:
                self.note(here, context, state)
        state.may |= summary.may
        state.must |= summary.must
        state.running |= summary.running

    def bind(self, name: str, values: Values, state: PathState) -> None:
        """Let a local name stand for *values*."""
        state.names[name] = values
        self.scope.learn(name, values)

    def split(self, state: PathState) -> None:
        """Keep what was found so far apart from what follows the first yield."""
        if self.first is None:
            self.first = self.visits, state.may, state.must
            self.visits = {}

    def summary(self, end: PathState) -> Summary:
        """Return what one call does that ends as *end*."""
        if self.first is None:
            return Summary(self.visits, end.may, end.must, self.returned, end.running)
        visits, may, must = self.first
        rest = Summary(self.visits, end.may, end.must, NOTHING, end.running)
        return Summary(visits, may, must, self.returned, frozenset(), rest)

    def note(self, site: Site, context: Context, state: PathState) -> None:
        """Record a reference to a step, with what has run there in *context*."""
        is_first = state.is_first or context.is_first
        is_certain = state.is_certain and context.is_certain
        if not state.is_alive or (is_first and not is_certain):
            return  # of a condition in a loop, the next iteration tells
        may, must = context.may | state.may, context.must | state.must
        contexts = self.visits.setdefault(site, set())
        contexts.add(Context(may, must, is_first, is_certain))
        if len(contexts) > _MAX_CONTEXTS:  # one that is vaguer replaces them
            may, must = 0, -1
            for one in contexts:
                may |= one.may
                must &= one.must
            self.visits[site] = {Context(may, must, is_first=False, is_certain=False)}
