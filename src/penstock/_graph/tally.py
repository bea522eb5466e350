"""Map the counts of a report, which go by name, to the nodes and edges of a graph."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from .names import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock._types import FlowInfo

    from .evidence import EdgeName
    from .graph import Graph

NodePair = tuple[int, int]
"""The numbers of the nodes at both ends of an edge."""


class NodeFinder:
    """Finds the nodes of a graph by the names that flows use for them.

    Attributes:
        drawn: The names of the drawn flows.
        links: The declared edges.
    """

    def __init__(self, graph: Graph, known: Iterable[FlowInfo]) -> None:
        every = [*graph.flows, *known]
        self.drawn: set[str] = {flow.name for flow in graph.flows}
        self.links: set[NodePair] = set(zip(graph.befores, graph.afters, strict=True))
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

    def undeclared(self, edge: EdgeName) -> NodePair | None:
        """Return the nodes of an edge, None if it is declared, a loop, or not drawn."""
        link = self.link(edge)
        if link is None or link in self.links or link[0] == link[1]:
            return None
        return link

    def link(self, edge: EdgeName) -> NodePair | None:
        """Return the nodes of an edge, None if one of them is not drawn."""
        flow, before, after = edge
        if flow not in self.drawn:
            return None
        numbers = self.number(before, flow), self.number(after, flow)
        if numbers[0] is None or numbers[1] is None:
            return None
        return numbers[0], numbers[1]


class EvidenceTally:
    """The counts of a report, by the numbers of a graph.

    Attributes:
        calls: How often each step was called.
        broken: How many of the calls broke the order.
        seen: How many calls took each declared edge.
        contradicted: How many runs had both steps, but never in this order.
        undeclared: Calls that broke the order, by caller and step.
        stale: What was counted, but is no longer declared.
    """

    def __init__(self, runs: Mapping[str, Any], finder: NodeFinder) -> None:
        self.calls: Counter[int] = Counter()
        self.broken: Counter[int] = Counter()
        self.seen: Counter[NodePair] = Counter()
        self.contradicted: Counter[NodePair] = Counter()
        self.undeclared: Counter[NodePair] = Counter()
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
