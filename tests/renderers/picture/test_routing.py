"""Boxes and lines before they are turned and painted."""

from __future__ import annotations

from itertools import pairwise

import pytest

from penstock import FlowInfo, StepInfo
from penstock.renderers.picture.placement import Area
from penstock.renderers.picture.routing import (
    BAR,
    Gaps,
    Link,
    Shape,
    route,
)
from tests.support.flow_values import draw
from tests.support.images import Svg

GAPS = Gaps(17, 17, 17, 17)


def test_a_line_between_two_boxes() -> None:
    """A box is centred above another, and the line between them is straight."""
    drawn = route({0: Shape(90, 36), 1: Shape(140, 36)}, [Link(0, 1)], GAPS)

    assert drawn.areas == {
        0: Area(25, 0, 90, 36),
        1: Area(0, 70, 140, 36),
    }
    assert drawn.lines == {(0, 1): [((70, 36), (70, 70))]}
    assert (drawn.width, drawn.height) == (140, 106)


def test_a_bar() -> None:
    """Lines of a join end at a bar, which is above its box."""
    shapes = dict.fromkeys(range(3), Shape(90, 36))
    drawn = route(shapes, [Link(0, 2, (1,)), Link(1, 2, (1,))], GAPS)
    ((node, bar),) = drawn.bars
    tips = [line[-1] for (line,) in drawn.lines.values()]

    assert [y for _, y in tips] == [drawn.areas[2].y - BAR] * 2
    assert (node, bar.width) == (2, tips[1][0] - tips[0][0] + 24)
    assert drawn.areas[2].y == 36 + 34 + BAR


@pytest.mark.parametrize("groups", [(), (1,)])
def test_a_box_is_wide_enough_for_its_ports(groups: tuple[int, ...]) -> None:
    """Many lines and their labels widen a box."""
    shapes = dict.fromkeys(range(13), Shape(88, 36))
    links = [Link(at, 12, groups, (50, 16)) for at in range(12)]
    drawn = route(shapes, links, GAPS)
    tips = sorted(line[-1][0] for (line,) in drawn.lines.values())

    assert drawn.areas[12].width > 12 * 50
    assert min(b - a for a, b in pairwise(tips)) >= 58


def test_a_port_moves_towards_a_long_line() -> None:
    """A long line that would end with a small step is straight."""
    after = {2: [1], 3: [0, 1], 4: [3], 5: [1, 0, 3]}
    links = [Link(one, node) for node, befores in after.items() for one in befores]
    drawn = route(dict.fromkeys(range(6), Shape(88, 36)), links, GAPS)
    turns = {edge: len(line) - 2 for edge, (line,) in drawn.lines.items()}

    assert turns[0, 5] == 0


def test_boxes_move_until_lines_between_their_fixed_ports_are_straight() -> None:
    """Doors stand above each other, not the middles of their frames."""
    boxes = {
        0: Shape(200, 36, outs={1: -70.0}, is_fixed=True),
        1: Shape(120, 36, ins={0: 20.0}, outs={2: 50.0}, is_fixed=True),
        2: Shape(300, 36, ins={1: 0.0}, is_fixed=True),
    }
    drawn = route(boxes, [Link(0, 1), Link(1, 2)], GAPS)

    assert [len(line) for (line,) in drawn.lines.values()] == [2, 2]


@pytest.mark.parametrize("joins", [(), (1,)])
def test_a_fork_of_low_boxes(joins: tuple[int, ...]) -> None:
    """Lines are straight at boxes with little room for ports, as in left-right ones."""
    links = [Link(0, 1), Link(0, 2), Link(1, 3, joins), Link(2, 3, joins)]
    drawn = route(dict.fromkeys(range(4), Shape(36, 120)), links, GAPS)

    assert len(drawn.lines[0, 1][0]) == len(drawn.lines[1, 3][0]) == 2


def test_everything_after_everything() -> None:
    """A very dense flow shares lines, and is drawn in full."""
    names = [f"s{number}" for number in range(32)]
    steps = [
        StepInfo(name, "f", after=tuple((one,) for one in names[:at]))
        for at, name in enumerate(names)
    ]
    flow = FlowInfo("f", tuple(steps))
    found = Svg(str(draw([flow], format="svg")))

    assert len(found.of_class("edge")) == 32 * 31 / 2
