"""Draw a system from further away: each flow as one box, with its number of steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from penstock._types import StepInfo

from .graph import Bundle, arrange

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from penstock._types import FlowInfo

    from .builder import Kind
    from .evidence import EdgeEvidence, Evidence
    from .graph import Edge, Graph, Node

__all__ = ["overview_of"]


def overview_of(graph: Graph, expand: Collection[str] = ()) -> Graph:
    """Return *graph* with each flow as one node, apart from those to *expand*.

    Edges between the same two nodes become one, and those inside a flow none.
    """
    draft = _Draft(graph, frozenset(expand))
    shown = tuple(flow for flow in graph.flows if flow.name in draft.expanded)
    drawn, places = arrange(shown, draft)
    boxes = {places[draft.of_flow[name]]: flows for name, flows in draft.boxes.items()}
    bundles = {
        (places[before], places[after]): Bundle(
            size, draft.crossing[before, after] == size, draft.seen[before, after]
        )
        for (before, after), size in draft.links.items()
    }
    return replace(drawn, boxes=boxes, bundles=bundles, evidence=draft.evidence(places))


class _Draft:
    """An overview in the making, in the columns that ``arrange`` takes.

    Attributes:
        expanded: The flows whose steps are shown.
        boxes: The declarations of every other flow.
        of_flow: The number of each of those.
        links: How many edges each link stands for.
        crossing: How many of those lead from process to process.
        seen: How many of them runs have taken.
    """

    def __init__(self, graph: Graph, expanded: frozenset[str]) -> None:
        self.steps: list[StepInfo] = []
        self.labels: list[str] = []
        self.services: list[tuple[str, ...]] = []
        self.kinds: list[Kind] = []
        self.expanded = expanded
        self.boxes: dict[str, tuple[FlowInfo, ...]] = {}
        self.of_flow: dict[str, int] = {}
        self._elsewhere: dict[tuple[str, str], int] = {}
        for flow in graph.flows:
            if flow.name not in expanded:
                self.boxes[flow.name] = (*self.boxes.get(flow.name, ()), flow)
        for name, flows in self.boxes.items():
            self.of_flow[name] = self._add(
                name, "flow", _as_step(flows), _services(flows)
            )
        homes = [self._home(node) for node in graph.nodes]
        self.links: Counter[tuple[int, int]] = Counter()
        self.crossing: Counter[tuple[int, int]] = Counter()
        self.seen: Counter[tuple[int, int]] = Counter()
        self._whole = graph.evidence
        self._homes = homes
        self._known: dict[tuple[int, int], EdgeEvidence] = {}
        for edge in graph.edges:
            link = homes[edge.before.number], homes[edge.after.number]
            if self._is_shown(edge, link):
                self.links[link] += 1
                self.crossing[link] += edge.is_crossing
                self._add_evidence(link, edge.evidence)
        self.befores = [before for before, _ in self.links]
        self.afters = [after for _, after in self.links]
        self.joins = {
            homes[number]: [frozenset(homes[one] for one in group) for group in groups]
            for number, groups in graph.joins.items()
            if self.kinds[homes[number]] == "step"
        }

    def by_label(self) -> list[int]:
        """Return the numbers of the nodes, sorted by label."""
        return sorted(
            range(len(self.labels)),
            key=lambda one: (self.labels[one], self.kinds[one], self.steps[one].flow),
        )

    def _is_shown(self, edge: Edge, link: tuple[int, int]) -> bool:
        """Tell whether an edge is not inside a box; what nobody declared is no line."""
        kinds = self.kinds[link[0]], self.kinds[link[1]]
        if edge.evidence and not edge.evidence.is_declared:
            return kinds == ("step", "step")
        return link[0] != link[1] or kinds[0] == "step"

    def evidence(self, places: Sequence[int]) -> Evidence | None:
        """Return what is known, with the numbers that *places* gives.

        Flows are as they were; of steps, there are those that are shown.
        """
        if self._whole is None:
            return None
        shown = {
            places[home]: self._whole.steps[number]
            for number, home in enumerate(self._homes)
            if self.kinds[home] == "step" and number in self._whole.steps
        }
        edges = {
            (places[before], places[after]): known
            for (before, after), known in self._known.items()
        }
        return replace(self._whole, edges=edges, steps=shown)

    def _add_evidence(self, link: tuple[int, int], edge: EdgeEvidence | None) -> None:
        if edge is None:
            return
        self.seen[link] += edge.status == "seen"
        old = self._known.get(link)
        self._known[link] = edge if old is None else old.plus(edge)

    def _home(self, node: Node) -> int:
        """Return the number of what stands for a node of the whole graph."""
        flow = node.step.flow
        if node.kind == "step":
            if flow in self.of_flow:
                return self.of_flow[flow]
            return self._add(node.label, node.kind, node.step, node.services)
        place = node.label.removesuffix(f":{node.step.name}")
        key = node.kind, place
        if key not in self._elsewhere:
            step = StepInfo(flow, flow)
            self._elsewhere[key] = self._add(place, node.kind, step, node.services)
        return self._elsewhere[key]

    def _add(
        self, label: str, kind: Kind, step: StepInfo, services: tuple[str, ...]
    ) -> int:
        self.labels.append(label)
        self.kinds.append(kind)
        self.steps.append(step)
        self.services.append(services)
        return len(self.labels) - 1


def _as_step(flows: tuple[FlowInfo, ...]) -> StepInfo:
    first = flows[0]
    return StepInfo(
        first.name, first.name, description=first.description, tags=first.tags
    )


def _services(flows: tuple[FlowInfo, ...]) -> tuple[str, ...]:
    return tuple(flow.service for flow in flows if flow.service)
