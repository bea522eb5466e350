"""Draw a graph as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from penstock.renderers.labels import printable
from penstock.renderers.warnings import warn_caller

from .cards import Look
from .flow_page import flow_page
from .markup import classes_in, element, title
from .system_page import system_page
from .theme import font_faces, hues_of, style_of
from .type import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock._graph.graph import Graph
    from penstock.renderers.formats import Direction

    from .cards import Heat
    from .page import Picture
    from .theme import Theme


_MOST_LISTED = 100  # steps or edges in words
_MOST_TIMES, _TALL = 3, 4_000  # height to width, and pixels that fit no screen


def render_svg(
    graph: Graph, *, detail: bool, direction: Direction, theme: Theme = "both"
) -> str:
    """Return an SVG of *graph*, without a newline at the end.

    One file suits light and dark pages unless *theme* says otherwise, and has its
    font inside.
    """
    return draw_svg(graph, detail=detail, direction=direction, theme=theme)


def draw_svg(
    graph: Graph,
    *,
    detail: bool,
    direction: Direction,
    theme: Theme = "both",
    has_header: bool = True,
    has_legend: bool = True,
    heat: Mapping[int, Heat] | None = None,
    hues: Mapping[str, str] | None = None,
) -> str:
    """Return an SVG of *graph* for a file, a page or a PNG, which *theme* tells.

    *hues* has the hue of each flow, if others are on the same pages.
    """
    flows = [*graph.flows, *(flow for box in graph.boxes.values() for flow in box)]
    look = Look(
        graph, detail, hues or hues_of(flows), heat or {}, has_header, has_legend
    )
    is_system = len(graph.clusters) > 1 or bool(graph.boxes)
    page = system_page if is_system else flow_page
    picture = page(look, direction)
    if theme != "page" and len(graph.clusters) > 1 and not graph.boxes:
        _advise(picture)  # not in a page of ours, where readers can zoom
    style = ""
    if theme != "page":
        rules = style_of(theme, classes_in(picture.parts))
        style = element("style", {}, f"{font_faces()}\n{rules}")
    return element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "penstock",
            "role": "img",
            "width": round(picture.width),
            "height": round(picture.height),
            "viewBox": f"0 0 {picture.width:.1f} {picture.height:.1f}",
            "font-family": FAMILIES,
        },
        title(printable(graph.title) or "No flow"),
        element("desc", {}, escape(_in_words(graph))),
        style,
        element("g", {"class": "graph"}, *picture.parts),
    )


def _advise(picture: Picture) -> None:
    """Warn about a chain of flows that is too long to be looked at."""
    times = picture.height / picture.width
    if times > _MOST_TIMES and picture.height > _TALL:
        warn_caller(
            f"the picture is {times:.0f} times as tall as wide: each flow leads to the "
            "next. Draw an overview (overview=True, or --overview), or fewer flows."
        )


def _in_words(graph: Graph) -> str:
    """Return the steps and edges as sentences, for programs that read aloud."""
    counted = f"{len(graph.nodes)} step{'' if len(graph.nodes) == 1 else 's'}"
    steps = _listed([node.label for node in graph.nodes])
    edges = _listed(
        [f"{edge.before.label} → {edge.after.label}" for edge in graph.edges]
    )
    steps = f"{counted}: {steps}." if steps else f"{counted}."
    return printable(f"{steps} Edges: {edges}." if edges else steps)


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _MOST_LISTED
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(words[:_MOST_LISTED]) + rest
