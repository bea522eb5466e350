"""Draw a small graph as boxes in rows, with lines between them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from .canvas import Canvas, width_of
from .layout import lay_out
from .routing import NoRoomError, route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .layout import Item
    from .routing import Net

__all__ = ["DASHED", "DOUBLE", "PLAIN", "Box", "draw_boxes"]

# Corners clockwise from the upper left, horizontal, vertical, where a
# line leaves.
PLAIN, DOUBLE, DASHED = "╭╮╯╰─│┬", "╔╗╝╚═║╤", "╭╮╯╰┄┆┬"
# By which sides a line leaves the cell: up 1, down 2, left 4, right 8.
_JOINTS = " │││─┘┐┤─└┌├─┴┬┼"


class Box(NamedTuple):
    """What stands in a box, line by line, and its frame."""

    words: Sequence[str]
    frame: str = PLAIN


def draw_boxes(
    boxes: Mapping[int, Box],
    layers: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int]],
    *,
    width: int,
) -> list[str] | None:
    """Return the lines of a drawing, None if it takes more than *width*.

    Lines of different boxes never join, so that each can be followed: where one
    passes over another, the one below is interrupted.

    Args:
        boxes: The box of each node.
        layers: The nodes of each row.
        links: Pairs of nodes; each leads to a later row.
        width: How many cells a line may take.
    """
    lines = Counter(after for _, after in links)
    widths = {node: _width(box, lines[node]) for node, box in boxes.items()}
    while all(sum(widths[node] for node in layer) <= width for layer in layers):
        rows = lay_out(widths, layers, links)
        if any(item.right >= width for row in rows for item in row):
            break
        try:
            nets = [route(upper, row) for upper, row in pairwise(([], *rows))]
        except NoRoomError as exc:
            widths[exc.node] *= 2
            continue
        drawing = _Drawing(boxes)
        for above, row in zip(nets, rows, strict=True):
            drawing.add(above, row)
        return list(drawing.canvas.lines())
    return None


def _width(box: Box, lines: int) -> int:
    """Return room for the words, and a column for each line that comes in."""
    return max(max(map(width_of, box.words)) + 4, 2 * lines + 3)


class _Drawing:
    """Boxes and nets on a canvas."""

    def __init__(self, boxes: Mapping[int, Box]) -> None:
        self.canvas = Canvas()
        self._boxes = boxes
        self._top = 0

    def add(self, nets: Sequence[Net], row: Sequence[Item]) -> None:
        """Draw one more row, and what leads to it from the row before."""
        start = self._top
        if start:
            self._top += 1 + max((net.lane or 0 for net in nets), default=0)
        for net in nets:
            self._horizontal(net, start)
        for net in nets:
            self._vertical(net, start)
        boxes = [item for item in row if not item.is_line]
        height = 2 + max(len(self._boxes[item.node].words) for item in boxes)
        for item in boxes:
            self._box(item, height)
        for item in row:
            if item.is_line:
                self._line(item.center, self._top, self._top + height)
        inside = {item.center for item in row if item.is_line}
        for column in {end for net in nets for end in net.ends} - inside:
            self.canvas.write(self._top, column, "▼")
        self._top += height

    def _horizontal(self, net: Net, start: int) -> None:
        if net.lane is not None:
            length = net.right - net.left + 1
            self.canvas.write(start + net.lane, net.left, "─" * length)

    def _vertical(self, net: Net, start: int) -> None:
        lane = self._top if net.lane is None else start + net.lane
        self._line(net.start, start, lane)
        for end in net.ends if net.lane is not None else ():
            self._line(end, lane + 1, self._top)
        for column in {net.start, *net.ends} if net.lane is not None else ():
            self.canvas.write(lane, column, _joint(net, column))

    def _line(self, column: int, start: int, end: int) -> None:
        for row in range(start, end):
            self.canvas.write(row, column, "│")

    def _box(self, item: Item, height: int) -> None:
        words, frame = self._boxes[item.node]
        inner = item.width - 2
        top, bottom = self._top, self._top + len(words) + 1
        self.canvas.write(top, item.left, frame[0] + frame[4] * inner + frame[1])
        for row, line in enumerate(words, top + 1):
            self.canvas.write(row, item.left, frame[5] + " " * inner + frame[5])
            indent = (item.width - width_of(line)) // 2
            self.canvas.write(row, item.left + indent, line)
        self.canvas.write(bottom, item.left, frame[3] + frame[4] * inner + frame[2])
        if item.below:
            self.canvas.write(bottom, item.center, frame[6])
            self._line(item.center, bottom + 1, top + height)


def _joint(net: Net, column: int) -> str:
    """Return the character in which a net turns or branches."""
    sides = (
        column == net.start,
        column in net.ends,
        column > net.left,
        column < net.right,
    )
    return _JOINTS[sum(1 << at for at, is_open in enumerate(sides) if is_open)]
