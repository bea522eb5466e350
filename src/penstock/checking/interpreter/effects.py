"""What has run at a point of the code, and what a call adds to that.

Sets of steps are masks, one bit for each marked function: they are united and
intersected at every branch of every function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .values import Func, Running, Thing, Things

__all__ = [
    "ANYTHING",
    "Body",
    "Context",
    "Kind",
    "Site",
    "State",
    "Summary",
    "Visits",
    "merged",
]

Kind = Literal["call", "escape", "possible"]

ANYTHING = 1
"""The bit that says: something ran here that cannot be told from the code."""

_MAX_CONTEXTS = 6


class Body(NamedTuple):
    """A function, with what is known of its arguments: what is read once."""

    func: Func
    arguments: tuple[tuple[str, Things], ...] = ()


class Site(NamedTuple):
    """One reference to a step: which, where and how."""

    body: Body
    path: str
    line: int
    kind: Kind


class Context(NamedTuple):
    """What has run when a site is reached, beside what ran before its function.

    Attributes:
        may: Steps that may have ended, or are open around it.
        must: Steps of which that is certain.
        is_first: Whether this is the first time around a loop.
        is_certain: Whether nothing between the loop's head and it is a condition.
    """

    may: int
    must: int
    is_first: bool = False
    is_certain: bool = True


Visits = dict[Site, set[Context]]


def add_visit(visits: Visits, site: Site, context: Context) -> None:
    """Note one way to reach *site*; too many become one, which convicts less."""
    contexts = visits.setdefault(site, set())
    contexts.add(context)
    if len(contexts) > _MAX_CONTEXTS:
        may, must = 0, -1
        for one in contexts:
            may |= one.may
            must &= one.must
        visits[site] = {Context(may, must, is_first=False, is_certain=False)}


@dataclass(eq=False, slots=True)
class Summary:
    """What one call of a function does, whatever ran before.

    Attributes:
        visits: The steps that it refers to.
        may: Steps that may have run in it.
        must: Steps that have.
        returns: What it may give back.
        running: What it leaves behind running.
        rest: Of a generator, what it does after its first yield.
    """

    visits: Visits = field(default_factory=dict[Site, set[Context]])
    may: int = 0
    must: int = 0
    returns: frozenset[Thing] = frozenset()
    running: frozenset[Running] = frozenset()
    rest: Summary | None = None


@dataclass(slots=True)
class State:
    """What is known at one point of a function.

    Attributes:
        may: As in ``Context``; so too the next three.
        names: What local names stand for.
        running: Work that is under way.
        is_alive: Whether this point can be reached.
    """

    may: int = 0
    must: int = 0
    is_first: bool = False
    is_certain: bool = True
    names: dict[str, Things] = field(default_factory=dict[str, "Things"])
    running: frozenset[Running] = frozenset()
    is_alive: bool = True

    def copy(self) -> State:
        """Return a state that can go another way."""
        return State(
            self.may,
            self.must,
            self.is_first,
            self.is_certain,
            dict(self.names),
            self.running,
            self.is_alive,
        )

    def branch(self) -> State:
        """Return the state inside a condition."""
        inside = self.copy()
        inside.is_certain = False
        return inside

    def become(self, other: State) -> None:
        """Go on as *other*."""
        self.may, self.must = other.may, other.must
        self.is_first, self.is_certain = other.is_first, other.is_certain
        self.names, self.running = dict(other.names), other.running
        self.is_alive = other.is_alive


def merged(states: Iterable[State], *, certain: bool) -> State:
    """Return what is known where ways meet; ways that ended earlier do not count.

    Args:
        states: The ways.
        certain: Whether the code before them was, so that what follows is certain
            again if every way leads here.
    """
    states = list(states)
    alive = [state for state in states if state.is_alive]
    if not alive:
        dead = states[0].copy() if states else State()
        for state in states:
            dead.may |= state.may
        dead.is_alive = False
        return dead
    first, *others = alive
    result = first.copy()
    for other in others:
        result.may |= other.may
        result.must &= other.must
        result.running |= other.running
        for name, things in other.names.items():
            result.names[name] = result.names.get(name, frozenset()) | things
    result.is_certain = certain and len(alive) == len(states)
    return result
