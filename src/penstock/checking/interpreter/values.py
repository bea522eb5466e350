"""What an expression may stand for, as far as it matters to calls.

Sets of things are gone through in the order of their hashes, and what is read first may
decide what is found. So that each run finds the same, no hash is made of a text or of
an address, which differ from run to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.checking.project.definitions import Function, Klass

__all__ = [
    "NOTHING",
    "Awaitable",
    "Class",
    "Foreign",
    "Func",
    "Generator",
    "Instance",
    "ModuleRef",
    "Running",
    "Scope",
    "Super",
    "Thing",
    "Things",
    "in_order",
]


class Scope:
    """The names of a running function, for the functions that are defined in it."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.seen: dict[str, Things] = {}
        self.parent = parent

    def learn(self, name: str, things: Things) -> None:
        """Add what *name* may stand for."""
        self.seen[name] = self.seen.get(name, NOTHING) | things

    def owner(self, name: str) -> Scope | None:
        """Return the nearest scope, here or further out, that has *name*, or None."""
        scope: Scope | None = self
        while scope is not None and name not in scope.seen:
            scope = scope.parent
        return scope

    def find(self, name: str) -> Things | None:
        """Return what *name* may stand for here or further out, or None."""
        owner = self.owner(name)
        return owner.seen[name] if owner is not None else None


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the project.

    Attributes:
        klass: The class.
        is_exact: Whether it is that class itself, rather than one below it.
        site: Where it was made, if that tells it from others; else None.
    """

    klass: Klass
    is_exact: bool = False
    site: object = None

    def __hash__(self) -> int:
        return self.klass.number * 4 + self.is_exact


@dataclass(frozen=True, slots=True)
class Class:
    """A class itself; of ``cls`` a class below it may be meant."""

    klass: Klass
    is_exact: bool = True

    def __hash__(self) -> int:
        return self.klass.number * 4 + 2 + self.is_exact


@dataclass(frozen=True, slots=True)
class Super:
    """What ``super()`` gives in a method of a class."""

    klass: Klass
    receiver: Instance | Class | None

    def __hash__(self) -> int:
        return self.klass.number * _SPREAD + _of(self.receiver)


@dataclass(frozen=True, slots=True)
class Func:
    """A function, with what it is bound to and the names around it."""

    function: Function
    receiver: Instance | Class | None = None
    scope: Scope | None = None

    def __hash__(self) -> int:
        return self.function.number * _SPREAD + _of(self.receiver)


@dataclass(frozen=True, slots=True)
class Awaitable:
    """A coroutine that has not begun."""

    func: Func
    arguments: tuple[tuple[str, Things], ...]

    def __hash__(self) -> int:
        return hash(self.func) + 1


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator that has not begun."""

    func: Func
    arguments: tuple[tuple[str, Things], ...]

    def __hash__(self) -> int:
        return hash(self.func) + 2


@dataclass(frozen=True, slots=True)
class Running:
    """Work that has begun elsewhere, and may not be done.

    Attributes:
        may: Steps that may run in it, as a mask.
        must: Steps that do.
        owner: Name of the pool or group that ends it, ``""`` for none.
        is_parallel: Whether it goes on while this code runs, as a thread does.
    """

    may: int
    must: int
    owner: str
    is_parallel: bool

    def __hash__(self) -> int:
        return hash((self.may, self.must, self.is_parallel))


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module of the project."""

    name: str

    def __hash__(self) -> int:
        return crc32(self.name.encode())


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something of another package, by its dotted name; ``()`` follows a call."""

    name: str

    def __hash__(self) -> int:
        return crc32(self.name.encode())


Thing = (
    Func
    | Class
    | Instance
    | Super
    | Awaitable
    | Generator
    | Running
    | ModuleRef
    | Foreign
)
Things = frozenset[Thing]
NOTHING: Things = frozenset()
_SPREAD = 1_000_003


def _of(receiver: Instance | Class | None) -> int:
    return 0 if receiver is None else hash(receiver)


def in_order(things: Iterable[Thing]) -> list[Thing]:
    """Sort what a set holds, so that two runs of the check say the same."""
    if isinstance(things, frozenset) and len(things) < 2:  # noqa: PLR2004  # the rule
        return list(things)
    return sorted(things, key=_key)


def _key(thing: Thing) -> tuple[str, str]:
    if isinstance(thing, Func):
        return "f", repr(thing.function)
    if isinstance(thing, Awaitable | Generator):
        return "g", repr(thing.func.function)
    if isinstance(thing, Class | Instance):
        return "k", repr(thing.klass)
    return type(thing).__name__, ""
