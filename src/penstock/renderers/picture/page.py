"""The parts that every page has: its header, a legend, and the sheet around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock.renderers.ids import cluster_ids, legend_id, node_ids
from penstock.renderers.labels import printable

from .cards import painted_pills
from .markup import element, path, rectangle, text, title
from .theme import HEAT
from .type import Style, one_line, text_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .cards import Look

MARGIN = 28.0
_SUBTITLE = Style(13, 400, "quiet")
_LEGEND = Style(11, 400, "quiet")
_PILL_HEIGHT, _PILL_PADDING = 20.0, 8.0
_MOST_TITLE, _MOST_SUBTITLE = 640.0, 560.0
_SAMPLE, _SAMPLE_GAP, _ENTRY_GAP, _ENTRY_HEIGHT = 24.0, 8.0, 24.0, 22.0
_LEGEND_ROOM, _LEAST_LEGEND = 38.0, 560.0
_KEY_DISC, _KEY_GAP = 13.0, 6.0
_ROOM = 26.0  # between header and drawing


class Header(NamedTuple):
    """The words above a drawing, painted at the margin."""

    parts: list[str]
    width: float
    height: float
    key: Sequence[tuple[str, str]] = ()


class Picture(NamedTuple):
    """A whole picture."""

    parts: list[str]
    width: float
    height: float


def header(
    heading: str,
    subtitle: str,
    pills: Sequence[tuple[str, str, Style]],
    size: float = 20,
    key: Sequence[tuple[str, str]] = (),
) -> Header:
    """Return a title, words in pills beside it, and a line or two below.

    *key* has words and their hues, for the upper right.
    """
    style = Style(size, 600, "ink")
    shown = one_line(heading, style, _MOST_TITLE)
    x, y = MARGIN, MARGIN + size * 0.85
    parts = [text(shown, (x, y), style)]
    right = x + text_width(shown, style)
    if pills:
        right += 12
        parts += painted_pills(list(pills), right, y - 16, _PILL_HEIGHT, _PILL_PADDING)
        right += (
            sum(
                text_width(words, one) + 2 * _PILL_PADDING + 5
                for words, _, one in pills
            )
            - 5
        )
    y += size * 0.25
    for line in (
        wrapped(printable(subtitle), _SUBTITLE, _MOST_SUBTITLE, 2) if subtitle else ()
    ):
        y += 18
        parts.append(text(line, (x, y), _SUBTITLE))
        right = max(right, x + text_width(line, _SUBTITLE))
    return Header(parts, right - x, y + (6 if subtitle else 0), key)


def sheet(
    top: Header,
    width: float,
    height: float,
    paint: Callable[[float, float], list[str]],
    look: Look,
) -> Picture:
    """Return a page with a header, a drawing of a size in its middle, and a legend."""
    top = top if look.has_header else Header([], 0, MARGIN - _ROOM)
    entries = list(_entries(look)) if look.has_legend else []
    widths = [one.width for one in entries]
    full = sum(widths) + _ENTRY_GAP * (len(widths) - 1) if widths else 0.0
    room = max(
        width,
        top.width,
        *_key_widths(top),
        min(full, max(_LEAST_LEGEND, *widths)) if widths else 0.0,
    )
    key, height_of_key = _painted_key(top, room)
    y = top.height + height_of_key + _ROOM
    parts = key + paint(MARGIN + (room - width) / 2, y)
    y += height
    if entries:
        legend: list[str] = []
        x, y = MARGIN, y + _LEGEND_ROOM
        for entry in entries:
            if x > MARGIN and x + entry.width > MARGIN + room + 0.01:
                x, y = MARGIN, y + _ENTRY_HEIGHT
            legend += entry.painted(x, y)
            x += entry.width + _ENTRY_GAP
        ids = node_ids(look.graph)
        name = legend_id(ids, cluster_ids(look.graph, ids).values())
        attributes = {"id": name, "class": "legend"}
        parts.append(element("g", attributes, title("Legend"), *legend))
    right, bottom = room + 2 * MARGIN, y + MARGIN
    page = rectangle("page", 0, 0, right, bottom, 12)
    return Picture([page, *top.parts, *parts], right, bottom)


def _key_widths(top: Header) -> list[float]:
    style = Style(11, 600, "")
    beside = _KEY_DISC + 2 * _PILL_PADDING
    return [text_width(words, style) + beside for words, _ in top.key]


def _painted_key(top: Header, room: float) -> tuple[list[str], float]:
    """Return what the hues stand for, and the height that it needs below the header."""
    style = Style(11, 600, "")
    widths = _key_widths(top)
    full = sum(widths) + _KEY_GAP * (len(widths) - 1) if widths else 0.0
    is_beside = top.width + 2 * MARGIN + full <= room
    x, y = (MARGIN + room - full, MARGIN) if is_beside else (MARGIN, top.height + 8)
    parts = []
    for width, (words, hue) in zip(widths, top.key, strict=True):
        if x > MARGIN and x + width > MARGIN + room + 0.01:
            x, y = MARGIN, y + _PILL_HEIGHT + _KEY_GAP
        parts += [
            rectangle(f"{hue}-tint", x, y, width, _PILL_HEIGHT, _PILL_HEIGHT / 2),
            element(
                "circle",
                {"class": hue, "cx": x + _PILL_PADDING + 4, "cy": y + 10, "r": 4},
            ),
            text(
                words,
                (x + _PILL_PADDING + _KEY_DISC, y + 14),
                style._replace(colour=hue),
            ),
        ]
        x += width + _KEY_GAP
    below = 0.0 if is_beside or not parts else y + _PILL_HEIGHT - top.height
    return parts, below


class _Entry(NamedTuple):
    """A sample of a line, a box or a colour, and what it means."""

    words: str
    kind: str
    sample: float = _SAMPLE

    @property
    def width(self) -> float:
        """Its width."""
        return self.sample + _SAMPLE_GAP + text_width(self.words, _LEGEND)

    def painted(self, x: float, y: float) -> Iterator[str]:
        """Yield it with the words on the base line *y*."""
        if self.kind == "heat":
            side = self.sample / len(HEAT)
            for at in range(len(HEAT)):
                yield rectangle(f"heat-{at}", x + at * side, y - 8, side, 8)
        elif self.kind == "external":
            box = rectangle("card", x + 0.5, y - 10.5, self.sample - 1, 13, 4)
            yield element("g", {"class": "external"}, box)
        else:
            line = path(
                _LINES[self.kind], f"M{x + 1:.1f} {y - 4:.1f}h{self.sample - 2:.1f}"
            )
            yield element("g", {"class": self.kind}, line)
        yield text(self.words, (x + self.sample + _SAMPLE_GAP, y), _LEGEND)


_LINES = {
    "seen": "line blue-line",
    "unseen": "line",
    "declared-only": "line",
    "contradicted": "line wrong-line",
    "undeclared": "line wrong-line",
    "crossing": "line",
    "guess": "line",
}
_WORDS = {
    "seen": "calls came this way",
    "unseen": "never seen",
    "declared-only": "neither in the code nor seen",
    "contradicted": "ran in another order",
    "undeclared": "called, but not declared",
}


def _entries(look: Look) -> Iterator[_Entry]:
    """Yield what occurs in the drawing."""
    graph = look.graph
    statuses = (
        {known.status for known in graph.evidence.edges.values()}
        if graph.evidence
        else set()
    )
    for status, words in _WORDS.items():
        if status in statuses:
            is_code_read = graph.evidence and graph.evidence.has_code
            about_code = "in the code, " if status == "unseen" and is_code_read else ""
            yield _Entry(about_code + words, status)
    if any(edge.is_crossing for edge in graph.edges):
        yield _Entry("to another process", "crossing")
    if any(edge.is_guess for edge in graph.edges):
        yield _Entry("guess, by its name alone", "guess")
    if "external" in graph.kinds:
        yield _Entry("step of another service", "external")
    if look.heat:
        yield _Entry("p95, least to most", "heat", 60)
