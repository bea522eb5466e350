"""Laws of pages: an HTML parser finds what was declared, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given, settings

from penstock.renderers.labels import printable
from tests.support.flow_values import draw
from tests.support.html_pages import Page
from tests.support.random_flows import flows, pairs_of, systems

if TYPE_CHECKING:
    from penstock import FlowInfo

some = settings(max_examples=settings().max_examples // 2)
FOREIGN = {"src", "href", "style", "srcdoc", "action", "xlink:href"}


@some
@given(flow=flows(max_size=15, is_cyclic=True))
def test_a_page_shows_what_was_declared(flow: FlowInfo) -> None:
    """An HTML parser finds the declared steps and edges, and no others."""
    found = Page(str(draw([flow], format="html")))

    assert Counter(name for _, name in found.steps()) == Counter(
        printable(step.name) for step in flow.steps
    )
    assert Counter(found.edges()) == Counter(
        (printable(one), printable(two)) for one, two in pairs_of(flow)
    )
    assert Counter(fact["name"] for fact in found.facts.values()) == Counter(
        step.name for step in flow.steps
    )


@some
@given(parts=systems())
def test_a_page_has_no_elements_but_ours(parts: tuple[FlowInfo, ...]) -> None:
    """No name adds an element, an attribute or a script."""
    found = Page(str(draw(parts, format="html")))

    times = Counter(tag for tag, _ in found.elements)
    assert not times.keys() & {"a", "base", "form", "iframe", "img", "link"}
    assert (times["script"], times["style"], times["svg"]) == (2, 1, 1)
    names = {name for _, attributes in found.elements for name in attributes}
    assert not names & FOREIGN
    assert not {name for name in names if name.startswith("on")}
