"""Draw a graph as one HTML file that loads no other files."""

from __future__ import annotations

from html import escape
from itertools import cycle
from string import Template
from typing import TYPE_CHECKING

from penstock.renderers.evidence_labels import flow_evidence, legend
from penstock.renderers.html_assets import (
    colour_variables,
    content_policy,
    read_asset,
)
from penstock.renderers.labels import owners_of, printable
from penstock.renderers.picture.svg import draw_svg
from penstock.renderers.picture.theme import HUES, by_name, hues_of, page_style

from .step_facts import step_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock._graph.evidence import FlowEvidence, GraphEvidence
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
    "crossing": "to another process",
    "guess": "guess, by its name alone",
}
_NO_NAME = "no name"
_SLOW, _FAST = 0.5, 0.1  # shares of the highest p95


def render_html(
    graph: Graph,
    *,
    detail: bool,
    direction: Direction,
    hues: Mapping[str, str] | None = None,
) -> str:
    """Return an HTML page of *graph*, without a newline at the end.

    A browser can open it without a network or any other file. *hues* has the hue of
    each flow, if the page belongs to others.
    """
    flows = _declarations(graph)
    hues = hues or hues_of([one for declared in flows.values() for one in declared])
    svg = draw_svg(
        graph,
        detail=detail,
        direction=direction,
        theme="page",
        has_legend=False,
        hues=hues,
    )
    # The script puts what is before the comment into a copied picture.
    style = f"{page_style()}\n/* page */\n{colour_variables()}\n{_asset('page.css')}"
    script = _asset("page.js")
    if graph.evidence:
        style += f"\n{_asset('evidence.css')}"
    title = _title(list(flows))
    groups = _groupings(flows, graph, hues)
    return Template(_asset("page.html")).substitute(
        policy=content_policy(style, script, "font-src data:", "img-src data:"),
        title=escape(title[:_MAX_TITLE]),
        heading=escape(title),
        style=style,
        script=script,
        svg=svg,
        facts=step_facts(graph),
        more=_CALLS_ROW if graph.evidence else "",
        colours="\n".join(f"<option>{mode}</option>" for mode in groups),
        flows="\n".join(
            _flow(name, flows[name], graph, groups) for name in sorted(flows)
        ),
        legend="\n".join(_legend(graph)),
    )


def _asset(name: str) -> str:
    return read_asset("penstock.renderers.page", name)


def _title(names: Sequence[str]) -> str:
    if len(names) > _MAX_NAMED:
        return f"{len(names)} flows"
    return printable(", ".join(names)) if names else "No flow"


def _declarations(graph: Graph) -> dict[str, list[FlowInfo]]:
    """Return the declarations of each flow, in a frame or in a box."""
    found: dict[str, list[FlowInfo]] = {}
    for flow in (*graph.flows, *(one for box in graph.boxes.values() for one in box)):
        found.setdefault(flow.name, []).append(flow)
    return found


def _groupings(
    flows: Mapping[str, Sequence[FlowInfo]], graph: Graph, drawn: Mapping[str, str]
) -> dict[str, dict[str, tuple[str, str]]]:
    """Return the group and the hue of each flow, for each way to colour the flows.

    The drawing has the colours of the first, which are *drawn*.
    """
    found = {
        kind: _grouped({name: getattr(all_[0], kind) for name, all_ in flows.items()})
        for kind in ("service", "owner")
    }
    groups = {
        kind: by_flow for kind, by_flow in found.items() if len({*by_flow.values()}) > 1
    } or {
        "service": {
            name: (group, drawn[name]) for name, (group, _) in found["service"].items()
        }
    }
    if graph.evidence:
        known = graph.evidence.flows
        groups["evidence"] = {name: _seen(known[name]) for name in flows}
        slowest_ms = {name: one[0] for name, one in graph.evidence.slowest.items()}
        most_ms = max(slowest_ms.values(), default=0.0)
        if most_ms:
            groups["heat"] = {
                name: _heat(slowest_ms.get(name, 0.0) / most_ms) for name in flows
            }
    return dict(
        sorted(
            groups.items(),
            key=lambda one: any(
                hue != drawn[name] for name, (_, hue) in one[1].items()
            ),
        )
    )


def _grouped(groups: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    hues = dict(zip(sorted({*groups.values()}, key=by_name), cycle(HUES)))
    return {flow: (group, hues[group]) for flow, group in groups.items()}


def _seen(known: FlowEvidence) -> tuple[str, str]:
    """Return whether runs have shown a flow, and a hue for that."""
    if known.contradicted + known.undeclared:
        return "not as declared", "wrong"
    return ("seen", "blue") if known.runs + known.seen else ("never seen", "slate")


def _heat(share: float) -> tuple[str, str]:
    """Return how slow the slowest step of a flow is, and a hue for that."""
    if share >= _SLOW:
        return "slow", "orange"
    if share >= _FAST:
        return "medium", "blue"
    return ("fast", "teal") if share else ("no figures", "slate")


def _flow(
    name: str,
    flows: Sequence[FlowInfo],
    graph: Graph,
    groups: Mapping[str, Mapping[str, tuple[str, str]]],
) -> str:
    """Return the section about a flow."""
    services = dict.fromkeys(flow.service for flow in flows if flow.service)
    steps = {step.name: step for flow in flows for step in flow.steps}
    entrypoints = [step.name for step in steps.values() if step.is_entrypoint]
    tags = dict.fromkeys(tag for flow in flows for tag in flow.tags)
    rows = {
        "Owner": ", ".join(owners_of(flows)),
        "Tags": " ".join(f"#{tag}" for tag in tags),
        "Entrypoints": ", ".join(entrypoints),
        "Steps": str(len(steps)),
        "Evidence": ", ".join(flow_evidence(name, graph)),
        **(_figures(name, graph.evidence) if graph.evidence else {}),
    }
    shown = escape(printable(name))
    hue = next(iter(groups.values()))[name][1]
    data = "".join(
        f' data-{mode}="{escape(printable(group or _NO_NAME))}" data-{mode}-hue="{hue}"'
        for mode, by_flow in groups.items()
        for group, hue in (by_flow[name],)
    )
    begin = f'<section class="flow hue-{hue}" data-name="{shown}"'
    about = dict.fromkeys(flow.description for flow in flows if flow.description)
    return "\n".join(
        (
            f'{begin} data-steps="{len(steps)}"{data}>',
            *(
                f'<span class="service">{escape(printable(one))}</span>'
                for one in services
            ),
            f'<h2 dir="auto">{shown}</h2>',
            *(f'<p dir="auto">{escape(printable(one))}</p>' for one in about),
            f"<dl>{''.join(_pairs(rows.items()))}</dl>",
            "</section>",
        )
    )


def _figures(flow: str, known: GraphEvidence) -> dict[str, str]:
    """Return what only logs tell of a flow."""
    p95_ms, slowest = known.slowest.get(flow, (0.0, ""))
    return {
        "Slowest step": f"{slowest}, p95 {p95_ms:,.0f} ms" if p95_ms else "",
        "Last run": known.last_runs.get(flow, ""),
    }


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
    if any(edge.is_guess for edge in graph.edges):
        kinds.add("guess")
    for kind, text in _KINDS.items():
        if kind in kinds:
            yield f'<li><i class="sample {kind}"></i>{text}</li>'
    for status, label, meaning in legend(graph):
        yield (
            f'<li><label><input type="checkbox" id="show-{status}">'
            f'<i class="sample edge-{status}"></i>{label}: {meaning}</label></li>'
        )
