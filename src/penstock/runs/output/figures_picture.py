"""Draw the figures of steps over the picture of their flows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock._graph.graph import build_graph
from penstock.renderers.ids import node_ids
from penstock.renderers.picture.cards import Heat
from penstock.renderers.picture.svg import draw_svg
from penstock.renderers.picture.theme import hues_of

from .facts import percent, words_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock._types import FlowInfo
    from penstock.renderers.picture.theme import Theme
    from penstock.runs.figures import StepFigures

_P95 = 1


@dataclass(frozen=True, slots=True)
class FiguresPicture:
    """The picture of figures, and what its parts are.

    Attributes:
        svg: The picture, ``""`` if none of the flows is declared.
        cards: The ID of the card of each flow's step.
        hues: The hue of each flow.
    """

    svg: str = ""
    cards: Mapping[tuple[str, str], str] = field(default_factory=dict)
    hues: Mapping[str, str] = field(default_factory=dict)


def figures_as_svg(figures: Sequence[StepFigures], flows: Sequence[FlowInfo]) -> str:
    """Return the picture of those of *flows* that have figures."""
    return draw_figures(figures, flows, "both").svg


def draw_figures(
    figures: Sequence[StepFigures], flows: Sequence[FlowInfo], theme: Theme
) -> FiguresPicture:
    """Draw those of *flows* that have figures.

    A card has the p95 of its step and a bar as long as its share of the highest p95,
    and how many of the calls failed. If several services have the step, the p95 is
    that of the slowest.
    """
    steps: dict[tuple[str, str], list[StepFigures]] = {}
    for one in figures:
        steps.setdefault((one.flow, one.step), []).append(one)
    names = {flow for flow, _ in steps}
    drawn = [flow for flow in flows if flow.name in names]
    graph = build_graph(drawn, flows)
    highest_ms = max(map(_p95_ms, figures), default=0)
    heat = {
        number: _heat(steps[step.flow, step.name], highest_ms)
        for number, step in enumerate(graph.steps)
        if (step.flow, step.name) in steps
    }
    svg = draw_svg(graph, detail=False, direction="TD", theme=theme, heat=heat)
    cards = {
        (step.flow, step.name): f"step-{one}"
        for step, one in zip(graph.steps, node_ids(graph), strict=True)
    }
    return FiguresPicture(svg, cards, hues_of(drawn))


def _p95_ms(one: StepFigures) -> float:
    return one.quantiles_ms[_P95] if one.quantiles_ms else 0


def _heat(services: Sequence[StepFigures], highest_ms: float) -> Heat:
    p95_ms = max(map(_p95_ms, services))
    errors = sum(one.errors for one in services)
    calls = sum(one.calls for one in services)
    has_end = any(one.quantiles_ms for one in services)
    words = [f"p95 {words_for(round(p95_ms * 1000))}" if has_end else "no end"]
    if errors:
        words.append(f"{percent(errors / calls)} errors")
    return Heat(" · ".join(words), p95_ms / (highest_ms or 1), is_bad=errors > 0)
