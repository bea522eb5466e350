"""Boxes, bars and lines in their places: how to move, join and turn them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from penstock.renderers.formats import Direction

    from .packing import Packed

Edge = tuple[int, int]
Point = tuple[float, float]
Points = tuple[Point, ...]


class Area(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Area:
        """Return it at another place."""
        return self._replace(x=self.x + dx, y=self.y + dy)


@dataclass(frozen=True, slots=True)
class Placement:
    """Boxes, bars and lines in pixels; the least of both coordinates is 0.

    Attributes:
        areas: The place of each box, without bars.
        bars: Where the lines of joins meet, each with the box below it.
        lines: The points where each edge's lines turn; it has one for each join.
        width: The width of everything.
        height: The height of everything.
    """

    areas: Mapping[int, Area]
    bars: Sequence[tuple[int, Area]]
    lines: Mapping[Edge, Sequence[Points]]
    width: float
    height: float

    def moved(self, dx: float, dy: float) -> Placement:
        """Return everything at another place."""
        return self.changed(
            lambda area: area.moved(dx, dy),
            lambda line: tuple((x + dx, y + dy) for x, y in line),
            self.width,
            self.height,
        )

    def changed(
        self,
        area: Callable[[Area], Area],
        line: Callable[[Points], Points],
        width: float,
        height: float,
    ) -> Placement:
        """Return it with every area and every line changed."""
        return Placement(
            {node: area(one) for node, one in self.areas.items()},
            [(node, area(one)) for node, one in self.bars],
            {edge: [*map(line, lines)] for edge, lines in self.lines.items()},
            width,
            height,
        )


def is_sideways(direction: Direction) -> bool:
    """Return whether lines lead to the left or right."""
    return direction in ("LR", "RL")


def turned(plan: Placement, direction: Direction) -> Placement:
    """Return a drawing whose lines lead down with its lines leading in *direction*."""
    is_side, is_back = is_sideways(direction), direction in ("BT", "RL")

    def point(x: float, y: float) -> Point:
        y = plan.height - y if is_back else y
        return (y, x) if is_side else (x, y)

    def area(one: Area) -> Area:
        (x, y), (right, bottom) = (
            point(one.x, one.y),
            point(one.x + one.width, one.y + one.height),
        )
        return Area(min(x, right), min(y, bottom), abs(right - x), abs(bottom - y))

    sides = plan.width, plan.height
    return plan.changed(
        area,
        lambda line: tuple(point(*one) for one in line),
        *(sides[::-1] if is_side else sides),
    )


def joined(plans: Sequence[Placement], packed: Packed) -> Placement:
    """Return drawings as one, each where it was packed."""
    moved = [
        plan.moved(*place) for plan, place in zip(plans, packed.places, strict=True)
    ]
    return Placement(
        {number: area for plan in moved for number, area in plan.areas.items()},
        [bar for plan in moved for bar in plan.bars],
        {edge: lines for plan in moved for edge, lines in plan.lines.items()},
        packed.width,
        packed.height,
    )
