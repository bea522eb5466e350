"""Draw a graph as a Mermaid flowchart."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING

from .evidence_labels import flow_evidence, legend, line_status, node_status
from .ids import cluster_ids, legend_id, node_ids
from .labels import cluster_title, edge_label, node_lines, printable
from .warnings import warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock._graph.evidence import EdgeStatus
    from penstock._graph.graph import Cluster, Graph, Node

    from .formats import Direction

# Mermaid's defaults for maxEdges and maxTextSize; with more it draws nothing.
_MAX_EDGES = 500
_MAX_TEXT = 50_000
# The last two are Mermaid's own placeholders for "#" and ";" while it parses.
_SPECIAL = re.compile(r"[^\w .,/()\-\x7f-\U0010ffff]|ﬂ(?=°)|¶(?=ß)", re.ASCII)
_STADIUM, _BOX, _DOUBLE_BOX = '(["{}"])', '["{}"]', '[["{}"]]'
_DASHED = "stroke-dasharray: 5 5"
_LINKS: Mapping[EdgeStatus, str] = {
    "seen": "stroke:#2a7d3f,stroke-width:3px",
    "unseen": "stroke:#9aa5b1,stroke-width:1px",
    "declared-only": "stroke:#9aa5b1,stroke-width:1px,stroke-dasharray:1 4",
    "contradicted": "stroke:#c0392b,stroke-width:5px",
    "undeclared": "stroke:#c0392b,stroke-width:2px,stroke-dasharray:1 4",
}
_LONG_DASHES = ",stroke-dasharray:8 4"  # Mermaid's default looks like dots
_NODES = {
    "uncalled": "stroke:#9aa5b1,color:#6b7785",
    "broken": "stroke:#c0392b,stroke-width:3px",
    "legend": "fill:none,stroke:none,color:#6b7785",
}
_INDENT = "    "


def render_mermaid(graph: Graph, *, detail: bool, direction: Direction) -> str:
    """Return Mermaid's text for *graph*, without a newline at the end.

    Warns if it exceeds a limit of Mermaid.
    """
    chart = chart_of(graph, detail=detail, direction=direction)
    warn_of_limits(chart, graph, detail=detail)
    return chart


def chart_of(graph: Graph, *, detail: bool, direction: Direction) -> str:
    """Return the same text without a warning, for a caller that adds to it."""
    return "\n".join((f"graph {direction}", *_Chart(graph, detail=detail).lines()))


def warn_of_limits(chart: str, graph: Graph, *, detail: bool) -> None:
    """Warn if *chart* has more edges or text than Mermaid draws by default."""
    edges = len(graph.befores)
    size = len(chart.encode("utf-16-le", "surrogatepass")) // 2  # as JavaScript counts
    if edges > _MAX_EDGES:
        found = f"{edges:,} edges, and Mermaid draws at most {_MAX_EDGES}"
        setting = "maxEdges"
    elif size > _MAX_TEXT:
        found = f"{size:,} characters, and Mermaid draws at most {_MAX_TEXT:,}"
        setting = "maxTextSize"
    else:
        return
    names = {flow.name for flow in graph.flows}
    is_single = len(names) == 1
    whose = f"flow {names.pop()!r}" if is_single else f"{len(names)} flows"
    ways = ["in another format, such as svg or text"]
    if detail:
        ways.append("without detail")
    if not is_single:
        ways.append("with fewer flows")
    if not (is_single or graph.boxes):
        ways.append("as an overview (overview=True, or penstock dag --overview)")
    warn_caller(
        f"the diagram of {whose} has {found} unless you raise its setting {setting}. "
        f"Draw it {', or '.join(ways)}."
    )


class _Chart:
    """The lines of one chart. A node's label is written where it is first named."""

    def __init__(self, graph: Graph, *, detail: bool) -> None:
        self._graph = graph
        self._detail = detail
        is_plain = not (detail or graph.boxes or graph.evidence)
        self._is_rich = not is_plain or any(step.is_guess for step in graph.steps)
        self._places: dict[str, list[int]] = {}
        self._written = count()
        self._ids = node_ids(graph)
        self._labels = dict(self._declarations())
        self._dashed = {
            number for number, kind in enumerate(graph.kinds) if kind == "external"
        }

    def lines(self) -> Iterator[str]:
        """Yield every line except the first."""
        graph = self._graph
        names = {flow.name for flow in graph.flows}
        if graph.boxes or graph.evidence or len(names) > 1:
            yield from self._clusters(graph.clusters)
        else:
            whole = range(len(graph.labels))
            yield from self._body(whole, graph.befores, graph.afters, _INDENT)
        for number in sorted(self._dashed):
            yield f"{_INDENT}style {self._ids[number]} {_DASHED}"
        if graph.evidence:
            yield from map(f"{_INDENT}{{}}".format, self._evidence())

    def _evidence(self) -> Iterator[str]:
        """Yield the legend, and the styles of nodes and edges."""
        entries = list(legend(self._graph))
        if entries:
            name = legend_id(self._ids, cluster_ids(self._graph, self._ids).values())
            text = "\n".join(f"{label}: {meaning}" for _, label, meaning in entries)
            yield name + _BOX.format(escape_text(text))
            yield f"style {name} {_NODES['legend']}"
        classes: dict[str, list[str]] = {}
        for node in self._graph.nodes:
            classes.setdefault(node_status(node, self._graph), []).append(
                self._ids[node.number]
            )
        for status, ids in classes.items():
            if status:
                yield f"classDef {status} {_NODES[status]}"
                yield f"class {','.join(ids)} {status}"
        for style, places in sorted(self._places.items()):
            yield f"linkStyle {','.join(map(str, places))} {style}"

    def _clusters(self, clusters: Iterable[Cluster]) -> Iterator[str]:
        graph = self._graph
        homes: dict[str | None, tuple[list[int], list[int]]] = {}
        for link in zip(graph.befores, graph.afters, strict=True):
            ends = homes.setdefault(self._home(*link), ([], []))
            for end, number in zip(ends, link, strict=True):
                end.append(number)
        ids = cluster_ids(graph, self._ids)
        for cluster in clusters:
            name = cluster.name
            known = ", ".join(flow_evidence(name, graph))
            title = cluster_title(cluster, detail=self._detail)
            title = escape_text(f"{title}: {known}" if known else title)
            members = [node.number for node in cluster.nodes]
            yield f'{_INDENT}subgraph {ids[name]}["{title}"]'
            yield from self._body(members, *homes.get(name, ([], [])), _INDENT * 2)
            yield f"{_INDENT}end"
        outside = [n for n, kind in enumerate(graph.kinds) if kind != "step"]
        yield from self._body(outside, *homes.get(None, ([], [])), _INDENT)

    def _home(self, before: int, after: int) -> str | None:
        """Return the flow that an edge lies in, None if it leads into one."""
        if self._graph.kinds[before] != "step":
            return None
        flow = self._graph.steps[after].flow
        return flow if self._graph.steps[before].flow == flow else None

    def _body(
        self,
        numbers: Iterable[int],
        befores: Sequence[int],
        afters: Sequence[int],
        indent: str,
    ) -> Iterator[str]:
        if self._is_rich:
            yield from (indent + self._name(number) for number in numbers)
        links = zip(befores, afters, strict=True)
        if self._is_rich or self._labels or self._dashed:
            for before, after in links:
                arrow = self._arrow(before, after)
                yield f"{indent}{self._name(before)} {arrow} {self._name(after)}"
        else:  # without look-ups, many edges take half the time
            ids = self._ids
            yield from [f"{indent}{ids[one]} --> {ids[other]}" for one, other in links]
        if not self._is_rich:
            linked = {*befores, *afters}
            lone = (number for number in numbers if number not in linked)
            yield from (indent + self._name(number) for number in lone)

    def _name(self, number: int) -> str:
        return self._labels.pop(number, None) or self._ids[number]

    def _arrow(self, before: int, after: int) -> str:
        if not self._is_rich:
            return "-.->" if before in self._dashed else "-->"
        edge = self._graph.edge(before, after)
        label = edge_label(edge, self._graph, detail=self._detail)
        arrow = "-.->" if edge.is_crossing or edge.is_guess else "-->"
        if edge.evidence:
            status = line_status(edge.evidence, is_crossing=edge.is_crossing)
            style = _LINKS[status]
            if status == "undeclared":
                arrow = "--x"
            elif edge.is_crossing:
                style += _LONG_DASHES
            self._places.setdefault(style, []).append(next(self._written))
        return f"{arrow}|{label}|" if label else arrow

    def _declarations(self) -> Iterator[tuple[int, str]]:
        """Yield each node that needs a label, and its identifier with the label."""
        if self._is_rich:
            for node in self._graph.nodes:
                lines = node_lines(node, self._graph, detail=self._detail)
                text = "\n".join(lines)
                shape = _shape(node).format(escape_text(text))
                yield node.number, self._ids[node.number] + shape
            return
        if self._ids == self._graph.labels:
            return
        for number, label in enumerate(self._graph.labels):
            if self._ids[number] != label:
                text = escape_text(printable(label))
                yield number, self._ids[number] + _BOX.format(text)


def _shape(node: Node) -> str:
    if node.kind in ("outside", "external"):
        return _DOUBLE_BOX
    return _STADIUM if node.step.is_entrypoint else _BOX


def escape_text(text: str) -> str:
    """Return *text* so that Mermaid shows it as it is."""
    return _SPECIAL.sub(_entity, text)


def _entity(match: re.Match[str]) -> str:
    return "<br/>" if match[0] == "\n" else f"#{ord(match[0])};"
