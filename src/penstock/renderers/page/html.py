"""Draw a graph as one HTML file that loads no other files."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from penstock.renderers.evidence_labels import flow_evidence, legend
from penstock.renderers.html_assets import content_policy, read_asset
from penstock.renderers.labels import printable
from penstock.renderers.picture.svg import draw_svg
from penstock.renderers.picture.theme import page_style

from .step_facts import step_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._graph.graph import Graph
    from penstock._types import FlowInfo
    from penstock.renderers.formats import Direction

_CALLS_ROW = '\n<dt>Runs</dt><dd data-of="calls"></dd>'
_MAX_NAMED = 3  # flows in the title
_MAX_TITLE = 120  # characters
_KINDS = {
    "entrypoint": "entrypoint",
    "step": "step",
    "outside": "step of another flow",
    "external": "step of another service",
    "crossing": "between processes",
}


def render_html(graph: Graph, *, detail: bool, direction: Direction) -> str:
    """Return an HTML page of *graph*, without a newline at the end.

    A browser can open it without a network or any other file.
    """
    svg = draw_svg(
        graph, detail=detail, direction=direction, theme="page", has_legend=False
    )
    style = f"{page_style()}\n{_asset('page.css')}"
    script = _asset("page.js")
    if graph.evidence:
        style += f"\n{_asset('evidence.css')}"
    title = _title(graph)
    return Template(_asset("page.html")).substitute(
        policy=content_policy(style, script, "font-src data:"),
        title=escape(title[:_MAX_TITLE]),
        heading=escape(title),
        style=style,
        script=script,
        svg=svg,
        facts=step_facts(graph),
        more=_CALLS_ROW if graph.evidence else "",
        flows="\n".join(_flow(flow, graph) for flow in graph.flows),
        legend="\n".join(_legend(graph)),
    )


def _asset(name: str) -> str:
    return read_asset("penstock.renderers.page", name)


def _title(graph: Graph) -> str:
    names = list(dict.fromkeys(flow.name for flow in graph.flows))
    if len(names) > _MAX_NAMED:
        return f"{len(names)} flows"
    return printable(", ".join(names)) if names else "No flow"


def _flow(flow: FlowInfo, graph: Graph) -> str:
    """Return the section about a flow."""
    entrypoints = [step.name for step in flow.steps if step.is_entrypoint]
    rows = {
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
            f"<dl>{''.join(_pairs(rows.items()))}</dl>",
            "</section>",
        )
    )


def _pairs(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in rows:
        if text:
            yield f'<dt>{term}</dt><dd dir="auto">{escape(printable(text))}</dd>'


def _legend(graph: Graph) -> Iterator[str]:
    """Yield an entry for each style that occurs in the picture."""
    kinds = {
        "entrypoint" if node.step.is_entrypoint and node.kind == "step" else node.kind
        for node in graph.nodes
    }
    if any(edge.is_crossing for edge in graph.edges):
        kinds.add("crossing")
    for kind, text in _KINDS.items():
        if kind in kinds:
            yield f'<li><i class="sample {kind}"></i>{text}</li>'
    for status, label, meaning in legend(graph):
        yield (
            f'<li><label><input type="checkbox" id="show-{status}">'
            f'<i class="sample edge-{status}"></i>{label}: {meaning}</label></li>'
        )
