"""The facts about each step that a page shows, as JSON inside HTML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from penstock._steps.source_links import portable_path
from penstock.renderers.evidence_labels import edge_facts, node_evidence
from penstock.renderers.ids import node_ids
from penstock.renderers.labels import edge_label, linked_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._graph.graph import Graph, Node
    from penstock._types import FlowInfo, StepInfo

# Escaped, JSON means the same, and HTML finds neither a tag nor a comment in it.
_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&"})


def step_facts(graph: Graph) -> str:
    """Return a JSON object with one line for each step, by its id in the SVG.

    It is pure ASCII, and contains no character that is special in HTML.
    """
    ids = [f"step-{one}" for one in node_ids(graph)]
    joins = _joins(graph, ids)
    flows = {cluster.name: cluster.flows for cluster in graph.clusters}
    lines = []
    for one, node in zip(ids, graph.nodes, strict=True):
        facts = _facts(node, flows.get(node.step.flow, ()))
        if graph.evidence:
            facts["calls"] = ", ".join(node_evidence(node, graph))
        facts["joins"] = joins[one]
        lines.append(f"{json.dumps(one)}: {json.dumps(facts)}")
    inside = ",\n".join(lines).translate(_ESCAPES)
    return f"{{\n{inside}\n}}"


def _facts(node: Node, flows: Sequence[FlowInfo]) -> dict[str, object]:
    """Return the facts about *node*; *flows* are the declarations of its flow."""
    step = node.step
    flows = [
        flow for flow in flows if not node.services or flow.service in node.services
    ]
    owners = dict.fromkeys(flow.owner for flow in flows if flow.owner)
    return {
        "label": node.label,
        "name": step.name,
        "kind": node.kind,
        "entrypoint": step.is_entrypoint,
        "flow": step.flow,
        "owner": ", ".join(owners),
        "service": ", ".join(dict.fromkeys(node.services)),
        "tags": step.tags,
        "code": _code(step),
        "doc": step.doc or step.description,
        "place": f"{portable_path(step)}:{step.line}" if step.path else "",
        "link": linked_source(node, flows),
    }


def _code(step: StepInfo) -> str:
    name = step.qualname.rpartition("<locals>.")[2]
    if not name:
        return ""
    return f"{'async ' if step.is_async else ''}def {name}{step.signature or '(...)'}"


def _joins(graph: Graph, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return for each step the labels of its incoming edges."""
    joins: dict[str, dict[str, str]] = {one: {} for one in ids}
    for edge in graph.edges:
        label = edge_facts(edge, graph) or edge_label(edge, graph, detail=True)
        if label:
            joins[ids[edge.after.number]][ids[edge.before.number]] = label
    return joins
