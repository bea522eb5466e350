"""An overview of a system: each flow as one box, with its number of steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock._types import StepInfo

from .builder import Columns
from .graph import Bundle, arrange

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from penstock._types import FlowInfo

    from .evidence import EdgeEvidence, GraphEvidence
    from .graph import Edge, Graph, Node


def overview_of(graph: Graph, expand: Collection[str] = ()) -> Graph:
    """Return *graph* with each flow as one node, except those to *expand*.

    Edges between the same two nodes become one, and edges inside a flow disappear.
    """
    return OverviewBuilder(graph, frozenset(expand)).build()


class OverviewBuilder:
    """Builds the overview of a graph."""

    def __init__(self, graph: Graph, expanded: frozenset[str]) -> None:
        self._columns = Columns()
        self._graph = graph
        self._shown = tuple(flow for flow in graph.flows if flow.name in expanded)
        self._boxes: dict[str, tuple[FlowInfo, ...]] = {}
        for flow in graph.flows:
            if flow.name not in expanded:
                self._boxes[flow.name] = (*self._boxes.get(flow.name, ()), flow)
        self._box_numbers = {
            name: self._columns.add("flow", [name], [_as_step(flows)], _services(flows))
            for name, flows in self._boxes.items()
        }
        self._outside: dict[tuple[str, str], int] = {}
        self._homes = [self._home(node) for node in graph.nodes]
        self._sizes: Counter[tuple[int, int]] = Counter()
        self._crossing: Counter[tuple[int, int]] = Counter()
        self._seen: Counter[tuple[int, int]] = Counter()
        self._evidence: dict[tuple[int, int], EdgeEvidence] = {}
        for edge in graph.edges:
            self._add_edge(edge)

    def build(self) -> Graph:
        """Return the overview."""
        columns, homes = self._columns, self._homes
        columns.befores = [before for before, _ in self._sizes]
        columns.afters = [after for _, after in self._sizes]
        columns.joins = {
            homes[number]: [frozenset(homes[one] for one in group) for group in groups]
            for number, groups in self._graph.joins.items()
            if columns.kinds[homes[number]] == "step"
        }
        drawn, places = arrange(self._shown, columns)
        boxes = {
            places[self._box_numbers[name]]: flows
            for name, flows in self._boxes.items()
        }
        bundles = {
            (places[before], places[after]): Bundle(
                size, self._crossing[before, after] == size, self._seen[before, after]
            )
            for (before, after), size in self._sizes.items()
        }
        evidence = self._evidence_at(places)
        return replace(drawn, boxes=boxes, bundles=bundles, evidence=evidence)

    def _add_edge(self, edge: Edge) -> None:
        link = self._homes[edge.before.number], self._homes[edge.after.number]
        if not self._is_shown(edge, link):
            return
        self._sizes[link] += 1
        self._crossing[link] += edge.is_crossing
        if edge.evidence:
            self._seen[link] += edge.evidence.status == "seen"
            old = self._evidence.get(link)
            self._evidence[link] = old.plus(edge.evidence) if old else edge.evidence

    def _is_shown(self, edge: Edge, link: tuple[int, int]) -> bool:
        """Leave out edges inside a box, and undeclared edges to or from a box."""
        kinds = self._columns.kinds[link[0]], self._columns.kinds[link[1]]
        if edge.evidence and not edge.evidence.is_declared:
            return kinds == ("step", "step")
        return link[0] != link[1] or kinds[0] == "step"

    def _evidence_at(self, places: Sequence[int]) -> GraphEvidence | None:
        """Return the evidence with the node numbers of the overview."""
        whole = self._graph.evidence
        if whole is None:
            return None
        steps = {
            places[home]: whole.steps[number]
            for number, home in enumerate(self._homes)
            if self._columns.kinds[home] == "step" and number in whole.steps
        }
        edges = {
            (places[before], places[after]): known
            for (before, after), known in self._evidence.items()
        }
        return replace(whole, edges=edges, steps=steps)

    def _home(self, node: Node) -> int:
        """Return the number of the node that stands for *node* in the overview."""
        flow = node.step.flow
        if node.kind == "step":
            if flow in self._box_numbers:
                return self._box_numbers[flow]
            return self._add(node.label, node, node.step)
        label = node.label.removesuffix(f":{node.step.name}")
        key = node.kind, label
        if key not in self._outside:
            self._outside[key] = self._add(label, node, StepInfo(flow, flow))
        return self._outside[key]

    def _add(self, label: str, node: Node, step: StepInfo) -> int:
        return self._columns.add(node.kind, [label], [step], node.services)


def _as_step(flows: tuple[FlowInfo, ...]) -> StepInfo:
    first = flows[0]
    return StepInfo(
        first.name, first.name, description=first.description, tags=first.tags
    )


def _services(flows: tuple[FlowInfo, ...]) -> tuple[str, ...]:
    return tuple(flow.service for flow in flows if flow.service)
