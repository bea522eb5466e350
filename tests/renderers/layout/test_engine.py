"""Rows of boxes and lines: what holds for every graph, and how small ones look."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.renderers.layout.engine import lay_out
from penstock.renderers.layout.slots import Spacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock.renderers.layout.engine import Layout

SPACING = Spacing(boxes=28, line_to_box=14, lines=11)
CLOSE = 1e-6

Edges = list[tuple[int, int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[int, float], Edges]:
    """Draw the widths of boxes, and edges in any direction."""
    nodes = draw(st.lists(st.integers(0, 99), min_size=1, max_size=20, unique=True))
    node = st.sampled_from(nodes)
    widths = {one: draw(st.integers(10, 200)) / 2 for one in nodes}
    return widths, draw(st.lists(st.tuples(node, node), max_size=40, unique=True))


def boxes(layout: Layout) -> list[list[int]]:
    """Return the nodes of each row."""
    return [[slot.node for slot in row if not slot.is_line] for row in layout.rows]


def places(layout: Layout) -> dict[int, float]:
    """Return the x of each node."""
    return {node: round(slot.x, 3) for node, slot in layout.boxes.items()}


def of_width(width: float, nodes: Iterable[int]) -> dict[int, float]:
    """Return boxes of the same width."""
    return dict.fromkeys(nodes, width)


@given(graph=graphs(), max_width=st.sampled_from([200, 1e9]))
def test_every_graph(graph: tuple[dict[int, float], Edges], max_width: float) -> None:
    """Each node and edge is there once, and rows keep their spacing."""
    widths, edges = graph
    found = lay_out(widths, edges, SPACING, max_width=max_width)

    assert list(found.boxes) == list(widths)
    assert {node: slot.width for node, slot in found.boxes.items()} == widths
    assert sorted(chain.from_iterable(boxes(found))) == sorted(widths)
    assert all(boxes(found))
    assert set(found.routes) == set(edges)
    for at, row in enumerate(found.rows):
        assert {slot.row for slot in row} == {at}
        for left, right in pairwise(row):
            assert right.x - left.x > SPACING.distance(left, right) - CLOSE
    ends = [slot.x - slot.width / 2 for row in found.rows for slot in row]
    assert min(ends) == pytest.approx(0)


@pytest.mark.parametrize("shared_lines", [False, True])
@given(graph=graphs())
def test_every_route(
    shared_lines: bool,  # noqa: FBT001  # a parameter
    graph: tuple[dict[int, float], Edges],
) -> None:
    """A route leads through each row from one box down to the other."""
    widths, edges = graph
    found = lay_out(widths, edges, SPACING, shared_lines=shared_lines)
    known = {id(slot) for row in found.rows for slot in row}
    used = set(map(id, found.boxes.values()))

    for edge, route in found.routes.items():
        upper, lower = edge[::-1] if edge in found.back else edge
        assert (route[0], route[-1]) == (found.boxes[upper], found.boxes[lower])
        rows = [slot.row for slot in route]
        assert rows == list(range(rows[0], rows[-1] + 1))
        assert (len(rows) == 1) == (upper == lower)
        assert {(slot.node, slot.is_line) for slot in route[1:-1]} <= {(edge[0], True)}
        used.update(map(id, route))
    assert used == known


@given(graph=graphs())
def test_what_leads_upwards(graph: tuple[dict[int, float], Edges]) -> None:
    """Without the edges in ``back`` there is no cycle; without cycles there is none."""
    widths, edges = graph
    back = lay_out(widths, edges, SPACING).back
    ahead = [edge for edge in edges if edge not in back]

    assert back <= set(edges)
    assert not lay_out(widths, ahead, SPACING).back
    assert all((edge in back) for edge in edges if edge[0] == edge[1])


def test_hash_seeds() -> None:
    """Layouts are the same in processes that order sets differently."""
    program = """
from penstock.renderers.layout.engine import lay_out
from penstock.renderers.layout.slots import Spacing

