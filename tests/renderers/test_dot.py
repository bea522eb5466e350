"""DOT: the style of flows, and names that Graphviz would misread."""

from __future__ import annotations

import pytest

from penstock import FlowInfo, StepInfo
from tests.support.flow_values import draw_text, flow_of

SHOP = flow_of("shop", {"receive": None, "pay": "receive"})


def dot(*flows: FlowInfo, detail: bool = False) -> str:
    """Return the drawing."""
    return draw_text("dot", flows, detail=detail)


def test_one_flow() -> None:
    """The flow's name is the title; entrypoints are green and bold."""
    assert dot(SHOP) == (
        'digraph "shop" {\n'
        '    graph [label="shop", labelloc=t, fontsize=16, fontname="Arial", '
        "newrank=true, rankdir=TB]\n"
        '    node [shape=box, style=rounded, color="#5f6b7a", fontname="Arial", '
        "fontsize=12]\n"
        '    edge [color="#5f6b7a", arrowsize=0.8, fontname="Arial", fontsize=10]\n'
        '    "receive" [style="rounded,bold", color="#2e7d32", '
        'fontcolor="#1b5e20"]\n'
        '    "pay"\n'
        '    "receive" -> "pay"\n'
        "}"
    )


def test_several_flows_are_dashed_clusters() -> None:
    """Each flow has a frame with its name, and the graph has no title."""
    text = dot(SHOP, flow_of("g", {"x": ["shop:pay", "far/away:y"]}))

    assert 'subgraph "cluster_flow_shop" {' in text
    assert '        graph [label="shop", fontsize=13, style="rounded,dashed"' in text
    assert "    graph [labelloc=t" in text
    assert '        "x"\n' in text
    assert '    "far_away_y" [label="far/away:y", style="rounded,dashed"' in text
    assert '    "far_away_y" -> "x" [style=dashed]' in text
    assert '    "pay" -> "x"\n' in text


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ('say "hi"', r"say \"hi\""),
        ("back\\slash\\", r"back\\slash\\"),
        ("a&amp;<b>", "a&amp;amp;<b>"),
        ("two\nlines", r"two\nlines"),
        ("\x1b[1m\x00", " [1m "),
    ],
)
def test_labels(name: str, label: str) -> None:
    """Every name is shown as it is."""
    assert f'[label="{label}", style=' in dot(flow_of("f", {name: None}))


def test_detail() -> None:
    """Descriptions, tags, joins and owners show in detail."""
    flow = FlowInfo(
        "f",
        (
            StepInfo("a", "f", description="First."),
            StepInfo("b", "f", tags=("io",)),
            StepInfo("c", "f", after=(("a", "b"),)),
        ),
        owner="ops",
    )
    text = dot(flow, detail=True)

    assert 'graph [label="f (ops)"' in text
    assert r'"a" [label="a\nFirst."]' in text
    assert r'"b" [label="b\n#io"]' in text
    assert '"a" -> "c" [label="all of"]' in text
    assert "all of" not in dot(flow)


def test_a_step_outside() -> None:
    """A step of a flow that is not drawn is grey."""
    flow = flow_of("f", {"a": ["shop:pay"]})
    text = draw_text("dot", [flow], [SHOP], direction="LR")

    assert '"shop_pay" [label="shop:pay", color="#9aa5b1", fontcolor="#5f6b7a"]' in text
    assert "rankdir=LR" in text


def test_a_flow_of_two_services() -> None:
    """With details, a step of a shared flow says which services it is in."""
    one = flow_of("f", {"a": None}, service="one")
    two = flow_of("f", {"a": None}, service="two")

    assert r'label="a\none · two"' in draw_text("dot", [one, two], detail=True)
