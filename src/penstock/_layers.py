"""Sort numbered nodes into layers: the longest path to each, cycles collapsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["layers_of"]


def layers_of(successors: Sequence[Sequence[int]]) -> list[int]:
    """Return the layer of every node: 0 where nothing comes before it.

    The nodes of one cycle share a layer. Takes time and memory in proportion to
    nodes and edges, and never recurses.

    Args:
        successors: For each node, the nodes that come directly after it.
    """
    waiting = [0] * len(successors)
    for nexts in successors:
        for node in nexts:
            waiting[node] += 1
    layers = _peel(successors, waiting)
    if any(waiting):
        _collapse(successors, waiting, layers)
    return layers


def _peel(successors: Sequence[Sequence[int]], waiting: list[int]) -> list[int]:
    """Take away ready nodes round by round (Kahn); the round is their layer."""
    layers = [0] * len(waiting)
    ready = [node for node, count in enumerate(waiting) if not count]
    layer = 0
    while ready:
        layer += 1
        following: list[int] = []
        for node in ready:
            for other in successors[node]:
                layers[other] = layer
                waiting[other] -= 1
                if not waiting[other]:
                    following.append(other)
        ready = following
    return layers


def _collapse(
    successors: Sequence[Sequence[int]], waiting: Sequence[int], layers: list[int]
) -> None:
    """Give layers to what a cycle kept waiting; *layers* holds what came before."""
    left = [node for node, count in enumerate(waiting) if count]
    cycles = _Search(successors).components(left)
    home = {node: number for number, cycle in enumerate(cycles) for node in cycle}
    for number in reversed(range(len(cycles))):  # Tarjan finds them last to first
        layer = max(layers[node] for node in cycles[number])
        for node in cycles[number]:
            layers[node] = layer
            for other in successors[node]:
                if home[other] != number and layers[other] <= layer:
                    layers[other] = layer + 1


class _Search:
    """Tarjan's search for strongly connected components, its call stack written out."""

    def __init__(self, successors: Sequence[Sequence[int]]) -> None:
        self._successors = successors
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
                self._go_on()
        return self._found

    def _enter(self, node: int) -> None:
        self._order[node] = self._low[node] = len(self._order)
        self._path.append(node)
        self._on_path.add(node)
        self._calls.append((node, iter(self._successors[node])))

    def _go_on(self) -> None:
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
