"""Rows are in an order in which few lines cross, at a limited cost."""

from __future__ import annotations

from bisect import bisect_right, insort
from itertools import combinations, pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.renderers.layout.engine import MAX_WORK
from penstock.renderers.layout.ordering import order_rows
from penstock.renderers.layout.ranks import find_back_edges, rank_nodes
from penstock.renderers.layout.slots import Grid, build_grid

Edges = list[tuple[int, int]]


def grid_of(size: int, edges: Edges) -> Grid:
    """Return the rows of a graph, in the order of declaration."""
    widths = dict.fromkeys(range(size), 1.0)
    back = find_back_edges(widths, edges)
    down = {edge: edge for edge in edges if edge not in back}
    down |= {(one, two): (two, one) for one, two in edges if (one, two) in back}
    links = [link for link in down.values() if link[0] != link[1]]
    ranks = rank_nodes(widths, dict.fromkeys(links), 1, 1e9)
    return build_grid(widths, ranks, down, back, shared_lines=False)


def crossings(grid: Grid) -> int:
    """Count each two lines that cross between two rows."""
    total = 0
    for upper, lower in pairwise(grid.rows):
        seen: list[int] = []
        for slot in upper:
            ends = [lower.index(other) for other in grid.below[slot]]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def between(upper: int, lower: int) -> Edges:
    """Return an edge from each of the upper nodes to each of the lower ones."""
    return list(product(range(upper), range(upper, upper + lower)))


@pytest.mark.parametrize(
    ("size", "edges", "fewest"),
    [
        (4, [(0, 3), (1, 2)], 0),
        (6, [(0, 5), (1, 4), (2, 3), (0, 4)], 0),
        (4, between(2, 2), 1),
        (6, between(3, 3), 9),
        (8, between(4, 4), 36),
    ],
    ids=["a cross", "a zigzag", "2 x 2", "3 x 3", "4 x 4"],
)
def test_small_graphs(size: int, edges: Edges, fewest: int) -> None:
    """The lines cross as rarely as they can."""
    grid = grid_of(size, edges)
    order_rows(grid, MAX_WORK)

    assert crossings(grid) == fewest


@given(data=st.data())
def test_a_tree_has_no_crossings(data: st.DataObject) -> None:
    """However a tree is declared, it is drawn without crossings."""
    size = data.draw(st.integers(1, 40))
    names = data.draw(st.permutations(range(size)))
    edges = [
        (names[data.draw(st.integers(0, node - 1))], names[node])
        for node in range(1, size)
    ]
    grid = grid_of(size, data.draw(st.permutations(edges)))
    order_rows(grid, MAX_WORK)

    assert crossings(grid) == 0


def test_declared_order_stays() -> None:
    """What nothing forces elsewhere stands in the order of its declaration."""
    grid = grid_of(5, [(0, node) for node in range(1, 5)])
    order_rows(grid, MAX_WORK)

    assert grid.rows == [[0], [1, 2, 3, 4]]


def test_a_mesh() -> None:
    """An order without crossings is found where one exists."""
    names = [node * 31 % 49 for node in range(49)]
    right = [(node, node + 7) for node in range(42)]
    left = [(node, node + 8) for node in range(42) if node % 7 < 6]
    mesh = [(names[before], names[after]) for before, after in right + left]
    grid = grid_of(49, sorted(mesh))
    order_rows(grid, MAX_WORK)

    assert crossings(grid) == 0


@pytest.mark.parametrize("max_work", [0, 10_000, MAX_WORK])
@pytest.mark.parametrize(
    ("size", "edges"),
    [
        (1, [(0, 0)]),
        (3_000, [*pairwise(range(3_000)), (2_999, 0)]),
        (10_001, [(0, node) for node in range(1, 10_001)]),
        (10_001, [(node, 0) for node in range(1, 10_001)]),
        (60, list(combinations(range(60), 2))),
        (30, list(product(range(30), repeat=2))),
        (300, between(150, 150)),
        (600, list(dict.fromkeys((i * 7 % 600, i * i % 600) for i in range(900)))),
    ],
    ids=[
        "a self-loop",
        "a ring",
        "a star",
        "a sink",
        "all pairs",
        "all pairs, both ways",
        "two full rows",
        "random",
    ],
)
def test_hostile_graphs(size: int, edges: Edges, max_work: int) -> None:
    """No graph takes much more work than it may."""
    assert order_rows(grid_of(size, edges), max_work) <= max_work + 2_000_000


def test_a_small_budget_still_helps() -> None:
    """Rows are sorted, if not perfectly, with the work that a flow of many has."""
    edges = [(at, 30 + to % 30) for at in range(30) for to in (at * 17, at * at)]
    edges = list(dict.fromkeys(edges))
    grids = [grid_of(60, edges) for _ in range(3)]
    for grid, max_work in zip(grids, (0, 20_000, MAX_WORK), strict=True):
        order_rows(grid, max_work)

    none, some, most = map(crossings, grids)
    assert none > some >= most
