"""Sort numbered nodes into layers: the longest path to each, cycles collapsed."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Adjacency:
    """The links between numbered nodes, each once, in flat lists.

    Creating a list or tuple for each of 100,000 nodes would take longer than all the
    rest, so one number encodes both ends of a link while links are sorted.
    """

    __slots__ = ("_afters", "_befores", "_size", "_starts")

    def __init__(self, size: int, pairs: Iterable[tuple[int, int]]) -> None:
        codes = sorted([before * size + after for before, after in pairs])
        lasts = [-1, *codes]
        codes = [code for code, last in zip(codes, lasts, strict=False) if code != last]
        self._size = size
        self._befores = [code // size for code in codes]
        self._afters = [code % size for code in codes]
        counts = [0] * (size + 1)
        for before in self._befores:
            counts[before + 1] += 1
        self._starts = list(accumulate(counts))

    def __len__(self) -> int:
        return self._size

    def after(self, node: int) -> list[int]:
        """Return the nodes directly after *node*, sorted."""
        return self._afters[self._starts[node] : self._starts[node + 1]]

    def moved(self, places: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return both ends of each link with their new numbers.

        Links are sorted by the new number of the first end, then by the old number
        of the second.
        """
        size = self._size
        pairs = zip(self._befores, self._afters, strict=True)
        codes = sorted([places[before] * size + after for before, after in pairs])
        return [code // size for code in codes], [places[code % size] for code in codes]

    def counts(self) -> list[int]:
        """Return how many nodes are directly before each node."""
        counts = [0] * len(self)
        for node in self._afters:
            counts[node] += 1
        return counts


def layers_of(links: Adjacency) -> list[int]:
    """Return the layer of every node: 0 if nothing is before it.

    The nodes of one cycle share a layer. Time and memory grow linearly with nodes
    and links, and nothing recurses.
    """
    waiting = links.counts()
    layers = _peel(links, waiting)
    if any(waiting):
        _collapse(links, waiting, layers)
    return layers


def _peel(links: Adjacency, waiting: list[int]) -> list[int]:
    """Remove ready nodes round by round (Kahn); the round is their layer."""
    layers = [0] * len(waiting)
    ready = [node for node, count in enumerate(waiting) if not count]
    layer = 0
    while ready:
        layer += 1
        following: list[int] = []
        for node in ready:
            for other in links.after(node):
                layers[other] = layer
                waiting[other] -= 1
                if not waiting[other]:
                    following.append(other)
        ready = following
    return layers


def _collapse(links: Adjacency, waiting: Sequence[int], layers: list[int]) -> None:
    """Set the layers of the nodes in or behind a cycle."""
    left = [node for node, count in enumerate(waiting) if count]
    cycles = _components(links, left)
    home = {node: number for number, cycle in enumerate(cycles) for node in cycle}
    for number, cycle in enumerate(cycles):
        layer = max(layers[node] for node in cycle)
        for node in cycle:
            layers[node] = layer
            for other in links.after(node):
                if home[other] != number and layers[other] <= layer:
                    layers[other] = layer + 1


def _components(links: Adjacency, nodes: Sequence[int]) -> list[list[int]]:
    """Return the strongly connected components, predecessors first (Kosaraju).

    All links of *nodes* lead to other nodes in the list.
    """
    before: dict[int, list[int]] = {node: [] for node in nodes}
    for node in nodes:
        for other in links.after(node):
            before[other].append(node)
    found: list[list[int]] = []
    seen: set[int] = set()
    for root in reversed(_postorder(links, nodes)):
        component: list[int] = []
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                component.append(node)
                stack += before[node]
        if component:
            found.append(component)
    return found


def _postorder(links: Adjacency, nodes: Iterable[int]) -> list[int]:
    """Return *nodes* in the order in which a depth-first search leaves them."""
    entered: set[int] = set()
    left: dict[int, None] = {}
    for root in nodes:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in entered:
                left.setdefault(stack.pop())
            else:
                entered.add(node)
                stack += [other for other in links.after(node) if other not in entered]
    return list(left)
