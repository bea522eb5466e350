"""Draw the flows that an operation went through, with its path lit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock._graph.graph import build_graph
from penstock.renderers.ids import node_ids
from penstock.renderers.picture.cards import Heat
from penstock.renderers.picture.svg import draw_svg
from penstock.renderers.picture.theme import hues_of

from .facts import (
    counted,
    duration_us,
    duration_words,
    first_us,
    is_failure,
    last_us,
    words_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock._graph.graph import Edge, Graph
    from penstock._types import FlowInfo
    from penstock.runs.operation import Operation, OrderJudgement, StoredCall

    Step = tuple[str, str]
    """A flow and a step."""


@dataclass(frozen=True, slots=True)
class OperationPicture:
    """The picture of an operation, and what its parts are.

    Attributes:
        svg: The picture, ``""`` if none of the flows is declared.
        cards: The ID of the card of each step that is drawn.
        hues: The hue of each flow.
        lit: For each state of cards and lines, their IDs as a selector: ``ran``,
            ``failed``, ``unseen``, ``taken`` and ``broken``.
    """

    svg: str = ""
    cards: Mapping[Step, str] = field(default_factory=dict)
    hues: Mapping[str, str] = field(default_factory=dict)
    lit: Mapping[str, str] = field(default_factory=dict)


def draw_operation(
    operation: Operation,
    judgements: Sequence[OrderJudgement],
    flows: Sequence[FlowInfo],
) -> OperationPicture:
    """Return the picture of those of *flows* that *operation* went through."""
    called: dict[Step, list[StoredCall]] = {}
    for call in operation.calls:
        called.setdefault((call.flow, call.step), []).append(call)
    names = {flow for flow, _ in called}
    drawn = [flow for flow in flows if flow.name in names]
    if not drawn:
        return OperationPicture()
    graph = build_graph(drawn, flows)
    steps = [(step.flow, step.name) for step in graph.steps]
    ids = [f"step-{one}" for one in node_ids(graph)]
    whole = (last_us(operation.calls) or 0) - (first_us(operation.calls) or 0)
    heat = {
        number: _heat(called[step], whole)
        for number, step in enumerate(steps)
        if step in called
    }
    ran = {ids[number] for number in heat}
    failed = {ids[number] for number, one in heat.items() if one.is_bad}
    taken, broken = _taken(graph, heat), _broken(graph, judgements)
    return OperationPicture(
        draw_svg(
            graph,
            detail=False,
            direction="TD",
            theme="page",
            has_legend=False,
            heat=heat,
        ),
        dict(zip(steps, ids, strict=True)),
        hues_of(drawn),
        {
            "ran": _selector(ran),
            "failed": _selector(failed),
            "unseen": _selector({*ids} - ran),
            "taken": _selector(_edge_id(edge, ids) for edge in taken),
            "broken": _selector(_edge_id(edge, ids) for edge in broken),
        },
    )


def _heat(calls: Sequence[StoredCall], whole_us: int) -> Heat:
    """Return how often a step was called, and its share of the time."""
    failed = sum(map(is_failure, calls))
    known = [one for call in calls if (one := duration_us(call)) is not None]
    words = [counted(len(calls), "call")] if len(calls) > 1 else []
    words += [f"{failed} failed" if len(calls) > 1 else "failed"] if failed else []
    words.append(words_for(sum(known)) if known else duration_words(calls))
    return Heat(" · ".join(words), sum(known) / (whole_us or 1), is_bad=failed > 0)


def _taken(graph: Graph, ran: Iterable[int]) -> Iterator[Edge]:
    """Yield the edges between two steps that were called."""
    called = set(ran)
    for edge in graph.edges:
        if edge.before.number in called and edge.after.number in called:
            yield edge


def _broken(graph: Graph, judgements: Iterable[OrderJudgement]) -> Iterator[Edge]:
    """Yield the edges that the operation broke."""
    broken = {(one.flow, *edge) for one in judgements for edge in one.edges}
    for edge in graph.edges:
        after = edge.after.step
        if (after.flow, edge.before.step.name, after.name) in broken:
            yield edge


def _edge_id(edge: Edge, ids: Sequence[str]) -> str:
    ends = ids[edge.before.number], ids[edge.after.number]
    return "-".join(("edge", *(one.removeprefix("step-") for one in ends)))


def _selector(ids: Iterable[str]) -> str:
    return ",".join(f"#{one}" for one in sorted(ids))
