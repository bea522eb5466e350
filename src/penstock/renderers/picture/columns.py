"""Fold a drawing that is much taller than wide into columns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from .placement import Area, is_sideways

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.renderers.formats import Direction

    from .placement import Placement, Point, Points

_MOST_TIMES, _TALL = 3, 1_200  # length to width, and pixels that fit most screens
_WANTED = 1.6  # length to width of the columns together
_MOST_COLUMNS = 12
_GAP, _LEAD = 48.0, 17.0  # between columns, and below a column


class _Neck(NamedTuple):
    """A gap between two rows that a single line passes."""

    low: float
    high: float
    line: Points


def folded(drawn: Placement, direction: Direction) -> Placement:
    """Return a drawing in columns if it is too tall, cut where only one line leads on.

    That line leads from the end of a column back between the two, and into the start
    of the next.
    """
    is_tall = drawn.height >= max(_TALL, _MOST_TIMES * drawn.width)
    if not is_tall or is_sideways(direction):
        return drawn
    necks, best = list(_necks(drawn)), drawn
    for count in range(2, min(len(necks) + 1, _MOST_COLUMNS) + 1):
        columns = _cut(drawn, _evenly(necks, drawn.height, count))
        best = min(best, columns, key=lambda one: one.height)
        if best.height <= _WANTED * best.width:
            break
    return best


def _evenly(necks: Sequence[_Neck], along: float, count: int) -> list[_Neck]:
    """Return where to cut for columns of about the same length, the longest first."""
    chosen: list[_Neck] = []
    start = 0.0
    for left in range(count, 1, -1):
        end = start + (along - start) / left
        if neck := next((one for one in necks if one.high >= end), None):
            chosen.append(neck)
            start = neck.high
    return chosen


def _necks(drawn: Placement) -> Iterator[_Neck]:
    spans = sorted(
        (one.y, one.y + one.height)
        for one in (*drawn.areas.values(), *(bar for _, bar in drawn.bars))
    )
    lows = [*accumulate((bottom for _, bottom in spans), max)]
    gaps = [
        (low, top) for low, (top, _) in zip(lows, spans[1:], strict=False) if low < top
    ]
    lines = [line for lines in drawn.lines.values() for line in lines]
    counts, numbers = [0] * (len(gaps) + 1), [0] * (len(gaps) + 1)
    for number, line in enumerate(lines):
        first = bisect_left(gaps, (min(y for _, y in line), 0.0))
        end = bisect_right(gaps, max(y for _, y in line), key=itemgetter(1))
        for at, sign in ((first, 1), (end, -1)) if first < end else ():
            counts[at] += sign
            numbers[at] += sign * number
    for gap, count, number in zip(
        gaps, accumulate(counts), accumulate(numbers), strict=False
    ):
        if count == 1:  # the sum of the numbers is that of the only line
            yield _Neck(*gap, lines[number])


def _cut(drawn: Placement, necks: Sequence[_Neck]) -> Placement:
    head = max((neck.high - neck.low for neck in necks), default=0.0)
    width = drawn.width + _GAP
    starts = [0.0, *(neck.high for neck in necks)]

    def moved(x: float, y: float) -> Point:
        at = sum(y >= neck.high for neck in necks)
        return x + at * width, y + head - starts[at]

    def area(one: Area) -> Area:
        return Area(*moved(one.x, one.y), one.width, one.height)

    def line(points: Points) -> Points:
        for at, neck in enumerate(necks):
            if points is neck.line:
                first = [moved(x, y) for x, y in points if y <= neck.low]
                last = [moved(x, y) for x, y in points if y >= neck.high]
                lane, end = (at + 1) * width - _GAP / 2, moved(0, neck.low)[1] + _LEAD
                down, up = (first[-1][0], end), (last[0][0], 0.0)
                return (*first, down, (lane, end), (lane, 0.0), up, *last)
        return tuple(moved(*point) for point in points)

    ends = [moved(0, neck.low)[1] + _LEAD for neck in necks]
    return drawn.changed(
        area,
        line,
        (len(necks) + 1) * width - _GAP,
        max([*ends, drawn.height + head - starts[-1]]),
    )
