"""Put the parts of a drawing that nothing links below each other, in some columns."""

from __future__ import annotations

from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock._graph.graph import Graph

__all__ = ["stacked"]

_SHAPE = 2  # a box is about twice as wide as high, with the room around it


def stacked(graph: Graph) -> Iterator[tuple[int, int]]:
    """Give pairs of nodes of *graph*; the second is to stand below the first.

    Graphviz sets parts side by side: a hundred of them are a strip. Its own ``pack``
    loses the frames of clusters and what edges say.
    """
    parts = _parts(graph)
    heights = [len({graph.layer_of[node] for node in part}) for part in parts]
    limit = max([*heights, isqrt(_SHAPE * len(graph.labels))], default=0)
    column: list[Sequence[int]] = []
    used = 0
    for part, height in zip(parts, heights, strict=True):
        if used + height > limit:
            yield from _links(column)
            column, used = [], 0
        column.append(part)
        used += height
    yield from _links(column)


def _links(column: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Nodes are numbered by layer, so the last of a part is at its bottom."""
    return ((upper[-1], lower[0]) for upper, lower in pairwise(column))


def _parts(graph: Graph) -> list[list[int]]:
    """Return the nodes of each connected part, the largest first."""
    home = list(range(len(graph.labels)))
    for before, after in zip(graph.befores, graph.afters, strict=True):
        home[_root(home, before)] = _root(home, after)
    parts: dict[int, list[int]] = {}
    for node in range(len(home)):
        parts.setdefault(_root(home, node), []).append(node)
    return sorted(parts.values(), key=lambda part: (-len(part), part))


def _root(home: list[int], node: int) -> int:
    while home[node] != node:
        home[node] = home[home[node]]
        node = home[node]
    return node
