"""Stack the unconnected components of a drawing in columns."""

from __future__ import annotations

from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock._graph.graph import Graph

_ASPECT_RATIO = 2  # of a box with the space around it: width to height


def stacked(graph: Graph) -> Iterator[tuple[int, int]]:
    """Yield pairs of nodes; the second belongs below the first.

    Graphviz places components side by side, so a hundred become a long strip. Its
    own ``pack`` loses the frames of clusters and the labels of edges.
    """
    components = _components(graph)
    heights = [len({graph.layer_of[node] for node in part}) for part in components]
    limit = max([*heights, isqrt(_ASPECT_RATIO * len(graph.labels))], default=0)
    column: list[Sequence[int]] = []
    used = 0
    for part, height in zip(components, heights, strict=True):
        if used + height > limit:
            yield from _links(column)
            column, used = [], 0
        column.append(part)
        used += height
    yield from _links(column)


def _links(column: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    # Nodes are numbered by layer, so the last of a component is at its bottom.
    return ((upper[-1], lower[0]) for upper, lower in pairwise(column))


def _components(graph: Graph) -> list[list[int]]:
    """Return the nodes of each connected component, the largest first."""
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
