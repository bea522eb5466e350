"""Draw a graph for a terminal: as boxes, or as a tree if boxes do not fit."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from penstock._graph.graph import Cluster
from penstock._types import FlowInfo
from penstock.renderers.evidence_labels import flow_evidence, legend
from penstock.renderers.labels import cluster_title, edge_label, node_lines
from penstock.renderers.layout.ranks import find_back_edges

from .boxes import DASHED, DOUBLE, PLAIN, Box, draw_boxes
from .canvas import terminal_text, width_of
from .tree import draw_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from penstock._graph.evidence import EdgeStatus
    from penstock._graph.graph import Edge, Graph, Node
    from penstock.renderers.formats import Direction

_OVERVIEW = ""  # no flow has this name
_MAX_NAMES = 60  # cells for both names of an edge, before the column of evidence
_MARKS: Mapping[EdgeStatus, str] = {
    "seen": "✓",
    "unseen": "·",
    "declared-only": "?",
    "contradicted": "✗",
    "undeclared": "!",
}
_MAX_BOXES = 120  # with more, the lines are impossible to follow


def render_text(
    graph: Graph,
    *,
    detail: bool,
    direction: Direction,  # noqa: ARG001  # a terminal scrolls down
    width: int | None = None,
) -> str:
    """Return a drawing for a terminal, without a newline at the end.

    Each flow is drawn separately, with its predecessors in other flows. *width* is
    the maximum number of cells in a line, by default the terminal's.
    """
    width = width or shutil.get_terminal_size().columns
    clusters = _clusters(graph)
    into: dict[str, list[Edge]] = {cluster.name: [] for cluster in clusters}
    for edge in graph.edges:
        after = edge.after
        into[after.step.flow if after.kind == "step" else _OVERVIEW].append(edge)
    parts = []
    for cluster in clusters:
        part = _Part(graph, cluster, into[cluster.name], detail=detail)
        title = [part.title, ""] if len(clusters) > 1 or graph.evidence else []
        parts.append("\n".join((*title, *part.lines(width), *part.evidence())))
    entries = [f"{_MARKS[one]} {label}: {text}" for one, label, text in legend(graph)]
    parts += ["\n".join(entries)] if entries else []
    return "\n\n".join(parts)


def _clusters(graph: Graph) -> Sequence[Cluster]:
    """Return what is drawn separately: the overview, and the flows with steps."""
    if not graph.boxes:
        return graph.clusters
    boxes = tuple(node for node in graph.nodes if node.kind == "flow")
    return Cluster((FlowInfo(_OVERVIEW),), boxes), *graph.clusters


class _Part:
    """One flow of the drawing, and its predecessors in other flows."""

    def __init__(
        self, graph: Graph, cluster: Cluster, edges: Sequence[Edge], *, detail: bool
    ) -> None:
        title = cluster_title(cluster, detail=detail)
        if cluster.name:
            known = ", ".join(flow_evidence(cluster.name, graph))
            self.title = _line(f"{title}: {known}" if known else title)
        else:
            self.title = _line(graph.title)
        self._graph = graph
        self._edges = [
            edge for edge in edges if not edge.evidence or edge.evidence.is_declared
        ]
        self._all_edges = edges
        self._detail = detail
        nodes = {node.number: node for node in cluster.nodes}
        self._own = frozenset(nodes)
        nodes.update((edge.before.number, edge.before) for edge in self._edges)
        self._nodes = dict(sorted(nodes.items()))

    def lines(self, width: int) -> Sequence[str]:
        """Return the lines of the drawing."""
        boxes = self._boxes(width) if 0 < len(self._nodes) <= _MAX_BOXES else None
        return boxes or list(self._tree(width))

    def evidence(self) -> Iterator[str]:
        """Yield a line for each edge with its evidence."""
        if self._graph.evidence is None or not self._all_edges:
            return
        ways = [
            f"{self._name(e.before)} → {self._name(e.after)}" for e in self._all_edges
        ]
        column = min(max(map(width_of, ways)), _MAX_NAMES)
        yield ""
        for edge, way in zip(self._all_edges, ways, strict=True):
            label = edge_label(edge, self._graph, detail=False)
            mark = _MARKS[edge.evidence.status] if edge.evidence else " "
            yield f"{mark} {way}{' ' * (column - width_of(way))}  {label}"

    def _boxes(self, width: int) -> list[str] | None:
        boxes = {
            number: Box(self._lines(node), self._frame(node))
            for number, node in self._nodes.items()
        }
        links = [(edge.before.number, edge.after.number) for edge in self._edges]
        back = find_back_edges(boxes, links)
        down = [link for link in links if link not in back]
        lines = draw_boxes(boxes, down, width=width)
        if lines and back:
            names = {number: self._name(node) for number, node in self._nodes.items()}
            lines += ["", "back to an earlier step:"]
            lines += [
                f"  {names[before]} → {names[after]}" for before, after in sorted(back)
            ]
        return lines

    def _tree(self, width: int) -> Iterator[str]:
        labels = {
            number: "  ".join(self._lines(node)) for number, node in self._nodes.items()
        }
        links = [(edge.before.number, edge.after.number) for edge in self._edges]
        return draw_tree(labels, links, width=width)

    def _lines(self, node: Node) -> list[str]:
        more = node_lines(node, self._graph, detail=self._detail)[1:]
        lines = [self._name(node), *more]
        if self._detail:
            for group in self._graph.joins.get(node.number, ()):
                names = (self._name(self._graph.nodes[one]) for one in sorted(group))
                lines.append(f"after all of: {', '.join(names)}")
        return [_line(each) for each in lines]

    def _name(self, node: Node) -> str:
        is_far = node.kind == "step" and node.number not in self._own
        label = f"{node.step.flow}:{node.label}" if is_far else node.label
        return _line(label)

    def _frame(self, node: Node) -> str:
        if node.number not in self._own:
            return DASHED
        return DOUBLE if node.step.is_entrypoint else PLAIN


def _line(text: str) -> str:
    return terminal_text(text).replace("\n", " ")
