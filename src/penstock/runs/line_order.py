"""Times that are too coarse to tell which line came first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .lines import StoredLine

__all__ = ["spread_coarse_times"]

_COARSE_US = 1000
_APART_US = 3


def spread_coarse_times(lines: Iterable[StoredLine]) -> list[StoredLine]:
    """Return *lines*, with different times where a clock has milliseconds only.

    The lines of one process stand in a file in the order in which they were written,
    or the other way round, as some tools print them. So lines of one millisecond get
    times in that order, within that millisecond. If they are in several files, nothing
    tells their order, and their times stay equal.
    """
    found = list(lines)
    files: dict[tuple[str, ...], list[int]] = {}
    for index, line in enumerate(found):
        if line.time_us is not None and not line.is_span:
            files.setdefault((*_process(line), line.source), []).append(index)
    times: dict[int, int] = {}
    for indexes in files.values():
        times.update(_spread([found[index] for index in indexes], indexes))
    if times:
        written = {(_moment(line), line.source) for line in found}
        counts = Counter(moment for moment, _ in written)
        for index, time in times.items():
            if counts[_moment(found[index])] == 1:
                found[index] = replace(found[index], time_us=time)
    return found


def _moment(line: StoredLine) -> tuple[object, ...]:
    return *_process(line), line.time_us


def _process(line: StoredLine) -> tuple[str, str]:
    return line.fields.get("host.name", ""), line.fields.get("process.pid", "")


def _spread(
    lines: Sequence[StoredLine], indexes: list[int]
) -> Iterator[tuple[int, int]]:
    """Yield new times for the lines of one process in one file, by their indexes."""
    times = [line.time_us or 0 for line in lines]
    if any(time % _COARSE_US for time in times):
        return
    ordered = sorted(times)
    if times == ordered:
        places = indexes
    elif times == ordered[::-1]:
        places = indexes[::-1]
    else:
        return
    before, offset = None, 0
    for index, time in zip(places, ordered, strict=True):
        offset = min(offset + _APART_US, _COARSE_US - 1) if time == before else 0
        before = time
        if offset:
            yield index, time + offset
