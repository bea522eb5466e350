"""Draw a graph as an indented tree, of any size and at any width."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["draw_tree"]

_INDENT = 3
_MIN_DEPTH = 4
_ROOM_FOR_NAMES = 24


def draw_tree(
    words: Mapping[int, str], links: Iterable[tuple[int, int]], *, width: int
) -> Iterator[str]:
    """Give the lines of a tree; each link is the line of its end below its start.

    What comes after a node is shown once. Elsewhere "↑" says that it is further up,
    and "↓" that it is further down, because *width* has no room for it here.

    Args:
        words: What to call each node; roots are taken in this order.
        links: Pairs of nodes.
        width: How many cells a line should take.
    """
    return _Tree(words, links, width).lines()


class _Tree:
    def __init__(
        self, words: Mapping[int, str], links: Iterable[tuple[int, int]], width: int
    ) -> None:
        self._words = words
        self._max_depth = max(_MIN_DEPTH, (width - _ROOM_FOR_NAMES) // _INDENT)
        self._after: dict[int, list[int]] = {}
        for before, node in links:
            self._after.setdefault(before, []).append(node)
        self._shown: set[int] = set()
        self._later: deque[int] = deque()
        self._postponed: set[int] = set()

    def lines(self) -> Iterator[str]:
        """Give every line."""
        inner = {node for nodes in self._after.values() for node in nodes}
        roots = [node for node in self._words if node not in inner]
        for root in (*roots, *self._words):  # what no root leads to is on a cycle
            if root not in self._shown:
                yield from self._branches(root)
            while self._later:
                yield from self._branches(self._later.popleft())

    def _branches(self, root: int) -> Iterator[str]:
        yield self._words[root]
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
            yield indent + branch + self._words[node] + mark

    def _following(self, node: int) -> list[int]:
        return self._after.get(node, [])[::-1]

    def _mark(self, node: int, depth: int) -> str:
        """Say where to look for what follows, ``""`` if that is right here."""
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
