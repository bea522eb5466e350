"""Say what routing needs to know, and write cards, bars and lines."""

from __future__ import annotations

from functools import reduce
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from penstock._graph.evidence import EdgeEvidence
from penstock.renderers.evidence_labels import edge_facts, line_status, node_status
from penstock.renderers.ids import node_ids
from penstock.renderers.labels import printable

from .markup import element, head_way, line_way, path, rectangle, text, title
from .placement import is_sideways
from .routing import Gaps, Shape
from .type import Style, text_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock._graph.graph import Edge, Graph, Node
    from penstock.renderers.formats import Direction

    from .cards import Card
    from .placement import Area, Point

BAR_TEXT = "all of"
TITLE_ROOM = 28.0
"""Between doors and the first track, for the title of a frame."""

_BAR_STYLE = Style(11, 600, "on-bar")
_CROSS = 12.0  # the width of the ✕ before a label
_LABEL_HEIGHT, _LABEL_ROOM = 16.0, 24.0
_HALO = 3.0
_BELOW = 7.0


def shape_of(width: float, height: float, direction: Direction) -> Shape:
    """Return a box of a size for routing, which is always top-down."""
    if is_sideways(direction):
        return Shape(height, width)
    return Shape(width, height)


def gaps_of(
    labels: Iterable[Label],
    direction: Direction,
    *,
    detail: bool,
    rims: tuple[bool, bool],
) -> Gaps:
    """Return the room between rows: for labels, and for titles beside doors.

    *rims* tells whether the title of a frame stands beside its first row of doors, or
    beside its last one.
    """
    lead = tail = 22.0 if detail else 17.0
    widths = [label.width for label in labels if label.words]
    if widths:
        tail = max(widths) + 28 if is_sideways(direction) else 45.0
    at_first, at_last = rims
    return Gaps(
        lead,
        tail,
        TITLE_ROOM if at_first else lead,
        max(tail, TITLE_ROOM) if at_last else tail,
    )


class Label(NamedTuple):
    """The words at the tip of a line."""

    words: str
    style: Style
    has_cross: bool = False

    def size(self, direction: Direction) -> tuple[float, float]:
        """Return its size across and along the lines; zeros if it has no words."""
        if not self.words:
            return 0.0, 0.0
        wide = self.width
        return (
            (_LABEL_HEIGHT, wide) if is_sideways(direction) else (wide, _LABEL_HEIGHT)
        )

    @property
    def width(self) -> float:
        """Its width."""
        return text_width(self.words, self.style) + (_CROSS if self.has_cross else 0)


def max_across(shapes: Iterable[Shape], direction: Direction) -> float:
    """Return how wide a row of boxes may be before it continues in the next one.

    A fan of thirty steps would be a strip; a large drawing may be wider.
    """
    area = sum((one.across + 28) * (one.along + 44) for one in shapes)
    if is_sideways(direction):
        return max(1_000, sqrt(area))
    return max(1_600, 1.6 * sqrt(area))


class Line(NamedTuple):
    """One of the lines that an edge is drawn with.

    Attributes:
        points: Where it turns.
        hue: Its hue, ``""`` if it has none.
        is_outer: Whether it leads from one flow to another.
        has_label: Whether the label of its edge stands before its tip.
    """

    points: Sequence[Point]
    hue: str = ""
    is_outer: bool = False
    has_label: bool = True


_PAINTS = {"seen": "blue", "contradicted": "wrong", "undeclared": "wrong"}


def label_of(edges: Sequence[Edge], graph: Graph) -> Label:
    """Return the label of a line for *edges*: how often they were seen, or how many."""
    links = [(edge.before.number, edge.after.number) for edge in edges]
    bundles = [graph.bundles[link] for link in links if link in graph.bundles]
    size = sum(bundle.size for bundle in bundles) or 1
    found = [edge.evidence for edge in edges if edge.evidence]
    if not found:
        return Label(f"{size}" if size > 1 else "", Style(11, 600, "quiet"))
    known = reduce(EdgeEvidence.plus, found)
    is_crossing = all(edge.is_crossing for edge in edges)
    status = line_status(known, is_crossing=is_crossing)
    style = Style(11, 600, _PAINTS.get(status, "quiet"))
    if status == "contradicted":
        return Label(f"{known.contradicted:,}×", style, has_cross=True)
    if size > 1:
        return Label(f"{sum(bundle.seen for bundle in bundles)} of {size}", style)
    if status == "declared-only" or (status == "undeclared" and not known.seen):
        return Label(status.removesuffix("-only"), style)
    return Label(f"{known.seen:,}×", style)


