"""Show a flow as the value of a notebook's cell."""

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
from penstock.renderers.base import find_renderer
from penstock.renderers.formats import fenced

from .embed import Request, draw_text

__all__ = ["mime_bundle"]


def mime_bundle(name: str, words: str) -> dict[str, str]:
    """Return the diagram of a flow, in every way in which a notebook may show it.

    JupyterLab 4.1 and later draw Mermaid; a terminal shows the text. SVG is there
    where it can be drawn, for those that draw no Mermaid.

    Args:
        name: The flow's name.
        words: What is shown where nothing can be drawn.
    """
    flows = declared_flows()
    try:
        mermaid = draw_text(Request(name), flows)
        text = draw_text(Request(name, format="text"), flows)
    except PenstockError as exc:
        return {"text/plain": f"{words}\n\n{exc}"}
    bundle = {
        "text/plain": f"{words}\n\n{text}",
        "text/markdown": fenced(mermaid, "mermaid"),
        "text/vnd.mermaid": mermaid,
    }
    graph = build_graph([flow for flow in flows if flow.name == name], flows)
    # It is one more picture where it can be drawn, and the others are there.
    with suppress(ConfigurationError, MissingExtraError, RenderError):
        bundle["image/svg+xml"] = str(
            find_renderer("svg")(graph, detail=False, direction="TD")
        )
    return bundle
