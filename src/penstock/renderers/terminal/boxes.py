"""Draw a small graph as rows of boxes with lines between them."""

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
    from .routing import Route

# Corners clockwise from the upper left, horizontal, vertical, start of a line.
PLAIN, DOUBLE, DASHED = "╭╮╯╰─│┬", "╔╗╝╚═║╤", "╭╮╯╰┄┆┬"
# Indexed by the sides to which the line continues: up 1, down 2, left 4, right 8.
_JOINTS = " │││─┘┐┤─└┌├─┴┬┼"


class Box(NamedTuple):
    """The lines in a box, and the characters of its frame."""

    text: Sequence[str]
    frame: str = PLAIN


def draw_boxes(
    boxes: Mapping[int, Box],
    links: Sequence[tuple[int, int]],
    *,
    width: int,
) -> list[str] | None:
    """Return the lines of a drawing, None if it is wider than *width*.

    Lines from different boxes never join, so that each can be followed. When two
    cross, the horizontal one is interrupted. *links* have no cycle.
    """
    lines = Counter(after for _, after in links)
    widths = {  # with space for the text and for each incoming line
        node: max(max(map(width_of, box.text)) + 4, 2 * lines[node] + 3)
        for node, box in boxes.items()
    }
    while max(widths.values()) <= width:
        rows = lay_out(widths, links, width=width)
        if any(item.right >= width for row in rows for item in row):
            break
        try:
            routes = [route(upper, row) for upper, row in pairwise(([], *rows))]
        except NoRoomError as exc:
            widths[exc.node] *= 2
            continue
        drawing = _Drawing(boxes)
        for above, row in zip(routes, rows, strict=True):
            drawing.add(above, row)
        return list(drawing.canvas.lines())
    return None


class _Drawing:
    """Boxes and routes on a canvas."""

    def __init__(self, boxes: Mapping[int, Box]) -> None:
        self.canvas = Canvas()
        self._boxes = boxes
        self._top = 0

    def add(self, routes: Sequence[Route], row: Sequence[Item]) -> None:
        """Draw one more row, and the lines that lead to it from the row before."""
        start = self._top
        if start:
            self._top += 1 + max((line.lane or 0 for line in routes), default=0)
        for line in routes:
            self._horizontal(line, start)
        for line in routes:
            self._vertical(line, start)
        boxes = [item for item in row if not item.is_line]
        height = 2 + max(len(self._boxes[item.node].text) for item in boxes)
        for item in boxes:
            self._box(item, height)
        for item in row:
            if item.is_line:
                self._line(item.center, self._top, self._top + height)
        inside = {item.center for item in row if item.is_line}
        for column in {end for line in routes for end in line.ends} - inside:
            self.canvas.write(self._top, column, "▼")
        self._top += height

    def _horizontal(self, line: Route, start: int) -> None:
        if line.lane is not None:
            length = line.right - line.left + 1
            self.canvas.write(start + line.lane, line.left, "─" * length)

    def _vertical(self, line: Route, start: int) -> None:
        lane = self._top if line.lane is None else start + line.lane
        self._line(line.start, start, lane)
        for end in line.ends if line.lane is not None else ():
            self._line(end, lane + 1, self._top)
        for column in {line.start, *line.ends} if line.lane is not None else ():
            self.canvas.write(lane, column, _joint(line, column))

    def _line(self, column: int, start: int, end: int) -> None:
        for row in range(start, end):
            self.canvas.write(row, column, "│")

    def _box(self, item: Item, height: int) -> None:
        text, frame = self._boxes[item.node]
        inner = item.width - 2
        top, bottom = self._top, self._top + len(text) + 1
        self.canvas.write(top, item.left, frame[0] + frame[4] * inner + frame[1])
        for row, line in enumerate(text, top + 1):
            self.canvas.write(row, item.left, frame[5] + " " * inner + frame[5])
            indent = (item.width - width_of(line)) // 2
            self.canvas.write(row, item.left + indent, line)
        self.canvas.write(bottom, item.left, frame[3] + frame[4] * inner + frame[2])
        if item.below:
            self.canvas.write(bottom, item.center, frame[6])
            self._line(item.center, bottom + 1, top + height)


def _joint(line: Route, column: int) -> str:
    """Return the character where a route turns or branches."""
    sides = (
        column == line.start,
        column in line.ends,
        column > line.left,
        column < line.right,
    )
    return _JOINTS[sum(1 << at for at, is_open in enumerate(sides) if is_open)]
