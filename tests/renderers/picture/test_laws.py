"""Laws of pictures: what is declared is there, and nothing lies on anything else."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import FlowInfo, StepInfo
from tests.support.flow_values import draw
from tests.support.images import Box, Svg
from tests.support.random_flows import flows, pairs_of, systems

if TYPE_CHECKING:
    from penstock.renderers.formats import Direction
    from tests.support.images import Segment

some = settings(max_examples=settings().max_examples // 2)
DIRECTIONS = st.sampled_from(["TD", "LR", "BT", "RL"])


@st.composite
def joined_flows(draw: st.DrawFn, name: str = "f") -> FlowInfo:
    """Draw a flow whose steps may have several joins, descriptions and tags."""
    flow = draw(flows(name=name, max_size=12, is_cyclic=True))
    steps = []
    for step in flow.steps:
        befores = list(step.predecessors)
        size = draw(st.integers(1, 3))
        groups = [tuple(befores[at : at + size]) for at in range(0, len(befores), 2)]
        steps.append(
            replace(
                step,
                after=tuple(groups),
                description=draw(st.sampled_from(["", "Do it.", "Do it well. " * 9])),
                tags=draw(st.sampled_from([(), ("io",), ("io", "retry", "日本")])),
                crosses=draw(st.booleans()),
            )
        )
    return replace(flow, steps=tuple(steps))


def picture(*parts: FlowInfo, detail: bool = False, direction: Direction = "TD") -> Svg:
    """Return the parsed SVG."""
    return Svg(str(draw(parts, format="svg", detail=detail, direction=direction)))


def assert_clear(found: Svg) -> None:
    """Check that no line crosses a card, a title or another line's way."""
    cards = {name: found.box(name) for name in found.of_class("node")}
    titles = [
        box
        for cluster in found.of_class("cluster").values()
        for _, box in found.texts(cluster)
    ]
    for one, other in combinations(cards.values(), 2):
        assert not one.meets(other)
    lines: dict[str, list[Segment]] = {}
    for edge in found.of_class("edge"):
        pieces = [piece for line in found.segments(edge) for piece in line]
        lines[edge] = pieces
        for piece in pieces:
            band = _band(piece)
            assert not any(card.meets(band) for card in cards.values()), edge
            assert not any(title.meets(band) for title in titles), edge
    for edge, next_edge in combinations(lines, 2):
        if not _may_share(found, edge, next_edge):
            for piece in lines[edge]:
                assert not any(_on(piece, met) for met in lines[next_edge])


def _band(piece: Segment) -> Box:
    x, y, right, bottom = piece
    return Box(min(x, right), min(y, bottom), max(x, right), max(y, bottom))


def _may_share(found: Svg, one: str, other: str) -> bool:
    """Return whether two edges lead between the same flows: they share doors."""
    ends = [
        [
            found.groups[found.groups[edge].attrib[key]].attrib["data-flow"]
            for key in ("data-before", "data-after")
        ]
        for edge in (one, other)
    ]
    return ends[0][0] != ends[0][1] and ends[0] == ends[1]


def _on(one: Segment, other: Segment) -> bool:
    """Return whether two pieces lie on each other for more than a corner."""
    for at in (0, 1):
        across, along = at, 1 - at
        if one[across] != one[across + 2] or other[across] != other[across + 2]:
            continue
        if abs(one[across] - other[across]) < 1.5:
            low, high = sorted((one[along], one[along + 2]))
            left, right = sorted((other[along], other[along + 2]))
            if min(high, right) - max(low, left) > 1:
                return True
    return False


@given(flow=joined_flows(), direction=DIRECTIONS, detail=st.booleans())
def test_one_flow(flow: FlowInfo, direction: Direction, *, detail: bool) -> None:
    """Every step and edge is there, and no line is where it should not be."""
    found = picture(flow, direction=direction, detail=detail)

    assert len(found.steps()) == len(flow.steps)
    assert len(found.of_class("edge")) == len(pairs_of(flow))
    assert_clear(found)


@some
@given(parts=systems(), direction=DIRECTIONS)
def test_several_flows(parts: tuple[FlowInfo, ...], direction: Direction) -> None:
    """The same with frames, doors, and lines between flows."""
    found = picture(*parts, direction=direction)

    assert len(found.steps()) == sum(len(part.steps) for part in parts)
    assert len(found.of_class("cluster")) == len(parts)
    assert_clear(found)


