"""Route lines from one row of boxes to the next so that no two of them join."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from .layout import Item


class NoRoomError(Exception):
    """A box is too narrow for its incoming lines.

    Attributes:
        node: The node in the box.
    """

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


class Route(NamedTuple):
    """One line between two rows, from one item to all its targets.

    Attributes:
        start: The column where it leaves the upper row.
        ends: The columns where it arrives; no other route has any of them.
        lane: The row in between where it turns; None if it is straight.
    """

    start: int
    ends: frozenset[int]
    lane: int | None = None

    @property
    def left(self) -> int:
        """The leftmost column."""
        return min(self.start, *self.ends)

    @property
    def right(self) -> int:
        """The rightmost column."""
        return max(self.start, *self.ends)


def route(upper: Iterable[Item], lower: Iterable[Item]) -> list[Route]:
    """Return the routes between two rows.

    Raises:
        NoRoomError: A box must be wider.
    """
    starts = [item for item in upper if item.below]
    taken = {item.center for item in starts}
    ends: dict[Item, set[int]] = {item: set() for item in starts}
    for item in lower:
        sources = sorted(item.above, key=lambda other: other.center)
        columns = [item.center] if item.is_line else _ports(item, sources, taken)
        for source, column in zip(sources, columns, strict=True):
            ends[source].add(column)
    return _in_lanes(
        [Route(item.center, frozenset(columns)) for item, columns in ends.items()]
    )


def _ports(item: Item, sources: Sequence[Item], taken: Collection[int]) -> list[int]:
    """Choose the columns where lines enter a box."""
    columns: list[int] = []
    first = item.left + 1
    straight = {
        at: source.center
        for at, source in enumerate(sources)
        if item.left < source.center < item.right
    }
    for at, source in enumerate(sources):
        wanted = straight.get(at, item.center - len(sources) + 1 + 2 * at)
        free = [
            column
            for column in range(first, item.right)
            if column == source.center or column not in taken
        ]
        free = free[: len(free) - 2 * (len(sources) - at - 1)]
        if not free:
            raise NoRoomError(item.node)
        # Lines that come straight down keep their columns, if there is room for all.
        kept = (x - 2 * (k - at) for k, x in straight.items() if k > at)
        last = min(kept, default=inf)
        beside = [column for column in free if column <= last]
        columns.append(min(beside or free, key=lambda column: abs(column - wanted)))
        first = columns[-1] + 2
    return columns


def _in_lanes(routes: list[Route]) -> list[Route]:
    """Assign lanes from the left or from the right, whichever has fewer crossings."""
    rightwards = _assign(sorted(routes, key=lambda one: (one.left, one.right)))
    leftwards = _assign(sorted(routes, key=lambda one: (-one.right, -one.left)))
    return min(rightwards, leftwards, key=_crossings)


def _assign(routes: Iterable[Route]) -> list[Route]:
    """Assign each route the lane where it meets no other, and crosses fewest."""
    placed: list[Route] = []
    lanes: dict[int | None, list[Route]] = {}
    for route in routes:
        if route.ends == frozenset((route.start,)):
            placed.append(route)
            continue
        free = [at for at, others in lanes.items() if not _meets(route, others)]
        tries = [route._replace(lane=at) for at in (*free, len(lanes))]
        crossed = [_crossings_of(one, placed) for one in tries]
        best = tries[crossed.index(min(crossed))]
        placed.append(best)
        lanes.setdefault(best.lane, []).append(best)
    return placed


def _meets(one: Route, others: Iterable[Route]) -> bool:
    return any(
        one.left <= other.right + 1 and other.left <= one.right + 1 for other in others
    )


def _crossings(routes: Sequence[Route]) -> int:
    return sum(_crossings_of(one, routes[:at]) for at, one in enumerate(routes))


def _crossings_of(one: Route, others: Iterable[Route]) -> int:
    return sum(_crossed(one, other) + _crossed(other, one) for other in others)


def _crossed(one: Route, other: Route) -> int:
    """Count where *one*, along its lane, crosses *other* on its way down."""
    columns: list[int] = []
    if one.lane is None:
        return 0
    if other.lane is None or other.lane > one.lane:
        columns.append(other.start)
    if other.lane is None or other.lane < one.lane:
        columns.extend(other.ends)
    return sum(one.left < column < one.right for column in columns)
