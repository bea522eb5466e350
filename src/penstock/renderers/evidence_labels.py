"""The labels that show the evidence for edges, steps and flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._graph.evidence import FlowEvidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from penstock._graph.evidence import EdgeEvidence, EdgeStatus
    from penstock._graph.graph import Edge, Graph, Node

# Labels and line styles differ too, for readers who cannot tell green from red.
_MEANINGS: Mapping[EdgeStatus, tuple[str, str]] = {
    "seen": ("n×", "calls that took this edge"),
    "unseen": ("unseen", "no run took this edge"),
    "declared-only": ("only declared", "neither runs nor the code take this edge"),
    "contradicted": ("contradicted", "runs of both steps, but never in this order"),
    "undeclared": ("not declared", "a call before any declared predecessor"),
}


def edge_evidence(edge: Edge, graph: Graph) -> str:
    """Return the label of an edge, ``""`` without evidence."""
    known = edge.evidence
    if known is None:
        return ""
    if edge.is_guess:
        return "guess"
    seen = _times(known.seen) if known.seen else ""
    against = _times(known.contradicted) if known.contradicted else ""
    bundle = graph.bundles.get((edge.before.number, edge.after.number))
    parts = [_MEANINGS[known.status][0]]
    if bundle and bundle.size > 1:
        parts = [f"{bundle.size} edges", f"{bundle.seen} seen"]
        parts += [f"{against} contradicted"] if against else []
    elif known.status == "seen":
        parts = [seen]
    elif known.status == "contradicted":
        parts = [f"contradicted {against}", f"seen {seen}" if seen else ""]
    elif known.status == "undeclared":
        parts.append(seen)
    return ", ".join(filter(None, parts))


def edge_facts(edge: Edge, graph: Graph) -> str:
    """Return all evidence for an edge in one line, ``""`` without evidence."""
    known = edge.evidence
    if known is None or graph.evidence is None:
        return ""
    parts = ["declared" if known.is_declared else "not declared"]
    if graph.evidence.is_draft:
        parts = []
    if graph.evidence.has_code:
        parts.append(_in_code(known))
    parts.append(f"seen {_times(known.seen)}" if known.seen else "never seen")
    if known.contradicted:
        parts.append(f"contradicted {_times(known.contradicted)}")
    return ", ".join(parts)


def line_status(known: EdgeEvidence, *, is_crossing: bool) -> EdgeStatus:
    """Return the status that a line is drawn with: a crossing line stays dashed."""
    if is_crossing and known.status == "declared-only":
        return "unseen"
    return known.status


def node_evidence(node: Node, graph: Graph) -> list[str]:
    """Return the lines about a step, or about the flow of a box."""
    if node.kind == "flow":
        return flow_evidence(node.step.flow, graph)
    known = graph.evidence.steps.get(node.number) if graph.evidence else None
    if known is None:
        return []
    calls = _plural(known.calls, "call") if known.calls else "never called"
    return [f"{calls}, {known.broken:,} too early" if known.broken else calls]


def node_status(node: Node, graph: Graph) -> str:
    """Return ``uncalled`` or ``broken`` if one applies, else ``""``."""
    if graph.evidence is None:
        return ""
    if node.kind == "flow":
        flow = graph.evidence.flows[node.step.flow]
        is_broken = flow.contradicted + flow.undeclared
        is_called = flow.runs + flow.seen
    elif known := graph.evidence.steps.get(node.number):
        is_broken, is_called = known.broken, known.calls
    else:
        return ""
    return "broken" if is_broken else "" if is_called else "uncalled"


def flow_evidence(flow: str, graph: Graph) -> list[str]:
    """Return how much of a flow was seen, and what is wrong; empty without evidence."""
    if graph.evidence is None:
        return []
    known = graph.evidence.flows[flow]
    lines = (", ".join(_coverage(known)), ", ".join(_faults(known)))
    return list(filter(None, lines))


def evidence_of_all(graph: Graph) -> list[str]:
    """Return the same for all flows together."""
    if graph.evidence is None:
        return []
    flows = graph.evidence.flows.values()
    known = FlowEvidence(
        sum(flow.runs for flow in flows),
        sum(flow.edges for flow in flows),
        sum(flow.seen for flow in flows),
        sum(flow.contradicted for flow in flows),
        sum(flow.undeclared for flow in flows),
    )
    return [*_coverage(known), *_faults(known)]


def legend(graph: Graph) -> Iterator[tuple[EdgeStatus, str, str]]:
    """Yield each status that an edge has, with its label and its meaning.

    The label of a line that represents several edges needs no explanation.
    """
    if graph.evidence is None:
        return
    single = {
        known.status
        for link, known in graph.evidence.edges.items()
        if link not in graph.bundles or graph.bundles[link].size == 1
    }
    for status, (label, meaning) in _MEANINGS.items():
        if status in single:
            yield status, label, meaning


def _coverage(known: FlowEvidence) -> Iterator[str]:
    if known.edges:
        percent = round(100 * known.seen / known.edges)
        yield f"{known.seen:,} of {_plural(known.edges, 'edge')} seen ({percent} %)"
    if known.runs or not known.seen:  # without runs, messages made the calls
        yield _plural(known.runs, "run")


def _faults(known: FlowEvidence) -> Iterator[str]:
    if known.contradicted:
        yield f"{known.contradicted:,} contradicted"
    if known.undeclared:
        yield f"{known.undeclared:,} not declared"


def _in_code(known: EdgeEvidence) -> str:
    if known.is_in_code is None:
        return "unclear in the code"
    return "found in the code" if known.is_in_code else "not found in the code"


def _times(count: int) -> str:
    return f"{count:,}×"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
