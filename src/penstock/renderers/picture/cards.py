"""The boxes of steps and flows: what stands in them, and how large they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from penstock.renderers.evidence_labels import node_evidence, node_status
from penstock.renderers.labels import printable, steps_of

from .markup import element, path, rectangle, text
from .type import Style, one_line, text_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from penstock._graph.graph import Graph, Node

_PADDING, _LEAST_WIDTH, _ICON_GAP = 12.0, 88.0, 6.0
_ICON_WIDTH, _DISC_WIDTH = 16.0, 9.0  # that of a flow is smaller
_NAME_LINE, _LINE = 18.0, 16.5
_MOST_NAME, _MOST_TEXT = 264.0, 216.0
_NAME_LINES, _TEXT_LINES = 3, 2
_PILL_HEIGHT, _PILL_PADDING, _PILL_GAP = 17.0, 6.0, 5.0
_SHADES = 5

PILL = Style(11, 400, "quiet")


class Heat(NamedTuple):
    """The p95 of a step: in words, as a share of the highest, and if it is bad."""

    words: str
    share: float
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What all cards of a picture share.

    Attributes:
        graph: What is drawn.
        detail: Whether cards have descriptions and tags.
        hues: The hue of each flow.
        heat: A figure for some of the steps, by the number of their node.
        has_header: Whether the title and what belongs to it stand above the drawing.
        has_legend: Whether there is a legend below it.
    """

    graph: Graph
    detail: bool
    hues: Mapping[str, str]
    heat: Mapping[int, Heat] = field(default_factory=dict)
    has_header: bool = True
    has_legend: bool = True


class Card(NamedTuple):
    """A box with its text.

    Attributes:
        width: Its width.
        height: Its height.
        kind: The classes of its rectangle.
        is_strong: Whether its rim is thicker.
        icons: The names of its icons.
        name: The lines of its name.
        name_style: How they are set.
        about: Other lines, with their styles.
        pills: Words below them.
        heat: A figure below those.
    """

    width: float
    height: float
    kind: str
    is_strong: bool
    icons: tuple[str, ...]
    name: list[str]
    name_style: Style
    about: list[tuple[str, Style]]
    pills: list[str]
    heat: Heat | None

    def painted(self, x: float, y: float, width: float, height: float) -> str:
        """Return the card at a place, which may be larger than the card."""
        stroke = 1.5 if self.is_strong else 1
        parts = [rectangle(self.kind, x, y, width, height, 8, stroke_width=stroke)]
        has_more = self.about or self.pills or self.heat
        own = self.width - 2 * _PADDING if has_more else self._name_width
        left, y = x + (width - own) / 2, y + (height - self.height) / 2
        parts += self._icons(left, y + 10)
        left_of_name = left + _icons_width(self.icons)
        for at, line in enumerate(self.name):
            parts.append(
                text(line, (left_of_name, y + 22.5 + at * _NAME_LINE), self.name_style)
            )
        y += 36 + (len(self.name) - 1) * _NAME_LINE
        for at, (line, style) in enumerate(self.about):
            parts.append(text(line, (left, y + 3 + at * _LINE), style))
        y += _about_height(self.about)
        if self.pills:
            parts += painted_pills(
                [(one, "pill", PILL) for one in self.pills], left, y - 6
            )
            y += 23
        if self.heat:
            parts += self._heat(self.heat, left, y, width - 2 * (left - x))
        return "".join(parts)

    @property
    def _name_width(self) -> float:
        widest = max(text_width(line, self.name_style) for line in self.name)
        return widest + _icons_width(self.icons)

    def _icons(self, x: float, y: float) -> Iterator[str]:
        for at, name in enumerate(self.icons):
            place = f"translate({x + _icons_width(self.icons[:at]):.1f} {y:.1f})"
            yield element(
                "g", {"transform": place}, _icon(name, self.name_style.colour)
            )

    def _heat(self, heat: Heat, x: float, y: float, width: float) -> Iterator[str]:
        style = _WRONG if heat.is_bad else _ABOUT
        yield text(heat.words, (x, y + 3), style)
        yield rectangle("pill", x, y + 8, width, 4, 2)
        share = min(max(heat.share, 0.0), 1.0)
        if share:
            shade = min(max(int(share * _SHADES), 1), _SHADES - 1)
            yield rectangle(f"heat-{shade}", x, y + 8, max(width * share, 4), 4, 2)


_ABOUT = Style(12, 400, "quiet")
_WRONG = Style(12, 600, "wrong")


