"""Place the nodes of a small graph in rows."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable  # an alias below needs it
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SWEEPS = 8
_GAP = 2  # cells between two boxes


@dataclass(slots=True, eq=False)
class Item:
    """A box, or the cell where a line passes through a row of boxes.

    Attributes:
        node: The node in the box, or the node where the line starts.
        width: Its width in cells.
        is_line: Whether it is a line and not a box.
        above: The items in the row above that lead to it.
        below: The items in the row below that it leads to.
        center: The column where its own line starts.
    """

    node: int
    width: int
    is_line: bool = False
    above: list[Item] = field(default_factory=list)
    below: list[Item] = field(default_factory=list)
    center: int = 0

    @property
    def left(self) -> int:
        """The first column."""
        return self.center - self.width // 2

    @property
    def right(self) -> int:
        """The last column."""
        return self.left + self.width - 1


Rows = list[list[Item]]
_Nexts = Callable[[Item], list[Item]]


def lay_out(
    widths: Mapping[int, int],
    layers: Iterable[Sequence[int]],
    links: Iterable[tuple[int, int]],
) -> Rows:
    """Return the rows of a drawing, ordered and placed, starting at column 0.

    *layers* are the nodes of each row. Each link leads to a later row.
    """
    rows = _rows(widths, layers, links)
    _reduce_crossings(rows)
    _place(rows)
    return rows


def _rows(
    widths: Mapping[int, int],
    layers: Iterable[Sequence[int]],
    links: Iterable[tuple[int, int]],
) -> Rows:
    rows = [[Item(node, widths[node]) for node in layer] for layer in layers]
    level = {item.node: at for at, row in enumerate(rows) for item in row}
    boxes = {item.node: item for row in rows for item in row}
    targets: dict[int, dict[int, list[Item]]] = {}
    for before, after in links:
        by_level = targets.setdefault(before, {})
        by_level.setdefault(level[after], []).append(boxes[after])
    for node, by_level in targets.items():
        _connect(boxes[node], level[node] + 1, by_level, rows)
    return rows


def _connect(
    item: Item, level: int, targets: Mapping[int, list[Item]], rows: Rows
) -> None:
    """Connect *item* with all its targets by one line through the rows in between."""
    for at in range(level, max(targets) + 1):
        nexts = list(targets.get(at, ()))
        if at < max(targets):
            line = Item(item.node, 1, is_line=True)
            rows[at].append(line)
            nexts.append(line)
        item.below = nexts
        for other in nexts:
            other.above.append(item)
        item = nexts[-1]


def _reduce_crossings(rows: Rows) -> None:
    """Order rows by barycenters, down and up again, and keep the best order."""
    best = [list(row) for row in rows]
    fewest = _crossings(rows)
    pairs = list(pairwise(rows))
    for sweep in range(_SWEEPS if fewest else 0):
        if sweep % 2 == 0:
            for upper, row in pairs:
                _sort(row, upper, lambda item: item.above)
        else:
            for row, lower in reversed(pairs):
                _sort(row, lower, lambda item: item.below)
        if (crossings := _crossings(rows)) < fewest:
            fewest = crossings
            best = [list(row) for row in rows]
    rows[:] = best


def _sort(row: list[Item], fixed: list[Item], nexts: _Nexts) -> None:
    """Order *row* by the mean position of each item's neighbours in the row *fixed*."""
    own = {item: at for at, item in enumerate(row)}
    place = {item: at for at, item in enumerate(fixed)}
    row.sort(key=lambda item: _mean(map(place.__getitem__, nexts(item)), own[item]))


def _crossings(rows: Rows) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        place = {item: at for at, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = [place[other] for other in item.below]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _place(rows: Rows) -> None:
    """Give every item a column close to the middle of its neighbours."""
    for row in rows:
        _spread(row, [0.0] * len(row))
    for row in rows[1:]:
        _spread(row, [_middle(item.above, item) for item in row])
    for row in rows[-2::-1]:
        _spread(row, [_middle(item.below, item) for item in row])
    for upper, row in pairwise(rows):
        _spread(row, [_middle(item.above, item) for item in row])
        _avoid_lines(row, upper)
    shift = min((item.left for row in rows for item in row), default=0)
    for row in rows:
        for item in row:
            item.center -= shift


def _spread(row: list[Item], wanted: list[float]) -> None:
    """Move each item as close to its wanted column as the others allow.

    Least squares: items that would overlap move as one block.
    """
    offsets = list(accumulate(map(_distance, row, row[1:]), initial=0))
    blocks: list[tuple[float, int]] = []  # sum of wanted columns, number of items
    for wish, offset in zip(wanted, offsets, strict=False):
        total, size = wish - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            before, count = blocks.pop()
            total, size = total + before, size + count
        blocks.append((total, size))
    starts = [floor(total / size + 0.5) for total, size in blocks for _ in range(size)]
    for item, start, offset in zip(row, starts, offsets, strict=False):
        item.center = start + offset


def _avoid_lines(row: list[Item], upper: list[Item]) -> None:
    """Move lines out of columns where the line of another item comes down."""
    taken = {item.center: item for item in upper if item.below}
    for before, item in zip([None, *row], row, strict=False):
        if before:
            item.center = max(item.center, before.center + _distance(before, item))
        while item.is_line and taken.get(item.center, item.above[0]) != item.above[0]:
            item.center += 1


def _distance(item: Item, other: Item) -> int:
    """Return the minimum distance between the centers of two neighbours."""
    gap = 1 if item.is_line or other.is_line else _GAP
    return (item.right - item.center) + (other.center - other.left) + 1 + gap


def _middle(others: list[Item], item: Item) -> float:
    return _mean((other.center for other in others), item.center)


def _mean(numbers: Iterable[int], default: float) -> float:
    values = list(numbers)
    return sum(values) / len(values) if values else default
