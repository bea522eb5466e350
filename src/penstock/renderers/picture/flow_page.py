"""The picture of one flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.renderers.evidence_labels import flow_evidence
from penstock.renderers.labels import owners_of

from .drawing import Line, Painter
from .frames import lay_out_flow
from .page import header, sheet
from .type import Style, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.renderers.formats import Direction

    from .cards import Look
    from .page import Picture

_MOST_PILLS, _MOST_PILL = 6, 200


def flow_page(look: Look, direction: Direction) -> Picture:
    """Return the picture of the only flow of a graph."""
    graph = look.graph
    edges = {(edge.before.number, edge.after.number): [edge] for edge in graph.edges}
    inside = lay_out_flow(graph.nodes, edges, look, direction)
    painter = Painter(graph)

    def paint(x: float, y: float) -> list[str]:
        plan = inside.plan.moved(x, y)
        lines = [
            painter.edge(
                edge,
                [Line(points) for points in plan.lines[link]],
                inside.labels[link],
                "page",
            )
            for link, (edge,) in edges.items()
        ]
        cards = [
            painter.node(
                node,
                inside.cards[node.number],
                plan.areas[node.number],
                [area for number, area in plan.bars if number == node.number],
            )
            for node in graph.nodes
        ]
        return [*lines, *cards]

    title = graph.flows[0].name if graph.flows else "No flow"
    top = header(title, _subtitle(look), list(_pills(look)))
    plan = inside.plan
    return sheet(top, plan.width, plan.height, paint, look)


def _subtitle(look: Look) -> str:
    flows = look.graph.flows
    if not flows:
        return ""
    found = flow_evidence(flows[0].name, look.graph)
    return ", ".join(found) or (flows[0].description if look.detail else "")


def _pills(look: Look) -> Iterator[tuple[str, str, Style]]:
    flows = look.graph.flows
    hue = look.hues[flows[0].name] if flows else "blue"
    words = [(owner, f"{hue}-tint", Style(11, 600, hue)) for owner in owners_of(flows)]
    tags = dict.fromkeys(tag for flow in flows for tag in flow.tags)
    words += [(tag, "pill", Style(11, 400, "quiet")) for tag in tags]
    for word, kind, style in words[:_MOST_PILLS]:
        yield one_line(word, style, _MOST_PILL), kind, style
