"""Write a graph as JSON, which is also the manifest of a service."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from penstock._steps.source_links import portable_path
from penstock._types import StepInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock._graph.evidence import EdgeEvidence
    from penstock._graph.graph import Edge, Graph
    from penstock._types import FlowInfo

    from .formats import Direction

MANIFEST_VERSION = 1
STEP_KEYS = {
    each.name: each.name.removeprefix("is_")
    for each in fields(StepInfo)
    if each.name not in {"flow", "is_guess"}  # nothing that is declared is a guess
}
"""The key of each field of ``StepInfo`` in a manifest, in its order."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def render_json(
    graph: Graph,
    *,
    detail: bool,  # noqa: ARG001  # JSON always contains everything
    direction: Direction,  # noqa: ARG001  # JSON has none
) -> str:
    """Return the manifest of the flows in *graph*, the same bytes everywhere.

    Flows, steps and edges are sorted, and no path is absolute. With evidence, flows,
    steps and edges have a key ``evidence``.
    """
    services = {flow.service for flow in graph.flows}
    service = services.pop() if len(services) == 1 else ""
    edges = _by_declaration(graph)
    steps = _step_evidence(graph)
    document = {
        "penstock": MANIFEST_VERSION,
        "service": service,
        "flows": [
            _flow(flow, service, edges.get((flow.name, flow.service), ()), steps)
            | _flow_evidence(flow, edges, graph)
            for flow in graph.flows
        ],
    }
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):x}", text)


def _flow(
    flow: FlowInfo,
    service: str,
    edges: Iterable[Edge],
    known: Mapping[tuple[str, str], dict[str, object]],
) -> dict[str, object]:
    link = {"source_url": flow.source_url} if flow.source_url else {}
    own = {} if flow.service == service else {"service": flow.service}
    return {
        "name": flow.name,
        **own,
        **link,
        "owner": flow.owner,
        "description": flow.description,
        "tags": list(flow.tags),
        "steps": [
            _step(step) | known.get((flow.name, step.name), {})
            for step in sorted(flow.steps, key=lambda s: s.name)
        ],
        "edges": [_edge(edge) for edge in edges if not _is_undeclared(edge)],
    }


def _step(step: StepInfo) -> dict[str, object]:
    values = {key: getattr(step, name) for name, key in STEP_KEYS.items()}
    values["after"] = sorted({tuple(sorted(set(group))) for group in step.after})
    values["path"] = portable_path(step)
    if not step.is_generator:  # the key is younger than many committed manifests
        del values["generator"]
    return values


def _edge(edge: Edge) -> dict[str, object]:
    before, after = edge.before, edge.after
    is_far = before.kind == "step" and before.step.flow != after.step.flow
    return {
        "before": f"{before.step.flow}:{before.label}" if is_far else before.label,
        "after": after.label,
        "all_of": bool(edge.joins),
        "crosses": edge.is_crossing,
        **({"guess": True} if edge.is_guess else {}),
        **({"evidence": _known(edge.evidence)} if edge.evidence else {}),
    }


def _flow_evidence(
    flow: FlowInfo, edges: Mapping[tuple[str, str], Iterable[Edge]], graph: Graph
) -> dict[str, object]:
    """Return the evidence for a flow, and the edges that are not declared."""
    if graph.evidence is None:
        return {}
    own = edges.get((flow.name, flow.service), ())
    return {
        "undeclared": [_edge(edge) for edge in own if _is_undeclared(edge)],
        "evidence": asdict(graph.evidence.flows[flow.name]),
    }


def _step_evidence(graph: Graph) -> dict[tuple[str, str], dict[str, object]]:
    found: dict[tuple[str, str], dict[str, object]] = {}
    for number, known in graph.evidence.steps.items() if graph.evidence else ():
        step = graph.steps[number]
        counts = {"calls": known.calls, "too_early": known.broken}
        found[step.flow, step.name] = {"evidence": counts}
    return found


def _is_undeclared(edge: Edge) -> bool:
    return edge.evidence is not None and not edge.evidence.is_declared


def _known(edge: EdgeEvidence) -> dict[str, object]:
    return {
        "declared": edge.is_declared,
        "found_in_code": edge.is_in_code,
        "seen": edge.seen,
        "contradicted": edge.contradicted,
        "status": edge.status,
    }


def _by_declaration(graph: Graph) -> dict[tuple[str, str], list[Edge]]:
    """Group the edges by the name and service of the flow that declares each first."""
    homes = {
        (flow.name, step.name): (flow.name, flow.service)
        for flow in reversed(graph.flows)
        for step in flow.steps
    }
    edges: dict[tuple[str, str], list[Edge]] = {}
    for edge in graph.edges:
        home = homes[edge.after.step.flow, edge.after.label]
        edges.setdefault(home, []).append(edge)
    return edges
