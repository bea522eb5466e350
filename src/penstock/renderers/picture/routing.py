"""Place boxes in rows, and lead lines between them.

Everything here is top-down: *across* runs from left to right and *along* the way of the
lines. Whoever draws turns it into another direction.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, floor, inf
from typing import TYPE_CHECKING, NamedTuple

from penstock.renderers.layout.engine import MAX_WORK, lay_out
from penstock.renderers.layout.ranks import find_back_edges
from penstock.renderers.layout.slots import Spacing

from .placement import Area, Placement
from .tracks import SMALL_STEP, End, Piece, set_tracks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from penstock.renderers.layout.slots import Slot

    from .placement import Edge, Point

BAR = 16.0
"""The height of the bar that joins lines."""

_SPACING = Spacing(boxes=28, line_to_box=14, lines=11)
_PORTS = (30.0, 24.0, 18.0, 14.0, 10.0)  # distances between ports, the best first
_BAR_END, _BAR_MIN, _BAR_GAP = 12.0, 46.0, 8.0
_CORNER = 8.0  # no port within the round corner of a box
_TRACK = 10.0
_BESIDE = 12.0  # from a box to the way back on its right, and between two of them
_ANCHOR = 8.0  # between two lines at the right side of a box
_LABEL_GAP = 8.0


class Shape(NamedTuple):
    """What is to be placed: its size, without bars.

    Attributes:
        across: Its size across.
        along: Its size along.
        outs: Where lines leave, from its centre, by the other box; empty if the ports
            are to be chosen.
        ins: Where lines enter, likewise.
        is_fixed: Whether *outs* and *ins* count, and it has no free side.
    """

    across: float
    along: float
    outs: Mapping[int, float] = {}
    ins: Mapping[int, float] = {}
    is_fixed: bool = False


class Link(NamedTuple):
    """A line to draw.

    Attributes:
        before: The box that it leaves.
        after: The box that it enters.
        groups: The joins that it belongs to; empty for a line of its own.
        label: The size of its label, across and along; zeros without one.
    """

    before: int
    after: int
    groups: tuple[int, ...] = ()
    label: tuple[float, float] = (0.0, 0.0)

    @property
    def edge(self) -> Edge:
        """Both boxes."""
        return self.before, self.after


class Gaps(NamedTuple):
    """The room between two rows: before the first track, and after the last one.

    Attributes:
        lead: Before the first track.
        tail: After the last track.
        first: Before the first track of the first gap.
        last: After the last track of the last gap.
    """

    lead: float
    tail: float
    first: float
    last: float


def route(
    boxes: Mapping[int, Shape],
    links: Sequence[Link],
    gaps: Gaps,
    *,
    max_across: float = inf,
    first: Collection[int] = (),
    last: Collection[int] = (),
    max_work: float = MAX_WORK,
) -> Placement:
    """Place *boxes*, and lead the lines of *links*.

    The boxes of *first* are alone in the first row, those of *last* in the last one.
    A row of boxes that is wider than *max_across* continues in the next one.
    *max_work* limits the search for an order with few crossings.
    """
    return _Router(boxes, links, gaps).drawn(max_across, first, last, max_work)


@dataclass(slots=True, eq=False)
class _Cluster:
    """Ports side by side: those of a join, or a single one.

    Attributes:
        links: Its lines, in order.
        group: The number of its join, 0 for a single line.
        ends: Where its lines enter, in the same order.
    """

    links: list[Link]
    group: int
    ends: list[End] = field(default_factory=list)

    def width(self, apart: float) -> float:
        """Return how wide it is with ports this far apart."""
        if not self.group:
            return apart
        ports = (len(self.links) - 1) * apart + 2 * _BAR_END
        return max(ports, _BAR_MIN) + _BAR_GAP


class _Way(NamedTuple):
    """The pieces of a line, from where it begins.

    Attributes:
        link: What it is for.
        pieces: Its part in each gap between rows.
        cluster: The ports at which a way down enters.
        start: Where it leaves below, None if it does so at the right side of a box.
        end: Where a way back enters above, likewise.
    """

    link: Link
    pieces: list[Piece]
    cluster: _Cluster | None = None
    start: End | None = None
    end: End | None = None


class _Rows(NamedTuple):
    """Where rows begin, how high they are, where tracks are, and where all ends."""

    starts: list[float]
    heights: list[float]
    tracks: dict[Piece, float]
    end: float


class _Router:
    """Leads the lines of one drawing."""

    def __init__(
        self, boxes: Mapping[int, Shape], links: Sequence[Link], gaps: Gaps
    ) -> None:
        self._boxes = boxes
        self._gaps = gaps
        self._links = links
        self._back = find_back_edges(boxes, [link.edge for link in links])
        self._ins: dict[int, list[Link]] = {node: [] for node in boxes}
        self._outs: dict[int, list[Link]] = {node: [] for node in boxes}
        self._right: dict[int, list[tuple[Link, bool]]] = {node: [] for node in boxes}
        for link in links:
            if link.edge in self._back:
                self._right[link.before].append((link, True))
                self._right[link.after].append((link, False))
            else:
                self._outs[link.before].append(link)
                self._ins[link.after].append(link)
        self._clusters = {node: _clusters(found) for node, found in self._ins.items()}
        self._across = {node: self._needed(node) for node in boxes}
        self._starts: dict[Edge, End] = {}
        self._anchors: dict[tuple[Edge, bool], tuple[End, float]] = {}
        self._slot_ends: dict[Slot, End] = {}

    def drawn(
        self,
        max_across: float,
        first: Collection[int],
        last: Collection[int],
        max_work: float,
    ) -> Placement:
        """Return everything in its place."""
        widths = {node: self._across[node] + self._margin(node) for node in self._boxes}
        boxes, edges = self._boxes, [link.edge for link in self._links]
        self._layout = lay_out(
            widths,
            edges,
            _SPACING,
            max_width=max_across,
            first=first,
            last=last,
            max_work=max_work,
            ports={
                (one, two): (boxes[one].outs.get(two, 0), boxes[two].ins.get(one, 0))
                for one, two in edges
                if boxes[one].is_fixed or boxes[two].is_fixed
            },
        )
        for node in self._boxes:
            self._set_outs(node)
            self._set_ins(node)
            self._set_anchors(node)
        self._align_lines()
        self._pieces: dict[tuple[int, End, End], Piece] = {}
        ways = [way for link in self._links for way in self._ways(link)]
        rows = self._set_rows()
        areas = {node: self._area(node, rows) for node in self._boxes}
        lines: dict[Edge, list[tuple[Point, ...]]] = {}
        for way in ways:
            lines.setdefault(way.link.edge, []).append(self._line(way, rows, areas))
        sides = [
            slot.x + sign * slot.width / 2
            for slot in self._layout.boxes.values()
            for sign in (-1, 1)
        ]
        xs = [x for some in lines.values() for line in some for x, _ in line]
        left = floor(min([*sides, *xs, *(one.x for one in areas.values())], default=0))
        width = ceil(max([*sides, *xs], default=0)) - left
        bars = list(self._bars(areas))
        return Placement(areas, bars, lines, width, rows.end).moved(-left, 0)

    # -- sizes ------------------------------------------------------------------------

    def _needed(self, node: int) -> float:
        """Return how wide a box has to be for its ports and labels."""
        box = self._boxes[node]
        if box.is_fixed:
            return box.across
        least = _PORTS[-1]
        ports = 2 * _CORNER + least * max(len(self._outs[node]) - 1, 0)
        labels = _label_width(self._ins[node])
        entries = sum(one.width(max(least, labels)) for one in self._clusters[node])
        least = max(box.across, ports, entries if labels else entries + _CORNER)
        return 2 * ceil(least / 2)  # so that its middle is at a whole pixel

    def _margin(self, node: int) -> float:
        """Return the room that ways back need on the right of a box."""
        beside = self._right[node]
        labels = [
            link.label[0] + _LABEL_GAP
            for link, leaves in beside
            if not leaves and link.label[0]
        ]
        return _BESIDE * len(
            {
                (link.edge, leaves and link.before != link.after)
                for link, leaves in beside
            }
        ) + max(labels, default=0)

    def _centre(self, node: int) -> float:
        """Return the middle of a box, at which its border is at a whole pixel."""
        middle, half = self._layout.boxes[node].x, self._across[node] / 2
        return round(middle - self._margin(node) / 2 - half) + half

    # -- ports ------------------------------------------------------------------------

    def _set_outs(self, node: int) -> None:
        """Give each line that leaves a box its port, sorted by where it leads."""
        box, centre = self._boxes[node], self._centre(node)
        if box.is_fixed:
            for link in self._outs[node]:
                self._starts[link.edge] = End(round(centre + box.outs[link.after]))
            return
        routes = self._layout.routes
        links = sorted(
            self._outs[node],
            key=lambda link: [slot.x for slot in routes[link.edge][1:]],
        )
        nexts = list(dict.fromkeys(routes[link.edge][1] for link in links))
        room = (self._across[node] - 2 * _CORNER) / max(len(nexts) - 1, 1)
        apart = next((one for one in _PORTS if one <= room), room)
        half = self._across[node] / 2 - _CORNER - 4
        side: list[End] = []
        for at, _ in enumerate(nexts):
            x = round(centre + (at - (len(nexts) - 1) / 2) * apart)
            side.append(End(x, centre - half, centre + half, min(apart, 14), side))
        ends = dict(zip(nexts, side, strict=True))
        for link in links:
            self._starts[link.edge] = ends[routes[link.edge][1]]

    def _set_ins(self, node: int) -> None:
        """Give each line that enters a box its ports, those of a join side by side."""
        box, centre = self._boxes[node], self._centre(node)
        routes, clusters = self._layout.routes, self._clusters[node]
        for cluster in clusters:
            cluster.links.sort(
                key=lambda link: [s.x for s in routes[link.edge][-2::-1]]
            )
        clusters.sort(
            key=lambda one: _mean(routes[link.edge][-2].x for link in one.links)
        )
        if box.is_fixed:
            for cluster in clusters:
                cluster.ends = [
                    End(round(centre + box.ins[link.before])) for link in cluster.links
                ]
            return
        labels = _label_width(self._ins[node])
        room = self._across[node] - (0 if labels else _CORNER)
        apart = next(
            max(one, labels)
            for one in (*_PORTS, 0.0)
            if one == 0 or sum(c.width(max(one, labels)) for c in clusters) <= room
        )
        x = centre - sum(one.width(apart) for one in clusters) / 2
        side: list[End] = []
        inset = max(_CORNER + 4, labels / 2)
        for cluster in clusters:
            middle = x + cluster.width(apart) / 2
            x += cluster.width(apart)
            half = self._across[node] / 2 - inset
            if cluster.group:
                half = half - 8 if len(clusters) == 1 else -1e9
            for at, _ in enumerate(cluster.links):
                place = middle + (at - (len(cluster.links) - 1) / 2) * apart
                end = End(
                    round(place),
                    centre - half,
                    centre + half,
                    max(min(apart, 14), labels),
                    side,
                )
                side.append(end)
                cluster.ends.append(end)

    def _set_anchors(self, node: int) -> None:
        """Give each way back its place at the right side of its two boxes."""
        right = self._centre(node) + self._across[node] / 2
        beside = self._right[node]
        loops = [link for link, _ in beside if link.before == link.after][:1]
        outs = [link for link, leaves in beside if leaves and link not in loops]
        ins = [link for link, leaves in beside if not leaves and link not in loops]
        # From the middle outwards: those that leave go up, so they are above.
        order = [(link, True) for link in outs + loops]
        order += [(link, False) for link in loops + ins]
        last = len(order) - 1
        room = self._boxes[node].along - 2 * _CORNER
        apart = min(_ANCHOR, room / max(last, 1))
        steps = {link.edge: at for at, link in enumerate(loops + outs + ins[::-1], 1)}
        for at, (link, leaves) in enumerate(order):
            offset = (at - last / 2) * apart
            end = End(right + _BESIDE * steps[link.edge])
            self._anchors[link.edge, leaves] = end, offset

    def _end_of(self, slot: Slot) -> End:
        if slot not in self._slot_ends:
            self._slot_ends[slot] = End(round(slot.x))
        return self._slot_ends[slot]

    def _align_lines(self) -> None:
        """Let each long line keep one place through all rows, where these have room."""
        layout = self._layout
        times = Counter(slot for way in layout.routes.values() for slot in way[1:-1])
        places = {slot: (row, at) for row in layout.rows for at, slot in enumerate(row)}
        for link in self._links:
            slots = layout.routes[link.edge][1:-1]
            if slots and all(times[slot] == 1 for slot in slots):
                rooms = [self._room(*places[slot]) for slot in slots]
                low, high = max(one for one, _ in rooms), min(one for _, one in rooms)
                self._align_line(link, [*map(self._end_of, slots)], low, high)

    def _align_line(
        self, link: Link, ends: Sequence[End], low: float, high: float
    ) -> None:
        """Move a line to one place between *low* and *high* if it then bends less."""
        first, last = self._outer_ends(link)
        steps = sum(one.x != other.x for one, other in pairwise([first, *ends, last]))
        fitting = [x for x in (first.x, last.x) if low <= x <= high]
        if steps > 1 and fitting:
            x = min(fitting, key=lambda x: abs(x - ends[0].x))
            for end in ends:
                end.x = x
        self._straighten_line(first, ends, last, fitting)

    def _straighten_line(
        self, first: End, ends: Sequence[End], last: End, fitting: Sequence[float]
    ) -> None:
        """Move the port at which a line begins to where it ends, if that is close."""
        is_small = 0 < abs(first.x - last.x) <= SMALL_STEP
        is_straight = all(end.x == first.x for end in ends)
        if is_small and is_straight and last.x in fitting and first.moved(last.x):
            for end in ends:
                end.x = last.x

    def _outer_ends(self, link: Link) -> tuple[End, End]:
        """Return where a line leaves its upper box and enters its lower one."""
        if link.edge in self._back:
            return self._anchors[link.edge, False][0], self._anchors[link.edge, True][0]
        clusters = (one for one in self._clusters[link.after] if link in one.links)
        cluster = next(clusters)
        return self._starts[link.edge], cluster.ends[cluster.links.index(link)]

    def _room(self, row: Sequence[Slot], at: int) -> tuple[float, float]:
        """Return between which places a line can move in its row."""
        low, high, slot = -inf, inf, row[at]
        for left in row[at - 1 : at]:
            low = ceil(self._x_of(left) + _SPACING.distance(left, slot))
        for right in row[at + 1 : at + 2]:
            high = floor(self._x_of(right) - _SPACING.distance(slot, right))
        return low, high

    def _x_of(self, slot: Slot) -> float:
        return self._end_of(slot).x if slot.is_line else slot.x

    # -- ways -------------------------------------------------------------------------

    def _ways(self, link: Link) -> Iterator[_Way]:
        """Yield a way for each line of *link*: one, or one for each of its joins."""
        route = self._layout.routes[link.edge]
        if link.before == link.after:
            yield _Way(link, [])
        elif link.edge in self._back:
            yield self._way_back(link, route)
        else:
            for cluster in self._clusters[link.after]:
                if link in cluster.links:
                    end = cluster.ends[cluster.links.index(link)]
                    start = self._starts[link.edge]
                    yield _Way(link, self._fall(route, start, end), cluster, start)

    def _fall(self, route: Sequence[Slot], start: End, end: End) -> list[Piece]:
        """Return the pieces of a line from an upper to a lower box."""
        ends = [start, *map(self._end_of, route[1:-1]), end]
        return [
            self._piece(slot.row + 1, one, other)
            for slot, (one, other) in zip(route, pairwise(ends), strict=False)
        ]

    def _way_back(self, link: Link, route: Sequence[Slot]) -> _Way:
        """Return the pieces of a line that leads upwards, the lowest first."""
        start, end = (self._anchors[link.edge, leaves][0] for leaves in (True, False))
        pieces = self._fall(route, end, start)[::-1]
        upper, lower = route[0].row, route[-1].row
        before, after = self._boxes[link.before], self._boxes[link.after]
        out = into = None
        if before.is_fixed:
            out = End(round(self._centre(link.before) + before.outs[link.after]))
            pieces.insert(0, self._piece(lower + 1, out, start, ends_above=True))
        if after.is_fixed:
            into = End(round(self._centre(link.after) + after.ins[link.before]))
            pieces.append(self._piece(upper, end, into, starts_above=False))
        return _Way(link, pieces, start=out, end=into)

    def _piece(
        self,
        gap: int,
        start: End,
        end: End,
        *,
        starts_above: bool = True,
        ends_above: bool = False,
    ) -> Piece:
        key = gap, start, end
        if key not in self._pieces:
            self._pieces[key] = Piece(start, end, starts_above, ends_above)
        return self._pieces[key]

    # -- rows -------------------------------------------------------------------------

    def _set_rows(self) -> _Rows:
        """Set the tracks of all gaps, and return where rows and tracks are."""
        layout, gaps = self._layout, self._gaps
        by_gap: dict[int, list[Piece]] = {}
        for (gap, _, _), piece in self._pieces.items():
            by_gap.setdefault(gap, []).append(piece)
        heights = [self._height(row) for row in layout.rows]
        starts, tracks, at = [], {}, 0.0
        for gap in range(len(heights) + 1):
            is_inner = 0 < gap < len(heights)
            count = set_tracks(by_gap.get(gap, ()))
            lead = gaps.first if gap == 1 else gaps.lead
            tail = gaps.last if gap == len(heights) - 1 else gaps.tail
            for piece in by_gap.get(gap, ()):
                tracks[piece] = at + lead + _TRACK * piece.track
            if is_inner or by_gap.get(gap):
                at += lead + _TRACK * max(count - 1, 0) + tail
            if gap < len(heights):
                starts.append(at)
                at += heights[gap]
        return _Rows(starts, heights, tracks, at)

    def _height(self, row: Iterable[Slot]) -> float:
        return max(
            (self._along(slot.node) for slot in row if not slot.is_line), default=0
        )

    def _along(self, node: int) -> float:
        has_bar = any(cluster.group for cluster in self._clusters[node])
        return self._boxes[node].along + (BAR if has_bar else 0)

    def _area(self, node: int, rows: _Rows) -> Area:
        row = self._layout.boxes[node].row
        along = self._along(node)
        own = self._boxes[node].along
        top = round(rows.starts[row] + (rows.heights[row] - along) / 2) + along - own
        across = self._across[node]
        return Area(self._centre(node) - across / 2, top, across, own)

    def _line(
        self, way: _Way, rows: _Rows, areas: Mapping[int, Area]
    ) -> tuple[Point, ...]:
        """Return the points of a line."""
        link = way.link
        before, after = areas[link.before], areas[link.after]
        bar = BAR if way.cluster and way.cluster.group else 0.0
        if way.start:
            at = way.start
            first = [(at.x, before.y + before.height)]
        else:
            at, offset = self._anchors[link.edge, True]
            y = before.y + before.height / 2 + offset
            first = [(before.x + before.width, y), (at.x, y)]
        points = first
        for piece in way.pieces:
            at = piece.end if at is piece.start else piece.start
            if not piece.is_straight:
                y = rows.tracks[piece]
                points += [(points[-1][0], y), (at.x, y)]
        if way.cluster or way.end:
            return (*points, (points[-1][0], after.y - bar))
        _, offset = self._anchors[link.edge, False]
        y = after.y + after.height / 2 + offset
        x = points[-1][0]
        return (*points, (x, y), (after.x + after.width, y))

    def _bars(self, areas: Mapping[int, Area]) -> Iterator[tuple[int, Area]]:
        for node, clusters in self._clusters.items():
            for cluster in clusters:
                if cluster.group:
                    first, last = cluster.ends[0].x, cluster.ends[-1].x
                    beside = max(_BAR_END, (_BAR_MIN - (last - first)) / 2)
                    width = last - first + 2 * beside
                    yield node, Area(first - beside, areas[node].y - BAR, width, BAR)


def _clusters(links: Sequence[Link]) -> list[_Cluster]:
    """Return the joins among *links*, and every other line by itself."""
    groups = sorted({group for link in links for group in link.groups})
    joins = [
        _Cluster([one for one in links if group in one.groups], group)
        for group in groups
    ]
    return [*joins, *(_Cluster([link], 0) for link in links if not link.groups)]


def _label_width(links: Iterable[Link]) -> float:
    """Return how far apart ports are with the labels of *links*."""
    widest = max((link.label[0] for link in links), default=0.0)
    return widest + _LABEL_GAP if widest else 0.0


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed)
