"""Order the slots of each row so that few lines cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .slots import Grid

_SWEEPS = 8


def count_crossings(grid: Grid) -> int:
    """Return how often lines cross."""
    total = 0
    for upper, lower in pairwise(grid.rows):
        place = {slot: at for at, slot in enumerate(lower)}
        seen: list[int] = []
        for slot in upper:
            ends = [place[other] for other in grid.below[slot]]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def order_rows(grid: Grid) -> None:
    """Order rows by barycenters, down and up again, and keep the best order."""
    best = [list(row) for row in grid.rows]
    fewest = count_crossings(grid)
    pairs = list(pairwise(grid.rows))
    for sweep in range(_SWEEPS if fewest else 0):
        if sweep % 2 == 0:
            for upper, row in pairs:
                _sort(row, upper, grid.above)
        else:
            for row, lower in reversed(pairs):
                _sort(row, lower, grid.below)
        if (crossings := count_crossings(grid)) < fewest:
            fewest = crossings
            best = [list(row) for row in grid.rows]
    grid.rows[:] = best


def _sort(row: list[int], fixed: list[int], nexts: Sequence[Sequence[int]]) -> None:
    own = {slot: float(at) for at, slot in enumerate(row)}
    place = {slot: at for at, slot in enumerate(fixed)}
    for slot in row:
        if nexts[slot]:
            own[slot] = sum(place[one] for one in nexts[slot]) / len(nexts[slot])
    row.sort(key=own.__getitem__)
