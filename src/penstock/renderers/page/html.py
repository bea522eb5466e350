"""Draw a graph as one HTML file: the picture, its text, and nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from penstock.renderers.evidence_labels import flow_evidence, legend
from penstock.renderers.labels import printable
from penstock.renderers.picture.image import render_svg

from .step_facts import facts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._graph.graph import Graph
    from penstock._types import FlowInfo
    from penstock.renderers.formats import Direction

__all__ = ["render_html"]

_CALLS = '\n<dt>Runs</dt><dd data-of="calls"></dd>'
_MAX_NAMED = 3  # flows in the title
_MAX_TITLE = 120  # characters
_KINDS = {
    "entrypoint": "entrypoint",
    "step": "step",
    "outside": "step of another flow",
    "external": "step of another service",
    "crossing": "from process to process",
}


def render_html(graph: Graph, *, detail: bool, direction: Direction) -> str:
    """Return an HTML page of *graph*, without a newline at the end.

    It needs nothing but a browser: no network, no other file.

    Raises:
        MissingExtraError: Nothing on this machine draws pictures.
        RenderError: Graphviz failed.
    """
    svg = render_svg(graph, detail=detail, direction=direction, has_legend=False)
    style, script = _asset("page.css"), _asset("page.js")
    if graph.evidence:
        style += f"\n{_asset('evidence.css')}"
    title = _title(graph)
    return Template(_asset("page.html")).substitute(
        policy=_policy(style, script),
        title=escape(title[:_MAX_TITLE]),
        heading=escape(title),
        style=style,
        script=script,
        svg=svg,
        facts=facts_of(graph),
        more=_CALLS if graph.evidence else "",
        flows="\n".join(_flow(flow, graph) for flow in graph.flows),
        legend="\n".join(_legend(graph)),
    )


def _asset(name: str) -> str:
    text = files("penstock.renderers.page").joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n").rstrip()


def _policy(style: str, script: str) -> str:
    """Return what the page may do: run its own script, and use its own style."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    inside = f"\n{text}\n"  # the template puts a newline on either side
    return f"sha256-{b64encode(sha256(inside.encode()).digest()).decode()}"


def _title(graph: Graph) -> str:
    names = list(dict.fromkeys(flow.name for flow in graph.flows))
    if len(names) > _MAX_NAMED:
        return f"{len(names)} flows"
    return printable(", ".join(names)) if names else "No flow"


def _flow(flow: FlowInfo, graph: Graph) -> str:
    """Return what is known of a flow."""
    entrypoints = [step.name for step in flow.steps if step.is_entrypoint]
    said = {
        "Service": flow.service,
        "Owner": flow.owner,
        "Tags": " ".join(f"#{tag}" for tag in flow.tags),
        "Entrypoints": ", ".join(entrypoints),
        "Steps": str(len(flow.steps)),
        "Evidence": ", ".join(flow_evidence(flow.name, graph)),
    }
    name = escape(printable(flow.name))
    about = escape(printable(flow.description)) if flow.description else ""
    return "\n".join(
        (
            f'<section class="flow" data-name="{name}">',
            f'<h2 dir="auto">{name}</h2>',
            *([f'<p dir="auto">{about}</p>'] if about else ()),
            f"<dl>{''.join(_pairs(said.items()))}</dl>",
            "</section>",
        )
    )


def _pairs(said: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in said:
        if text:
            yield f'<dt>{term}</dt><dd dir="auto">{escape(printable(text))}</dd>'


def _legend(graph: Graph) -> Iterator[str]:
    """Give a line for each look that something in the picture has."""
    kinds = {
        "entrypoint" if node.step.is_entrypoint and node.kind == "step" else node.kind
        for node in graph.nodes
    }
    if any(edge.is_crossing for edge in graph.edges):
        kinds.add("crossing")
    for kind, words in _KINDS.items():
        if kind in kinds:
            yield f'<li><i class="sample {kind}"></i>{words}</li>'
    for status, words, meaning in legend(graph):
        yield (
            f'<li><label><input type="checkbox" id="show-{status}">'
            f'<i class="sample edge-{status}"></i>{words}: {meaning}</label></li>'
        )
