"""The slots of a drawing: boxes, and the places where lines pass through rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(slots=True, eq=False)
class Slot:
    """A box in a row, or the place where a line passes through a row.

    Attributes:
        node: The node in the box, or the node where the line starts.
        width: The width of the box, 0 for a line.
        is_line: Whether it is a line and not a box.
        row: The number of its row, from the top.
        x: Its centre.
    """

    node: int
    width: float
    is_line: bool
    row: int
    x: float = 0.0


@dataclass(frozen=True, slots=True)
class Spacing:
    """The least gaps in a row: between boxes, a line and a box, and two lines."""

    boxes: float
    line_to_box: float
    lines: float

    def distance(self, left: Slot, right: Slot) -> float:
        """Return the least distance between the centres of two neighbours."""
        if left.is_line and right.is_line:
            return self.lines
        both = left.is_line == right.is_line
        gap = self.boxes if both else self.line_to_box
        return (left.width + right.width) / 2 + gap


@dataclass(frozen=True, slots=True)
class Grid:
    """Numbered slots in rows.

    Attributes:
        slots: All slots, the boxes first.
        rows: The slots of each row, from left to right.
        above: For each slot, those in the row above that lead to it.
        below: For each slot, those in the row below that it leads to.
        ways: For each edge, its slots from the upper to the lower box.
        returning: The slots of lines that lead upwards.
    """

    slots: list[Slot]
    rows: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]
    ways: dict[tuple[int, int], list[int]]
    returning: frozenset[int]


_MAX_LINES = 4_000
"""With more slots of lines than this (and four per node), edges share lines."""


def build_grid(
    widths: Mapping[int, float],
    ranks: Mapping[int, int],
    links: Mapping[tuple[int, int], tuple[int, int]],
    back: Collection[tuple[int, int]],
    *,
    shared_lines: bool,
) -> Grid:
    """Put every node into its row, and a line into each row that an edge passes.

    *links* has the upper and the lower node of each edge.
    """
    slots = [
        Slot(node, width, is_line=False, row=ranks[node])
        for node, width in widths.items()
    ]
    number = {node: at for at, node in enumerate(widths)}
    passed = sum(ranks[low] - ranks[up] - 1 for up, low in links.values() if up != low)
    shares = shared_lines or passed > max(_MAX_LINES, 4 * len(widths))
    lines: dict[tuple[object, int], int] = {}
    ways: dict[tuple[int, int], list[int]] = {}
    for edge, (upper, lower) in links.items():
        owner = (edge[0], edge in back) if shares else edge
        way = [number[upper]]
        for row in range(ranks[upper] + 1, ranks[lower]):
            if (owner, row) not in lines:
                lines[owner, row] = len(slots)
                slots.append(Slot(edge[0], 0, is_line=True, row=row))
            way.append(lines[owner, row])
        ways[edge] = way if upper == lower else [*way, number[lower]]
    returning = frozenset(at for edge in back for at in ways[edge][1:-1])
    return _connect(slots, ways, returning)


def _connect(
    slots: list[Slot],
    ways: dict[tuple[int, int], list[int]],
    returning: frozenset[int],
) -> Grid:
    rows: list[list[int]] = [
        [] for _ in range(1 + max((s.row for s in slots), default=-1))
    ]
    for at, slot in enumerate(slots):
        rows[slot.row].append(at)
    above: list[list[int]] = [[] for _ in slots]
    below: list[list[int]] = [[] for _ in slots]
    pairs = (pair for way in ways.values() for pair in pairwise(way))
    for upper, lower in dict.fromkeys(pairs):
        below[upper].append(lower)
        above[lower].append(upper)
    return Grid(slots, rows, above, below, ways, returning)
