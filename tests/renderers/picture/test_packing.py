"""Rectangles on a page: none on another, and a page that fits a screen."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from penstock.renderers.picture.packing import pack
from tests.support.images import Box

SIDES = st.floats(1, 900)


@given(st.lists(st.tuples(SIDES, SIDES), max_size=40))
def test_nothing_meets(sizes: list[tuple[float, float]]) -> None:
    """Rectangles are inside the page, and keep the gap."""
    found = pack(sizes, 24)
    boxes = [
        Box(x, y, x + wide, y + high)
        for (x, y), (wide, high) in zip(found.places, sizes, strict=True)
    ]

    page = Box(0, 0, found.width, found.height)
    assert all(page.holds(box) for box in boxes)
    for one, other in combinations(boxes, 2):
        wider = Box(one.left - 24, one.top - 24, one.right + 24, one.bottom + 24)
        assert not wider.meets(other)


def test_the_shape_of_a_page() -> None:
    """Equal flows fill a page that is a little wider than high."""
    found = pack([(200, 300)] * 25, 24)

    assert 1 <= found.width / found.height <= 1.5
    assert 25 * 224 * 324 / (found.width * found.height) > 0.9


def test_small_cases() -> None:
    """Nothing takes no room, one rectangle its own."""
    assert pack([], 24) == ([], 0, 0)
    assert pack([(30, 90)], 24) == ([(0, 0)], 30, 90)
    assert pack([(30, 20), (30, 20)], 10).places == [(0, 0), (40, 0)]