class Painter:
    """Writes the parts of one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.ids: list[str] = node_ids(graph)

    def node(self, node: Node, card: Card, area: Area, bars: Sequence[Area]) -> str:
        """Return a card with its bars."""
        name = self.ids[node.number]
        kind = "" if node.kind == "step" else node.kind
        begins = "entrypoint" if node.kind == "step" and node.step.is_entrypoint else ""
        attributes = {
            "id": f"step-{name}",
            "class": " ".join(filter(None, ("node", kind, begins))),
            "data-flow": printable(node.step.flow),
            "data-step": None if node.kind == "flow" else printable(node.step.name),
            "data-evidence": node_status(node, self._graph),
        }
        return element(
            "g",
            attributes,
            title(printable(node.label)),
            *(_bar(bar, area) for bar in bars),
            card.painted(*area),
            *map(_bar_text, bars),
        )

    def edge(
        self,
        edge: Edge,
        lines: Iterable[Line],
        label: Label,
        back: str,
    ) -> str:
        """Return an edge; *back* is the class of what is behind its label."""
        before, after = (self.ids[node.number] for node in (edge.before, edge.after))
        known = edge.evidence
        status = line_status(known, is_crossing=edge.is_crossing) if known else ""
        paint = _PAINTS.get(status, "")
        crossing = "crossing" if edge.is_crossing else ""
        guess = "guess" if edge.is_guess else ""
        attributes = {
            "id": f"edge-{before}-{after}",
            "class": " ".join(filter(None, ("edge", crossing, guess, status))),
            "data-before": f"step-{before}",
            "data-after": f"step-{after}",
            "data-evidence": known.status if known else None,
        }
        facts = edge_facts(edge, self._graph)
        ends = f"{edge.before.label} → {edge.after.label}"
        parts = [title(printable(f"{ends}: {facts}" if facts else ends))]
        for line in lines:
            parts += _line(line, paint)
            if line.has_label and label.words:
                parts += _label(label, line.points, back)
        return element("g", attributes, *parts)


def _line(line: Line, paint: str) -> Iterator[str]:
    hue = paint or line.hue
    kinds = ("line", f"{hue}-line" if hue else "", "outer" if line.is_outer else "")
    yield path(" ".join(filter(None, kinds)), line_way(line.points))
    yield path(f"head {hue}" if hue else "head", head_way(line.points))


def _label(label: Label, points: Sequence[Point], back: str) -> Iterator[str]:
    (before_x, before_y), (x, y) = points[-2:]
    width = label.width
    if before_y == y:
        x += (1 if before_x > x else -1) * (16 + width / 2)
    else:
        y += (1 if before_y > y else -1) * _LABEL_ROOM
    left = x - width / 2
    yield rectangle(back, left - _HALO, y - 7.5, width + 2 * _HALO, 15)
    if label.has_cross:
        yield path(
            "icon wrong-line cross", f"M{left + 0.5:.1f} {y - 3.5:.1f}l7 7m0-7l-7 7"
        )
        left += _CROSS
    yield text(label.words, (left, y + 4), label.style)


def _bar(area: Area, card: Area) -> str:
    """Return a bar that continues below its card, which hides its lower corners."""
    x, y, width, height = area
    if y >= card.y + card.height:
        y -= _BELOW
    elif x >= card.x + card.width:
        x -= _BELOW
    is_upright = x != area.x or area.x + width <= card.x
    if is_upright:
        width += _BELOW
    else:
        height += _BELOW
    return rectangle("bar", x, y, width, height, 5)


def _bar_text(area: Area) -> str:
    """Return the words on a bar, upright where lines lead sideways."""
    x, y = area.x + area.width / 2, area.y + area.height / 2
    words = text(BAR_TEXT, (x, y + 4), _BAR_STYLE, is_centred=True)
    if area.height > area.width:
        return element("g", {"transform": f"rotate(-90 {x:.1f} {y:.1f})"}, words)
    return words
