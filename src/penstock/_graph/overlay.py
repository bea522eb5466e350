"""Add to a graph what code and runs show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .evidence import EdgeEvidence, FlowEvidence, GraphEvidence, StepEvidence
from .tally import EvidenceTally, NodeFinder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._types import FlowInfo

    from .evidence import CodeEvidence, Sources
    from .graph import Graph
    from .tally import NodePair


def add_evidence(
    graph: Graph, known: Iterable[FlowInfo], sources: Sources
) -> tuple[Graph, Sequence[str]]:
    """Return *graph* with its evidence, and what the report counts undeclared.

    Calls that break the declared order become edges if their caller is drawn.

    Args:
        graph: What is declared.
        known: Other flows, which may contain predecessors.
        sources: What code and runs show.
    """
    finder = NodeFinder(graph, known)
    tally = EvidenceTally(sources.runs, finder)
    code = sources.code
    edges = _declared(graph, tally, code, finder) | _undeclared(tally, code, finder)
    links = list(edges)
    if len(links) > len(graph.befores):
        labels = graph.labels
        links.sort(key=lambda link: (link[0], labels[link[1]], link[1]))
    evidence = GraphEvidence(
        edges,
        _steps(graph, tally),
        _flows(graph, edges, sources.runs),
        has_code=code is not None,
    )
    drawn = replace(
        graph,
        befores=[before for before, _ in links],
        afters=[after for _, after in links],
        evidence=evidence,
    )
    return drawn, tuple(tally.stale)


def _declared(
    graph: Graph, tally: EvidenceTally, code: CodeEvidence | None, finder: NodeFinder
) -> dict[NodePair, EdgeEvidence]:
    found: dict[NodePair, bool | None] = {}
    for edge, is_in_code in code.edges.items() if code else ():
        link = finder.link(edge)
        if link is not None:
            found[link] = is_in_code
    return {
        link: EdgeEvidence(
            is_in_code=found.get(link),
            seen=tally.seen[link],
            contradicted=tally.contradicted[link],
        )
        for link in zip(graph.befores, graph.afters, strict=True)
    }


def _undeclared(
    tally: EvidenceTally, code: CodeEvidence | None, finder: NodeFinder
) -> dict[NodePair, EdgeEvidence]:
    links: dict[NodePair, bool | None] = dict.fromkeys(tally.undeclared)
    for edge in code.undeclared if code else ():
        link = finder.undeclared(edge)
        if link is not None:
            links[link] = True
    return {
        link: EdgeEvidence(
            is_declared=False, is_in_code=is_in_code, seen=tally.undeclared[link]
        )
        for link, is_in_code in links.items()
    }


def _steps(graph: Graph, tally: EvidenceTally) -> dict[int, StepEvidence]:
    """Return the evidence of each step that is drawn or counted."""
    own = (number for number, kind in enumerate(graph.kinds) if kind == "step")
    return {
        number: StepEvidence(tally.calls[number], tally.broken[number])
        for number in sorted({*own, *tally.calls})
    }


def _flows(
    graph: Graph,
    edges: Mapping[NodePair, EdgeEvidence],
    runs: Mapping[str, Mapping[str, int]],
) -> dict[str, FlowEvidence]:
    statuses: dict[str, list[str]] = {flow.name: [] for flow in graph.flows}
    for (_, after), edge in edges.items():
        statuses[graph.steps[after].flow].append(edge.status)
    return {
        name: FlowEvidence(
            runs=runs[name]["runs"] if name in runs else 0,
            edges=len(found) - found.count("undeclared"),
            seen=found.count("seen"),
            contradicted=found.count("contradicted"),
            undeclared=found.count("undeclared"),
        )
        for name, found in statuses.items()
    }
