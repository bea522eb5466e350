"""Turn declared flows into nodes, edges and layers, ready to draw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .builder import Draft, Kind
from .layers import Links, layers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._types import FlowInfo, StepInfo

    from .evidence import EdgeEvidence, Evidence

__all__ = [
    "Bundle",
    "Cluster",
    "Columns",
    "Edge",
    "Graph",
    "Kind",
    "Node",
    "arrange",
    "build_graph",
]


@dataclass(frozen=True, slots=True)
class Node:
    """One step in a drawing.

    Attributes:
        number: Its place in ``Graph.nodes``.
        label: Its name as the drawing's reader needs it: ``charge``, or
            ``billing:invoice`` and ``shop/orders:publish`` for what lies outside.
        kind: ``step`` of a flow that is drawn; ``outside``: a step of a flow that
            is not; ``external``: another service's, and its manifest is not here;
            ``flow``: a flow of an overview, with all its steps.
        layer: How many edges the longest path to it has, cycles collapsed.
        step: What was declared; of an external one no more than flow and name.
        services: Who declares it; empty where services have no names.
    """

    number: int
    label: str
    kind: Kind
    layer: int
    step: StepInfo
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """One ``after``.

    Attributes:
        before: The predecessor.
        after: The step that names it.
        joins: Which ``all_of`` of the step it belongs to, counted from 1; empty
            for a plain alternative.
        is_crossing: Whether it leads from one process into another.
        evidence: What is known of it besides, if anybody has asked.
    """

    before: Node
    after: Node
    joins: tuple[int, ...]
    is_crossing: bool
    evidence: EdgeEvidence | None = None


class Bundle(NamedTuple):
    """What a line of an overview stands for.

    Attributes:
        size: How many edges.
        is_crossing: Whether all of them cross.
        seen: How many of them runs have taken, and never contradicted.
    """

    size: int
    is_crossing: bool
    seen: int = 0


class Cluster(NamedTuple):
    """One flow of a drawing.

    Attributes:
        flow: Its first service's declaration.
        nodes: Its steps.
        owners: Who answers for it, in the order of services.
    """

    flow: FlowInfo
    nodes: tuple[Node, ...]
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """What a renderer draws, in columns.

    Nodes are numbered by layer, then label. Objects for nodes and edges are made
    when somebody asks: of 100,000 each, that takes longer than to draw them.

    Attributes:
        flows: What is drawn, by name and service.
        labels: For each node its ``Node.label``; so too the next four.
        befores: For each edge the number of its predecessor, ascending.
        afters: For each edge the number of the step that comes after, sorted by
            label where the predecessor is one.
        joins: The members of each ``all_of``, for the nodes that have any.
        boxes: Of an overview, the declarations of each ``flow``; else empty.
        bundles: Of an overview, what each edge stands for; else empty.
        evidence: What code and runs show of it; None where nobody has asked.
    """

    flows: tuple[FlowInfo, ...]
    labels: Sequence[str]
    kinds: Sequence[Kind]
    layer_of: Sequence[int]
    steps: Sequence[StepInfo]
    services: Sequence[tuple[str, ...]]
    befores: Sequence[int]
    afters: Sequence[int]
    joins: Mapping[int, Sequence[frozenset[int]]]
    boxes: Mapping[int, tuple[FlowInfo, ...]] = field(default_factory=dict)
    bundles: Mapping[tuple[int, int], Bundle] = field(default_factory=dict)
    evidence: Evidence | None = None

    @property
    def title(self) -> str:
        """The names of the flows, as one line."""
        names = dict.fromkeys(flow.name for flow in self.flows)
        return "overview" if self.boxes else ", ".join(names)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, by number."""
        return tuple(
            map(
                Node,
                range(len(self.labels)),
                self.labels,
                self.kinds,
                self.layer_of,
                self.steps,
                self.services,
            )
        )

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges, in their order."""
        return tuple(map(self.edge, self.befores, self.afters))

    @property
    def layers(self) -> tuple[tuple[Node, ...], ...]:
        """The nodes of each layer."""
        return tuple(
            tuple(nodes) for _, nodes in groupby(self.nodes, key=lambda n: n.layer)
        )

    @cached_property
    def shared(self) -> frozenset[str]:
        """The names of the flows that several services declare."""
        times = Counter(flow.name for flow in self.flows)
        return frozenset(name for name, count in times.items() if count > 1)

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """The flows with their steps, by name."""
        members: dict[str, list[Node]] = {flow.name: [] for flow in self.flows}
        for node in self.nodes:
            if node.kind == "step":
                members[node.step.flow].append(node)
        first = {flow.name: flow for flow in reversed(self.flows)}
        owners: dict[str, dict[str, None]] = {name: {} for name in members}
        for flow in self.flows:
            owners[flow.name] |= {flow.owner: None} if flow.owner else {}
        return tuple(
            Cluster(first[name], tuple(nodes), tuple(owners[name]))
            for name, nodes in members.items()
        )

    def edge(self, number: int, other: int) -> Edge:
        """Return the edge from one number to another."""
        before, after = self.nodes[number], self.nodes[other]
        groups = enumerate(self.joins.get(other, ()), 1)
        joins = tuple(place for place, group in groups if number in group)
        bundle = self.bundles.get((number, other))
        crossing = bundle.is_crossing if bundle else _is_crossing(before, after)
        known = self.evidence.edges.get((number, other)) if self.evidence else None
        return Edge(before, after, joins, crossing, known)


class Columns(Protocol):
    """Nodes and links that have no order yet, as ``Draft`` has them."""

    steps: list[StepInfo]
    labels: list[str]
    services: list[tuple[str, ...]]
    kinds: list[Kind]
    befores: list[int]
    afters: list[int]
    joins: dict[int, list[frozenset[int]]]

    def by_label(self) -> list[int]:
        """Return the numbers of the nodes, sorted by label."""
        ...


def build_graph(flows: Iterable[FlowInfo], known: Iterable[FlowInfo] = ()) -> Graph:
    """Return the graph of *flows*.

    Args:
        flows: What to draw; flows of one name are one.
        known: Whatever else there is, so that a predecessor in a flow that is not
            drawn is found; may hold *flows* too.

    Raises:
        FlowDefinitionError: A predecessor that this service should have names
            nothing.
    """
    drawn = _united(flows)
    graph, _ = arrange(drawn, Draft(drawn, _united(known)))
    return graph


def arrange(flows: tuple[FlowInfo, ...], columns: Columns) -> tuple[Graph, list[int]]:
    """Return the graph of *columns*, and the number in it of each of their nodes."""
    order = columns.by_label()
    rank = _places(order)
    pairs = zip(columns.befores, columns.afters, strict=True)
    links = Links(len(order), ((rank[before], rank[after]) for before, after in pairs))
    layers = layers_of(links)
    by_layer = sorted(range(len(order)), key=layers.__getitem__)
    befores, afters = links.moved(_places(by_layer))
    order = [order[one] for one in by_layer]
    places = _places(order)
    graph = Graph(
        flows,
        labels=[columns.labels[one] for one in order],
        kinds=[columns.kinds[one] for one in order],
        layer_of=[layers[one] for one in by_layer],
        steps=[columns.steps[one] for one in order],
        services=[columns.services[one] for one in order],
        befores=befores,
        afters=afters,
        joins=_moved(columns.joins, places),
    )
    return graph, places


def _places(order: Sequence[int]) -> list[int]:
    """Return where each number stands in *order*."""
    places = [0] * len(order)
    for place, number in enumerate(order):
        places[number] = place
    return places


def _united(flows: Iterable[FlowInfo]) -> tuple[FlowInfo, ...]:
    """Return each flow of each service once, sorted; what was given first wins."""
    declared: dict[tuple[str, str], FlowInfo] = {}
    for flow in flows:
        old = declared.setdefault((flow.name, flow.service), flow)
        if old is not flow:
            steps = {step.name: step for step in (*flow.steps, *old.steps)}
            united = replace(old, steps=tuple(steps.values()))
            declared[flow.name, flow.service] = united
    return tuple(declared[key] for key in sorted(declared))


def _moved(
    joins: Mapping[int, Iterable[frozenset[int]]], places: Sequence[int]
) -> dict[int, list[frozenset[int]]]:
    return {
        places[number]: [frozenset(places[one] for one in group) for group in groups]
        for number, groups in joins.items()
    }


def _is_crossing(before: Node, after: Node) -> bool:
    """Tell whether processes differ: by declaration, or because services do."""
    if after.step.crosses or before.kind == "external":
        return True
    return bool(
        before.services
        and after.services
        and not set(before.services) & set(after.services)
    )
