"""Show a flow that is the value of a notebook cell."""

from __future__ import annotations

from contextlib import suppress

from penstock._graph.graph import build_graph
from penstock._registry import declared_flows
from penstock.errors import (
    ConfigurationError,
    MissingExtraError,
    PenstockError,
    RenderError,
)
from penstock.renderers.formats import fenced, find_renderer

from .embed import DiagramRequest, draw_text


def mime_bundle(name: str, text: str) -> dict[str, str]:
    """Return the diagram of a flow in every format that a notebook may show.

    JupyterLab 4.1 and later draw Mermaid, terminals show text, and other frontends
    show the SVG if it can be drawn. *text* goes above the diagram, or replaces it.
    """
    flows = declared_flows()
    try:
        mermaid = draw_text(DiagramRequest(name), flows)
        boxes = draw_text(DiagramRequest(name, format="text"), flows)
    except PenstockError as exc:
        return {"text/plain": f"{text}\n\n{exc}"}
    bundle = {
        "text/plain": f"{text}\n\n{boxes}",
        "text/markdown": fenced(mermaid, "mermaid"),
        "text/vnd.mermaid": mermaid,
    }
    graph = build_graph([flow for flow in flows if flow.name == name], flows)
    # Without an SVG there is still Mermaid and text to show.
    with suppress(ConfigurationError, MissingExtraError, RenderError):
        svg = find_renderer("svg")(graph, detail=False, direction="TD")
        bundle["image/svg+xml"] = str(svg)
    return bundle
