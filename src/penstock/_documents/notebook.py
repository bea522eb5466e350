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
from penstock.renderers.formats import find_renderer

from .embed import DiagramRequest, draw_text


def mime_bundle(name: str, text: str) -> dict[str, str]:
    """Return the diagram of a flow as SVG, and as text for terminals.

    In a terminal, *text* is shown above the drawing, or above the reason why there is
    none. Mermaid is left out: notebooks would prefer it to the SVG, and a notebook
    that is saved as a page would then have to load a script.
    """
    flows = declared_flows()
    own = [flow for flow in flows if flow.name == name]
    if not own:
        others = ", ".join(sorted({flow.name for flow in flows}))
        known = f" Flows with steps are: {others}." if others else ""
        return {"text/plain": f"{text}\n\nIt has no steps yet.{known}"}
    try:
        boxes = draw_text(DiagramRequest(name, format="text"), flows)
    except PenstockError as exc:
        return {"text/plain": f"{text}\n\n{exc}"}
    bundle = {"text/plain": f"{text}\n\n{boxes}"}
    with suppress(ConfigurationError, MissingExtraError, RenderError):
        svg = find_renderer("svg")(
            build_graph(own, flows), detail=False, direction="TD"
        )
        bundle["image/svg+xml"] = str(svg)
    return bundle
