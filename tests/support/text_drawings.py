"""Read terminal drawings as a person does, by following the lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock import FlowInfo

__all__ = ["edges_of_boxes", "edges_of_tree"]

_DOWN, _LEFT, _RIGHT = (1, 0), (0, -1), (0, 1)
# Where a line continues, by the direction in which it enters a character. A line that
# crosses another goes straight on.
_NEXT = {
    _DOWN: {
        "│": [_DOWN],
        "└": [_RIGHT],
        "┘": [_LEFT],
        "├": [_DOWN, _RIGHT],
        "┤": [_DOWN, _LEFT],
        "┴": [_LEFT, _RIGHT],
        "┼": [_LEFT, _DOWN, _RIGHT],
    },
    _RIGHT: {"─": [_RIGHT], "│": [_RIGHT], "┐": [_DOWN], "┬": [_DOWN, _RIGHT]},
    _LEFT: {"─": [_LEFT], "│": [_LEFT], "┌": [_DOWN], "┬": [_DOWN, _LEFT]},
}


def edges_of_boxes(drawing: str, flow: FlowInfo) -> Iterator[tuple[str, str]]:
    """Yield the edges that the lines between the boxes of *flow* show."""
    lines = drawing.split("\n")
    width = max(map(len, lines), default=0)
    grid = [line.ljust(width) for line in lines]
    tops: dict[tuple[int, int], str] = {}
    starts: list[tuple[str, int, int]] = []
    for name in (step.name for step in flow.steps):
        row, left, right = _box(grid, name)
        tops.update(((row - 1, column), name) for column in range(left, right))
        starts += [
            (name, row + 1, column)
            for column in range(left, right)
            if grid[row + 1][column] in "┬╤"
        ]
    for name, row, column in starts:
        for end in _ends(grid, row, column):
            yield name, tops[end]


def _box(grid: list[str], name: str) -> tuple[int, int, int]:
    pattern = re.compile(rf"[│║] +{name} +[│║]")
    ((row, found),) = (
        (row, found) for row, line in enumerate(grid) if (found := pattern.search(line))
    )
    return row, found.start(), found.end()


def _ends(grid: list[str], row: int, column: int) -> Iterator[tuple[int, int]]:
    """Follow one line from below a box to every arrow that it leads to."""
    going = [(row + 1, column, _DOWN)]
    while going:
        row, column, way = going.pop()
        char = grid[row][column]
        if char == "▼":
            yield row, column
            continue
        for down, across in _NEXT[way][char]:
            going.append((row + down, column + across, (down, across)))


def edges_of_tree(drawing: str) -> Iterator[tuple[str, str]]:
    """Yield the edges that the lines of a tree show."""
    path: list[str] = []
    for line in filter(None, drawing.split("\n")):
        stem = re.match(r"[│├└─ ]*", line)
        depth = len(stem[0]) // 3 if stem else 0
        path[depth:] = [line[3 * depth :].removesuffix(" ↑").removesuffix(" ↓")]
        if depth:
            yield path[-2], path[-1]
