"""Draw flows with each edge in the colour of what runs have shown of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._graph import build_graph
from penstock._types import FlowInfo, StepInfo
from penstock.renderers.mermaid import render_mermaid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["draw_evidence"]

_STYLES = {
    "witnessed": "stroke:#2a7d3f,stroke-width:2px",
    "contradicted": "stroke:#c0392b,stroke-width:3px",
    "unexercised": "stroke:#a0a0a0,stroke-dasharray:4 4",
}


def draw_evidence(report: Mapping[str, Any]) -> str:
    """Return Markdown with a Mermaid diagram of each flow of a report.

    Green edges were seen, grey ones never, red ones are contradicted.
    """
    infos = {name: _info(name, flow) for name, flow in report["flows"].items()}
    parts = [
        f"## {name}\n\n```mermaid\n{_chart(infos[name], flow, infos)}\n```\n"
        for name, flow in report["flows"].items()
    ]
    return "\n".join(parts)


def _info(name: str, flow: Mapping[str, Any]) -> FlowInfo:
    after: dict[str, list[tuple[str]]] = {step: [] for step in flow["steps"]}
    for edge in flow["edges"]:
        after.setdefault(edge["after"], []).append((edge["before"],))
        if ":" not in edge["before"]:
            after.setdefault(edge["before"], [])
    steps = [StepInfo(step, name, after=tuple(names)) for step, names in after.items()]
    return FlowInfo(name, tuple(steps))


def _chart(
    info: FlowInfo, flow: Mapping[str, Any], infos: Mapping[str, FlowInfo]
) -> str:
    known = [*infos.values(), *_strangers(info, infos)]
    graph = build_graph([info], known)
    status = {(e["before"], e["after"]): e["status"] for e in flow["edges"]}
    lines = [render_mermaid(graph, detail=False, direction="TD")]
    for number, (one, other) in enumerate(
        zip(graph.befores, graph.afters, strict=True)
    ):
        style = _STYLES[
            status.get((graph.labels[one], graph.labels[other]), "unexercised")
        ]
        lines.append(f"    linkStyle {number} {style}")
    return "\n".join(lines)


def _strangers(info: FlowInfo, infos: Mapping[str, FlowInfo]) -> Iterator[FlowInfo]:
    """Give a flow for each name that no report declares, so that it can be drawn."""
    own = {step.name for step in info.steps}
    for step in info.steps:
        for name in step.predecessors:
            flow, _, other = name.partition(":")
            if name not in own and flow not in infos and "/" not in flow:
                yield FlowInfo(flow, (StepInfo(other, flow),))
