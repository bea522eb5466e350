"""The picture of several flows: each in a frame, with doors to the others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from penstock.renderers.evidence_labels import evidence_of_all
from penstock.renderers.ids import cluster_ids
from penstock.renderers.layout.engine import MAX_WORK, lay_out
from penstock.renderers.layout.slots import Spacing

from .cards import make_card
from .columns import folded
from .drawing import Line, Painter, label_of, max_across, shape_of
from .frames import Door, components, frame_of, lay_out_flow
from .packing import pack
from .page import header, sheet
from .placement import is_sideways, joined, turned
from .routing import Gaps, Link, Shape, route
from .theme import by_name, groups_of
from .type import Style, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._graph.graph import Edge, Node
    from penstock.renderers.formats import Direction

    from .cards import Look
    from .drawing import Label
    from .frames import FlowFrame
    from .page import Header, Picture
    from .placement import Placement

Pair = tuple[int, int]

_GAP = 24.0
_GAPS = Gaps(20, 24, 20, 24)
_LABEL_TAIL = 48.0
_MAX_WORK = 2 * MAX_WORK  # shared by the flows of a page
_MOST_NAMED = 3
_NOBODY, _MOST_KEY = "no name", 160


def system_page(look: Look, direction: Direction) -> Picture:
    """Return the picture of all flows of a graph."""
    system = _System(look, direction)
    plan = system.plan
    return sheet(system.header(), plan.width, plan.height, system.painted, look)


class _System:
    """Items, which are frames and single cards, and the lines between them.

    Items are numbered, the frames first.

    Attributes:
        plan: Their places, and the lines between them.
    """

    def __init__(self, look: Look, direction: Direction) -> None:
        self._look = look
        self._direction: Direction = direction
        self._clusters = look.graph.clusters
        self._loose = [node for node in look.graph.nodes if node.kind != "step"]
        members = [
            *(cluster.nodes for cluster in self._clusters),
            *((node,) for node in self._loose),
        ]
        self._home = {
            node.number: item for item, nodes in enumerate(members) for node in nodes
        }
        self._inner: list[list[Edge]] = [[] for _ in members]
        self._outer: dict[Pair, list[Edge]] = {}
        for edge in look.graph.edges:
            ends = self._ends(edge)
            if ends[0] == ends[1] < len(self._clusters):
                self._inner[ends[0]].append(edge)
            else:
                self._outer.setdefault(ends, []).append(edge)
        self._beside = self._lines_beside()
        self._doors = [self._doors_of(item) for item in range(len(self._clusters))]
        self._frames = [self._frame(item) for item in range(len(self._clusters))]
        self._cards = {node.number: make_card(node, look) for node in self._loose}
        self._labels: dict[Pair, Label] = {
            pair: label_of(edges if self._is_loose(pair[1]) else (), look.graph)
            for pair, edges in self._outer.items()
        }
        self.plan: Placement = self._placed()

    # -- items ------------------------------------------------------------------------

    def _ends(self, edge: Edge) -> Pair:
        return self._home[edge.before.number], self._home[edge.after.number]

    def _is_loose(self, item: int) -> bool:
        return item >= len(self._clusters)

    def _node(self, item: int) -> Node:
        return self._loose[item - len(self._clusters)]

    def _name(self, item: int) -> str:
        if self._is_loose(item):
            return self._node(item).label
        return self._clusters[item].name

    def _hue(self, item: int) -> str:
        """Return the hue of a flow, ``""`` for steps of flows that are not drawn."""
        is_flow = not self._is_loose(item) or self._node(item).kind == "flow"
        return self._look.hues[self._name(item)] if is_flow else ""

    def _lines_beside(self) -> dict[tuple[Pair, int], float]:
        """Return where the line between two items passes the row next to each.

        The order of items in rows does not depend on their size.
        """
        found: dict[tuple[Pair, int], float] = {}
        for part in components(self._home.values(), self._outer):
            members = dict.fromkeys(sorted(part), 1.0)
            pairs = [pair for pair in self._outer if pair[0] in members]
            layout = lay_out(members, pairs, Spacing(1, 1, 1))
            for pair, way in layout.routes.items():
                upper, lower = pair[::-1] if pair in layout.back else pair
                found[pair, upper] = way[1 % len(way)].x
                found[pair, lower] = way[-2 % len(way)].x
        return found

    def _doors_of(self, item: int) -> dict[int, Door]:
        """Return the doors of a frame, by negative numbers.

        They are in the order in which lines outside come to them, which the layout of
        the frame keeps where nothing inside forbids it.
        """
        ends = [
            (self._beside[pair, item], pair[pair[0] == item], pair[1] == item)
            for pair in self._outer
            if item in pair
        ]
        return {
            -1 - at: Door(
                other,
                self._name(other),
                self._hue(other),
                leads_in,
                self._name(item),
            )
            for at, (_, other, leads_in) in enumerate(sorted(ends))
        }

    def _door(self, item: int, other: int, *, leads_in: bool) -> int:
        """Return the number of the door of a frame to another item."""
        doors = self._doors[item].items()
        return next(
            number
            for number, door in doors
            if (door.other, door.leads_in) == (other, leads_in)
        )

    def _frame(self, item: int) -> FlowFrame:
        cluster = self._clusters[item]
        edges: dict[Pair, list[Edge]] = {}
        for edge in self._inner[item]:
            edges[edge.before.number, edge.after.number] = [edge]
        for number, door in self._doors[item].items():
            pair = (door.other, item) if door.leads_in else (item, door.other)
            for edge in self._outer[pair]:
                link = (
                    (number, edge.after.number)
                    if door.leads_in
                    else (edge.before.number, number)
                )
                edges.setdefault(link, []).append(edge)
        doors = self._doors[item]
        share = len(cluster.nodes) / max(1, len(self._look.graph.nodes))
        inside = lay_out_flow(
            cluster.nodes,
            edges,
            self._look,
            self._direction,
            doors,
            min(MAX_WORK, _MAX_WORK * share),
        )
        return frame_of(cluster.name, self._hue(item), inside, doors, self._direction)

    # -- places -----------------------------------------------------------------------

    def _placed(self) -> Placement:
        """Return all items and the lines between them: in blocks, packed."""
        boxes = {
            item: frame.box(self._direction) for item, frame in enumerate(self._frames)
        }
        for item, node in enumerate(self._loose, len(self._frames)):
            card = self._cards[node.number]
            boxes[item] = shape_of(card.width, card.height, self._direction)
        blocks = [self._block(part, boxes) for part in components(boxes, self._outer)]
        blocks.sort(key=self._rank)
        found = pack([(plan.width, plan.height) for plan in blocks], _GAP)
        return joined(blocks, found)

    def _block(self, part: Sequence[int], boxes: dict[int, Shape]) -> Placement:
        members = set(part)
        links = [
            Link(*pair, (), self._labels[pair].size(self._direction))
            for pair in self._outer
            if pair[0] in members
        ]
        widths = [self._labels[link.edge].width for link in links if link.label[0]]
        gaps = _GAPS
        if widths:
            tail = max(widths) + 28 if is_sideways(self._direction) else _LABEL_TAIL
            gaps = Gaps(_GAPS.lead, tail, _GAPS.first, tail)
        shapes = {item: boxes[item] for item in sorted(part)}
        most = max_across(shapes.values(), self._direction)
        drawn = route(shapes, links, gaps, max_across=most)
        return turned(folded(drawn, self._direction), self._direction)

    def _rank(self, block: Placement) -> tuple[bool, str, float, str]:
        """Sort blocks by height, then single items by hue, height and name."""
        first = min(block.areas)
        if len(block.areas) > 1:
            return False, "", -block.height, self._name(first)
        return True, self._hue(first), -block.height, self._name(first)

    # -- the picture ------------------------------------------------------------------

    def header(self) -> Header:
        """Return the title, the counts, and the hues with what they stand for."""
        graph = self._look.graph
        drawn = (self._home[node.number] for node in graph.nodes)
        named = (self._name(item) for item in drawn if self._hue(item))
        names = [*dict.fromkeys([*named, *(one.name for one in self._clusters)])]
        heading = (
            ", ".join(names) if len(names) <= _MOST_NAMED else f"{len(names)} flows"
        )
        steps = sum(node.kind == "step" for node in graph.nodes)
        steps += sum(
            len({step.name for flow in flows for step in flow.steps})
            for flows in graph.boxes.values()
        )
        counts = [_plural(len(names), "flow")] if len(names) <= _MOST_NAMED else []
        counts.append(_plural(steps, "step"))
        if self._outer:
            counts.append(f"{_plural(len(self._outer), 'link')} between flows")
        counts += evidence_of_all(graph)
        return header(heading, ", ".join(counts), [], 26, self._key())

    def _key(self) -> list[tuple[str, str]]:
        """Return the words and the hue of each service or owner."""
        graph = self._look.graph
        flows = [*graph.flows, *(flow for box in graph.boxes.values() for flow in box)]
        groups = groups_of(flows)
        counts = Counter(groups.values())
        hues = {group: self._look.hues[flow] for flow, group in groups.items()}
        if len(counts) == 1:
            return []
        style = Style(11, 600, "")
        return [
            (
                f"{one_line(name or _NOBODY, style, _MOST_KEY)} {counts[name]}",
                hues[name],
            )
            for name in sorted(counts, key=by_name)
        ]

    def painted(self, x: float, y: float) -> list[str]:
        """Return everything, moved."""
        painter = Painter(self._look.graph)
        plan = self.plan.moved(x, y)
        names = cluster_ids(self._look.graph, painter.ids)
        insides, frames, doors, nodes = [], [], [], []
        for item, frame in enumerate(self._frames):
            dx, dy = (
                plan.areas[item].x - frame.bounds.x,
                plan.areas[item].y - frame.bounds.y,
            )
            inside = frame.inside.plan.moved(dx, dy)
            insides.append(inside)
            frames.append(frame.painted(names[frame.name], dx, dy))
            doors += [
                door.painted(inside.areas[number], self._direction)
                for number, door in frame.doors.items()
            ]
            for node in self._clusters[item].nodes:
                bars = [area for number, area in inside.bars if number == node.number]
                card = frame.inside.cards[node.number]
                nodes.append(painter.node(node, card, inside.areas[node.number], bars))
        for item, node in enumerate(self._loose, len(self._frames)):
            nodes.append(
                painter.node(node, self._cards[node.number], plan.areas[item], [])
            )
        edges = [
            self._edge(edge, painter, plan, insides) for edge in self._look.graph.edges
        ]
        return [*frames, *edges, *doors, *nodes]

    def _edge(
        self,
        edge: Edge,
        painter: Painter,
        plan: Placement,
        insides: Sequence[Placement],
    ) -> str:
        """Return an edge: in a frame, or out of it, between items, and into another."""
        one, other = pair = self._ends(edge)
        before, after = edge.before.number, edge.after.number
        if pair not in self._outer:
            link = before, after
            lines = [Line(points) for points in insides[one].lines[link]]
            return painter.edge(
                edge, lines, self._frames[one].inside.labels[link], "framed"
            )
        lines = []
        if not self._is_loose(one):
            door = self._door(one, other, leads_in=False)
            lines += [
                Line(points, has_label=False)
                for points in insides[one].lines[before, door]
            ]
        is_last = self._is_loose(other)
        lines += [
            Line(points, self._hue(one), is_outer=True, has_label=is_last)
            for points in plan.lines[pair]
        ]
        if is_last:
            return painter.edge(edge, lines, self._labels[pair], "page")
        link = self._door(other, one, leads_in=True), after
        lines += [Line(points) for points in insides[other].lines[link]]
        return painter.edge(
            edge, lines, self._frames[other].inside.labels[link], "framed"
        )


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
