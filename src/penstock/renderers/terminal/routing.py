"""Lead lines from one row of boxes to the next so that no two of them join."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from .layout import Item

__all__ = ["Net", "NoRoomError", "route"]


class NoRoomError(Exception):
    """A box is too narrow for all the lines that lead to it.

    Attributes:
        node: The node in the box.
    """

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


class Net(NamedTuple):
    """One line between two rows: from one item to all that it leads to.

    Attributes:
        start: The column in which it leaves the upper row.
        ends: The columns in which it arrives; no other net has any of them.
        lane: Which of the rows in between it runs along; None if it goes straight.
    """

    start: int
    ends: frozenset[int]
    lane: int | None = None

    @property
    def left(self) -> int:
        """The first of its columns."""
        return min(self.start, *self.ends)

    @property
    def right(self) -> int:
        """The last of its columns."""
        return max(self.start, *self.ends)


def route(upper: Iterable[Item], lower: Iterable[Item]) -> list[Net]:
    """Return the nets between two rows.

    Raises:
        NoRoomError: A box has to be wider.
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
        [Net(item.center, frozenset(columns)) for item, columns in ends.items()]
    )


def _ports(item: Item, sources: Sequence[Item], taken: Collection[int]) -> list[int]:
    """Choose the columns in which lines enter a box."""
    columns: list[int] = []
    first = item.left + 1
    for at, source in enumerate(sources):
        wish = source.center
        if not item.left < wish < item.right:
            wish = item.center - len(sources) + 1 + 2 * at
        free = [
            column
            for column in range(first, item.right)
            if column == source.center or column not in taken
        ]
        free = free[: len(free) - 2 * (len(sources) - at - 1)]
        if not free:
            raise NoRoomError(item.node)
        columns.append(min(free, key=lambda column: abs(column - wish)))
        first = columns[-1] + 2
    return columns


def _in_lanes(nets: list[Net]) -> list[Net]:
    """Give lanes to the nets that turn, from the left or the right: the clearer way."""
    rightwards = _fill(sorted(nets, key=lambda net: (net.left, net.right)))
    leftwards = _fill(sorted(nets, key=lambda net: (-net.right, -net.left)))
    return min(rightwards, leftwards, key=_crossings)


def _fill(nets: Iterable[Net]) -> list[Net]:
    """Give each net the first lane in which it meets no other."""
    placed: list[Net] = []
    lanes: list[list[Net]] = []
    for net in nets:
        lane = None
        if net.ends != frozenset((net.start,)):
            free = (at for at, others in enumerate(lanes) if not _meets(net, others))
            lane = next(free, len(lanes))
            if lane == len(lanes):
                lanes.append([])
            lanes[lane].append(net)
        placed.append(net._replace(lane=lane))
    return placed


def _meets(net: Net, others: Iterable[Net]) -> bool:
    return any(
        net.left <= other.right + 1 and other.left <= net.right + 1 for other in others
    )


def _crossings(nets: Sequence[Net]) -> int:
    return sum(
        _crossed(net, net.lane, other)
        for net in nets
        if net.lane is not None
        for other in nets
    )


def _crossed(net: Net, lane: int, other: Net) -> int:
    """Count where *net*, on its way along its lane, meets *other* going down."""
    columns: list[int] = []
    if other.lane is None or other.lane > lane:
        columns.append(other.start)
    if other.lane is None or other.lane < lane:
        columns.extend(other.ends)
    return sum(net.left < column < net.right for column in columns)
