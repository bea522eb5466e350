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
_MAX_LEGIBLE = 12  # steps; with more, nobody can read the names in a thumbnail
_KEPT = frozenset(("class", "transform"))
_KEPT_OF_ROOT = frozenset(("class", "viewBox", "width", "height"))


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


def draw_linked(
    graph: Graph,
    link: Callable[[Node], str],
    *,
    hues: Mapping[str, str] | None = None,
    detail: bool = False,
    has_header: bool = True,
) -> str:
    """Return an SVG for a page, each box with the link that *link* returns."""
    root = _parsed(graph, hues, detail=detail, has_header=has_header)
    _add_links(root, graph, link)
    return _written(root)


def draw_thumbnail(graph: Graph, hues: Mapping[str, str]) -> str:
    """Return a small SVG of a flow: cards and lines, and names if they are legible."""
    root = _parsed(graph, hues, has_header=False, has_legend=False)
    is_legible = len(graph.labels) <= _MAX_LEGIBLE
    left_out = {"title", "desc", *([] if is_legible else ["text"])}
    for parent in list(root.iter()):
        if parent.tag == _tag("g"):
            for name in set(parent.attrib) - _KEPT:
                del parent.attrib[name]
        for child in list(parent):
            is_page = child.get("class") == "page"
            if is_page or child.tag in map(_tag, left_out):
                parent.remove(child)
    for name in set(root.attrib) - _KEPT_OF_ROOT:
        del root.attrib[name]
    root.set("aria-hidden", "true")
    return _written(root)


def _parsed(
    graph: Graph,
    hues: Mapping[str, str] | None,
    *,
    detail: bool = False,
    has_header: bool = True,
    has_legend: bool = True,
) -> ET.Element:
    ET.register_namespace("", _NAMESPACE)
    svg = draw_svg(
        graph,
        detail=detail,
        direction="TD",
        theme="page",
        has_header=has_header,
        has_legend=has_legend,
        hues=hues,
    )
    return ET.fromstring(svg)  # noqa: S314  # penstock drew it


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
