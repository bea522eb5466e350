"""What an expression may stand for, as far as calls are concerned.

Sets of values are visited in the order of their hashes, and what is read first may
decide what is found. Hashes of strings, addresses and None differ from run to run, so
these classes leave them out of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.checking.project.functions_and_classes import Function, Klass

__all__ = [
    "NOTHING",
    "Awaitable",
    "Class",
    "Foreign",
    "Func",
    "Generator",
    "Instance",
    "Message",
    "ModuleRef",
    "Running",
    "Scope",
    "Super",
    "Value",
    "Values",
    "in_order",
]


class Scope:
    """The names of a function, for the functions that are defined in it."""

    def __init__(self, parent: Scope | None = None) -> None:
        self.seen: dict[str, Values] = {}
        self.parent = parent

    def learn(self, name: str, values: Values) -> None:
        """Add what *name* may stand for."""
        self.seen[name] = self.seen.get(name, NOTHING) | values

    def owner(self, name: str) -> Scope | None:
        """Return the nearest scope that has *name*, from here outwards, or None."""
        scope: Scope | None = self
        while scope is not None and name not in scope.seen:
            scope = scope.parent
        return scope


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the project.

    Attributes:
        klass: The class.
        is_exact: Whether it is of that class itself, not of a subclass.
        site: Where it was made, if that tells it apart from others, else None.
    """

    klass: Klass
    is_exact: bool = False
    site: object = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Class:
    """A class itself; ``cls`` may also be a subclass, which is not exact."""

    klass: Klass
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Super:
    """What ``super()`` gives in a method of a class.

    Attributes:
        klass: The class.
        receiver: The object or class that the method was called on.
        step: The name of the method if it is a step, else ``""``.
    """

    klass: Klass
    receiver: Instance | Class | None = field(hash=False)
    step: str = ""


@dataclass(frozen=True, slots=True)
class Func:
    """A function, with the object it is bound to and the scope around it.

    Attributes:
        function: The function.
        receiver: The object or class.
        scope: The scope.
        is_plain: Whether a call is a plain one, although the function is a step: its
            override calls it by ``super()``.
        is_guess: Whether the object may well be of another class, whose method is
            another step or none.
    """

    function: Function
    receiver: Instance | Class | None = field(default=None, hash=False)
    scope: Scope | None = field(default=None, hash=False)
    is_plain: bool = False
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class Awaitable:
    """A coroutine that has not started."""

    func: Func
    arguments: tuple[tuple[str, Values], ...] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator that has not started."""

    func: Func
    arguments: tuple[tuple[str, Values], ...] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message to tasks, sent when it is called, as ``charge.delay`` is.

    Attributes:
        stages: What it runs one after the other, as a Celery chain does; the members
            of a stage run in any order, as those of a group.
    """

    stages: tuple[frozenset[Func | Message], ...]


@dataclass(frozen=True, slots=True)
class Running:
    """Work that has started elsewhere and may not have ended.

    Attributes:
        may: Steps that may run in it, as a mask.
        must: Steps that certainly do.
        owner: Name of the pool or group that waits for it, ``""`` for none.
        is_parallel: Whether it goes on while this code runs, as a thread does.
    """

    may: int
    must: int
    owner: str = field(hash=False)
    is_parallel: bool


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module of the project."""

    name: str

    def __hash__(self) -> int:
        return crc32(self.name.encode())


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something of another package, by its dotted name; ``()`` marks a call."""

    name: str

    def __hash__(self) -> int:
        return crc32(self.name.encode())

    @property
    def is_result(self) -> bool:
        """Whether it came out of a call."""
        return "()" in self.name


Value = (
    Func
    | Class
    | Instance
    | Super
    | Awaitable
    | Generator
    | Message
    | Running
    | ModuleRef
    | Foreign
)
Values = frozenset[Value]
NOTHING: Values = frozenset()


def in_order(values: Iterable[Value]) -> list[Value]:
    """Sort the members of a set, so that each check reports the same."""
    if isinstance(values, frozenset) and len(values) < 2:  # noqa: PLR2004  # the rule
        return list(values)
    return sorted(values, key=_key)


def _key(value: Value) -> tuple[str, str]:
    if isinstance(value, Func):
        return "f", repr(value.function)
    if isinstance(value, Awaitable | Generator):
        return "g", repr(value.func.function)
    if isinstance(value, Class | Instance):
        return "k", repr(value.klass)
    if isinstance(value, Message):
        stages = ([_key(one) for one in in_order(stage)] for stage in value.stages)
        return "m", repr(list(stages))
    return type(value).__name__, ""
