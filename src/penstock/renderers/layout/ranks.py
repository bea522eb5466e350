"""Choose the row of each node: edges lead down unless they close a cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


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
    gap: float,  # noqa: ARG001  # rows do not wrap yet
    max_width: float,  # noqa: ARG001  # the same
) -> dict[int, int]:
    """Return the row of each node; each of *links* leads to a later row."""
    after: dict[int, list[int]] = {node: [] for node in widths}
    waiting = dict.fromkeys(widths, 0)
    for before, node in links:
        after[before].append(node)
        waiting[node] += 1
    ranks = dict.fromkeys(widths, 0)
    ready = [node for node, count in waiting.items() if not count]
    for node in ready:
        for other in after[node]:
            ranks[other] = max(ranks[other], ranks[node] + 1)
            waiting[other] -= 1
            if not waiting[other]:
                ready.append(other)
    return ranks
