"""The labels of nodes, edges and flows."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from penstock._steps.source_links import source_link

from .evidence_labels import edge_evidence, node_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._graph.graph import Cluster, Edge, Graph, Node
    from penstock._types import FlowInfo

_NEWLINE = re.compile(r"\r\n?")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_UNENCODABLE = re.compile(r"[\ud800-\udfff\ufffe\uffff]")  # the last two: in XML
_PLAIN = re.compile(r"[!-~]")


def printable(text: str) -> str:
    r"""Return *text* without control characters except ``\n``, and never blank.

    Text without any visible character becomes a quoted Python literal.
    """
    kinds = (unicodedata.category(char)[0] for char in text)
    if not _PLAIN.search(text) and all(kind in "CZ" for kind in kinds):
        text = ascii(text)
    text = _UNPRINTABLE.sub(" ", _NEWLINE.sub("\n", text))
    return _UNENCODABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def node_lines(node: Node, graph: Graph, *, detail: bool) -> list[str]:
    """Return the lines in a box: the label, and with *detail* description and tags.

    The box of a flow names the number of its steps and its services. With *detail*, a
    step of a shared flow names its services too. Evidence comes first, because the
    rest may be long.
    """
    lines = [printable(node.label)]
    flows = graph.boxes.get(node.number, ())
    if flows:
        lines = [
            titled(node.label, owners_of(flows) if detail else ()),
            printable(" · ".join((steps_of(flows), *node.services))),
        ]
    lines += node_evidence(node, graph)
    if detail and node.step.description:
        lines.append(printable(node.step.description))
    if detail and node.step.flow in graph.shared:
        lines.append(printable(" · ".join(node.services)))
    if detail and node.step.tags:
        lines.append(printable(" ".join(f"#{tag}" for tag in node.step.tags)))
    return lines


def edge_label(edge: Edge, graph: Graph, *, detail: bool) -> str:
    """Return the label of an edge, ``""`` for most edges.

    In an overview it is the number of edges that the line represents. With *detail*
    it names the ``all_of`` that the edge belongs to. Evidence is always added.
    """
    bundle = graph.bundles.get((edge.before.number, edge.after.number))
    known = edge_evidence(edge, graph)
    parts = [str(bundle.size)] if bundle and bundle.size > 1 and not known else []
    if detail and edge.joins:
        groups = graph.joins[edge.after.number]
        which = f" {', '.join(map(str, edge.joins))}" if len(groups) > 1 else ""
        parts.append(f"all of{which}")
    return ", ".join(filter(None, (" ".join(parts), known)))


def cluster_title(cluster: Cluster, *, detail: bool) -> str:
    """Return the heading of a flow: its name, and with *detail* its owners."""
    return titled(cluster.name, owners_of(cluster.flows) if detail else ())


def owners_of(flows: Iterable[FlowInfo]) -> tuple[str, ...]:
    """Return the owners of a flow, each once; services may share the flow."""
    return tuple(dict.fromkeys(flow.owner for flow in flows if flow.owner))


def linked_source(node: Node, flows: Iterable[FlowInfo]) -> str:
    """Return the address of a step's source; *flows* are the declarations of its flow.

    It is ``""`` if no service that declares the step says where its source is.
    """
    here = (
        flow for flow in flows if not node.services or flow.service in node.services
    )
    templates = (flow.source_url for flow in here if flow.source_url)
    return source_link(next(templates, ""), node.step)


def steps_of(flows: Iterable[FlowInfo]) -> str:
    """Return the number of steps of a flow, as text; services may share the flow."""
    names = {step.name for flow in flows for step in flow.steps}
    return "1 step" if len(names) == 1 else f"{len(names)} steps"


def titled(name: str, owners: Sequence[str]) -> str:
    """Return the name of a flow, with its owners in parentheses."""
    return printable(f"{name} ({', '.join(owners)})" if owners else name)
