"""The row of each node: lines lead down and are short."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.renderers.layout.ranks import find_back_edges, rank_nodes

Edges = list[tuple[int, int]]


def rows(size: int, edges: Edges, max_width: float = inf) -> list[int]:
    """Return the row of each node; boxes are 10 wide, 2 apart."""
    ranks = rank_nodes(dict.fromkeys(range(size), 10), edges, 2, max_width)
    return [ranks[node] for node in range(size)]


@given(
    edges=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), unique=True),
    max_width=st.sampled_from([0.1, 50, inf]),
)
def test_edges_lead_down(edges: Edges, max_width: float) -> None:
    """Each edge leads to a later row, and no row is empty."""
    down = [(one, two) for one, two in edges if one < two]
    found = rows(20, down, max_width)

    assert all(found[before] < found[after] for before, after in down)
    assert set(found) == set(range(max(found) + 1))


@pytest.mark.parametrize(
    ("size", "edges", "found"),
    [
        (4, [(0, 1), (1, 2), (0, 2), (2, 3)], [0, 1, 2, 3]),
        (5, [(0, 1), (1, 2), (2, 3), (4, 3)], [0, 1, 2, 3, 2]),
        (6, [(0, 1), (1, 2), (2, 3), (4, 5), (5, 3)], [0, 1, 2, 3, 1, 2]),
        (5, [(0, 1), (1, 2), (2, 3), (0, 4), (4, 3)], [0, 1, 2, 3, 1]),
        (3, [(0, 1)], [0, 1, 0]),
    ],
    ids=["longest path", "late source", "late chain", "early step", "alone"],
)
def test_rows(size: int, edges: Edges, found: list[int]) -> None:
    """A source stands above its successor, any other step below its predecessor."""
    assert rows(size, edges) == found


@pytest.mark.parametrize(
    ("max_width", "found"),
    [(70, [0] * 6), (69, [0, 1] * 3), (30, [0, 1, 2] * 2), (1, [0, 1, 2, 3, 0, 1])],
)
def test_wrapping(max_width: float, found: list[int]) -> None:
    """A row wider than the limit is dealt out to up to four."""
    assert rows(6, [], max_width) == found


def test_what_follows_a_wrapped_row() -> None:
    """Later rows move down."""
    fan = [(0, node) for node in range(1, 5)] + [(node, 5) for node in range(1, 5)]

    assert rows(6, fan, 30) == [0, 1, 2, 1, 2, 3]


@pytest.mark.parametrize(
    ("edges", "back"),
    [
        ([(0, 1), (1, 2), (0, 2)], set()),
        ([(0, 1), (1, 2), (2, 0)], {(2, 0)}),
        ([(1, 0), (0, 2), (2, 1)], {(1, 0)}),
        ([(1, 0), (2, 1), (0, 1)], {(0, 1)}),
        ([(0, 1), (1, 0), (1, 2), (2, 1), (2, 2)], {(1, 0), (2, 1), (2, 2)}),
    ],
    ids=["none", "the last", "from the first", "from a source", "two-way and self"],
)
def test_back_edges(edges: Edges, back: set[tuple[int, int]]) -> None:
    """An edge leads up if it returns to where a search from the top came from."""
    assert find_back_edges(range(3), edges) == back
