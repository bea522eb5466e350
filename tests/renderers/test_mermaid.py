"""Mermaid: the plain output byte for byte, what detail adds, and hostile names."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from penstock import FlowInfo, StepInfo
from tests.support.flow_values import draw, draw_text, flow_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def mermaid(
    *flows: FlowInfo, known: Iterable[FlowInfo] = (), detail: bool = False
) -> list[str]:
    """Return the lines of the drawing, without the first."""
    first, *lines = draw_text("mermaid", flows, known, detail=detail).split("\n")
    assert first == "graph TD"
    return lines


def test_the_guide_s_diagram() -> None:
    """The plain output is what the guide prints."""
    flow = flow_of(
        "user_update",
        {
            "api_request": None,
            "admin_action": None,
            "validate": ["api_request", "admin_action"],
            "persist": "validate",
            "notify": "validate",
            "audit_log": ["persist", "notify"],
        },
    )

    assert draw([flow]) == (
        "graph TD\n"
        "    admin_action --> validate\n"
        "    api_request --> validate\n"
        "    validate --> notify\n"
        "    validate --> persist\n"
        "    notify --> audit_log\n"
        "    persist --> audit_log"
    )


def test_a_step_without_edges_stands_alone() -> None:
    """A step without edges has a line of its own, after the edges."""
    flow = flow_of("f", {"lone": [], "a": None, "b": "a", "also alone": []})

    assert mermaid(flow) == ["    a --> b", '    also_alone["also alone"]', "    lone"]


def test_nothing() -> None:
    """A flow without steps is an empty chart."""
    assert mermaid(FlowInfo("f")) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("end", 's_end["end"]'),
        ("graph", 's_graph["graph"]'),
        ("__proto__", 'proto["__proto__"]'),
        ("TD", 's_TD["TD"]'),
        ("LRU", 's_LRU["LRU"]'),
        ("3d", 's_3d["3d"]'),
        ("prüfen", 'pr_fen["prüfen"]'),
        ("注文", 's["注文"]'),
        ('say "hi"', 'say_hi["say #34;hi#34;"]'),
        ("a&b;<c>#d", 'a_b_c_d["a#38;b#59;#60;c#62;#35;d"]'),
        ("</script>", 'script["#60;/script#62;"]'),
        ("a\nb\r\nc\rd", 'a_b_c_d["a<br/>b<br/>c<br/>d"]'),
        ("a\x00\x1b[1m\x7f\x9fb\t", 'a_1m_b["a  #91;1m  b "]'),
        ("a_b.c,d/e(f)-g", 'a_b_c_d_e_f_g["a_b.c,d/e(f)-g"]'),
        ("a\ud800b", 'a_b["a\ufffdb"]'),
        ("ﬂ°°34¶ß", 's_34["#64258;°°34#182;ß"]'),
        (" ", """s["#39; #39;"]"""),
        ("\u200b", """s["#39;#92;u200b#39;"]"""),
        ("x" * 99 + " ", f'{"x" * 40}["{"x" * 99} "]'),
    ],
)
def test_names_that_are_no_identifiers(name: str, line: str) -> None:
    """Any other name gets an identifier of its own, and a quoted label."""
    assert mermaid(flow_of("f", {name: None})) == [f"    {line}"]


def test_identifiers_are_unique() -> None:
    """Generated identifiers are unique, and differ from the names of steps."""
    names = ["a b", "a-b", "a_b", "a_b_2", "a.b"]

    assert mermaid(flow_of("f", dict.fromkeys(names))) == [
        '    a_b_3["a b"]',
        '    a_b_4["a-b"]',
        '    a_b_5["a.b"]',
        "    a_b",
        "    a_b_2",
    ]


def test_a_label_is_written_once() -> None:
    """The first line that names a node has its label."""
    flow = flow_of("f", {"a b": None, "c": "a b", "d": "a b"})

    assert mermaid(flow) == ['    a_b["a b"] --> c', "    a_b --> d"]


SHOP = flow_of("shop", {"receive": None, "pay": "receive", "ship": ["pay"]})
BILLING = flow_of("billing", {"pay": ["shop:receive"], "file": "pay", "idle": []})


def test_flows_are_subgraphs() -> None:
    """Several flows are framed, and the edges between them come last."""
    assert mermaid(SHOP, BILLING) == [
        '    subgraph flow_billing["billing"]',
        '        billing_pay["pay"] --> file',
        "        idle",
        "    end",
        '    subgraph flow_shop["shop"]',
        '        receive --> shop_pay["pay"]',
        "        shop_pay --> ship",
        "    end",
        "    receive --> billing_pay",
    ]


def test_a_step_of_a_flow_that_is_not_drawn() -> None:
    """A flow drawn alone shows its predecessors in other flows."""
    assert mermaid(BILLING, known=[SHOP, BILLING]) == [
        '    shop_receive["shop#58;receive"] --> pay',
        "    pay --> file",
        "    idle",
    ]


def test_another_service_is_dashed() -> None:
    """A step of a service without a manifest has a dashed frame and edge."""
    flow = flow_of("f", {"a": ["shop/orders:publish"]})

    assert mermaid(flow) == [
        '    shop_orders_publish["shop/orders#58;publish"] -.-> a',
        "    style shop_orders_publish stroke-dasharray: 5 5",
    ]


def test_another_service_stands_beside_the_subgraphs() -> None:
    """A step outside the drawn flows is in none of their frames."""
    lines = mermaid(SHOP, flow_of("g", {"x": ["far/away:y"]}))

    assert lines[-2:] == [
        '    far_away_y["far/away#58;y"] -.-> x',
        "    style far_away_y stroke-dasharray: 5 5",
    ]


def test_detail_tells_more() -> None:
    """Shapes, descriptions, tags, joins and crossing edges show in detail."""
    steps = [
        StepInfo("receive", "f", is_entrypoint=True, description="Take <it>."),
        StepInfo("charge", "f", after=(("receive",),), tags=("io", "slow")),
        StepInfo("task", "f", after=(("receive",),), crosses=True),
        StepInfo("send", "f", after=(("charge", "task"), ("g:x",))),
    ]
    other = flow_of("g", {"x": None})

    assert mermaid(FlowInfo("f", tuple(steps)), known=[other], detail=True) == [
        '    g_x[["g#58;x"]]',
        '    receive(["receive<br/>Take #60;it#62;."])',
        '    charge["charge<br/>#35;io #35;slow"]',
        '    task["task"]',
        '    send["send"]',
        "    g_x --> send",
        "    receive --> charge",
        "    receive -.-> task",
        "    charge -->|all of| send",
        "    task -->|all of| send",
    ]


def test_detail_tells_joins_apart() -> None:
    """If a step has several joins, edges say which they belong to."""
    flow = flow_of(
        "f", {"a": None, "b": None, "c": None, "d": [("a", "b"), ("b", "c")]}
    )

    assert mermaid(flow, detail=True)[-3:] == [
        "    a -->|all of 1| d",
        "    b -->|all of 1, 2| d",
        "    c -->|all of 2| d",
    ]


def test_detail_names_the_owner() -> None:
    """The title of a subgraph names the owner of the flow."""
    lines = mermaid(replace(SHOP, owner="team <a>"), BILLING, detail=True)

    assert '    subgraph flow_shop["shop (team #60;a#62;)"]' in lines
    assert '        shop_pay["pay"]' in lines


def warnings_of(*flows: FlowInfo, detail: bool = False) -> list[str]:
    """Return the warnings about a drawing, all of which name this file."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        draw(flows, detail=detail)
    assert {warning.filename for warning in caught} <= {__file__}
    return [str(warning.message) for warning in caught]


