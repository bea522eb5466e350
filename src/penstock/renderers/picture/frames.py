"""One flow laid out by itself, and framed with doors to other flows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from penstock.renderers.labels import printable
from penstock.renderers.layout.engine import MAX_WORK

from .cards import make_card
from .columns import folded
from .drawing import gaps_of, label_of, max_across, shape_of
from .markup import element, path, rectangle, text, title
from .packing import pack
from .placement import Area, is_sideways, joined, turned
from .routing import Link, Shape, route
from .type import Style, one_line, text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._graph.graph import Edge, Node
    from penstock.renderers.formats import Direction

    from .cards import Card, Look
    from .drawing import Label
    from .placement import Edge as Pair
    from .placement import Placement

_COMPONENT_GAP = 36.0
DOOR_HEIGHT, _DOOR_PADDING, _ARROW = 17.0, 8.0, 11.0
_PADDING, _TITLE_HEIGHT = 16.0, 40.0
_DISC = 14.0  # with the gap to the name
_TITLE_INSET = 12.0
_MOST_NAME, _MOST_DOOR = 300.0, 160.0


class Door(NamedTuple):
    """An opening in a frame for the lines from, or to, something outside.

    Attributes:
        other: The number of what is outside.
        name: Its name.
        hue: Its hue, ``""`` if it has none.
        leads_in: Whether lines come in.
        home: The name of the flow in the frame.
    """

    other: int
    name: str
    hue: str
    leads_in: bool
    home: str

    @property
    def style(self) -> Style:
        """How its name is set."""
        return Style(11, 600, self.hue or "quiet")

    @property
    def words(self) -> str:
        """Its name, shortened."""
        return one_line(self.name, self.style, _MOST_DOOR)

    @property
    def width(self) -> float:
        """The width of its pill."""
        return ceil(text_width(self.words, self.style) + _ARROW + 2 * _DOOR_PADDING)

    def painted(self, area: Area, direction: Direction) -> str:
        """Return its pill."""
        x, y = (
            area.x + (area.width - self.width) / 2,
            area.y + (area.height - DOOR_HEIGHT) / 2,
        )
        turn = {"LR": -90, "RL": 90, "BT": 180}.get(direction, 0)
        arrow_x, middle = x + self.width - _DOOR_PADDING - 3.5, y + DOOR_HEIGHT / 2
        place = f"translate({arrow_x:.1f} {middle:.1f})rotate({turn})"
        kind = f"icon {self.hue}-line" if self.hue else "icon"
        return element(
            "g",
            {
                "class": "door",
                "data-flow": printable(self.home),
                "data-before": printable(self.name if self.leads_in else self.home),
                "data-after": printable(self.home if self.leads_in else self.name),
            },
            rectangle(
                f"{self.hue}-tint" if self.hue else "pill",
                x,
                y,
                self.width,
                DOOR_HEIGHT,
                DOOR_HEIGHT / 2,
            ),
            text(self.words, (x + _DOOR_PADDING, middle + 4), self.style),
            element(
                "g",
                {"transform": place},
                path(kind, "M0-3.5v7m-2.8-2.8 2.8 2.8 2.8-2.8"),
            ),
        )


@dataclass(frozen=True, slots=True)
class Inside:
    """A flow that is laid out.

    Attributes:
        plan: The places of its steps and, with negative numbers, of its doors.
        cards: The cards of its steps.
        labels: The labels of its lines, by both ends.
    """

    plan: Placement
    cards: Mapping[int, Card]
    labels: Mapping[Pair, Label]


def lay_out_flow(
    nodes: Iterable[Node],
    edges: Mapping[Pair, Sequence[Edge]],
    look: Look,
    direction: Direction,
    doors: Mapping[int, Door] = {},
    max_work: float = MAX_WORK,
) -> Inside:
    """Lay out the steps of a flow.

    Args:
        nodes: Its steps.
        edges: The edges that each line stands for, by the steps or doors at its ends.
        look: What the cards show.
        direction: Where lines lead.
        doors: Its doors, by negative numbers.
        max_work: As in ``route``.
    """
    cards = {node.number: make_card(node, look) for node in nodes}
    labels = {
        link: label_of(found if link[1] >= 0 else (), look.graph)
        for link, found in edges.items()
    }
    boxes = {
        number: shape_of(card.width, card.height, direction)
        for number, card in cards.items()
    }
    boxes |= {
        number: shape_of(door.width, DOOR_HEIGHT, direction)
        for number, door in doors.items()
    }
    links = [
        Link(*link, _groups(link, found), labels[link].size(direction))
        for link, found in edges.items()
    ]
    is_beside = {door.leads_in for door in doors.values()}
    gaps = gaps_of(
        labels.values(),
        direction,
        detail=look.detail,
        rims=(
            direction in ("TD", "TB") and True in is_beside,
            direction == "BT" and False in is_beside,
        ),
    )
    ins = [number for number, door in doors.items() if door.leads_in]
    outs = [number for number in doors if number not in ins]
    plans = []
    # Doors are at two rims, which all parts of a flow share.
    for part in [[*boxes]] if doors else components(boxes, edges):
        members = dict.fromkeys(part)
        drawn = route(
            {one: boxes[one] for one in part},
            [link for link in links if link.before in members],
            gaps,
            max_across=max_across((boxes[one] for one in part), direction),
            first=ins,
            last=outs,
            max_work=max_work,
        )
        plans.append(turned(drawn if doors else folded(drawn, direction), direction))
    found = pack([(plan.width, plan.height) for plan in plans], _COMPONENT_GAP)
    return Inside(joined(plans, found), cards, labels)


def _groups(link: Pair, edges: Sequence[Edge]) -> tuple[int, ...]:
    """Return the joins of the step at the end of a line that the line belongs to."""
    if link[1] < 0:
        return ()
    return tuple(sorted({group for edge in edges for group in edge.joins}))


def components(nodes: Iterable[int], links: Iterable[Pair]) -> list[list[int]]:
    """Return the nodes of each connected part, the largest first."""
    home = {node: node for node in nodes}

    def root(node: int) -> int:
        while home[node] != node:
            home[node] = home[home[node]]
            node = home[node]
        return node

    for before, after in links:
        home[root(before)] = root(after)
    parts: dict[int, list[int]] = {}
    for node in home:
        parts.setdefault(root(node), []).append(node)
    return sorted(parts.values(), key=lambda part: -len(part))


@dataclass(frozen=True, slots=True)
class FlowFrame:
    """A flow in its frame.

    Attributes:
        name: Its name.
        hue: Its hue.
        inside: Its steps, lines and doors.
        doors: Its doors, by their numbers in *inside*.
        rim: The rectangle around it, in the same coordinates.
        title_x: Where its name begins.
        bounds: The rectangle with the halves of doors that stand out.
    """

    name: str
    hue: str
    inside: Inside
    doors: Mapping[int, Door]
    rim: Area
    title_x: float
    bounds: Area

    def box(self, direction: Direction) -> Shape:
        """Return it as a box with fixed ports, which are its doors."""
        is_side = is_sideways(direction)
        _, _, width, height = self.bounds
        ports: dict[bool, dict[int, float]] = {True: {}, False: {}}
        for number, door in self.doors.items():
            area = self.inside.plan.areas[number]
            x = area.x + area.width / 2 - self.bounds.x - width / 2
            y = area.y + area.height / 2 - self.bounds.y - height / 2
            ports[door.leads_in][door.other] = y if is_side else x
        shape = shape_of(width, height, direction)
        return shape._replace(outs=ports[False], ins=ports[True], is_fixed=True)

    def painted(self, name: str, dx: float, dy: float) -> str:
        """Return the frame without what is in it, moved; *name* is its id."""
        rim = self.rim.moved(dx, dy)
        x, y = self.title_x + dx, rim.y + 24
        style = Style(14, 600, self.hue)
        return element(
            "g",
            {"id": name, "class": "cluster", "data-flow": printable(self.name)},
            title(printable(self.name)),
            rectangle("frame", *rim, 12),
            element("circle", {"class": self.hue, "cx": x + 5, "cy": y - 5, "r": 4.5}),
            text(_heading(self.name, style), (x + _DISC, y), style),
        )


def frame_of(
    name: str, hue: str, inside: Inside, doors: Mapping[int, Door], direction: Direction
) -> FlowFrame:
    """Return the frame around a flow, with its name where no line crosses it."""
    plan = inside.plan
    sides = {
        "left": -_PADDING,
        "top": -_TITLE_HEIGHT,
        "right": plan.width + _PADDING,
        "bottom": plan.height + _PADDING,
    }
    crossed = []
    for number, door in doors.items():
        area = plan.areas[number]
        x, y = area.x + area.width / 2, area.y + area.height / 2
        side = _SIDES[direction][0 if door.leads_in else 1]
        sides[side] = x if is_sideways(direction) else y
        if side == "top":
            crossed += [
                line[0 if door.leads_in else -1][0]
                for link, lines in plan.lines.items()
                if number in link
                for line in lines
            ]
    left, top, right, bottom = sides.values()
    style = Style(14, 600, hue)
    width = _DISC + text_width(_heading(name, style), style)
    title_x, more = _title_place(width, left, right, sorted(crossed))
    rim = Area(left - more, top, right - left + 2 * more, bottom - top)
    return FlowFrame(name, hue, inside, doors, rim, title_x, _bounds(rim, plan, doors))


_SIDES = {
    "TD": ("top", "bottom"),
    "TB": ("top", "bottom"),
    "BT": ("bottom", "top"),
    "LR": ("left", "right"),
    "RL": ("right", "left"),
}


def _heading(name: str, style: Style) -> str:
    return one_line(name, style, _MOST_NAME)


def _title_place(
    width: float, left: float, right: float, crossed: Sequence[float]
) -> tuple[float, float]:
    """Return where the name begins, and how far both sides of a frame have to move."""
    lines = [left, *crossed, right]
    places = []
    for at, (line, following) in enumerate(pairwise(lines)):
        start, end = line + _TITLE_INSET, following - _TITLE_INSET
        missing = max(width - (end - start), 0)
        if at == 0 and crossed:
            places.append((missing, start - missing))
        elif at == len(crossed) and crossed:
            places.append((missing, start))
        elif not crossed:
            places.append((missing / 2, start - missing / 2))
        elif not missing:
            places.append((0, start))
    more, x = min(places)
    return x, ceil(more)


def _bounds(rim: Area, plan: Placement, doors: Mapping[int, Door]) -> Area:
    areas = [rim, *(plan.areas[number] for number in doors)]
    left, top = min(area.x for area in areas), min(area.y for area in areas)
    right = max(area.x + area.width for area in areas)
    bottom = max(area.y + area.height for area in areas)
    return Area(left, top, right - left, bottom - top)
