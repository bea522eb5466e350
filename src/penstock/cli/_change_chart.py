"""Draw what differs between two sets of flows as one Mermaid diagram."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock._graph.graph import build_graph
from penstock._graph.merge import merge_flows
from penstock.renderers.ids import node_ids
from penstock.renderers.mermaid import chart_of, warn_of_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock._graph.graph import Graph, Node
    from penstock._manifests.diff import FlowChange
    from penstock._types import FlowInfo
    from penstock.renderers.formats import Direction

# Each has its own text colour, to be readable on a light and on a dark page.
_LOOKS = {
    "added": "fill:#dafbe1,stroke:#1a7f37,color:#0a3d1a",
    "removed": "fill:#ffebe9,stroke:#cf222e,color:#6e0d16,stroke-dasharray:5 5",
    "changed": "fill:#fff8c5,stroke:#bf8700,color:#4d3800",
}
_LINKS = {
    "added": "stroke:#1a7f37,stroke-width:3px",
    "removed": "stroke:#cf222e,stroke-dasharray:5 5",
}
_LINK = re.compile(r'^ *(\w+)(?:\["[^"]*"\])? (?:-->|-\.->) (\w+)', re.MULTILINE)


def changes_as_mermaid(
    changes: Sequence[FlowChange],
    old: Sequence[FlowInfo],
    new: Sequence[FlowInfo],
    direction: Direction,
) -> str:
    """Return Mermaid text that draws the flows that differ, each as a whole.

    Args:
        changes: What differs.
        old: All old flows.
        new: All new flows.
        direction: Where edges point.
    """
    names = {change.name for change in changes}
    both = (replace(flow, service="") for flow in (*new, *old) if flow.name in names)
    graph = build_graph(merge_flows(both), (*new, *old))
    chart = chart_of(graph, detail=False, direction=direction)
    ids = node_ids(graph)
    numbers = {name: number for number, name in enumerate(ids)}
    links = [(numbers[a], numbers[b]) for a, b in _LINK.findall(chart)]
    marks = (
        *_node_marks(changes, graph, ids),
        *_link_marks(changes, graph, links),
    )
    chart = "\n".join((chart, *(f"    {mark}" for mark in marks)))
    warn_of_limits(chart, graph, detail=False)
    return chart


def _node_marks(
    changes: Iterable[FlowChange], graph: Graph, ids: Sequence[str]
) -> Iterator[str]:
    status_of = {
        (change.name, step.name): step.status
        for change in changes
        for step in change.steps
    }
    marked: dict[str, list[str]] = {name: [] for name in _LOOKS}
    for node in graph.nodes:
        status = status_of.get((node.step.flow, node.step.name))
        if node.kind == "step" and status:
            marked[status].append(ids[node.number])
    for name, look in _LOOKS.items():
        if marked[name]:
            yield f"classDef {name} {look}"
            yield f"class {','.join(marked[name])} {name}"


def _link_marks(
    changes: Iterable[FlowChange], graph: Graph, links: Sequence[tuple[int, int]]
) -> Iterator[str]:
    status_of = {
        (change.name, edge.before, edge.after): edge.status
        for change in changes
        for edge in change.edges
    }
    places: dict[str, list[str]] = {name: [] for name in _LINKS}
    for place, (one, other) in enumerate(links):
        before, after = graph.nodes[one], graph.nodes[other]
        key = (after.step.flow, _label(before, after), after.step.name)
        if status := status_of.get(key):
            places[status].append(str(place))
    for name, look in _LINKS.items():
        if places[name]:
            yield f"linkStyle {','.join(places[name])} {look}"


def _label(before: Node, after: Node) -> str:
    """Return the name of a predecessor in a comparison."""
    if before.kind == "step" and before.step.flow != after.step.flow:
        return f"{before.step.flow}:{before.label}"
    return before.label
