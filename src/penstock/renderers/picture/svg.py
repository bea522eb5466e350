"""Make Graphviz's SVG fit into any page, and name its parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from penstock.renderers.evidence_labels import edge_facts, node_status
from penstock.renderers.ids import cluster_ids, legend_id, node_ids
from penstock.renderers.labels import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock._graph.graph import Edge, Graph, Node

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_FAMILIES = "Arial, Arimo, 'Liberation Sans', Helvetica, sans-serif"
_POINTS = re.compile(r"([0-9.]+)pt")


class Picture:
    """An SVG of a graph, with attributes on each node, edge and flow.

    It has no scripts, no links, and nothing that depends on the version of Graphviz.

    Attributes:
        root: The root element; changing it changes the text.
        size_pt: Width and height in points.

    Raises:
        ValueError: Graphviz's output is not SVG.
    """

    def __init__(self, drawing: bytes, graph: Graph) -> None:
        try:
            self.root: ET.Element = ET.fromstring(drawing)  # noqa: S314  # from Graphviz
        except ET.ParseError as exc:
            raise ValueError(str(exc)) from exc
        if self.root.tag != f"{_NAMESPACE}svg":
            raise ValueError(self.root.tag)
        self.size_pt: tuple[float, float] = (
            self._length("width"),
            self._length("height"),
        )
        self._name_parts(graph)
        for element in self.root.iter():
            _clean(element)
        self.root.attrib |= {
            "xmlns": _NAMESPACE[1:-1],
            "class": "penstock",
            "font-family": _FAMILIES,
        }

    def texts(self) -> Iterator[ET.Element]:
        """Yield the elements that hold one line of text each."""
        return self.root.iter("text")

    def __str__(self) -> str:
        """Return the SVG without a newline at the end."""
        return ET.tostring(self.root, encoding="unicode").rstrip()

    def _length(self, name: str) -> float:
        found = _POINTS.fullmatch(self.root.get(name, ""))
        if found is None:
            raise ValueError(name)
        return float(found[1])

    def _name_parts(self, graph: Graph) -> None:
        ids = node_ids(graph)
        nodes = dict(zip(ids, graph.nodes, strict=True))
        edges = {(edge.before.number, edge.after.number): edge for edge in graph.edges}
        clusters = cluster_ids(graph, ids)
        flows = {f"cluster_{one}": flow for flow, one in clusters.items()}
        legend = legend_id(ids, clusters.values()) if graph.evidence else ""
        for part in self.root.iter(f"{_NAMESPACE}g"):
            title = part.find(f"{_NAMESPACE}title")
            if title is None or title.text is None:
                continue
            name, kind = title.text, part.get("class")
            if kind == "node" and name == legend:
                title.text = "Legend"
                part.attrib |= {"id": legend, "class": "legend"}
            elif kind == "node":
                title.text = printable(nodes[name].label)
                part.attrib |= _of_node(nodes[name], name, graph)
            elif kind == "edge":
                before, _, after = name.partition("->")
                edge = edges[nodes[before].number, nodes[after].number]
                known = edge_facts(edge, graph)
                ends = f"{edge.before.label} → {edge.after.label}"
                title.text = printable(f"{ends}: {known}" if known else ends)
                part.attrib |= _of_edge(edge, before, after)
            elif kind == "cluster":
                title.text = printable(flows[name])
                part.attrib |= {
                    "id": name.removeprefix("cluster_"),
                    "data-flow": printable(flows[name]),
                }
            else:
                del part.attrib["id"]  # of the whole graph


def _of_node(node: Node, name: str, graph: Graph) -> dict[str, str]:
    kind = node.kind if node.kind != "step" else ""
    begins = "entrypoint" if node.step.is_entrypoint else ""
    words = ["node", kind, begins]
    status = node_status(node, graph)
    step = {} if kind == "flow" else {"data-step": printable(node.step.name)}
    return {
        "id": f"step-{name}",
        "class": " ".join(filter(None, words)),
        "data-flow": printable(node.step.flow),
        **step,
        **({"data-evidence": status} if status else {}),
    }


def _of_edge(edge: Edge, before: str, after: str) -> dict[str, str]:
    known = {"data-evidence": edge.evidence.status} if edge.evidence else {}
    return {
        "id": f"edge-{before}-{after}",
        "class": "edge crossing" if edge.is_crossing else "edge",
        "data-before": f"step-{before}",
        "data-after": f"step-{after}",
        **known,
    }


def _clean(element: ET.Element) -> None:
    """Remove what pages do not need, or interpret differently."""
    element.tag = element.tag.removeprefix(_NAMESPACE)
    if element.tag == "text":
        element.attrib.pop("font-family", None)
    if element.get("stroke") == "transparent":  # an old Graphviz; no colour in SVG
        element.set("stroke", "none")
