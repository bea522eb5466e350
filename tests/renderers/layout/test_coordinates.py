"""Lines are straight where they can be, and boxes stand in the middle of theirs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from penstock.renderers.layout.engine import lay_out
from penstock.renderers.layout.slots import Spacing

Edges = list[tuple[int, int]]


def columns(
    widths: list[float], edges: Edges, *, gap: float = 10, to_line: float = 6
) -> list[float]:
    """Return the x of each box."""
    spacing = Spacing(boxes=gap, line_to_box=to_line, lines=4)
    boxes = lay_out(dict(enumerate(widths)), edges, spacing).boxes.values()
    return [round(slot.x, 3) for slot in boxes]


@pytest.mark.parametrize(
    ("widths", "edges", "found"),
    [
        ([10, 30], [(0, 1)], [15, 15]),
        ([40] * 3, [(0, 1), (0, 2)], [45, 20, 70]),
        ([20] * 3, [(0, 1), (0, 2)], [25, 10, 40]),
        ([20] * 4, [(0, 1), (0, 2), (0, 3)], [40, 10, 40, 70]),
        ([40] * 4, [(0, 1), (0, 2), (2, 3)], [70, 20, 70, 70]),
        ([40] * 4, [(0, 2), (1, 2), (2, 3)], [20, 70, 45, 45]),
    ],
    ids=[
        "centred",
        "two below one",
        "two close below one",
        "three below one",
        "a branch beside a column",
        "two above one",
    ],
)
def test_small_flows(widths: list[float], edges: Edges, found: list[float]) -> None:
    """The x of each box, the left end of the leftmost at 0."""
    assert columns(widths, edges) == found


def test_a_column_matters_more_than_a_line_beside_it() -> None:
    """The long edge bends, the steps stay in one column."""
    steps = list(pairwise(range(6)))

    assert set(columns([20] * 6, [*steps, (0, 5)])) == {10}


def test_a_column_with_branches() -> None:
    """The longest way stays in one column, however many steps branch off."""
    steps = list(pairwise(range(30)))
    branches = [(node, node + 30) for node in range(30)]
    found = columns([100] * 60, [*steps, *branches])

    assert len(set(found[:30])) == 1
    assert max(found) - min(found) == 110


def test_thousands_of_branches() -> None:
    """Narrow boxes close to a long column cannot use up the time."""
    spine = list(pairwise(range(1_500)))
    bones = [(node, node + 1_500) for node in range(1_500)]
    found = columns([1] * 3_000, [*spine, *bones])

    assert len(set(found[:1_500])) == 1
