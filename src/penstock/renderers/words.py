"""The words that a drawing puts on nodes, edges and flows."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock._graph import Cluster, Edge, Graph, Node

__all__ = ["cluster_title", "edge_words", "node_words", "printable"]

_NEWLINE = re.compile(r"\r\n?")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_UNENCODABLE = re.compile(r"[\ud800-\udfff\ufffe\uffff]")  # the last two: in XML
_PLAIN = re.compile(r"[!-~]")


def printable(text: str) -> str:
    r"""Return *text* without control characters other than ``\n``, and never blank.

    What would show nothing at all is shown as Python writes it, in quotes.
    """
    if not _PLAIN.search(text) and not any(map(_is_visible, text)):
        text = ascii(text)
    text = _UNPRINTABLE.sub(" ", _NEWLINE.sub("\n", text))
    return _UNENCODABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def node_words(node: Node, *, detail: bool) -> list[str]:
    """Return the lines on a node: its label, in detail also description and tags."""
    lines = [printable(node.label)]
    if detail and node.step.description:
        lines.append(printable(node.step.description))
    if detail and node.step.tags:
        lines.append(printable(" ".join(f"#{tag}" for tag in node.step.tags)))
    return lines


def edge_words(edge: Edge, graph: Graph) -> str:
    """Return what an edge of an ``all_of`` says, ``""`` for any other."""
    if not edge.joins:
        return ""
    if len(graph.joins[edge.after.number]) == 1:
        return "all of"
    return f"all of {', '.join(map(str, edge.joins))}"


def cluster_title(cluster: Cluster, *, detail: bool) -> str:
    """Return the heading of a flow: its name, and in detail who answers for it."""
    flow = cluster.flow
    owner = f" ({flow.owner})" if detail and flow.owner else ""
    return printable(flow.name + owner)


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "CZ"
