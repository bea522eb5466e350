"""Calls from the lines of older versions, which have no call IDs.

Which start belongs to which end, and who called whom, follows from names and times
where only one answer is possible; everything else is marked as doubtful.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from .lines import outcome_of
from .operation import NO_START, StoredCall
from .times import earlier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .lines import StoredLine

__all__ = ["calls_of_older_lines"]

_SAME_US = 2_000
"""How far a start may be from where the duration of an end puts it."""

_TEXTS = ("flow", "step", "service", "correlation_id", "root_id", "parent_id")
_IDENTITY = (*_TEXTS, "flow_event", "parent_step", "host.name", "process.pid")

_Key = tuple[str, ...]


def calls_of_older_lines(lines: Iterable[StoredLine]) -> list[StoredCall]:
    """Return the calls of lines without call IDs, linked to their likely callers.

    A call whose end or caller may be that of another call has a doubt that says so.
    """
    open_calls = _OpenCalls()
    calls: list[StoredCall] = []
    seen: set[tuple[object, ...]] = set()
    for line in sorted(lines, key=lambda line: line.time_us or 0):
        copy = line.time_us, *(line.fields.get(name) for name in _IDENTITY)
        if copy in seen:
            continue
        seen.add(copy)
        is_start = line.fields["flow_event"] == "step.start"
        call = None if is_start else open_calls.end(line)
        if call is None:
            call = _call(line)
            calls.append(call)
            open_calls.find_parent(call)
        if is_start:
            open_calls.begin(call)
        else:
            call.end_us = line.time_us
            call.outcome = outcome_of(line)
            call.error_type = line.fields.get("error_type", "")
    return calls


def _call(line: StoredLine) -> StoredCall:
    fields = line.fields
    texts = {name: fields.get(name, "") for name in _TEXTS}
    call = StoredCall(**texts, parent_step=fields.get("parent_step", ""))
    call.host, call.process = fields.get("host.name", ""), fields.get("process.pid", "")
    if fields["flow_event"] == "step.start":
        call.start_us = line.time_us
        return call
    call.doubts.append(NO_START)
    call.start_us = earlier(line.time_us, fields.get("duration_ms"))
    return call


class _OpenCalls:
    """The calls that have begun and not ended, by start."""

    def __init__(self) -> None:
        self._by_place: dict[_Key, list[StoredCall]] = {}
        self._by_step: dict[_Key, dict[StoredCall, None]] = {}
        self._mixed: set[_Key] = set()
        """Where an end was that several calls may have had."""

    def find_parent(self, call: StoredCall) -> None:
        """Link a call to the open call of the step that made it, if there is one."""
        name = call.parent_step
        for run, step in (
            (call.parent_id, name),
            (call.correlation_id, name),
            (call.correlation_id, name.rpartition("/")[2]),
        ):
            here = self._by_step.get((run, step, *_process(call)))
            callers = here or self._by_step.get((run, step))
            if callers:
                call.parent = next(reversed(callers))
                if len(callers) > 1:
                    call.doubts.append(f"another call of {step!r} may have made it")
                return

    def begin(self, call: StoredCall) -> None:
        """Add a call."""
        self._by_place.setdefault(_place(call), []).append(call)
        for step in _steps(call):
            self._by_step.setdefault(step, {})[call] = None

    def end(self, line: StoredLine) -> StoredCall | None:
        """Remove the call that a line says has ended; None if no such call is open."""
        place = _place(_call(line))
        group = self._by_place.get(place, [])
        if not group:
            return None
        index, is_certain = _index_of(line, group)
        if not is_certain:
            self._mixed.add(place)
        call = group.pop(index)
        if place in self._mixed:
            call.doubts.append("its end may be that of another call of the same step")
        if not group:
            self._mixed.discard(place)
        for step in _steps(call):
            del self._by_step[step][call]
        return call


def _index_of(line: StoredLine, group: list[StoredCall]) -> tuple[int, bool]:
    """Return which of the open calls a line ends, and whether that is certain."""
    last = len(group) - 1
    start = earlier(line.time_us, line.fields.get("duration_ms"))
    if start is not None:
        low = bisect_left(group, start - _SAME_US, key=_start)
        high = bisect_right(group, start + _SAME_US, key=_start)
        if low < high:
            return high - 1, high - low == 1
    return last, last == 0


def _start(call: StoredCall) -> int:
    return call.start_us or 0


def _process(call: StoredCall) -> _Key:
    return call.service, call.host, call.process


def _steps(call: StoredCall) -> tuple[_Key, _Key]:
    """Return what finds a call as a caller: anywhere, and in its process."""
    names = call.correlation_id, call.step
    return names, (*names, *_process(call))


def _place(call: StoredCall) -> _Key:
    names = call.correlation_id, call.flow, call.step, call.parent_step
    return *_process(call), *names
