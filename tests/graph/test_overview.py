"""An overview: each flow as one box, in every format."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from penstock import FlowInfo, UnknownFlowError, entrypoint, flow, generate_dag, step
from penstock._graph.graph import build_graph
from penstock._graph.overview import overview_of
from tests.support.call_styles import unique
from tests.support.diagram_parsers import parse_dot
from tests.support.flow_values import draw, flow_of
from tests.support.images import Svg, needs_draw, pixels

ORDERS = replace(
    flow_of("orders", {"receive": None, "charge": "receive", "ship": "charge"}),
    owner="payments",
    description="From click to parcel.",
    tags=("core",),
)
BILLING = flow_of(
    "billing", {"invoice": ["orders:charge"], "remind": ["invoice", "orders:ship"]}
)
AUDIT = flow_of("audit", {"record": ["billing:invoice"]})
SYSTEM = (ORDERS, BILLING, AUDIT)


def drawn(form: str, *, expand: tuple[str, ...] = (), detail: bool = False) -> str:
    """Return the overview of the sample system."""
    return str(draw(SYSTEM, format=form, overview=True, expand=expand, detail=detail))


def test_mermaid() -> None:
    """A box shows the number of its steps, a line the number of its edges."""
    assert drawn("mermaid") == (
        "graph TD\n"
        '    orders["orders<br/>3 steps"]\n'
        '    billing["billing<br/>2 steps"]\n'
        '    audit["audit<br/>1 step"]\n'
        "    orders -->|2| billing\n"
        "    billing --> audit"
    )


def test_detail_says_who_answers_for_a_flow() -> None:
    """Detail adds owner, description and tags."""
    line = drawn("mermaid", detail=True).splitlines()[1]

    assert line == (
        '    orders["orders (payments)<br/>3 steps<br/>From click to parcel.'
        '<br/>#35;core"]'
    )


def test_one_flow_shows_its_steps() -> None:
    """An expanded flow is drawn with its steps, among the boxes of the others."""
    assert drawn("mermaid", expand=("billing",)) == (
        "graph TD\n"
        '    subgraph flow_billing["billing"]\n'
        '        invoice["invoice"]\n'
        '        remind["remind"]\n'
        "        invoice --> remind\n"
        "    end\n"
        '    orders["orders<br/>3 steps"]\n'
        '    audit["audit<br/>1 step"]\n'
        "    orders --> invoice\n"
        "    orders --> remind\n"
        "    invoice --> audit\n"
    ).rstrip("\n")


def test_joins_stay_where_steps_do() -> None:
    """An expanded flow keeps its joins; a box has none."""
    joined = flow_of("f", {"a": None, "b": None, "c": [("a", "b")]})
    graph = build_graph([joined, flow_of("g", {"x": ["f:c"]})])

    assert [len(group) for group in overview_of(graph, ["f"]).joins.values()] == [1]
    assert overview_of(graph).joins == {}
    assert "all of" in str(draw([joined], format="mermaid", expand=["f"], detail=True))


def test_dot() -> None:
    """A parser of DOT finds the boxes and lines."""
    text = drawn("dot")
    found = parse_dot(text)

    assert sorted(found.labels.values()) == [
        "audit\n1 step",
        "billing\n2 steps",
        "orders\n3 steps",
    ]
    assert len(found.edges) == 2
    assert 'label="2"' in text


def test_a_picture_has_the_numbers_and_frames() -> None:
    """Lines say how many edges they stand for, and shown flows have frames."""
    lone = [flow_of(f"lone_{number}", {"a": None}) for number in range(9)]
    text = str(draw([*SYSTEM, *lone], format="svg", expand=["lone_1"]))
    svg = Svg(text)

    assert len(svg.of_class("edge")) == 2
    assert ">2<" in text
    assert list(svg.of_class("cluster")) == ["flow_lone_1"]


def test_dot_of_an_expanded_flow() -> None:
    """A single expanded flow has a frame, and its title is not the picture's."""
    text = drawn("dot", expand=("orders",))

    assert 'subgraph "cluster_flow_orders"' in text
    assert text.startswith('digraph "overview" {')


