"""Draw the pictures of a catalog, with links on their boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from penstock.errors import RenderError
from penstock.renderers.formats import find_renderer
from penstock.renderers.ids import node_ids
from penstock.renderers.picture.svg import draw_svg

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._graph.graph import Graph, Node

_NAMESPACE = "http://www.w3.org/2000/svg"


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


def draw_linked(graph: Graph, link: Callable[[Node], str], *, detail: bool) -> str:
    """Return an SVG for a page, each box with the link that *link* returns."""
    ET.register_namespace("", _NAMESPACE)
    svg = draw_svg(graph, detail=detail, direction="TD", theme="page")
    root = ET.fromstring(svg)  # noqa: S314  # penstock drew it
    names = zip(node_ids(graph), graph.nodes, strict=True)
    targets = {f"step-{name}": link(node) for name, node in names}
    for parent in list(root.iter()):
        for at, child in enumerate(list(parent)):
            target = targets.get(child.get("id", ""))
            if target:
                anchor = ET.Element(f"{{{_NAMESPACE}}}a", href=target)
                anchor.append(child)
                parent[at] = anchor
    return ET.tostring(root, encoding="unicode").rstrip()
