"""Write a graph as JSON; this is a service's manifest too."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from .places import portable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._graph import Edge, Graph
    from penstock._types import FlowInfo, StepInfo

    from .base import Direction

__all__ = ["MANIFEST_VERSION", "render_json"]

MANIFEST_VERSION = 1
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def render_json(
    graph: Graph,
    *,
    detail: bool,  # noqa: ARG001  # JSON always says everything
    direction: Direction,  # noqa: ARG001  # and has none
) -> str:
    """Return the manifest of the flows in *graph*, the same bytes everywhere.

    Flows, steps and edges are sorted, and no path is absolute.
    """
    services = {flow.service for flow in graph.flows}
    service = services.pop() if len(services) == 1 else ""
    edges = _by_declaration(graph)
    document = {
        "penstock": MANIFEST_VERSION,
        "service": service,
        "flows": [
            _flow(flow, service, edges.get((flow.name, flow.service), ()))
            for flow in graph.flows
        ],
    }
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):x}", text)


def _flow(flow: FlowInfo, service: str, edges: Iterable[Edge]) -> dict[str, object]:
    own = {} if flow.service == service else {"service": flow.service}
    return {
        "name": flow.name,
        **own,
        "owner": flow.owner,
        "description": flow.description,
        "tags": list(flow.tags),
        "steps": [_step(step) for step in sorted(flow.steps, key=lambda s: s.name)],
        "edges": [_edge(edge) for edge in edges],
    }


def _step(step: StepInfo) -> dict[str, object]:
    return {
        "name": step.name,
        "entrypoint": step.is_entrypoint,
        "after": sorted({tuple(sorted(set(group))) for group in step.after}),
        "description": step.description,
        "doc": step.doc,
        "tags": list(step.tags),
        "module": step.module,
        "qualname": step.qualname,
        "path": portable(step.path, step.module),
        "line": step.line,
        "async": step.is_async,
        "crosses": step.crosses,
    }


def _edge(edge: Edge) -> dict[str, object]:
    before, after = edge.before, edge.after
    is_far = before.kind == "step" and before.step.flow != after.step.flow
    return {
        "before": f"{before.step.flow}:{before.label}" if is_far else before.label,
        "after": after.label,
        "all_of": bool(edge.joins),
        "crosses": edge.is_crossing,
    }


def _by_declaration(graph: Graph) -> dict[tuple[str, str], list[Edge]]:
    """Sort the edges under name and service of the flow that first declares each."""
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