def test_text() -> None:
    """In a terminal the overview comes first, then the expanded flows."""
    text = drawn("text", expand=("orders",))

    assert text.startswith("overview\n")
    assert "2 steps" in text
    assert "charge" in text[text.index("\norders\n") :]


def test_json_says_everything() -> None:
    """JSON has no overview, because its readers need the steps."""
    assert drawn("json") == str(draw(SYSTEM, format="json"))


def test_svg() -> None:
    """Each box of the picture names its flow, and has no step."""
    svg = Svg(drawn("svg"))
    boxes = svg.of_class("flow").values()

    assert sorted(box.attrib["data-flow"] for box in boxes) == [
        "audit",
        "billing",
        "orders",
    ]
    assert not any("data-step" in box.attrib for box in boxes)
    assert len(svg.of_class("edge")) == 2


@needs_draw
def test_many_flows_are_no_strip() -> None:
    """A hundred unconnected flows fit on a screen."""
    flows = [flow_of(f"flow_{number}", {"a": None}) for number in range(100)]
    width, height = pixels(draw(flows, format="png", overview=True)).size  # type: ignore[arg-type]  # png is bytes

    assert max(width, height) < 4_000
    assert max(width, height) < 3 * min(width, height)


def test_cycles_between_flows() -> None:
    """Flows may form a cycle; a flow that leads to itself is one box."""
    one = flow_of("one", {"a": None, "b": ["two:c", "a"]})
    two = flow_of("two", {"c": ["one:a"]})

    assert str(draw([one, two], overview=True)).splitlines()[-2:] == [
        "    one --> two",
        "    two --> one",
    ]


def test_what_lies_outside_is_one_box_too() -> None:
    """Steps outside the drawn flows are combined by flow."""
    flow_ = flow_of("f", {"a": ["s/far:x", "s/far:y", "g:z"]}, service="me")
    text = str(draw([flow_], [flow_of("g", {"z": None})], overview=True))

    assert text.splitlines() == [
        "graph TD",
        '    g[["g"]]',
        '    s_far[["s/far"]]',
        '    f["f<br/>1 step · me"]',
        "    g --> f",
        "    s_far -.->|2| f",
        "    style s_far stroke-dasharray: 5 5",
    ]


def test_a_flow_of_two_services_is_one_box() -> None:
    """A shared flow counts each step once, and names both services and owners."""
    shop = FlowInfo("f", flow_of("f", {"a": None}).steps, owner="x", service="shop")
    mail = FlowInfo(
        "f", flow_of("f", {"a": None, "b": "a"}).steps, owner="y", service="mail"
    )

    assert str(draw([shop, mail], overview=True, detail=True)).splitlines()[1] == (
        '    f["f (y, x)<br/>2 steps · mail · shop"]'
    )


def test_edges_between_services_are_dashed() -> None:
    """A line crosses if every edge in it does."""
    shop = flow_of("shop", {"a": None, "b": "a"}, service="shop")
    mail = flow_of("mail", {"c": ["shop:a"]}, service="mail")
    both = flow_of("log", {"d": ["shop:b"]}, service="shop")

    text = str(draw([shop, mail, both], overview=True))
    assert "    shop -.-> mail" in text
    assert "    shop --> log" in text


def test_large_systems_stay_below_mermaid_s_limit() -> None:
    """An overview of 6,000 steps needs no warning."""
    steps = {f"s{n}": (None if n == 0 else f"s{n - 1}") for n in range(30)}
    flows = [flow_of(f"f{number}", steps) for number in range(200)]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert str(draw(flows, overview=True)).count("30 steps") == 200


def test_from_the_front_door() -> None:
    """``generate_dag`` takes both arguments, and a single name to expand."""
    name = unique("overview")

    @flow(name)
    class _Flow:
        @entrypoint
        def begin(self) -> None: ...

        @step(after="begin")
        def end(self) -> None: ...

    assert "2 steps" in generate_dag(name, overview=True)
    assert "begin" in generate_dag(name, expand=name)


def test_expanding_what_is_not_there() -> None:
    """An unknown name is an error that suggests a similar one."""
    with pytest.raises(UnknownFlowError, match="Did you mean 'orders'"):
        draw(SYSTEM, expand=["order"])
