"""The content of a catalog, before it becomes HTML or Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from penstock._graph.graph import build_graph
from penstock._graph.overview import overview_of
from penstock._steps.source_links import portable_path
from penstock.renderers.ids import node_ids
from penstock.renderers.labels import edge_label, linked_source, owners_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._graph.graph import Cluster, Edge, Graph, Node
    from penstock._types import FlowInfo

MAP_LEGEND = (
    "Each box is a flow. A number on a line says how many edges the line represents. A "
    "dashed line crosses from one process to another."
)
_MAX_DETAILED = 30  # steps; with more, descriptions hide the flow
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_HASHED = re.compile(r".*-[0-9a-f]{16}")
_UNFIT = re.compile(r"[^a-z0-9_]+")
_MAX_LENGTH = 40
# Windows reserves these names for devices, with any suffix.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul"]
    + [f"{port}{n}" for port in ("com", "lpt") for n in "0123456789"]
)


class StepLink(NamedTuple):
    """A link to a step before or after another.

    Attributes:
        label: The name of the step, as seen from the flow of the page.
        page: The page of its flow, ``""`` if it has none.
        anchor: Its anchor on that page.
        note: The label of the edge, such as ``all of``.
        flow: The flow of the step, as seen from the page.
    """

    label: str
    page: str
    anchor: str
    note: str = ""
    flow: str = ""


@dataclass(frozen=True, slots=True)
class StepEntry:
    """One step on the page of its flow."""

    node: Node
    anchor: str
    place: str
    link: str
    before: tuple[StepLink, ...]
    after: tuple[StepLink, ...]


@dataclass(frozen=True, slots=True)
class FlowEntry:
    """One flow of the catalog, which several services may declare.

    Attributes:
        flows: Its declarations, by service.
        page: The name of its page, without a suffix.
        graph: Its drawing.
        steps: Its steps, in the order of the drawing.
    """

    flows: tuple[FlowInfo, ...]
    page: str
    graph: Graph
    steps: tuple[StepEntry, ...]

    @property
    def name(self) -> str:
        """The flow's name."""
        return self.flows[0].name

    @property
    def owners(self) -> tuple[str, ...]:
        """Its owners, each once."""
        return owners_of(self.flows)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that declare it; empty if they have no names."""
        return tuple(flow.service for flow in self.flows if flow.service)

    @property
    def descriptions(self) -> tuple[str, ...]:
        """Its descriptions, each once."""
        texts = (flow.description for flow in self.flows if flow.description)
        return tuple(dict.fromkeys(texts))

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags, each once."""
        return tuple(dict.fromkeys(tag for flow in self.flows for tag in flow.tags))

    @property
    def entrypoints(self) -> tuple[StepEntry, ...]:
        """Its entrypoints."""
        return tuple(one for one in self.steps if one.node.step.is_entrypoint)

    @property
    def runs_after(self) -> tuple[StepLink, ...]:
        """The steps of other flows that it runs after."""
        return self._others(link for step in self.steps for link in step.before)

    @property
    def leads_to(self) -> tuple[StepLink, ...]:
        """The steps of other flows that run after it."""
        return self._others(link for step in self.steps for link in step.after)

    def _others(self, links: Iterable[StepLink]) -> tuple[StepLink, ...]:
        others = (link._replace(note="") for link in links if link.flow != self.name)
        return tuple(sorted(set(others)))

    @property
    def is_detailed(self) -> bool:
        """Whether its drawing shows descriptions and tags."""
        return len(self.graph.labels) <= _MAX_DETAILED


class Catalog:
    """All flows of a system.

    Attributes:
        entries: The flows, sorted by name.
        services: The names of the services that declare flows, sorted.
        overview: The graph of the whole system, with one box for each flow.

    Raises:
        FlowDefinitionError: A step is declared after one that does not exist.
    """

    def __init__(
        self, flows: Iterable[FlowInfo], known: Iterable[FlowInfo] = ()
    ) -> None:
        known = tuple(known)
        system = build_graph(flows, known)
        services = {one.service for one in system.flows} - {""}
        self.services: tuple[str, ...] = tuple(sorted(services))
        self.overview: Graph = overview_of(system)
        everything = (*system.flows, *known)
        graphs = {
            cluster.name: build_graph(cluster.flows, everything)
            for cluster in system.clusters
        }
        neighbours = _Neighbours(system, graphs)
        self.entries: tuple[FlowEntry, ...] = tuple(
            FlowEntry(
                flows=cluster.flows,
                page=page_name(cluster.name),
                graph=graphs[cluster.name],
                steps=neighbours.steps(cluster),
            )
            for cluster in system.clusters
        )

    @property
    def title(self) -> str:
        """The title of the index."""
        return f"Flows of {', '.join(self.services)}" if self.services else "Flows"


def page_name(flow: str) -> str:
    """Return the name of a flow's page, without a suffix.

    It depends on the flow's name alone, so that links stay valid. A name that is not
    a portable file name is shortened and gets part of its hash, so that no two flows
    share a page, even on a file system that ignores case.
    """
    if _PLAIN.fullmatch(flow) and flow not in _DEVICES and not _HASHED.fullmatch(flow):
        return flow
    stem = _UNFIT.sub("-", flow.lower()[:_MAX_LENGTH]).strip("-_")
    digest = sha256(flow.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{stem or 'flow'}-{digest}"


class _Neighbours:
    """Finds the steps before and after a step in the whole system."""

    def __init__(self, system: Graph, graphs: dict[str, Graph]) -> None:
        self._anchors = {
            (flow, step): anchor
            for flow, graph in graphs.items()
            for step, anchor in _anchors_of(graph)
        }
        self._system = system
        self._before: dict[int, list[Edge]] = {}
        self._after: dict[int, list[Edge]] = {}
        for edge in system.edges:
            self._before.setdefault(edge.after.number, []).append(edge)
            self._after.setdefault(edge.before.number, []).append(edge)

    def steps(self, cluster: Cluster) -> tuple[StepEntry, ...]:
        """Return the entries of the steps of a flow."""
        return tuple(
            StepEntry(
                node=node,
                anchor=self._anchors[node.step.flow, node.step.name],
                place=_place(node),
                link=linked_source(node, cluster.flows),
                before=self._links_before(node),
                after=self._links_after(node),
            )
            for node in cluster.nodes
        )

    def _links_before(self, node: Node) -> tuple[StepLink, ...]:
        links = (
            self._link(node, edge.before, edge_label(edge, self._system, detail=True))
            for edge in self._before.get(node.number, ())
        )
        return tuple(sorted(links))

    def _links_after(self, node: Node) -> tuple[StepLink, ...]:
        edges = self._after.get(node.number, ())
        return tuple(sorted(self._link(node, edge.after) for edge in edges))

    def _link(self, node: Node, other: Node, note: str = "") -> StepLink:
        if other.kind != "step":
            return StepLink(other.label, "", "", note, other.label.rpartition(":")[0])
        flow, step = other.step.flow, other.step.name
        label = step if flow == node.step.flow else f"{flow}:{step}"
        return StepLink(label, page_name(flow), self._anchors[flow, step], note, flow)


def _anchors_of(graph: Graph) -> Iterable[tuple[str, str]]:
    """Yield each step in the drawing of a flow, with its anchor on the page."""
    for node, name in zip(graph.nodes, node_ids(graph), strict=True):
        if node.kind == "step":
            yield node.step.name, f"about-{name}"


def _place(node: Node) -> str:
    step = node.step
    return f"{portable_path(step)}:{step.line}" if step.path else ""
