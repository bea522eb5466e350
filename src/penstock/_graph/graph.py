"""Turn declared flows into nodes, edges and layers, ready to draw."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from .builder import Columns, GraphBuilder, NodeKind
from .layers import Adjacency, layers_of
from .merge import merge_flows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._types import FlowInfo, StepInfo

    from .evidence import EdgeEvidence, GraphEvidence


@dataclass(frozen=True, slots=True)
class Node:
    """One box in a drawing: a step, or in an overview a flow.

    Attributes:
        number: Its index in ``Graph.nodes``.
        label: Its name in the drawing: ``charge``, or ``billing:invoice`` and
            ``shop/orders:publish`` for a step outside the drawn flows.
        kind: ``step``: a step of a drawn flow; ``outside``: a step of a flow that is
            not drawn; ``external``: a step of another service whose manifest is not
            given; ``flow``: a flow of an overview, with all its steps.
        layer: The number of edges on the longest path to it, cycles collapsed.
        step: The declaration; for an external step, only flow and name are known.
        services: The services that declare it; empty if they have no names.
    """

    number: int
    label: str
    kind: NodeKind
    layer: int
    step: StepInfo
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """One predecessor of one step.

    Attributes:
        before: The predecessor.
        after: The step that is declared after it.
        joins: The numbers of the step's ``all_of`` groups that contain the
            predecessor, from 1; empty for a plain alternative.
        is_crossing: Whether it leads from one process into another.
        evidence: What code and runs show; None if the drawing has no evidence.
    """

    before: Node
    after: Node
    joins: tuple[int, ...]
    is_crossing: bool
    evidence: EdgeEvidence | None = None

    @property
    def is_guess(self) -> bool:
        """Whether only a name says that the step is called, and no run has shown it."""
        is_seen = self.evidence is not None and self.evidence.seen > 0
        return self.after.step.is_guess and not is_seen


class Bundle(NamedTuple):
    """The edges that one line of an overview stands for.

    Attributes:
        size: The number of edges.
        is_crossing: Whether all of them cross processes.
        seen: How many of them runs have taken, and never contradicted.
    """

    size: int
    is_crossing: bool
    seen: int = 0


class Cluster(NamedTuple):
    """One flow of a drawing, with its steps.

    Attributes:
        flows: Its declarations, one for each service.
        nodes: Its steps.
    """

    flows: tuple[FlowInfo, ...]
    nodes: tuple[Node, ...]

    @property
    def name(self) -> str:
        """The name of the flow."""
        return self.flows[0].name


@dataclass(frozen=True)
class Graph:
    """What a renderer draws.

    Nodes are numbered by layer, then by label. ``nodes``, ``edges``, ``layers`` and
    ``clusters`` are what most renderers need. The other attributes hold the same in
    one list per attribute: creating objects for 100,000 nodes and edges takes longer
    than drawing them.

    Attributes:
        flows: The drawn flows, sorted by name and service.
        labels: ``Node.label`` of each node; the next four likewise.
        befores: The number of each edge's predecessor, ascending.
        afters: The number of the step at the other end, for equal predecessors
            sorted by label.
        joins: The members of each ``all_of``, for the nodes that have any.
        boxes: In an overview, the declarations of each ``flow`` node; else empty.
        bundles: In an overview, what each edge stands for; else empty.
        evidence: What code and runs show; None if it was not requested.
    """

    flows: tuple[FlowInfo, ...]
    labels: Sequence[str]
    kinds: Sequence[NodeKind]
    layer_of: Sequence[int]
    steps: Sequence[StepInfo]
    services: Sequence[tuple[str, ...]]
    befores: Sequence[int]
    afters: Sequence[int]
    joins: Mapping[int, Sequence[frozenset[int]]]
    boxes: Mapping[int, tuple[FlowInfo, ...]] = field(default_factory=dict)
    bundles: Mapping[tuple[int, int], Bundle] = field(default_factory=dict)
    evidence: GraphEvidence | None = None

    @property
    def title(self) -> str:
        """The names of the flows, in one line."""
        names = dict.fromkeys(flow.name for flow in self.flows)
        return "overview" if self.boxes else ", ".join(names)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, sorted by number."""
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
        """The edges, sorted by the numbers of their predecessors."""
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
        """The drawn flows with their steps, sorted by name."""
        members: dict[str, list[Node]] = {flow.name: [] for flow in self.flows}
        for node in self.nodes:
            if node.kind == "step":
                members[node.step.flow].append(node)
        return tuple(
            Cluster(tuple(flows), tuple(members[name]))
            for name, flows in groupby(self.flows, key=lambda flow: flow.name)
        )

    def edge(self, number: int, other: int) -> Edge:
        """Return the edge between the nodes with these numbers."""
        before, after = self.nodes[number], self.nodes[other]
        groups = enumerate(self.joins.get(other, ()), 1)
        joins = tuple(place for place, group in groups if number in group)
        bundle = self.bundles.get((number, other))
        crossing = bundle.is_crossing if bundle else _is_crossing(before, after)
        known = self.evidence.edges.get((number, other)) if self.evidence else None
        return Edge(before, after, joins, crossing, known)


def build_graph(flows: Iterable[FlowInfo], known: Iterable[FlowInfo] = ()) -> Graph:
    """Return the graph of *flows*.

    Args:
        flows: The flows to draw. Flows of the same name are drawn as one; if one
            service declares a step twice, the first declaration counts.
        known: Other flows, which may contain predecessors; may include *flows*.

    Raises:
        FlowDefinitionError: A step is declared after one that does not exist.
    """
    drawn = merge_flows(flows, prefer_first=True)
    builder = GraphBuilder(drawn, merge_flows(known, prefer_first=True))
    graph, _ = arrange(drawn, builder.columns)
    return graph


def arrange(flows: tuple[FlowInfo, ...], columns: Columns) -> tuple[Graph, list[int]]:
    """Return the graph of *columns*, and the new number of each of their nodes."""
    order = columns.by_label()
    rank = _places(order)
    pairs = zip(columns.befores, columns.afters, strict=True)
    links = Adjacency(
        len(order), ((rank[before], rank[after]) for before, after in pairs)
    )
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
        joins={
            places[node]: [frozenset(places[one] for one in group) for group in groups]
            for node, groups in columns.joins.items()
        },
    )
    return graph, places


def _places(order: Sequence[int]) -> list[int]:
    """Return the index of each number in *order*."""
    places = [0] * len(order)
    for place, number in enumerate(order):
        places[number] = place
    return places


def _is_crossing(before: Node, after: Node) -> bool:
    """Return whether a message makes the call, or the services differ."""
    if after.step.crosses or before.kind == "external":
        return True
    return bool(
        before.services
        and after.services
        and not set(before.services) & set(after.services)
    )