@given(flow=joined_flows(), direction=DIRECTIONS)
def test_texts_are_inside(flow: FlowInfo, direction: Direction) -> None:
    """Each text of a card is inside it, by the widths of the font."""
    found = picture(flow, detail=True, direction=direction)

    for name, group in found.of_class("node").items():
        has_bars = bool(found.bars(name))
        for text, box in found.texts(group):
            assert (text == "all of" and has_bars) or found.box(name).holds(box)
            assert found.size.holds(box)


@given(flow=joined_flows(), direction=DIRECTIONS)
def test_heads_touch_their_step(flow: FlowInfo, direction: Direction) -> None:
    """Each line ends at the border of its step, or of a bar on it."""
    found = picture(flow, direction=direction)

    for name, edge in found.of_class("edge").items():
        after = edge.attrib["data-after"]
        boxes = [found.box(after), *found.bars(after)]
        for x, y in found.tips(name):
            assert any(_is_at_border(box, x, y) for box in boxes)


def _is_at_border(box: Box, x: float, y: float) -> bool:
    left, top, right, bottom = box
    is_inside = left - 0.2 <= x <= right + 0.2 and top - 0.2 <= y <= bottom + 0.2
    near = (abs(x - left), abs(x - right), abs(y - top), abs(y - bottom))
    return is_inside and min(near) < 0.2


@pytest.mark.parametrize("size", [1, 2, 15, 60, 300])
def test_any_size(size: int) -> None:
    """A flow with long edges and joins is drawn clearly, whatever its size."""
    random = Random(size)  # noqa: S311  # no secrets here
    steps = []
    for number in range(size):
        near = range(max(0, number - 9), number)
        chosen = random.sample(near, min(len(near), random.choice([1, 1, 1, 2])))
        after = tuple((f"step_{one}",) for one in chosen)
        steps.append(StepInfo(f"step_{number}", "f", not number, after))
    found = picture(FlowInfo("f", tuple(steps)))

    assert len(found.steps()) == size
    assert_clear(found)


@pytest.mark.parametrize("direction", ["TD", "BT"])
@pytest.mark.parametrize("detail", [False, True])
def test_a_long_chain(direction: Direction, *, detail: bool) -> None:
    """It is folded into columns, and the line between two of them is clear too."""
    steps = [StepInfo("step_0", "f", is_entrypoint=True)]
    for at in range(1, 60):
        after = (f"step_{at - 1}", *([f"step_{at - 2}"] if at % 7 == 2 else []))
        about = "Do it. " * (at % 5)
        steps.append(StepInfo(f"step_{at}", "f", after=(after,), description=about))
    flow = FlowInfo("f", tuple(steps))
    others = []
    for at in range(30):
        before = ((f"g{at - 1}:x",),) if at else ()
        others.append(FlowInfo(f"g{at}", (StepInfo("x", f"g{at}", not at, before),)))

    for parts in ([flow], [flow, *others]):
        found = picture(*parts, detail=detail, direction=direction)
        _, _, width, height = found.size
        assert 0.5 < width / height < 2
        assert_clear(found)
    wide = picture(flow, direction="LR").size
    assert wide.right > 4 * wide.bottom


def test_a_chain_with_a_line_beside_it() -> None:
    """What two lines pass in every gap cannot be cut, and stays in one column."""
    for root in (0, 4):
        after: dict[int, tuple[tuple[str, ...], ...]]
        after = {at: ((f"step_{at - 1}",),) for at in range(1, 40)}
        for at in range(root + 2, 40):
            after[at] += ((f"step_{root}",),)
        names = [
            StepInfo(f"step_{at}", "f", not at, after.get(at, ())) for at in range(40)
        ]
        _, _, width, height = picture(FlowInfo("f", tuple(names))).size
        assert height > 2 * width


def test_every_hash_seed_gives_the_same_bytes() -> None:
    """The order of sets plays no part in what is drawn."""
    script = (
        "from tests.renderers.picture.test_svg import BILLS, SHOP; "
        "from tests.support.flow_values import draw; "
        "print(draw([SHOP, BILLS], format='svg', detail=True))"
    )
    drawings = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path.cwd())},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert len(drawings) == 1
