"""Give each slot of the rows its x: lines are straight where they can be."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .slots import Grid, Spacing

_SWEEPS = 4
_MAX_SLOTS = 60_000
"""Seen in all sweeps but the first."""
_ROUNDS = 4
_MAX_WORK = 2_000_000
"""Looks at a slot while lines are straightened; about a second."""
_CLOSE = 1e-6

_PASSING, _SPINE, _STEP, _TURN = 8, 4, 2, 1  # weights of the pieces of lines


class _Link(NamedTuple):
    """A piece of a line, from one row to the next.

    Attributes:
        upper: The slot where it begins.
        lower: The slot where it ends.
        weight: How much it matters that it is straight.
        shift: How far to the right its lower end should be.
        is_free: Whether it is not straightened.
    """

    upper: int
    lower: int
    weight: int
    shift: float = 0.0
    is_free: bool = False


_Row = tuple[list[int], list[float]]
"""Slots, and the least distance of each from the first."""
_Ties = list[list[tuple[int, int, float]]]
"""For each slot the others at its links, with weight and shift."""


def set_coordinates(
    grid: Grid, spacing: Spacing, shifts: Mapping[tuple[int, int], float] = {}
) -> None:
    """Place every slot near its neighbours in other rows; the left end is at 0.

    *shifts* tells how far to the right the lower of two slots should be.
    """
    links = list(_links(grid, spacing, shifts))
    above: _Ties = [[] for _ in grid.slots]
    below: _Ties = [[] for _ in grid.slots]
    for upper, lower, weight, shift, _ in links:
        above[lower].append((upper, weight, shift))
        below[upper].append((lower, weight, -shift))
    rows = [
        (row, list(accumulate(_distances(grid, row, spacing), initial=0.0)))
        for row in grid.rows
    ]
    xs = _least_squares(rows, above, below)
    ties = [up + down for up, down in zip(above, below, strict=True)]
    # Forks and joins look better when they are even than with a straight line.
    limit = inf if shifts else 1.5 * spacing.boxes
    _Blocks(rows, ties, xs, limit).straighten(links)
    slots = grid.slots
    left = min(
        (x - slot.width / 2 for x, slot in zip(xs, slots, strict=True)), default=0
    )
    for x, slot in zip(xs, slots, strict=True):
        slot.x = x - left


def _links(
    grid: Grid, spacing: Spacing, shifts: Mapping[tuple[int, int], float]
) -> Iterator[_Link]:
    above, below = _longest_ways(grid)
    following = [_only_longest(others, below) for others in grid.below]
    preceding = [_only_longest(others, above) for others in grid.above]
    for at, others in enumerate(grid.below):
        for other in others:
            upper, lower = grid.slots[at], grid.slots[other]
            if upper.is_line and lower.is_line:
                yield _Link(at, other, _PASSING)
            elif not grid.returning.isdisjoint((at, other)):  # drawn to the right side
                side = (upper.width + lower.width) / 2 + spacing.line_to_box
                side = side if lower.is_line else -side
                yield _Link(at, other, _TURN, side, is_free=True)
            else:
                is_spine = following[at] == other and preceding[other] == at
                weight = _TURN if upper.is_line or lower.is_line else _STEP
                weight = _SPINE if is_spine else weight
                yield _Link(at, other, weight, shifts.get((at, other), 0.0))


def _longest_ways(grid: Grid) -> tuple[list[int], list[int]]:
    """Return for each slot the most boxes on a way that ends or begins there."""
    above = [int(not slot.is_line) for slot in grid.slots]
    below = list(above)
    for row in grid.rows:
        for at in row:
            above[at] += max((above[one] for one in grid.above[at]), default=0)
    for row in reversed(grid.rows):
        for at in row:
            below[at] += max((below[one] for one in grid.below[at]), default=0)
    return above, below


def _only_longest(slots: Sequence[int], lengths: Sequence[int]) -> int | None:
    """Return the slot with the longest way, None if there are several."""
    longest = max((lengths[at] for at in slots), default=0)
    found = [at for at in slots if lengths[at] == longest]
    return found[0] if len(found) == 1 else None


def _least_squares(rows: Sequence[_Row], above: _Ties, below: _Ties) -> list[float]:
    """Return an x for each slot, as close to those of its neighbours as rows allow."""
    xs = [0.0] * len(above)
    for row, offsets in rows:
        _spread(row, offsets, [(0.0, 1)] * len(row), xs)
    both = [up + down for up, down in zip(above, below, strict=True)]
    for sweep in range(min(_SWEEPS, 1 + _MAX_SLOTS // max(1, len(xs)))):
        downwards, upwards = (both, both) if sweep else (above, below)
        for row, offsets in rows:
            _spread(row, offsets, [_wish(downwards[at], xs, xs[at]) for at in row], xs)
        for row, offsets in reversed(rows):
            _spread(row, offsets, [_wish(upwards[at], xs, xs[at]) for at in row], xs)
    return xs


def _distances(grid: Grid, row: Sequence[int], spacing: Spacing) -> list[float]:
    slots = [grid.slots[at] for at in row]
    return list(map(spacing.distance, slots, slots[1:]))


def _wish(
    ties: Iterable[tuple[int, int, float]], xs: Sequence[float], own: float
) -> tuple[float, float]:
    """Return where a slot should be, and the weight of that."""
    total = weight = 0.0
    for other, tie, shift in ties:
        total += tie * (xs[other] + shift)
        weight += tie
    return (total / weight, weight) if weight else (own, 0.01)


def _spread(
    row: Sequence[int],
    offsets: Sequence[float],
    wishes: Iterable[tuple[float, float]],
    xs: list[float],
) -> None:
    """Move slots as close to their wishes as the others allow: least squares.

    Slots that would overlap move as one (pool adjacent violators).
    """
    pools: list[tuple[float, float, int]] = []  # weighted sum, weight, slots
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        pool = (wish - offset) * weight, weight, 1
        while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
            last = pools.pop()
            pool = last[0] + pool[0], last[1] + pool[1], last[2] + pool[2]
        pools.append(pool)
    starts = [total / weight for total, weight, size in pools for _ in range(size)]
    for at, start, offset in zip(row, starts, offsets, strict=True):
        xs[at] = start + offset


class _Blocks:
    """Slots in a straight line, which move together.

    Every move is into free space, so slots never change their order.
    """

    def __init__(
        self, rows: Iterable[_Row], ties: _Ties, xs: list[float], limit: float
    ) -> None:
        self._xs = xs
        self._ties = ties
        self._limit = limit
        self._work = 0
        self._members = [[at] for at in range(len(xs))]
        self._home = list(range(len(xs)))
        self._before: list[tuple[int, float] | None] = [None] * len(xs)
        self._after: list[tuple[int, float] | None] = [None] * len(xs)
        for row, offsets in rows:
            spans = (end - start for start, end in pairwise(offsets))
            for (left, right), distance in zip(pairwise(row), spans, strict=True):
                self._after[left] = right, distance
                self._before[right] = left, distance

    def straighten(self, links: Iterable[_Link]) -> None:
        """Join slots to blocks, and move each block to the median of its neighbours."""
        straight = [link for link in links if not link.is_free]
        for _ in range(_ROUNDS):
            straight.sort(key=self._urgency)
            for link in straight:
                if self._work < _MAX_WORK:
                    self._align(link)
            blocks = [block for block in self._members if block]
            for block in (*blocks, *reversed(blocks)):
                self._move(block, self._wish(block))

    def _urgency(self, link: _Link) -> tuple[int, float]:
        return -link.weight, abs(self._way(link))

    def _way(self, link: _Link) -> float:
        """Return how far the lower end is from where the line is straight."""
        return self._xs[link.upper] + link.shift - self._xs[link.lower]

    def _align(self, link: _Link) -> None:
        """Make one block of two if both can move so that the line is straight."""
        way = self._way(link)
        is_far = abs(way) >= self._limit and link.weight < _SPINE
        if is_far or self._home[link.upper] == self._home[link.lower]:
            return
        first = self._members[self._home[link.lower]]
        second = self._members[self._home[link.upper]]
        if len(first) > len(second):
            first, second, way = second, first, -way
        moved = self._move(first, way)
        rest = moved - way
        if abs(rest) > _CLOSE:
            if self._room(second, rest) < abs(rest):
                self._shift(first, -moved)
                return
            self._shift(second, rest)
        self._join(first, second)

    def _join(self, small: list[int], large: list[int]) -> None:
        home = self._home[large[0]]
        for at in small:
            self._home[at] = home
        large += small
        small.clear()

    def _wish(self, block: Sequence[int]) -> float:
        """Return how far the median of all neighbours is."""
        home = self._home[block[0]]
        ways: list[float] = []
        for at in block:
            for other, weight, shift in self._ties[at]:
                if self._home[other] != home:
                    ways += [self._xs[other] + shift - self._xs[at]] * weight
        self._work += len(block) + len(ways)
        ways.sort()
        half = len(ways) // 2
        return min(max(0.0, ways[~half]), ways[half]) if ways else 0.0

    def _move(self, block: Sequence[int], way: float) -> float:
        """Move a block as far as there is room; return how far that is."""
        room = min(abs(way), self._room(block, way))
        moved = room if way > 0 else -room
        self._shift(block, moved)
        return moved

    def _shift(self, block: Iterable[int], way: float) -> None:
        for at in block:
            self._xs[at] += way

    def _room(self, block: Sequence[int], way: float) -> float:
        """Return the free space next to a block, in the direction of *way*."""
        nexts = self._after if way > 0 else self._before
        room = inf
        for at in block:
            if found := nexts[at]:
                other, distance = found
                room = min(room, abs(self._xs[other] - self._xs[at]) - distance)
        self._work += len(block)
        return max(0.0, room)