edges = list(dict.fromkeys((i * i % 40, i * 7 % 40) for i in range(90)))
layout = lay_out(dict.fromkeys(range(40), 100), edges, Spacing(28, 14, 11))
print([(slot.node, slot.x) for row in layout.rows for slot in row], sorted(layout.back))
"""
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(found) == 1


def test_no_nodes() -> None:
    """An empty graph has no rows."""
    assert lay_out({}, [], SPACING).rows == ()


def test_a_diamond() -> None:
    """Two steps stand side by side under one, and the next in the middle again."""
    found = lay_out(of_width(100, range(4)), [(0, 1), (0, 2), (1, 3), (2, 3)], SPACING)

    assert boxes(found) == [[0], [1, 2], [3]]
    assert places(found) == {0: 114, 1: 50, 2: 178, 3: 114}


def test_a_line_beside_a_box() -> None:
    """An edge that passes a row is straight there, with space to the box."""
    found = lay_out(of_width(100, range(3)), [(0, 1), (1, 2), (0, 2)], SPACING)
    _, line, _ = found.routes[0, 2]

    assert boxes(found) == [[0], [1], [2]]
    assert line.is_line
    assert line.x - found.boxes[1].x == 64


def test_a_long_line_is_straight() -> None:
    """A line through many rows has the same x in all of them."""
    steps = list(pairwise(range(8)))
    found = lay_out(of_width(100, range(8)), [*steps, (0, 7)], SPACING)

    assert len({slot.x for slot in found.routes[0, 7][1:-1]}) == 1
    assert len({slot.x for slot in found.boxes.values()}) == 1


def test_a_cycle() -> None:
    """The first step stays on top, and the way back passes the others."""
    found = lay_out(of_width(100, range(3)), [(0, 1), (1, 2), (2, 0)], SPACING)

    assert found.back == {(2, 0)}
    assert boxes(found) == [[0], [1], [2]]
    assert [slot.is_line for slot in found.routes[2, 0]] == [False, True, False]
    assert places(found) == {0: 50, 1: 50, 2: 50}
    assert found.routes[2, 0][1].x == 114


def test_a_cycle_behind_an_entrypoint() -> None:
    """A cycle is entered where the flow enters it, whatever is declared first."""
    found = lay_out(of_width(100, range(3)), [(0, 1), (1, 0), (2, 1)], SPACING)

    assert boxes(found) == [[2], [1], [0]]
    assert found.back == {(0, 1)}


def test_ports() -> None:
    """Boxes stand so that a line between ports is straight, through other rows too."""
    ports = {(0, 3): (40.0, -10.0), (0, 1): (-20.0, 5.0)}
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    found = lay_out(of_width(90, range(4)), edges, SPACING, ports=ports)
    x = places(found)
    (line, _) = (slot.x for slot in found.routes[0, 3][1:-1])

    assert x[0] - 20 == x[1] + 5
    assert x[0] + 40 == line


def test_two_ways() -> None:
    """Two steps that lead to each other have an edge down and one up."""
    found = lay_out(of_width(100, range(2)), [(0, 1), (1, 0), (0, 0)], SPACING)

    assert found.back == {(1, 0), (0, 0)}
    assert boxes(found) == [[0], [1]]
    assert found.routes[0, 1] == found.routes[1, 0]
    assert found.routes[0, 0] == (found.boxes[0],)


def test_a_wide_row_wraps() -> None:
    """A fan stands in two rows, and lines pass between the boxes of the first."""
    fan = [(0, node) for node in range(1, 9)]
    found = lay_out(of_width(100, range(9)), fan, SPACING, max_width=600)

    assert boxes(found) == [[0], [1, 3, 5, 7], [2, 4, 6, 8]]
    assert [slot.node for slot in found.rows[1]] == [1, 0, 3, 0, 5, 0, 7, 0]
    right = max(slot.x + slot.width / 2 for row in found.rows for slot in row)
    assert right <= 600


def test_shared_lines() -> None:
    """Edges from one step pass a row as one line."""
    edges = [(0, 1), (1, 2), (0, 2), (1, 3), (0, 3)]
    widths = of_width(100, range(4))
    found = lay_out(widths, edges, SPACING, shared_lines=True)

    assert [len(row) for row in found.rows] == [1, 2, 2]
    assert [len(row) for row in lay_out(widths, edges, SPACING).rows] == [1, 3, 2]
    assert found.routes[0, 2][1] is found.routes[0, 3][1]
