"""Draw a graph as an indented tree, of any size and at any width."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_INDENT = 3
_MIN_DEPTH = 4
_SPACE_FOR_LABELS = 24


def draw_tree(
    labels: Mapping[int, str], links: Iterable[tuple[int, int]], *, width: int
) -> Iterator[str]:
    """Yield the lines of a tree; the end of a link is a line below its start.

    The successors of a node are shown once. In other places "↑" says that they are
    further up, and "↓" that they are further down, because *width* is too small.
    """
    return _Tree(labels, links, width).lines()


class _Tree:
    def __init__(
        self, labels: Mapping[int, str], links: Iterable[tuple[int, int]], width: int
    ) -> None:
        self._labels = labels
        self._max_depth = max(_MIN_DEPTH, (width - _SPACE_FOR_LABELS) // _INDENT)
        self._after: dict[int, list[int]] = {}
        for before, node in links:
            self._after.setdefault(before, []).append(node)
        self._shown: set[int] = set()
        self._later: deque[int] = deque()
        self._postponed: set[int] = set()

    def lines(self) -> Iterator[str]:
        """Yield every line."""
        inner = {node for nodes in self._after.values() for node in nodes}
        roots = [node for node in self._labels if node not in inner]
        for root in (*roots, *self._labels):  # nodes on a cycle may have no root
            if root not in self._shown:
                yield from self._branches(root)
            while self._later:
                yield from self._branches(self._later.popleft())

    def _branches(self, root: int) -> Iterator[str]:
        yield self._labels[root]
        self._shown.add(root)
        open_nodes = [(self._following(root), "")]
        while open_nodes:
            nodes, indent = open_nodes[-1]
            if not nodes:
                open_nodes.pop()
                continue
            node = nodes.pop()
            branch, below = ("├─ ", "│  ") if nodes else ("└─ ", "   ")
            mark = self._mark(node, len(open_nodes))
            if not mark:
                self._shown.add(node)
                open_nodes.append((self._following(node), indent + below))
            yield indent + branch + self._labels[node] + mark

    def _following(self, node: int) -> list[int]:
        return self._after.get(node, [])[::-1]

    def _mark(self, node: int, depth: int) -> str:
        """Return where the successors of a node are shown, ``""`` if below it."""
        if node not in self._after:
            return ""
        if node in self._shown:
            return " ↑"
        if node not in self._postponed:
            if depth < self._max_depth:
                return ""
            self._postponed.add(node)
            self._later.append(node)
        return " ↓"
