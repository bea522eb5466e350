"""Draw the pictures of a catalog: linked ones, and small ones for the index."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from penstock.errors import RenderError
from penstock.renderers.formats import find_renderer
from penstock.renderers.ids import node_ids
from penstock.renderers.picture.svg import draw_svg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from penstock._graph.graph import Graph, Node

_NAMESPACE = "http://www.w3.org/2000/svg"
_ROOM = 20  # around the cards, for lines
_MAX_LEGIBLE = 12  # steps; with more, nobody can read the names in a thumbnail
_KEPT = frozenset(("class", "transform"))


def draw(graph: Graph, form: str, *, detail: bool) -> bytes:
    """Return the content of a file with *graph* in the format *form*.

    Raises:
        RenderError: It cannot be drawn; the message names the graph.
    """
    try:
        drawing = find_renderer(form)(graph, detail=detail, direction="TD")
    except RenderError as exc:
        msg = f"the drawing of {graph.title!r} failed: {exc}"
        raise RenderError(msg) from exc
    return drawing if isinstance(drawing, bytes) else f"{drawing}\n".encode()


def draw_linked(graph: Graph, link: Callable[[Node], str]) -> str:
    """Return an SVG for a page, each box with the link that *link* returns."""
    root = _parsed(graph, detail=False)
    _add_links(root, graph, link)
    return _written(root)


def draw_flow(
    graph: Graph, link: Callable[[Node], str], hues: Mapping[str, str], *, detail: bool
) -> str:
    """Return a linked SVG of a flow, without the heading that its page has too."""
    root = _parsed(graph, detail=detail, hues=hues)
    x, y, width, height = _without_header(root)
    del x, width
    wide, high = (float(root.attrib[side]) for side in ("width", "height"))
    below = high if root.find(".//*[@class='legend']") is not None else y + height
    root.set("viewBox", f"0 {y:.0f} {wide:.0f} {below - y:.0f}")
    root.set("height", f"{below - y:.0f}")
    _add_links(root, graph, link)
    return _written(root)


def draw_thumbnail(graph: Graph, hues: Mapping[str, str]) -> str:
    """Return a small SVG of a flow: cards and lines, and names if they are legible."""
    root = _parsed(graph, detail=False, hues=hues, has_legend=False)
    area = _without_header(root)
    is_legible = len(graph.labels) <= _MAX_LEGIBLE
    for parent in list(root.iter()):
        if parent.tag == _tag("g"):
            for name in set(parent.attrib) - _KEPT:
                del parent.attrib[name]
        for child in list(parent):
            if child.tag in {_tag("title"), _tag("desc")} or not (
                is_legible or child.tag != _tag("text")
            ):
                parent.remove(child)
    root.attrib = {
        "class": "penstock",
        "viewBox": " ".join(f"{one:.0f}" for one in area),
        "width": f"{area[2]:.0f}",
        "height": f"{area[3]:.0f}",
        "aria-hidden": "true",
    }
    return _written(root)


def _parsed(
    graph: Graph,
    *,
    detail: bool,
    hues: Mapping[str, str] | None = None,
    has_legend: bool = True,
) -> ET.Element:
    ET.register_namespace("", _NAMESPACE)
    svg = draw_svg(
        graph,
        detail=detail,
        direction="TD",
        theme="page",
        has_legend=has_legend,
        hues=hues,
    )
    return ET.fromstring(svg)  # noqa: S314  # penstock drew it


def _without_header(root: ET.Element) -> tuple[float, float, float, float]:
    """Remove page and header, and return the area of the cards with some room."""
    (drawing,) = root.iterfind("*[@class='graph']")
    for child in list(drawing):
        if child.tag != _tag("g"):
            drawing.remove(child)
    cards = [
        [float(one.attrib[name]) for name in ("x", "y", "width", "height")]
        for one in drawing.iter(_tag("rect"))
        if "card" in one.attrib["class"].split()
    ]
    x, y = (min((card[at] for card in cards), default=0) - _ROOM for at in (0, 1))
    right, bottom = (
        max((card[at] + card[at + 2] for card in cards), default=0) + _ROOM
        for at in (0, 1)
    )
    return x, y, right - x, bottom - y


def _add_links(root: ET.Element, graph: Graph, link: Callable[[Node], str]) -> None:
    names = zip(node_ids(graph), graph.nodes, strict=True)
    targets = {f"step-{name}": link(node) for name, node in names}
    for parent in list(root.iter()):
        for at, child in enumerate(list(parent)):
            target = targets.get(child.get("id", ""))
            if target:
                anchor = ET.Element(_tag("a"), href=target)
                anchor.append(child)
                parent[at] = anchor


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"


def _written(root: ET.Element) -> str:
    return ET.tostring(root, encoding="unicode").rstrip()
