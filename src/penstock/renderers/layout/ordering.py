"""Order the slots of each row so that few lines cross.

Rows are sorted by the mean place of their neighbours, down and up, from several first
orders (Sugiyama et al., 1981). The best order is then shaken: a few rows at a crossing
are disturbed, and each slot nearby is moved to its best place (sifting, Matuszewski et
al., 1999). What is no worse stays. Sorting by medians and more first orders, as
Graphviz has them, gain nothing once there are shakes.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from .random import Random

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .slots import Grid

_STARTS = 4
_SWEEPS = 4
_PATIENCE = 200
"""Shakes in vain before it gives up, and two more for each slot."""
_MAX_ROUNDS = 8
"""Sifts of each row before the first shake."""
_MAX_SIFTS = 40
"""After one shake."""
_MAX_SHUFFLED = 6
_FEW = 8
"""Up to so many ends are inserted faster one by one."""

_Rows = tuple[tuple[int, ...], ...]


def order_rows(grid: Grid, max_work: float) -> int:
    """Put the slots of every row in an order with few crossings.

    Args:
        grid: The rows.
        max_work: After how many steps of the innermost loops to stop.

    Returns:
        The work that it took: a bit more than the limit for a huge graph.
    """
    rows, work = _best_order(
        _frozen(grid.rows), _frozen(grid.above), _frozen(grid.below), max_work
    )
    for row, order in zip(grid.rows, rows, strict=True):
        row[:] = order
    return work


def _frozen(lists: Iterable[Iterable[int]]) -> _Rows:
    return tuple(map(tuple, lists))


@lru_cache(maxsize=64)
def _best_order(
    rows: _Rows, above: _Rows, below: _Rows, max_work: float
) -> tuple[_Rows, int]:
    """Return the best order that was found, and the work that it took.

    Pages often have flows of the same shape, and draw the same flow several times.
    """
    search = _Search([*map(list, rows)], above, below, max_work)
    best, fewest = search.copy(), search.count()
    for start in range(_STARTS):
        if not fewest or search.work > max_work / 4:
            break
        search.begin(start)
        crossings = search.sort(start)
        if crossings < fewest:
            best, fewest = search.copy(), crossings
    search.restore(enumerate(best))
    search.shake()
    return _frozen(search.copy()), search.work


class _Search:
    """The orders of rows that were tried, and the work spent on them."""

    def __init__(
        self, rows: list[list[int]], above: _Rows, below: _Rows, max_work: float
    ) -> None:
        self.work = 0
        self._max_work = max_work
        self._rows = rows
        self._sides = (above, -1), (below, 1)
        self._below = below
        self._degrees = [
            len(up) + len(down) for up, down in zip(above, below, strict=True)
        ]
        self._sifted: dict[tuple[int, _Rows], list[int]] = {}
        self._random = Random()
        self._places = [0] * len(below)
        self.restore(enumerate(_depth_first(rows, below)))

    def copy(self) -> list[list[int]]:
        """Return the present order."""
        return [list(row) for row in self._rows]

    def restore(self, rows: Iterable[tuple[int, list[int]]]) -> None:
        """Return to an earlier order of these rows."""
        for at, row in rows:
            self._rows[at][:] = row
            self._number(at)

    def count(self) -> int:
        """Return how often lines cross."""
        return sum(map(self._crossings, range(len(self._rows) - 1)))

    def begin(self, start: int) -> None:
        """Begin from another order, except at the first start."""
        for at in range(len(self._rows) if start else 0):
            self._shuffle(at, 0, len(self._rows[at]))

    def sort(self, start: int) -> int:
        """Sort rows by their neighbours, down and up; return the crossings left."""
        best, fewest = self.copy(), self.count()
        for sweep in range(start, start + _SWEEPS):
            if self.work > self._max_work / 4:
                break
            nexts, _ = self._sides[sweep % 2]
            for at in range(len(self._rows))[:: -1 if sweep % 2 else 1]:
                self._sort(at, nexts)
            if (crossings := self.count()) < fewest:
                best, fewest = self.copy(), crossings
        self.restore(enumerate(best))
        waiting = dict.fromkeys(range(len(self._rows)))
        self._sift_all(waiting, len(waiting) * _MAX_ROUNDS)
        return self.count()

    def shake(self) -> None:
        """Disturb rows at a crossing, settle them, and keep what is no worse."""
        gaps = [self._crossings(at) for at in range(len(self._rows) - 1)]
        total = sum(gaps)
        limit = patience = _PATIENCE + 2 * len(self._places)
        while total and patience and self.work < self._max_work:
            before = self._disturb(self._pick(gaps, total))
            touched = {gap for at in before for gap in (at - 1, at)}
            counts = {
                gap: self._crossings(gap) for gap in touched if 0 <= gap < len(gaps)
            }
            change = sum(count - gaps[gap] for gap, count in counts.items())
            if change > 0:
                self.restore(before.items())
                patience -= 1
                continue
            patience = limit if change else patience - 1
            total += change
            for gap, count in counts.items():
                gaps[gap] = count

    def _pick(self, gaps: Sequence[int], total: int) -> int:
        """Return the gap with a crossing taken at random."""
        return bisect_right(list(accumulate(gaps)), self._random.below(total))

    def _disturb(self, gap: int) -> dict[int, list[int]]:
        """Disturb up to three rows and sift; return what changed as it was before."""
        size = 1 + self._random.below(3)
        first = max(0, gap + 1 - self._random.below(size + 1))
        rows = range(first, min(len(self._rows), first + size))
        before = {at: list(self._rows[at]) for at in rows}
        for at in rows:
            row = self._rows[at]
            place = self._random.below(len(row))
            if self._random.below(2):
                self._shuffle(at, place, place + _MAX_SHUFFLED)
            else:
                row.insert(self._random.below(len(row)), row.pop(place))
                self._number(at)
        # Sifted first, the disturbed rows would only return to their order.
        order = (first - 1, rows.stop, *rows)
        waiting = dict.fromkeys(at for at in order if 0 <= at < len(self._rows))
        for at, row in self._sift_all(waiting, _MAX_SIFTS).items():
            before.setdefault(at, row)
        return before

    def _sift_all(self, waiting: dict[int, None], limit: int) -> dict[int, list[int]]:
        """Sift rows, and those next to a change; return them as they were before."""
        before: dict[int, list[int]] = {}
        while waiting and limit:
            limit -= 1
            at = next(iter(waiting))
            del waiting[at]
            row = list(self._rows[at])
            if self._sift(at):
                before.setdefault(at, row)
                near = (at - 1, at + 1)
                waiting |= {one: None for one in near if 0 <= one < len(self._rows)}
        return before

    def _sift(self, at: int) -> bool:
        """Move each slot of a row to its best place; return if that changed it."""
        row = self._rows[at]
        if len(row) == 1:
            return False
        work = len(row) * (len(row) + sum(map(self._degrees.__getitem__, row)))
        if work > self._max_work - self.work:
            return False
        self.work += work
        # Shakes in vain return to the same rows: more than half of all are known.
        state = at, _frozen(self._rows[max(0, at - 1) : at + 2])
        if state not in self._sifted:
            self._sifted[state] = self._best_places(at)
        best = self._sifted[state]
        if best == row:
            return False
        row[:] = best
        self._number(at)
        return True

    def _best_places(self, at: int) -> list[int]:
        """Return a row after each of its slots has moved to its best place."""
        row = self._rows[at]
        order = list(range(len(row)))
        for slot, costs in enumerate(self._costs(at)):
            place = order.index(slot)
            totals = list(accumulate(map(costs.__getitem__, order), initial=0))
            fewest = min(totals)
            if fewest < totals[place]:
                best = totals.index(fewest)
                order.insert(best - (best > place), order.pop(place))
        return [row[slot] for slot in order]

    def _costs(self, at: int) -> list[list[int]]:
        """Return for each two slots of a row the crossings if the second is left.

        They are counted in excess of those if it is right.
        """
        row = self._rows[at]
        matrix = [[0] * len(row) for _ in row]
        for nexts, step in self._sides:
            places = [[self._places[one] for one in nexts[slot]] for slot in row]
            ends = [(i, end) for i, some in enumerate(places) for end in some]
            size = len(self._rows[at + step]) if ends else 0
            for costs, own in zip(matrix, places, strict=True):
                if own:
                    excess = _excess(tuple(own), size)
                    for i, end in ends:
                        costs[i] += excess[end]
        return matrix

    def _sort(self, at: int, nexts: Sequence[Sequence[int]]) -> None:
        row = self._rows[at]
        keys: dict[int, float] = {}
        for slot in row:
            places = [self._places[one] for one in nexts[slot]] or [self._places[slot]]
            keys[slot] = sum(places) / len(places)
            self.work += 4 * (1 + len(places))
        row.sort(key=keys.__getitem__)
        self._number(at)

    def _crossings(self, gap: int) -> int:
        """Return how often lines cross between a row and the next."""
        total = 0
        seen: list[int] = []
        for slot in self._rows[gap]:
            ends = [self._places[one] for one in self._below[slot]]
            for end in ends:
                total += len(seen) - bisect_right(seen, end)
            if len(ends) > _FEW:
                seen += ends
                seen.sort()
            else:
                for end in ends:
                    insort(seen, end)
        self.work += 4 * len(seen)
        return total

    def _shuffle(self, at: int, start: int, end: int) -> None:
        row = self._rows[at]
        part = row[start:end]
        self._random.shuffle(part)
        row[start:end] = part
        self._number(at)

    def _number(self, at: int) -> None:
        for place, slot in enumerate(self._rows[at]):
            self._places[slot] = place


def _depth_first(rows: Sequence[Sequence[int]], below: _Rows) -> list[list[int]]:
    """Return the rows in the order in which a search from the top meets the slots."""
    found: list[list[int]] = [[] for _ in rows]
    seen: set[int] = set()
    for at, row in enumerate(rows):
        for root in row:
            stack = [(root, at)]
            while stack:
                slot, place = stack.pop()
                if slot not in seen:
                    seen.add(slot)
                    found[place].append(slot)
                    stack += ((one, place + 1) for one in reversed(below[slot]))
    return found


@lru_cache(maxsize=1024)
def _excess(places: tuple[int, ...], size: int) -> list[int]:
    """Return for each place how many more of *places* are left of it than right."""
    counts = [0] * size
    for place in places:
        counts[place] += 1
    lefts = accumulate(counts)
    return [
        2 * left - count - len(places)
        for left, count in zip(lefts, counts, strict=True)
    ]
