"""Measure how flows are laid out and drawn, next to Graphviz if it is installed."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from bisect import bisect_right, insort
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import fmean
from time import process_time
from typing import TYPE_CHECKING

from penstock import FlowInfo, StepInfo
from penstock._graph.graph import build_graph
from penstock.renderers.layout.engine import lay_out
from penstock.renderers.layout.slots import Spacing
from penstock.renderers.picture.svg import render_svg

from .report import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.renderers.layout.engine import Layout

__all__ = ["rows"]

FLOWS = {15: 20, 30: 20, 60: 20, 120: 10, 500: 3}
"""How many flows of each size."""

_SPACING = Spacing(boxes=28, line_to_box=14, lines=11)
_MAX_S = 1.0
_MAX_PICTURE_S = 5.0
_POINTS = 72  # in an inch, Graphviz's unit
_NEAR = 2.0  # points that a spline may stray and still look straight

_Flow = tuple[dict[int, float], list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Crossings, how often a line is not vertical between two rows, and the time."""

    crossings: int
    bends: int
    seconds: float


def rows() -> Iterator[Row]:
    """Lay out flows of each size; yield the rows."""
    for steps, count in FLOWS.items():
        flows = [_flow(steps, seed) for seed in range(count)]
        own = [_penstock(*flow) for flow in flows]
        peer = [_graphviz(*flow) for flow in flows] if shutil.which("dot") else []
        what = f"layout of {steps} steps"
        for name in ("crossings", "bends"):
            limit = _mean(peer, name) if peer else None
            yield Row(f"{what}: {name} (at most Graphviz's)", _mean(own, name), limit)
        yield Row(f"{what}: time", _mean(own, "seconds"), _MAX_S, "s")
    yield Row("picture of 6,000 steps: time", _picture_s(6_000), _MAX_PICTURE_S, "s")


def _picture_s(steps: int) -> float:
    """Return how long the picture of a flow takes, with its lines and text."""
    widths, edges = _flow(steps, 0)
    after: dict[int, list[tuple[str]]] = {step: [] for step in widths}
    for before, step in edges:
        after[step].append((f"step_{before}",))
    flow = FlowInfo(
        "flow",
        tuple(StepInfo(f"step_{n}", "flow", after=tuple(after[n])) for n in widths),
    )
    graph = build_graph([flow], [])
    started = process_time()
    render_svg(graph, detail=False, direction="TD")
    return process_time() - started


def _mean(drawings: Sequence[_Drawing], name: str) -> float:
    return fmean(getattr(drawing, name) for drawing in drawings)


def _flow(steps: int, seed: int) -> _Flow:
    """Return a flow in loose layers: 1.3 edges per step, joins, a few long edges."""
    choose = random.Random(f"{steps}:{seed}")  # noqa: S311  # the same flow each time
    widest = 5 if steps <= 60 else 7 if steps <= 120 else 11
    layers: list[range] = []
    while (start := layers[-1].stop if layers else 0) < steps:
        layers.append(range(start, min(steps, start + choose.randint(1, widest))))
    layer_of = [at for at, layer in enumerate(layers) for _ in layer]
    edges = {
        (choose.choice(upper), step): None
        for upper, lower in pairwise(layers)
        for step in lower
    }
    while len(edges) < int(1.3 * steps):
        step = choose.randrange(steps)
        length = 1 if choose.random() < 0.75 else choose.randint(2, 5)
        if (at := layer_of[step] + length) < len(layers):
            edges[step, choose.choice(layers[at])] = None
    return {step: choose.randint(88, 200) for step in range(steps)}, list(edges)


def _penstock(widths: dict[int, float], edges: list[tuple[int, int]]) -> _Drawing:
    started = process_time()
    layout = lay_out(widths, edges, _SPACING)
    took = process_time() - started
    bends = sum(
        abs(upper.x - lower.x) > _NEAR
        for route in layout.routes.values()
        for upper, lower in pairwise(route)
    )
    return _Drawing(_crossings(layout), bends, took)


def _crossings(layout: Layout) -> int:
    place = {id(slot): at for row in layout.rows for at, slot in enumerate(row)}
    pieces = {
        (upper.row, place[id(upper)], place[id(lower)])
        for route in layout.routes.values()
        for upper, lower in pairwise(route)
    }
    total = 0
    for _, gap in groupby(sorted(pieces), key=lambda piece: piece[0]):
        seen: list[int] = []
        for _, group in groupby(gap, key=lambda piece: piece[1]):
            ends = [end for *_, end in group]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _graphviz(widths: dict[int, float], edges: list[tuple[int, int]]) -> _Drawing:
    lines = ["digraph { ranksep=0.47 nodesep=0.39 node [shape=box fixedsize=true]"]
    lines += [f"{node} [width={w / _POINTS:.3f}]" for node, w in widths.items()]
    lines += [f"{before} -> {after}" for before, after in edges]
    found = subprocess.run(
        ["dot", "-v", "-Tplain"],  # noqa: S607  # where PATH has it
        input="\n".join((*lines, "}")),
        capture_output=True,
        check=True,
        text=True,
    )
    crossings = re.findall(r"mincross .*: (\d+) crossings", found.stderr)[-1]
    return _Drawing(int(crossings), _bends(found.stdout), 0.0)


def _bends(plain: str) -> int:
    """Count how often a spline of Graphviz is not vertical between two rows."""
    lines = [line.split() for line in plain.splitlines()]
    at = {f[1]: (float(f[2]), float(f[3])) for f in lines if f[0] == "node"}
    levels = sorted({y for _, y in at.values()}, reverse=True)
    total = 0
    for fields in lines:
        if fields[0] == "edge":
            numbers = list(map(float, fields[4 : 4 + 2 * int(fields[3])]))
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            (start, top), (end, bottom) = at[fields[1]], at[fields[2]]
            passed = [y for y in levels if bottom < y < top]
            xs = [start, *(_x_at(points, y) for y in passed), end]
            total += sum(abs(a - b) > _NEAR / _POINTS for a, b in pairwise(xs))
    return total


def _x_at(points: Sequence[tuple[float, float]], y: float) -> float:
    """Return where a spline of Bézier curves passes this height, by bisection."""
    starts = range(0, len(points) - 3, 3)
    start = next((at for at in starts if points[at][1] >= y >= points[at + 3][1]), 0)
    low, high = 0.0, 1.0
    x = points[start][0]
    for _ in range(30):
        t = (low + high) / 2
        weights = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        curve = list(zip(weights, points[start : start + 4], strict=True))
        x = sum(weight * point[0] for weight, point in curve)
        if sum(weight * point[1] for weight, point in curve) > y:
            low = t
        else:
            high = t
    return x
