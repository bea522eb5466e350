"""Give each slot of the rows its x: lines are straight where they can be."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .slots import Grid, Spacing

_SWEEPS = 4
_MAX_SLOTS = 60_000
"""Seen in all sweeps but the first."""
_ROUNDS = 4
_MAX_WORK = 1_000_000
"""Looks at a slot while lines are straightened; about a second."""
_WEIGHTS = 2, 1, 8
"""Of a line between boxes, to or from a box, and between rows that it passes."""
_CLOSE = 1e-6

_Tie = tuple[int, int, float]  # a slot, the weight of its line, and how far beside it


def set_coordinates(grid: Grid, spacing: Spacing) -> None:
    """Place every slot near its neighbours in other rows; the left end is at 0."""
    xs = _least_squares(grid, spacing)
    _Blocks(grid, spacing, xs).straighten()
    slots = grid.slots
    left = min(
        (x - slot.width / 2 for x, slot in zip(xs, slots, strict=True)), default=0
    )
    for x, slot in zip(xs, slots, strict=True):
        slot.x = x - left


def _least_squares(grid: Grid, spacing: Spacing) -> list[float]:
    """Return an x for each slot, as close to those of its neighbours as rows allow."""
    xs = [0.0] * len(grid.slots)
    offsets = [
        list(accumulate(_distances(grid, row, spacing), initial=0.0))
        for row in grid.rows
    ]
    rows = list(zip(grid.rows, offsets, strict=True))
    for row, places in rows:
        _spread(row, places, [(0.0, 1)] * len(row), xs)
    ways = [_ties(grid, spacing, side) for side in (grid.above, grid.below)]
    both = [[*up, *down] for up, down in zip(*ways, strict=True)]
    for sweep in range(min(_SWEEPS, 1 + _MAX_SLOTS // max(1, len(xs)))):
        downwards, upwards = (both, both) if sweep else ways
        for row, places in rows:
            _spread(row, places, [_wish(downwards[at], xs, xs[at]) for at in row], xs)
        for row, places in reversed(rows):
            _spread(row, places, [_wish(upwards[at], xs, xs[at]) for at in row], xs)
    return xs


def _distances(grid: Grid, row: Sequence[int], spacing: Spacing) -> list[float]:
    slots = [grid.slots[at] for at in row]
    return list(map(spacing.distance, slots, slots[1:]))


def _ties(
    grid: Grid, spacing: Spacing, nexts: Sequence[Sequence[int]]
) -> list[list[_Tie]]:
    """Return for each slot how its neighbours draw it.

    A line that leads upwards is drawn to the right side of its boxes.
    """
    slots = grid.slots
    ties: list[list[_Tie]] = []
    for at, others in enumerate(nexts):
        own = slots[at]
        found: list[_Tie] = []
        for other in others:
            tied = slots[other]
            shift = 0.0
            if own.is_line != tied.is_line and not grid.returning.isdisjoint(
                (at, other)
            ):
                side = own.width / 2 + tied.width / 2 + spacing.line_to_box
                shift = side if own.is_line else -side
            found.append((other, _WEIGHTS[own.is_line + tied.is_line], shift))
        ties.append(found)
    return ties


def _wish(ties: Iterable[_Tie], xs: Sequence[float], own: float) -> tuple[float, float]:
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

    def __init__(self, grid: Grid, spacing: Spacing, xs: list[float]) -> None:
        self._xs = xs
        self._work = 0
        self._limit = 2 * spacing.boxes
        self._members = [[at] for at in range(len(xs))]
        self._home = list(range(len(xs)))
        self._before: list[tuple[int, float] | None] = [None] * len(xs)
        self._after: list[tuple[int, float] | None] = [None] * len(xs)
        for row in grid.rows:
            distances = _distances(grid, row, spacing)
            for (left, right), distance in zip(pairwise(row), distances, strict=True):
                self._after[left] = right, distance
                self._before[right] = left, distance
        self._above = _ties(grid, spacing, grid.above)
        self._below = _ties(grid, spacing, grid.below)

    def straighten(self) -> None:
        """Join slots to blocks, and move each block to the median of its neighbours."""
        for _ in range(_ROUNDS):
            if self._work > _MAX_WORK:
                break
            for upper, lower, weight in self._links():
                if self._home[upper] != self._home[lower]:
                    self._align(upper, lower, weight)
            blocks = [block for block in self._members if block]
            for block in (*blocks, *reversed(blocks)):
                self._move(block, self._wish(block))

    def _links(self) -> list[tuple[int, int, int]]:
        """Return the pieces of lines, those that most need to be straight first."""
        links = [
            (upper, lower, weight)
            for upper, others in enumerate(self._below)
            for lower, weight, shift in others
            if not shift
        ]
        xs = self._xs
        links.sort(key=lambda link: (-link[2], abs(xs[link[0]] - xs[link[1]])))
        return links

    def _align(self, upper: int, lower: int, weight: int) -> None:
        """Make one block of two if both can move to the same x."""
        way = self._xs[upper] - self._xs[lower]
        if abs(way) > self._limit and weight < _WEIGHTS[-1]:
            return
        first = self._members[self._home[lower]]
        second = self._members[self._home[upper]]
        if len(first) > len(second):
            first, second, way = second, first, -way
        moved = self._move(first, way)
        rest = moved - way
        if abs(rest) > _CLOSE and self._room(second, rest) < abs(rest):
            self._shift(first, -moved)
            return
        self._shift(second, rest)
        self._join(first, second)

    def _join(self, small: list[int], large: list[int]) -> None:
        home = self._home[large[0]]
        x = self._xs[large[0]]
        for at in small:
            self._home[at] = home
            self._xs[at] = x
        large += small
        small.clear()

    def _wish(self, block: Sequence[int]) -> float:
        """Return how far the median of all neighbours is."""
        home = self._home[block[0]]
        ways: list[float] = []
        for at in block:
            for ties in (self._above[at], self._below[at]):
                for other, weight, shift in ties:
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
