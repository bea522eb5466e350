"""Laws of pictures: an XML parser finds what was declared, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given

from penstock._graph.graph import build_graph
from penstock.renderers.labels import printable
from tests.support.flow_values import draw
from tests.support.images import Svg
from tests.support.random_flows import flows, pairs_of, systems

if TYPE_CHECKING:
    from penstock import FlowInfo


@given(flow=flows(max_size=15, is_cyclic=True))
def test_an_svg_shows_what_was_declared(flow: FlowInfo) -> None:
    """An XML parser finds the declared steps and edges, and no others."""
    found = Svg(str(draw([flow], format="svg", detail=True)))

    assert Counter(name for _, name in found.steps()) == Counter(
        printable(step.name) for step in flow.steps
    )
    assert Counter(found.edges()) == Counter(
        (printable(one), printable(two)) for one, two in pairs_of(flow)
    )


@given(parts=systems())
def test_an_svg_of_several_flows(parts: tuple[FlowInfo, ...]) -> None:
    """Every node, edge and flow of the graph is there once."""
    graph = build_graph(parts)
    found = Svg(str(draw(parts, format="svg")))

    assert len(found.steps()) == len(graph.nodes)
    assert len(found.edges()) == len(graph.edges)
    names = {flow.name for flow in parts}
    assert len(found.of_class("cluster")) == (len(names) if len(names) > 1 else 0)
