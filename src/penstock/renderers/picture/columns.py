"""Fold a drawing that is much taller than wide into columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .drawing import is_sideways
from .routing import BAR, Drawn, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.renderers.formats import Direction

_MOST_TIMES, _TALL = 3, 1_200  # length to width, and pixels that fit most screens
_WANTED = 1.6  # length to width of the columns together
_MOST_COLUMNS = 12
_GAP, _LEAD = 48.0, 17.0  # between columns, and below a column


class _Neck(NamedTuple):
    """A gap between two rows that a single line passes."""

    low: float
    high: float
    wire: Wire


def folded(drawn: Drawn, direction: Direction) -> Drawn:
    """Return a drawing in columns if it is too tall, cut where only one line leads on.

    That line leads from the end of a column back between the two, and into the start
    of the next.
    """
    is_tall = drawn.along >= max(_TALL, _MOST_TIMES * drawn.across)
    if not is_tall or is_sideways(direction):
        return drawn
    necks, best = list(_necks(drawn)), drawn
    for count in range(2, min(len(necks) + 1, _MOST_COLUMNS) + 1):
        columns = _cut(drawn, _evenly(necks, drawn.along, count))
        best = min(best, columns, key=lambda one: one.along)
        if best.along <= _WANTED * best.across:
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


def _necks(drawn: Drawn) -> Iterator[_Neck]:
    barred = {bar.node for bar in drawn.bars}
    spans = sorted(
        (place.top - (BAR if node in barred else 0), place.top + place.along)
        for node, place in drawn.places.items()
    )
    low = spans[0][1]
    for top, bottom in spans[1:]:
        passing = [
            wire
            for wire in drawn.wires
            if min(y for _, y in wire.points) <= low
            and max(y for _, y in wire.points) >= top
        ]
        if top > low and len(passing) == 1:
            yield _Neck(low, top, passing[0])
        low = max(low, bottom)


def _cut(drawn: Drawn, necks: Sequence[_Neck]) -> Drawn:
    head = max((neck.high - neck.low for neck in necks), default=0.0)
    width = drawn.across + _GAP
    starts = [0.0, *(neck.high for neck in necks)]

    def column(y: float) -> int:
        return sum(y >= neck.high for neck in necks)

    def moved(x: float, y: float) -> tuple[float, float]:
        at = column(y)
        return x + at * width, y + head - starts[at]

    places = {}
    for node, place in drawn.places.items():
        left, top = moved(place.left, place.top)
        places[node] = place._replace(left=left, top=top)
    bars = []
    for bar in drawn.bars:
        dx = places[bar.node].left - drawn.places[bar.node].left
        bars.append(bar._replace(left=bar.left + dx, right=bar.right + dx))
    wires = []
    for wire in drawn.wires:
        points = [moved(*point) for point in wire.points]
        for at, neck in enumerate(necks):
            if wire is neck.wire:
                end = moved(0, neck.low)[1] + _LEAD
                lane = (at + 1) * width - _GAP / 2
                first = [moved(x, y) for x, y in wire.points if y <= neck.low]
                last = [moved(x, y) for x, y in wire.points if y >= neck.high]
                turns = [(first[-1][0], end), (lane, end), (lane, 0), (last[0][0], 0)]
                points = [*first, *turns, *last]
        wires.append(Wire(wire.edge, tuple(points)))
    bottoms = [moved(0, neck.low)[1] + _LEAD for neck in necks]
    bottoms.append(drawn.along + head - starts[-1])
    return Drawn(places, bars, wires, (len(necks) + 1) * width - _GAP, max(bottoms))
