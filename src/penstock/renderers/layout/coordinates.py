"""Give each slot of the rows its x."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .slots import Grid, Spacing

_SWEEPS = 4


def set_coordinates(grid: Grid, spacing: Spacing) -> None:
    """Place every slot close to the middle of its neighbours; the leftmost is at 0."""
    offsets = [_offsets(grid, row, spacing) for row in grid.rows]
    everything = list(zip(grid.rows, offsets, strict=True))
    for row, places in everything:
        _spread(grid, row, places, [0.0] * len(row))
    for _ in range(_SWEEPS):
        for row, places in everything[1:]:
            _spread(grid, row, places, [_middle(grid, grid.above[s], s) for s in row])
        for row, places in everything[-2::-1]:
            _spread(grid, row, places, [_middle(grid, grid.below[s], s) for s in row])
    left = min((slot.x - slot.width / 2 for slot in grid.slots), default=0)
    for slot in grid.slots:
        slot.x -= left


def _offsets(grid: Grid, row: Sequence[int], spacing: Spacing) -> list[float]:
    slots = [grid.slots[at] for at in row]
    return list(accumulate(map(spacing.distance, slots, slots[1:]), initial=0.0))


def _spread(
    grid: Grid, row: Sequence[int], offsets: Sequence[float], wanted: Sequence[float]
) -> None:
    """Move slots as close to their wanted x as the others allow: least squares."""
    blocks: list[tuple[float, int]] = []  # sum of wanted places, number of slots
    for wish, offset in zip(wanted, offsets, strict=True):
        total, size = wish - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            before, count = blocks.pop()
            total, size = total + before, size + count
        blocks.append((total, size))
    starts = [total / size for total, size in blocks for _ in range(size)]
    for at, start, offset in zip(row, starts, offsets, strict=True):
        grid.slots[at].x = start + offset


def _middle(grid: Grid, others: Sequence[int], at: int) -> float:
    if not others:
        return grid.slots[at].x
    return sum(grid.slots[one].x for one in others) / len(others)
