"""Lay what code and runs show over a graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .evidence import EdgeEvidence, Evidence, FlowEvidence, StepEvidence
from .tally import Places, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._types import FlowInfo

    from .evidence import Reading, Sources
    from .graph import Graph
    from .tally import Link

__all__ = ["evidenced"]


def evidenced(
    graph: Graph, known: Iterable[FlowInfo], sources: Sources
) -> tuple[Graph, Sequence[str]]:
    """Return *graph* with its evidence, and what was counted of things long gone.

    Calls that break the declared order become edges where their caller is drawn.

    Args:
        graph: What is declared.
        known: Whatever else there is, so that names are found.
        sources: What to hold it against.
    """
    places = Places(graph, known)
    tally = Tally(sources.runs, places)
    code = sources.code
    edges = _declared(graph, tally, code, places) | _undeclared(tally, code, places)
    links = list(edges)
    if len(links) > len(graph.befores):
        labels = graph.labels
        links.sort(key=lambda link: (link[0], labels[link[1]], link[1]))
    evidence = Evidence(
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
    return drawn, tuple(tally.lost)


def _declared(
    graph: Graph, tally: Tally, code: Reading | None, places: Places
) -> dict[Link, EdgeEvidence]:
    found: dict[Link, bool | None] = {}
    for edge, is_in_code in code.edges.items() if code else ():
        link = places.link(edge)
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
    tally: Tally, code: Reading | None, places: Places
) -> dict[Link, EdgeEvidence]:
    links: dict[Link, bool | None] = dict.fromkeys(tally.strays)
    for edge in code.undeclared if code else ():
        link = places.stray(edge)
        if link is not None:
            links[link] = True
    return {
        link: EdgeEvidence(
            is_declared=False, is_in_code=is_in_code, seen=tally.strays[link]
        )
        for link, is_in_code in links.items()
    }


def _steps(graph: Graph, tally: Tally) -> dict[int, StepEvidence]:
    """Return what is known of each step that is drawn, or that a report has."""
    own = (number for number, kind in enumerate(graph.kinds) if kind == "step")
    return {
        number: StepEvidence(tally.calls[number], tally.broken[number])
        for number in sorted({*own, *tally.calls})
    }


def _flows(
    graph: Graph,
    edges: Mapping[Link, EdgeEvidence],
    runs: Mapping[str, Mapping[str, int]],
) -> dict[str, FlowEvidence]:
    statuses: dict[str, list[str]] = {flow.name: [] for flow in graph.flows}
    for (_, after), edge in edges.items():
        statuses[graph.steps[after].flow].append(edge.status)
    return {
        name: FlowEvidence(
            runs=runs[name]["runs"] if name in runs else 0,
            edges=len(of) - of.count("undeclared"),
            seen=of.count("seen"),
            contradicted=of.count("contradicted"),
            undeclared=of.count("undeclared"),
        )
        for name, of in statuses.items()
    }
