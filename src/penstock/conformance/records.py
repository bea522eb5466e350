"""What a process keeps of a run that crosses processes, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Dropped", "OpenCall", "Pair", "RunRecord", "Times", "as_record"]

Pair = tuple[str, str]


class Times(NamedTuple):
    """When the calls of one step began and ended, in ns; None for what never was.

    A call that was seen gives one moment; of what the call path has judged by itself,
    only that it was between two looks.
    """

    began_after: int
    """None began before."""
    began_by: int
    """None began after."""
    ended_after: int | None
    """None ended before."""
    ended_by: int | None
    """One had ended."""


class OpenCall(NamedTuple):
    """A call of which it is not known whether some predecessors were before it.

    Attributes:
        step: Its name.
        began: When it began, in ns.
        after: The alternatives that it is declared after, as it names them.
        places: The flow and the step that a name stands for, where it is not a
            step of the same flow.
        before: The predecessors that are known to be before it.
        unknown: Those whose absence was not proved.
        place: Where it is defined.
        caller: The step that called it, or ``""``.
        is_judged: Whether it is held against the rules; if not, it can only witness.
    """

    step: str
    began: int
    after: tuple[tuple[str, ...], ...]
    places: Mapping[str, Pair]
    before: tuple[str, ...]
    unknown: tuple[str, ...]
    place: str
    caller: str
    is_judged: bool

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> OpenCall:
        """Return what JSON has of one."""
        return cls(
            str(data["step"]),
            int(data["began"]),
            tuple(_names(group) for group in data["after"]),
            {str(name): _pair(place) for name, place in data["places"].items()},
            _names(data["before"]),
            _names(data["unknown"]),
            str(data["place"]),
            str(data["caller"]),
            bool(data["is_judged"]),
        )


class RunRecord(NamedTuple):
    """The part of one run that was in one process.

    Attributes:
        run: Its correlation ID; ``""`` for runs inside that are not told apart.
        root: The ID of the operation that it belongs to.
        flow: Its flow.
        service: The service that the process belongs to, or ``""``.
        clock: Which clock its times are of: that of one machine.
        opened: When it was first known to cross, in ns.
        is_origin: Whether it began here, by no message.
        is_told: Whether all that was before it is known, here or by its message.
        is_known: The same, of the steps of its own flow.
        steps: When each step ran.
        witnessed: Edges of which the predecessor was before a call.
        unknown: Edges of which it was not known.
        calls: The calls that are open.
    """

    run: str
    root: str
    flow: str
    service: str
    clock: str
    opened: int
    is_origin: bool
    is_told: bool
    is_known: bool
    steps: Mapping[str, Times]
    witnessed: tuple[Pair, ...] = ()
    unknown: tuple[Pair, ...] = ()
    calls: tuple[OpenCall, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON would have it."""
        found = self._asdict()
        found["steps"] = {name: list(times) for name, times in self.steps.items()}
        found["witnessed"] = [list(pair) for pair in self.witnessed]
        found["unknown"] = [list(pair) for pair in self.unknown]
        found["calls"] = [_as_dict(call) for call in self.calls]
        return found


class Dropped(NamedTuple):
    """How many records a process had no room for."""

    clock: str
    runs: int
    until: int
    """When the last of them was opened, in ns."""


def as_record(data: Mapping[str, Any]) -> RunRecord:
    """Return what JSON has of a record.

    Raises:
        LookupError: Something is missing; ``ValueError``, ``TypeError`` or
            ``AttributeError`` where it is of another kind.
    """
    return RunRecord(
        run=str(data["run"]),
        root=str(data["root"]),
        flow=str(data["flow"]),
        service=str(data["service"]),
        clock=str(data["clock"]),
        opened=int(data["opened"]),
        is_origin=bool(data["is_origin"]),
        is_told=bool(data["is_told"]),
        is_known=bool(data["is_known"]),
        steps={str(name): _times(times) for name, times in data["steps"].items()},
        witnessed=tuple(map(_pair, data["witnessed"])),
        unknown=tuple(map(_pair, data["unknown"])),
        calls=tuple(map(OpenCall.of, data["calls"])),
    )


def _as_dict(call: OpenCall) -> dict[str, Any]:
    found = call._asdict()
    found["after"] = [list(group) for group in call.after]
    found["places"] = {name: list(place) for name, place in call.places.items()}
    found["before"] = list(call.before)
    found["unknown"] = list(call.unknown)
    return found


def _times(data: Any) -> Times:
    began_after, began_by, ended_after, ended_by = data
    ends = (None if end is None else int(end) for end in (ended_after, ended_by))
    return Times(int(began_after), int(began_by), *ends)


def _names(data: Any) -> tuple[str, ...]:
    return tuple(map(str, data))


def _pair(data: Any) -> Pair:
    one, other = data
    return str(one), str(other)
