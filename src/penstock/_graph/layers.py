"""Sort numbered nodes into layers: the longest path to each, cycles collapsed."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Adjacency", "layers_of"]


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
    """Return the layer of every node: 0 where nothing is before it.

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
    """Set the layers of the nodes that a cycle keeps waiting."""
    left = [node for node, count in enumerate(waiting) if count]
    cycles = _Search(links).components(left)
    home = {node: number for number, cycle in enumerate(cycles) for node in cycle}
    for number in reversed(range(len(cycles))):  # Tarjan finds them last to first
        layer = max(layers[node] for node in cycles[number])
        for node in cycles[number]:
            layers[node] = layer
            for other in links.after(node):
                if home[other] != number and layers[other] <= layer:
                    layers[other] = layer + 1


class _Search:
    """Tarjan's search for strongly connected components, with a stack of its own."""

    def __init__(self, links: Adjacency) -> None:
        self._links = links
        self._found: list[list[int]] = []
        self._order: dict[int, int] = {}
        self._low: dict[int, int] = {}
        self._path: list[int] = []
        self._on_path: set[int] = set()
        self._calls: list[tuple[int, Iterator[int]]] = []

    def components(self, nodes: Iterable[int]) -> list[list[int]]:
        """Return the components of *nodes*, each before those that lead to it."""
        for node in nodes:
            if node not in self._order:
                self._enter(node)
            while self._calls:
                self._advance()
        return self._found

    def _enter(self, node: int) -> None:
        self._order[node] = self._low[node] = len(self._order)
        self._path.append(node)
        self._on_path.add(node)
        self._calls.append((node, iter(self._links.after(node))))

    def _advance(self) -> None:
        """Follow one edge of the innermost call, or return from it."""
        node, nexts = self._calls[-1]
        for other in nexts:
            if other not in self._order:
                return self._enter(other)
            if other in self._on_path:
                self._low[node] = min(self._low[node], self._order[other])
        self._calls.pop()
        if self._calls:
            caller = self._calls[-1][0]
            self._low[caller] = min(self._low[caller], self._low[node])
        if self._low[node] == self._order[node]:
            self._close(node)
        return None

    def _close(self, root: int) -> None:
        component: list[int] = []
        while not component or component[-1] != root:
            component.append(self._path.pop())
        self._on_path.difference_update(component)
        self._found.append(component)
