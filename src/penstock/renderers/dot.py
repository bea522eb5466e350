"""Draw a graph in DOT, the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .evidence_labels import flow_evidence, legend, line_status, node_status
from .ids import cluster_ids, legend_id, node_ids
from .labels import cluster_title, edge_label, node_lines, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock._graph.evidence import EdgeStatus
    from penstock._graph.graph import Cluster, Edge, Graph, Node

    from .formats import Direction

_GRAPH = 'labelloc=t, fontsize=16, fontname="Arial", newrank=true'
_NODE = 'shape=box, style=rounded, color="#5f6b7a", fontname="Arial", fontsize=12'
_EDGE = 'color="#5f6b7a", arrowsize=0.8, fontname="Arial", fontsize=10'
_ENTRYPOINT = 'style="rounded,bold", color="#2e7d32", fontcolor="#1b5e20"'
_OUTSIDE = 'color="#9aa5b1", fontcolor="#5f6b7a"'
_KINDS = {
    "outside": _OUTSIDE,
    "external": f'style="rounded,dashed", {_OUTSIDE}',
    "flow": 'style="rounded,filled", fillcolor="#eef2f6"',
}
_EDGES: Mapping[EdgeStatus, str] = {
    "seen": 'color="#2a7d3f", penwidth=2',
    "unseen": 'color="#9aa5b1", fontcolor="#5f6b7a"',
    "declared-only": 'color="#9aa5b1", fontcolor="#5f6b7a", style=dotted',
    "contradicted": 'color="#c0392b", fontcolor="#a02619", penwidth=4',
    "undeclared": 'color="#c0392b", fontcolor="#a02619", style=dotted, penwidth=2, '
    "arrowhead=empty, constraint=false",
}
_STATUSES = {
    "uncalled": 'color="#9aa5b1", fontcolor="#5f6b7a"',
    "broken": 'color="#c0392b", penwidth=3',
}
_LEGEND = 'shape=plaintext, fontsize=10, fontcolor="#5f6b7a"'
_CLUSTER = 'style="rounded,dashed", color="#9aa5b1", labeljust=l'
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;", "\n": r"\n"})
_INDENT = "    "


def render_dot(graph: Graph, *, detail: bool, direction: Direction) -> str:
    """Return Graphviz's text for *graph*, without a newline at the end."""
    head = f"digraph {_quoted(printable(graph.title))} {{"
    body = (_INDENT + line for line in _Lines(graph, detail=detail).all(direction))
    return "\n".join((head, *body, "}"))


class _Lines:
    """The statements of one drawing."""

    def __init__(self, graph: Graph, *, detail: bool) -> None:
        self._graph = graph
        self._detail = detail
        self._ids = node_ids(graph)

    def all(self, direction: Direction) -> Iterator[str]:
        """Yield every line."""
        clusters = self._graph.clusters
        rankdir = "TB" if direction == "TD" else direction
        yield f"graph [{self._title(clusters)}{_GRAPH}, rankdir={rankdir}]"
        yield f"node [{_NODE}]"
        yield f"edge [{_EDGE}]"
        if len(clusters) > 1 or self._graph.boxes:
            yield from self._clusters(clusters)
        else:
            yield from map(self._node, self._graph.nodes)
        yield from map(self._edge, self._graph.edges)
        yield from self._legend()

    def _title(self, clusters: Sequence[Cluster]) -> str:
        if len(clusters) != 1 or self._graph.boxes:
            return ""  # each flow has a title of its own
        return f"label={self._heading(clusters[0])}, "

    def _heading(self, cluster: Cluster) -> str:
        title = cluster_title(cluster, detail=self._detail)
        return _quoted(title, *flow_evidence(cluster.name, self._graph))

    def _clusters(self, clusters: Iterable[Cluster]) -> Iterator[str]:
        ids = cluster_ids(self._graph, self._ids)
        for cluster in clusters:
            title = self._heading(cluster)
            yield f'subgraph "cluster_{ids[cluster.name]}" {{'
            yield f"{_INDENT}graph [label={title}, fontsize=13, {_CLUSTER}]"
            yield from (_INDENT + self._node(node) for node in cluster.nodes)
            yield "}"
        outside = (node for node in self._graph.nodes if node.kind != "step")
        yield from map(self._node, outside)

    def _node(self, node: Node) -> str:
        lines = node_lines(node, self._graph, detail=self._detail)
        name = self._ids[node.number]
        attributes = [] if lines == [name] else [f"label={_quoted(*lines)}"]
        attributes += _style_of(node)
        if status := node_status(node, self._graph):
            attributes.append(_STATUSES[status])
        return f'"{name}"' + (f" [{', '.join(attributes)}]" if attributes else "")

    def _legend(self) -> Iterator[str]:
        entries = [f"{label}: {meaning}" for _, label, meaning in legend(self._graph)]
        if entries:
            clusters = cluster_ids(self._graph, self._ids)
            label = "".join(rf"{entry}\l" for entry in entries)
            name = legend_id(self._ids, clusters.values())
            yield f'"{name}" [label="{label}", {_LEGEND}]'

    def _edge(self, edge: Edge) -> str:
        before, after = (self._ids[node.number] for node in (edge.before, edge.after))
        attributes = ["style=dashed"] if edge.is_crossing else []
        attributes += ["style=dotted"] if edge.is_guess else []
        if edge.evidence:
            status = line_status(edge.evidence, is_crossing=edge.is_crossing)
            attributes.append(_EDGES[status])
        label = edge_label(edge, self._graph, detail=self._detail)
        if label:
            label = f" {label} " if edge.evidence else label  # keeps it off the line
            attributes.append(f"label={_quoted(label)}")
        listed = f" [{', '.join(attributes)}]" if attributes else ""
        return f'"{before}" -> "{after}"{listed}'


def _style_of(node: Node) -> list[str]:
    """Return the attributes that distinguish a node from a plain step."""
    if node.kind == "step":
        return [_ENTRYPOINT] if node.step.is_entrypoint else []
    return [_KINDS[node.kind]]


def _quoted(*lines: str) -> str:
    return '"' + "\n".join(lines).translate(_ESCAPES) + '"'
