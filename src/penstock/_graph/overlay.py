"""Add evidence to a graph: what code and runs show about its edges and steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .evidence import EdgeEvidence, FlowEvidence, GraphEvidence, StepEvidence
from .names import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._types import FlowInfo

    from .evidence import CodeEvidence, EdgeName, Sources
    from .graph import Graph


_NodePair = tuple[int, int]
"""The numbers of the nodes at both ends of an edge."""


def add_evidence(
    graph: Graph, known: Iterable[FlowInfo], sources: Sources
) -> tuple[Graph, Sequence[str]]:
    """Return *graph* with its evidence, and what the report counts undeclared.

    Calls that break the declared order become edges if their caller is drawn.
    """
    finder = _NodeFinder(graph, known)
    tally = _EvidenceTally(sources.runs, finder)
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
        last_runs=sources.last_runs,
        slowest=sources.slowest,
        is_draft=sources.is_draft,
    )
    drawn = replace(
        graph,
        befores=[before for before, _ in links],
        afters=[after for _, after in links],
        evidence=evidence,
    )
    return drawn, tuple(tally.stale)


def _declared(
    graph: Graph, tally: _EvidenceTally, code: CodeEvidence | None, finder: _NodeFinder
) -> dict[_NodePair, EdgeEvidence]:
    found: dict[_NodePair, bool | None] = {}
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
    tally: _EvidenceTally, code: CodeEvidence | None, finder: _NodeFinder
) -> dict[_NodePair, EdgeEvidence]:
    links: dict[_NodePair, bool | None] = dict.fromkeys(tally.undeclared)
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


def _steps(graph: Graph, tally: _EvidenceTally) -> dict[int, StepEvidence]:
    """Return the evidence of each step that is drawn or counted."""
    own = (number for number, kind in enumerate(graph.kinds) if kind == "step")
    return {
        number: StepEvidence(tally.calls[number], tally.broken[number])
        for number in sorted({*own, *tally.calls})
    }


def _flows(
    graph: Graph,
    edges: Mapping[_NodePair, EdgeEvidence],
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


class _NodeFinder:
    """Finds the nodes of a graph by the names that flows use for them.

    Attributes:
        drawn: The names of the drawn flows.
        links: The declared edges.
    """

    def __init__(self, graph: Graph, known: Iterable[FlowInfo]) -> None:
        every = [*graph.flows, *known]
        self.drawn: set[str] = {flow.name for flow in graph.flows}
        self.links: set[_NodePair] = set(zip(graph.befores, graph.afters, strict=True))
        self._names = Names(every)
        self._flows = {flow.name: flow for flow in reversed(every)}
        self._numbers: dict[tuple[str, str], int] = {}
        self._external: dict[str, int] = {}
        for node in graph.nodes:
            if node.kind == "external":
                self._external[node.label] = node.number
            else:
                self._numbers[node.step.flow, node.step.name] = node.number

    def knows(self, flow: str) -> bool:
        """Return whether a flow is declared."""
        return flow in self._flows

    def number(self, name: str, flow: str) -> int | None:
        """Return the node that a flow calls *name*, None if it is not drawn."""
        target = self._names.find(name, self._flows[flow])
        if target is None:
            return None
        if target.step is None:
            label = f"{target.service}/{target.flow}:{target.name}"
            return self._external.get(label)
        return self._numbers.get((target.flow, target.name))

    def undeclared(self, edge: EdgeName) -> _NodePair | None:
        """Return the nodes of an edge, None if it is declared, a loop, or not drawn."""
        link = self.link(edge)
        if link is None or link in self.links or link[0] == link[1]:
            return None
        return link

    def link(self, edge: EdgeName) -> _NodePair | None:
        """Return the nodes of an edge, None if one of them is not drawn."""
        flow, before, after = edge
        if flow not in self.drawn:
            return None
        numbers = self.number(before, flow), self.number(after, flow)
        if numbers[0] is None or numbers[1] is None:
            return None
        return numbers[0], numbers[1]


class _EvidenceTally:
    """The counts of a report, by the numbers of a graph.

    Attributes:
        calls: How often each step was called.
        broken: How many of the calls broke the order.
        seen: How many calls took each declared edge.
        contradicted: How many runs had both steps, but never in this order.
        undeclared: Calls that broke the order, by caller and step.
        stale: What was counted, but is no longer declared.
    """

    def __init__(self, runs: Mapping[str, Any], finder: _NodeFinder) -> None:
        self.calls: Counter[int] = Counter()
        self.broken: Counter[int] = Counter()
        self.seen: Counter[_NodePair] = Counter()
        self.contradicted: Counter[_NodePair] = Counter()
        self.undeclared: Counter[_NodePair] = Counter()
        self.stale: dict[str, None] = {}
        self._finder = finder
        for name, flow in runs.items():
            if finder.knows(name):
                self._count(name, flow)
            elif flow["runs"] or any(flow["steps"].values()):
                self.stale[f"flow {name!r}"] = None

    def _count(self, name: str, flow: Mapping[str, Any]) -> None:
        for step, calls in flow["steps"].items():
            self._count_step(name, step, calls)
        if name in self._finder.drawn:
            for edge in flow["edges"]:
                self._count_edge(name, edge)
            for violation in flow["violations"]:
                self._count_violation(name, violation)

    def _count_step(self, flow: str, step: str, calls: int) -> None:
        number = self._finder.number(step, flow)
        if number is not None:
            self.calls[number] += calls
        elif calls and flow in self._finder.drawn:
            self.stale[_step(flow, step)] = None

    def _count_edge(self, flow: str, edge: Mapping[str, Any]) -> None:
        before, after = edge["before"], edge["after"]
        link = self._finder.link((flow, before, after))
        if link in self._finder.links:
            self.seen[link] += edge["witnessed"]
            self.contradicted[link] += edge["contradicted"]
        elif edge["witnessed"] or edge["contradicted"]:
            ends = {_step(flow, before), _step(flow, after)}
            if not ends & self.stale.keys():
                self.stale[f"edge {before!r} → {after!r} of {flow!r}"] = None

    def _count_violation(self, flow: str, violation: Mapping[str, Any]) -> None:
        number = self._finder.number(violation["step"], flow)
        if number is None or violation["code"] == "R2":  # counted with its edge
            return
        self.broken[number] += violation["count"]
        caller = violation.get("caller", "")  # missing in older reports
        link = self._finder.undeclared((flow, caller, violation["step"]))
        if link is not None:
            self.undeclared[link] += violation["count"]


def _step(flow: str, name: str) -> str:
    return f"step {name!r} of {flow!r}"
