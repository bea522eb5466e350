"""Place boxes and lines in the cells of a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, pairwise
from math import floor
from typing import TYPE_CHECKING

from penstock.renderers.layout import engine
from penstock.renderers.layout.slots import Spacing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Boxes are 2 cells apart, and 1 cell is free beside a line, which takes one itself.
_SPACING = Spacing(boxes=2, line_to_box=1.5, lines=2)
_CLOSE = 6  # decimals: equal columns stay equal when they are rounded


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
    is_line: bool
    center: int
    above: list[Item] = field(default_factory=list)
    below: list[Item] = field(default_factory=list)

    @property
    def left(self) -> int:
        """The first column."""
        return self.center - self.width // 2

    @property
    def right(self) -> int:
        """The last column."""
        return self.left + self.width - 1


def lay_out(
    widths: Mapping[int, int], links: Sequence[tuple[int, int]], *, width: int
) -> list[list[Item]]:
    """Return the rows of a drawing, starting at column 0.

    *links* have no cycle. A row of boxes wider than *width* is wrapped.
    """
    # With odd widths, every distance between two centers is a whole number.
    odd = {node: cells | 1 for node, cells in widths.items()}
    layout = engine.lay_out(odd, links, _SPACING, max_width=width, shared_lines=True)
    items = {
        slot: Item(
            slot.node,
            1 if slot.is_line else widths[slot.node],
            slot.is_line,
            floor(round(slot.x, _CLOSE) + 0.5),
        )
        for slot in chain.from_iterable(layout.rows)
    }
    pieces = chain.from_iterable(map(pairwise, layout.routes.values()))
    for upper, lower in dict.fromkeys(pieces):
        items[upper].below.append(items[lower])
        items[lower].above.append(items[upper])
    rows = [[items[slot] for slot in row] for row in layout.rows]
    for upper_row, row in pairwise(rows):
        _avoid_lines(row, upper_row)
    shift = min((item.left for item in items.values()), default=0)
    for item in items.values():
        item.center -= shift
    return rows


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
    gap = 1 if item.is_line or other.is_line else 2
    return (item.right - item.center) + (other.center - other.left) + 1 + gap