def make_card(node: Node, look: Look) -> Card:
    """Return the card of a node."""
    hue = look.hues.get(node.step.flow, "blue")
    is_entrypoint = node.kind == "step" and node.step.is_entrypoint
    kind, colour = "card", "ink"
    if is_entrypoint:
        kind, colour = f"card {hue}-tint {hue}-line", hue
    elif node.kind == "flow":
        kind, colour = "card framed", hue
    elif node.kind != "step":
        colour = "quiet"
    status = node_status(node, look.graph)
    if status == "broken":
        kind += " wrong-line"
    name_style = Style(14, 600, colour)
    name = wrapped(printable(node.label), name_style, _MOST_NAME, _NAME_LINES)
    icons = tuple(_icon_names(node, is_entrypoint=is_entrypoint))
    about = list(_about(node, look))
    pills = _fitting_pills([_pill_text(one) for one in _pill_words(node, look)])
    heat = look.heat.get(node.number)
    widths = [
        max(text_width(line, name_style) for line in name) + _icons_width(icons),
        *(text_width(line, style) for line, style in about),
        pills_width(pills),
        *([text_width(heat.words, _WRONG)] if heat else ()),
    ]
    height = 36 + (len(name) - 1) * _NAME_LINE + _about_height(about)
    height += (23 if pills else 0) + (22 if heat else 0)
    return Card(
        ceil(max(_LEAST_WIDTH, max(widths) + 2 * _PADDING)),
        height,
        kind,
        is_entrypoint or status == "broken",
        icons,
        name,
        name_style,
        about,
        pills,
        heat,
    )


def painted_pills(
    pills: list[tuple[str, str, Style]],
    x: float,
    y: float,
    height: float = _PILL_HEIGHT,
    padding: float = _PILL_PADDING,
) -> Iterator[str]:
    """Yield words in pills, from *x* on."""
    for words, kind, style in pills:
        width = text_width(words, style) + 2 * padding
        yield rectangle(kind, x, y, width, height, height / 2)
        yield text(words, (x + padding, y + height / 2 + style.size * 0.355), style)
        x += width + _PILL_GAP


def pills_width(pills: list[str]) -> float:
    """Return how wide plain pills side by side are."""
    widths = [text_width(one, PILL) + 2 * _PILL_PADDING + _PILL_GAP for one in pills]
    return sum(widths) - _PILL_GAP if widths else 0.0


def _fitting_pills(pills: list[str]) -> list[str]:
    """Return the pills that fit side by side, and how many more there are."""
    for left_out in range(len(pills)):
        more = [f"+{left_out}"] if left_out else []
        shown = pills[: len(pills) - left_out] + more
        if pills_width(shown) <= _MOST_NAME:
            return shown
    return []


def _about_height(about: list[tuple[str, Style]]) -> float:
    return 17 + (len(about) - 1) * 16 if about else 0.0


def _about(node: Node, look: Look) -> Iterator[tuple[str, Style]]:
    """Yield the lines below the name."""
    flows = look.graph.boxes.get(node.number, ())
    if flows:
        counts = " · ".join((steps_of(flows), *node.services))
        for line in wrapped(printable(counts), _ABOUT, _MOST_TEXT, _TEXT_LINES):
            yield line, _ABOUT
    status = node_status(node, look.graph)
    if flows or look.detail or status == "broken":
        for line in node_evidence(node, look.graph):
            yield line, _WRONG if status == "broken" else _ABOUT
    if look.detail and node.step.description:
        for line in wrapped(
            printable(node.step.description), _ABOUT, _MOST_TEXT, _TEXT_LINES
        ):
            yield line, _ABOUT


def _pill_words(node: Node, look: Look) -> Iterator[str]:
    if look.detail:
        if node.step.flow in look.graph.shared and node.kind == "step":
            yield from node.services
        yield from node.step.tags


def _pill_text(word: str) -> str:
    return one_line(word, PILL, _MOST_TEXT - 12)


def _icons_width(icons: Iterable[str]) -> float:
    """Return the width of icons with the gap after each."""
    widths = (_DISC_WIDTH if name == "flow" else _ICON_WIDTH for name in icons)
    return sum(width + _ICON_GAP for width in widths)


def _icon_names(node: Node, *, is_entrypoint: bool) -> Iterator[str]:
    if is_entrypoint:
        yield "entrypoint"
    if node.kind == "flow":
        yield "flow"
    elif node.step.crosses:
        yield "message"
    elif node.step.is_generator:
        yield "generator"
    elif node.step.is_async:
        yield "async"


def _icon(name: str, hue: str) -> str:
    """Return an icon of 16 × 16 pixels."""
    if name == "flow":
        return element("circle", {"class": hue, "cx": 4.5, "cy": 8, "r": 4.5})
    if name == "entrypoint":
        disc = element("circle", {"class": hue, "cx": 8, "cy": 8, "r": 8})
        return disc + path(
            "on-bar on-bar-line", "M6.4 5v6l4.8-3z", **{"stroke-linejoin": "round"}
        )
    return path("icon", _ICONS[name])


_ICONS = {
    "message": "M1.5 3.5h13v9.2h-13zM1.8 4l6.2 5 6.2-5",
    "async": "M13.6 6.2A6 6 0 0 0 3 4.6M2.6 1.8l.3 3.3 3.2-.3"
    "M2.4 9.8A6 6 0 0 0 13 11.4M13.4 14.2l-.3-3.3-3.2 .3",
    "generator": "M2 3.5h7M2 8h5M2 12.5h7M10.5 4.5 14 8l-3.5 3.5",
}
