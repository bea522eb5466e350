"""Which steps of a run had ended at a moment, or may have."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from .places import ROUNDING_US, ended_us

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .places import Moment, StoredPlace, Wall

__all__ = ["EndedSteps"]

_COARSE_US = 1000


class EndedSteps:
    """When the steps of a run ended, by each clock; steps are bits of a plan."""

    def __init__(self, places: Iterable[tuple[StoredPlace, int]]) -> None:
        ends: dict[Wall, list[tuple[int, int]]] = {}
        self._first: dict[int, dict[tuple[Wall, Wall | None], tuple[int, int]]] = {}
        for place, bit in places:
            end, earliest = ended_us(place.call), place.earliest_end()
            ends.setdefault(place.wall, []).append((end, bit))
            key = place.wall, None if earliest is None else earliest.wall
            found = end, 0 if earliest is None else earliest.time_us
            first = self._first.setdefault(bit, {})
            first[key] = tuple(map(min, found, first.get(key, found)))  # type: ignore[assignment]  # two, too
        self._ends = {wall: _summed(found) for wall, found in ends.items()}

    def before(self, moment: Moment) -> int:
        """Return the steps that had certainly ended."""
        if moment.wall not in self._ends or not moment.is_exact:
            return 0
        times, steps = self._ends[moment.wall]
        time = moment.time_us
        # A clock with milliseconds only cannot tell what happened in the same one.
        latest = time - 1 if time % _COARSE_US == 0 else time + ROUNDING_US
        return steps[bisect_right(times, latest)]

    def may_be_before(self, moment: Moment, bit: int) -> bool:
        """Tell whether a step may have ended."""
        latest = moment.time_us + ROUNDING_US
        for (wall, sender), (end, earliest) in self._first.get(bit, {}).items():
            if moment.wall == wall:
                is_later = end > latest
            else:
                is_later = sender is not None and sender == moment.wall
                is_later = is_later and earliest > latest
            if not is_later:
                return True
        return False


def _summed(ends: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Return the times in order, and the steps that had ended before each of them."""
    ends.sort()
    steps = [0]
    for _, bit in ends:
        steps.append(steps[-1] | bit)
    return [time for time, _ in ends], steps