def fan(edges: int, name: str = "f") -> FlowInfo:
    """Return a flow in which every step follows the first."""
    return flow_of(name, {"a": None, **{str(number): "a" for number in range(edges)}})


def described(edges: int, name: str = "f") -> FlowInfo:
    """Return such a flow with descriptions."""
    flow = fan(edges, name)
    steps = (replace(step, description="wait, " * 20) for step in flow.steps)
    return replace(flow, steps=tuple(steps))


def test_more_than_500_edges_warn() -> None:
    """Mermaid draws at most 500 edges; with more, the caller gets a warning."""
    assert warnings_of(fan(500)) == []
    (warning,) = warnings_of(fan(501))
    assert warning == (
        "the diagram of flow 'f' has 501 edges, and Mermaid draws at most 500 unless "
        "you raise its setting maxEdges. Draw it in another format, such as svg or "
        "text."
    )


@pytest.mark.parametrize("letter", ["x", "é", "\N{ROCKET}"])
def test_more_than_50000_characters_warn(letter: str) -> None:
    """Mermaid counts as JavaScript does: a character beyond U+FFFF is two."""
    units = len(letter.encode("utf-16-le")) // 2
    name = "x" * 99 + "-"  # longer than an identifier gets
    room = (50_000 - len(draw_text("mermaid", [flow_of("f", {name: None})]))) // units
    name += letter * room

    assert warnings_of(flow_of("f", {name: None})) == []
    (warning,) = warnings_of(flow_of("f", {name + letter: None}))
    assert "characters, and Mermaid draws at most 50,000 unless" in warning
    assert "its setting maxTextSize" in warning


@pytest.mark.parametrize(
    "options",
    [
        {"format": "text"},
        {"overview": True},
        {"detail": False},
    ],
)
def test_ways_out_of_the_limits(options: dict[str, Any]) -> None:
    """What a warning suggests draws the same flows without a warning."""
    flows = [described(400, "f"), described(2, "g")]
    with pytest.warns(UserWarning, match="draws at most"):
        draw(flows, detail=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        given: dict[str, Any] = {"detail": True, **options}
        draw(flows, **given)


def test_too_much_detail_warns() -> None:
    """Text that only detail adds counts, and leaving it out is a way."""
    flow = described(400)

    assert warnings_of(flow) == []
    (warning,) = warnings_of(flow, detail=True)
    assert warning.endswith("such as svg or text, or without detail.")


def test_too_many_flows_warn() -> None:
    """Several flows can be drawn as an overview, which has no smaller one."""
    flows = [flow_of(f"{number}" * 30, {"a": None}) for number in range(400, 800)]

    (warning,) = warnings_of(*flows)
    assert "the diagram of 400 flows has" in warning
    assert warning.endswith(
        "or with fewer flows, or as an overview (overview=True, or penstock dag "
        "--overview)."
    )
    with pytest.warns(UserWarning, match=r"or text, or with fewer flows\.$"):
        draw(flows, overview=True)


def test_a_warning_in_code_without_a_module() -> None:
    """Code that ``exec`` runs has no module name, and gets its warning."""
    with pytest.warns(UserWarning, match="501 edges"):
        exec("draw([flow])", {"draw": draw, "flow": fan(501)})  # noqa: S102  # see above
