"""Lay out a graph in rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from .coordinates import set_coordinates
from .ordering import order_rows
from .ranks import find_back_edges, rank_nodes
from .slots import build_grid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .slots import Slot, Spacing

MAX_WORK = 4_000_000
"""What is spent on the order of one drawing; about a second."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the boxes and lines of a graph are.

    Attributes:
        rows: The slots of each row, from top to bottom and from left to right.
        boxes: The slot of each node.
        routes: For each edge the slots from its upper box to its lower box, one for
            each row. An edge in *back* begins at the lower box; that of a node to
            itself has the one box.
        back: The edges that close a cycle and lead upwards.
    """

    rows: tuple[tuple[Slot, ...], ...]
    boxes: Mapping[int, Slot]
    routes: Mapping[tuple[int, int], tuple[Slot, ...]]
    back: frozenset[tuple[int, int]]


def lay_out(
    widths: Mapping[int, float],
    edges: Sequence[tuple[int, int]],
    spacing: Spacing,
    *,
    max_width: float = inf,
    shared_lines: bool = False,
    first: Collection[int] = (),
    last: Collection[int] = (),
    max_work: float = MAX_WORK,
    ports: Mapping[tuple[int, int], tuple[float, float]] = {},
) -> Layout:
    """Lay out the nodes of *widths*, given in the order of their declaration.

    The result depends on nothing but the arguments.

    Args:
        widths: The width of each node's box.
        edges: Pairs of the node before and the node after, each once.
        spacing: The least gaps in a row.
        max_width: Wrap rows of boxes that are wider.
        shared_lines: Let the edges from a node share one line through the rows that
            they pass. Very dense graphs do this in any case.
        first: Nodes that no edge leads to, for the first row, which is theirs alone.
        last: Nodes that no edge leaves, for the last row, which is theirs alone.
        max_work: How long to look for an order with few crossings.
        ports: For edges down that do not begin and end in the middle of boxes, how
            far to the right of it they do.
    """
    back = find_back_edges(widths, edges)
    down = {edge: edge for edge in edges if edge not in back}
    down |= {(one, two): (two, one) for one, two in edges if (one, two) in back}
    links = dict.fromkeys(link for link in down.values() if link[0] != link[1])
    doors = {*first, *last}
    inner = {node: width for node, width in widths.items() if node not in doors}
    steps = [link for link in links if not doors & {*link}]
    ranks = rank_nodes(inner, steps, spacing.boxes, max_width)
    down_by = 1 if first else 0
    end = max(ranks.values(), default=-1) + 1 + down_by
    ranks = {node: rank + down_by for node, rank in ranks.items()}
    ranks |= dict.fromkeys(first, 0) | dict.fromkeys(last, end)
    grid = build_grid(widths, ranks, down, back, shared_lines=shared_lines)
    order_rows(grid, max_work)
    shifts: dict[tuple[int, int], float] = {}
    for edge, (out, into) in ports.items():
        if edge not in back:
            way = grid.ways[edge]
            shifts[way[0], way[1]] = out
            shifts[way[-2], way[-1]] = shifts.get((way[-2], way[-1]), 0.0) - into
    set_coordinates(grid, spacing, shifts)
    slots = grid.slots
    return Layout(
        tuple(tuple(slots[at] for at in row) for row in grid.rows),
        {slot.node: slot for slot in slots[: len(widths)]},
        {edge: tuple(slots[at] for at in way) for edge, way in grid.ways.items()},
        back,
    )
