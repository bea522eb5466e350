"""Choose the row of each node: edges lead down unless they close a cycle."""

from __future__ import annotations

from math import ceil, fsum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_TIGHTENINGS = 2
_MAX_PARTS = 4
"""Of a wide row; in more, the lines that pass them would need the space of boxes."""


def find_back_edges(
    nodes: Collection[int], edges: Collection[tuple[int, int]]
) -> frozenset[tuple[int, int]]:
    """Return the edges that close a cycle, found depth first in the given order."""
    after: dict[int, list[int]] = {node: [] for node in nodes}
    for before, node in edges:
        after[before].append(node)
    inner = {node for before, node in edges if node != before}
    back: set[tuple[int, int]] = set()
    seen: set[int] = set()
    for root in (*(node for node in nodes if node not in inner), *nodes):
        if root not in seen:
            back.update(_back_edges_below(root, after, seen))
    return frozenset(back)


def _back_edges_below(
    root: int, after: Mapping[int, Iterable[int]], seen: set[int]
) -> Iterable[tuple[int, int]]:
    seen.add(root)
    path = {root: iter(after[root])}
    while path:
        node, others = next(reversed(path.items()))
        for other in others:
            if other in path:
                yield node, other
            elif other not in seen:
                seen.add(other)
                path[other] = iter(after[other])
                break
        else:
            del path[node]


def rank_nodes(
    widths: Mapping[int, float],
    links: Collection[tuple[int, int]],
    gap: float,
    max_width: float,
) -> dict[int, int]:
    """Return the row of each node; each of *links* leads to a later row.

    Rows are wrapped if they are wider than *max_width*, with a *gap* between boxes.
    """
    before: dict[int, list[int]] = {node: [] for node in widths}
    after: dict[int, list[int]] = {node: [] for node in widths}
    for upper, lower in links:
        after[upper].append(lower)
        before[lower].append(upper)
    ranks: dict[int, int] = {}
    for node in _sorted(before, after):
        ranks[node] = max((ranks[one] + 1 for one in before[node]), default=0)
    _tighten(ranks, before, after)
    _wrap(ranks, widths, gap, max_width)
    return ranks


def _sorted(
    before: Mapping[int, Collection[int]], after: Mapping[int, Iterable[int]]
) -> list[int]:
    """Return the nodes, each after all that are before it (Kahn)."""
    waiting = {node: len(others) for node, others in before.items()}
    ready = [node for node, count in waiting.items() if not count]
    for node in ready:
        for other in after[node]:
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return ready


def _tighten(
    ranks: dict[int, int],
    before: Mapping[int, Collection[int]],
    after: Mapping[int, Collection[int]],
) -> None:
    """Move nodes to where more of their lines become short.

    A node with as many lines above as below moves down and up again, because those
    around it may follow it only one way. The rows of the longest path never change.
    """
    order = list(ranks)
    for _ in range(_TIGHTENINGS):
        for node in reversed(order):
            if after[node] and len(before[node]) <= len(after[node]):
                ranks[node] = min(ranks[one] for one in after[node]) - 1
        for node in order:
            if before[node] and len(before[node]) >= len(after[node]):
                ranks[node] = max(ranks[one] for one in before[node]) + 1


def _wrap(
    ranks: dict[int, int], widths: Mapping[int, float], gap: float, max_width: float
) -> None:
    """Deal the boxes of wide rows out to several, so that lines pass between them."""
    rows: list[list[int]] = [[] for _ in range(1 + max(ranks.values(), default=-1))]
    for node in widths:
        rows[ranks[node]].append(node)
    first = 0
    for row in rows:
        width = fsum(widths[node] + gap for node in row) - gap
        parts = min(len(row), _MAX_PARTS, max(1, ceil(width / max_width)))
        for at, node in enumerate(row):
            ranks[node] = first + at % parts
        first += parts
