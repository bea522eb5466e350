"""Times that are too coarse to tell which line came first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .lines import StoredLine

__all__ = ["spread_coarse_times"]

_COARSE_US = 1000
_APART_US = 3


def spread_coarse_times(lines: Iterable[StoredLine]) -> list[StoredLine]:
    """Return *lines*, with different times where a clock has milliseconds only.

    The lines of one process stand in a file in the order in which they were written,
    or the other way round, as some tools print them. So lines of one millisecond get
    times in that order, within that millisecond.
    """
    found = list(lines)
    places: dict[tuple[str, str, str], list[int]] = {}
    for index, line in enumerate(found):
        if line.time_us is not None and not line.is_span:
            fields = line.fields
            process = fields.get("host.name", ""), fields.get("process.pid", "")
            places.setdefault((line.source, *process), []).append(index)
    for indexes in places.values():
        _spread(found, indexes)
    return found


def _spread(lines: list[StoredLine], indexes: list[int]) -> None:
    """Spread the times of the lines at *indexes*, all from one process and file."""
    times = [lines[index].time_us or 0 for index in indexes]
    if any(time % _COARSE_US for time in times):
        return
    ordered = sorted(times)
    if times == ordered[::-1]:
        indexes.reverse()
    elif times != ordered:
        return
    before, offset = None, 0
    for index, time in zip(indexes, ordered, strict=True):
        offset = min(offset + _APART_US, _COARSE_US - 1) if time == before else 0
        before = time
        lines[index] = replace(lines[index], time_us=time + offset)
