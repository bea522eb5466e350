"""SVG: what it shows of flows, and how other programs find its parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from penstock import FlowInfo, StepInfo
from penstock._graph.evidence import CodeEvidence, Sources
from penstock._graph.graph import build_graph
from penstock._graph.overview import overview_of
from penstock.renderers.picture.cards import Heat
from penstock.renderers.picture.svg import draw_svg
from tests.support.flow_values import draw, flow_of
from tests.support.images import Svg
from tests.support.reports import recorded

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.renderers.formats import Direction

SHOP = flow_of(
    "shop",
    {"receive": None, "charge": "receive", "reserve": "receive", "ship": ["charge"]},
)
BILLS = flow_of("bills", {"bill": ["shop:ship", "far/away:go"]})
HOSTILE = (
    "</script><script>alert(1)</script>",
    "say \"hi\" & <b>'x'</b>",
    "</text></svg>",
    "end",
    "two\nlines",
    "\u202eright to left\u202c",
    "عربي",
    "\x00\x1b[1m\x7f",
    "\ufffe\uffff\ud800x",
    "]]> --> <!--",
    "日本語 ✓ 👩‍💻 e\u0301\u0316",
    " ",
    "x" * 10_000,
)


def svg(*flows: FlowInfo, detail: bool = False, direction: Direction = "TD") -> Svg:
    """Return the parsed SVG."""
    return Svg(str(draw(flows, format="svg", detail=detail, direction=direction)))


def test_what_is_declared() -> None:
    """Steps and edges have attributes to find them by."""
    found = svg(SHOP)

    assert found.steps() == [
        ("shop", name) for name in ("charge", "receive", "reserve", "ship")
    ]
    assert found.edges() == [
        ("charge", "ship"),
        ("receive", "charge"),
        ("receive", "reserve"),
    ]
    assert [*found.of_class("entrypoint")] == ["step-receive"]
    assert found.groups["edge-charge-ship"].get("data-before") == "step-charge"


def test_rows() -> None:
    """A step is below the steps that it is declared after, or beside them."""
    found, beside = svg(SHOP), svg(SHOP, direction="LR")
    above, left = svg(SHOP, direction="BT"), svg(SHOP, direction="RL")
    first, last = "step-receive", "step-ship"

    assert found.box(first).bottom < found.box(last).top
    assert beside.box(first).right < beside.box(last).left
    assert above.box(last).bottom < above.box(first).top
    assert left.box(last).right < left.box(first).left


def test_flows_and_what_crosses() -> None:
    """Several flows have frames; edges from other services cross processes."""
    found = svg(SHOP, BILLS)

    clusters = found.of_class("cluster")
    assert {one.get("data-flow") for one in clusters.values()} == {"shop", "bills"}
    assert [*found.of_class("crossing")] == ["edge-far_away_go-bill"]
    assert [*found.of_class("external")] == ["step-far_away_go"]
    bills = next(
        key for key, one in clusters.items() if one.get("data-flow") == "bills"
    )
    assert found.box(bills).holds(found.box("step-bill"))
    assert not found.box(bills).meets(found.box("step-ship"))
    assert len(found.segments("edge-ship-bill")) == 3  # to a door, between, from a door


def test_doors() -> None:
    """Each frame has a door to every flow that its edges lead to, or come from."""
    found = svg(SHOP, BILLS, flow_of("mails", {"mail": ["shop:ship", "shop:charge"]}))
    doors = [one for one in found.root.iter() if one.get("class") == "door"]

    names = sorted(text for one in doors for text, _ in found.texts(one))
    assert names == ["bills", "far/away:go", "mails", "shop", "shop"]
    ends = {
        tuple(one.get(f"data-{name}") for name in ("flow", "before", "after"))
        for one in doors
    }
    assert ends == {
        ("bills", "shop", "bills"),
        ("mails", "shop", "mails"),
        ("shop", "shop", "bills"),
        ("shop", "shop", "mails"),
        ("bills", "far/away:go", "bills"),
    }


def test_doors_are_in_the_order_of_their_flows() -> None:
    """Lines that leave a flow from one step do not cross outside."""
    a, b = flow_of("a", {"a": None}), flow_of("b", {"b": None})
    others = [flow_of(name, {name: ["a:a"]}) for name in "de"]
    found = svg(a, b, flow_of("c", {"c": ["a:a", "b:b"]}), *others)
    doors = [one for one in found.root.iter() if one.get("class") == "door"]
    texts = [found.texts(one)[0] for one in doors]
    places = {name: box.left for name, box in texts[:3]}
    frames = {name: found.box(f"step-{name}").left for name in "cde"}

    assert sorted(places, key=places.__getitem__) == sorted(
        frames, key=frames.__getitem__
    )


def test_an_overview() -> None:
    """Flows are boxes with their number of steps; those that are shown have frames."""
    graph = overview_of(build_graph([SHOP, BILLS]), ["bills"])
    found = Svg(draw_svg(graph, detail=True, direction="TD"))

    (box,) = found.of_class("flow")
    assert found.lines(box) == ["shop", "4 steps"]
    assert [*found.of_class("cluster")] == ["flow_bills"]


def test_an_overview_counts_edges() -> None:
    """A line of an overview says how many edges it stands for."""
    mails = flow_of("mails", {"mail": ["shop:ship", "shop:charge"]})
    graph = overview_of(build_graph([SHOP, mails]))
    found = Svg(draw_svg(graph, detail=False, direction="LR"))

    assert found.lines("edge-shop-mails") == ["2"]


def test_joins() -> None:
    """A bar above the step joins the lines of an ``all_of``; alternatives have none."""
    flow = flow_of("f", {"a": None, "b": None, "c": None, "d": ["c", ("a", "b")]})
    found = svg(flow)
    (bar,) = found.bars("step-d")
    at = {name: found.tips(f"edge-{name}-d")[0] for name in "abc"}

    assert "all of" in found.lines("step-d")
    assert bar.left < at["a"][0] < bar.right
    assert bar.left < at["b"][0] < bar.right
    assert not bar.left < at["c"][0] < bar.right
    assert at["a"][1] == at["b"][1] == bar.top
    assert at["c"][1] == found.box("step-d").top


def test_a_step_of_two_joins() -> None:
    """A line leads to each bar that it belongs to."""
    flow = flow_of(
        "f", {"a": None, "b": None, "c": None, "d": [("a", "b"), ("b", "c")]}
    )
    found = svg(flow)

    assert len(found.bars("step-d")) == 2
    assert [len(found.segments(f"edge-{name}-d")) for name in "abc"] == [1, 2, 1]


def test_cycles() -> None:
    """The way back of a cycle enters at the side, also at the same step."""
    found = svg(flow_of("f", {"a": None, "b": ["a", "c", "b"], "c": "b"}))
    box = found.box("step-b")

    for edge in ("edge-c-b", "edge-b-b"):
        ((x, y),) = found.tips(edge)
        assert x == box.right
        assert box.top < y < box.bottom


def test_flows_that_follow_each_other_in_a_circle() -> None:
    """The line back leads around the frames."""
    one = flow_of("one", {"a": ["two:b"]})
    two = flow_of("two", {"b": ["one:a"]})
    found = svg(one, two)

    assert len(found.of_class("edge")) == 2
    assert all(
        found.size.holds(found.box(frame)) for frame in found.of_class("cluster")
    )


def test_details() -> None:
    """Descriptions, tags, owner, and the description of the flow."""
    steps = (
        StepInfo("a", "f", is_entrypoint=True, description="Take it. " * 5),
        StepInfo("b", "f", after=(("a",),), tags=("io", "http"), is_async=True),
        StepInfo("c", "f", after=(("a",),), tags=tuple(f"tag{n}" for n in range(40))),
    )
    flow = FlowInfo("f", steps, "ada", "From a to b.", ("core",))
    found = svg(flow, detail=True)
    words = [text for text, _ in found.texts(found.root)]

    assert " ".join(found.lines("step-a")) == "a " + ("Take it. " * 5).strip()
    assert len(found.lines("step-a")) == 3
    assert found.lines("step-b") == ["b", "io", "http"]
    assert found.lines("step-c")[-1] == "+35"
    assert words[:4] == ["f", "ada", "core", "From a to b."]
    assert svg(flow).lines("step-a") == ["a"]


def test_icons() -> None:
    """A message, a generator and an async step each have an icon of their own."""
    steps = (
        StepInfo("plain", "f"),
        StepInfo("async", "f", is_async=True),
        StepInfo("generator", "f", is_generator=True),
        StepInfo("both", "f", is_async=True, is_generator=True),
        StepInfo("message", "f", crosses=True, is_generator=True),
    )
    found = svg(FlowInfo("f", steps))
    icons = {
        step.name: [
            path.attrib["d"]
            for path in found.of_class("node")[f"step-{step.name}"].iter()
            if path.attrib.get("class") == "icon"
        ]
        for step in steps
    }

    assert icons["plain"] == []
    assert icons["both"] == icons["generator"]
    kinds = [icons[name] for name in ("async", "generator", "message")]
    assert len({*map(tuple, kinds)}) == 3


def test_flows_without_steps() -> None:
    """Frames may be empty."""
    found = svg(FlowInfo("a"), FlowInfo("b"))

    assert len(found.of_class("cluster")) == 2


def test_long_texts_are_cut() -> None:
    """A name has three lines, a description two; the title has the whole name."""
    name = "x" * 10_000
    step = StepInfo(name, "f", description="word " * 3_000)
    found = svg(FlowInfo("f", (step,)), detail=True)
    (node,) = found.of_class("node")

    assert len(found.lines(node)) == 5
    assert found.lines(node)[2].endswith("x…")
    assert found.lines(node)[4].endswith("word…")
    assert found.groups[node][0].text == name
    assert found.box(node).right - found.box(node).left < 300


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_hostile_names(name: str) -> None:
    """Every name can be drawn, adds no element, and stays inside."""
    step = StepInfo(name, name, True, description=name, tags=(name,))
    flow = FlowInfo(name, (step, StepInfo("next", name, after=((name,),))), name, name)
    other = FlowInfo("g", (StepInfo("x", "g", after=((f"{name}:next",),)),))
    text = str(draw([flow, other], format="svg", detail=True))
    found = Svg(text)

    assert text.encode()
    assert len(found.steps()) == 3
    kinds = {one.tag.rpartition("}")[2] for one in found.root.iter()}
    assert kinds <= {
        "svg", "title", "desc", "style", "g", "rect", "circle", "path", "text",
    }  # fmt: skip
    for _, box in found.texts(found.root):
        assert found.size.holds(box)


def test_it_stands_in_any_page() -> None:
    """An SVG has no script and no link, and loads nothing but the font inside it."""
    text = str(draw([flow_of("f", dict.fromkeys(HOSTILE))], format="svg"))

    assert text.startswith("<svg xmlns=")
    assert text.endswith("</svg>")
    assert not re.search(r"<script|<!|<\?|<a |href|<image|@import", text)
    assert {*re.findall(r"url\([^,]*", text)} == {"url(data:font/woff2;base64"}
    addresses = set(re.findall(r'[\w:-]*="https?:[^"]*"', text))
    assert addresses == {'xmlns="http://www.w3.org/2000/svg"'}


def test_in_words() -> None:
    """Programs that read aloud get the name of the picture, its steps and its edges."""
    found = svg(SHOP)
    title, desc = found.root[0], found.root[1]

    assert found.root.attrib["role"] == "img"
    assert title.text == "shop"
    assert desc.text == (
        "4 steps: receive, charge, reserve, ship. "
        "Edges: receive → charge, receive → reserve, charge → ship."
    )
    assert found.groups["edge-charge-ship"][0].text == "charge → ship"
    assert found.groups["step-ship"][0].text == "ship"


def test_many_edges_in_words() -> None:
    """The words name the first steps and edges of a large picture."""
    names = [f"s{number}" for number in range(120)]
    chain = flow_of("f", dict(zip(names, [None, *names], strict=False)))
    words = str(svg(chain).root[1].text)

    assert words.startswith("120 steps: s0, s1, ")
    assert "s99 and 20 more. Edges: s0 → s1, " in words
    assert words.endswith("s99 → s100 and 19 more.")


def test_no_flow() -> None:
    """A picture of nothing says so."""
    found = svg()

    assert [text for text, _ in found.texts(found.root)] == ["No flow"]
    assert found.root[1].text == "0 steps."


def test_hues() -> None:
    """Services have hues and are named beside them; red and others stay unused."""
    one, two = (
        flow_of(name, {name: None}, service=f"{name}s") for name in ("one", "two")
    )
    found = svg(one, two)
    text = str(draw([one, two], format="svg"))

    assert "blue-tint" in found.groups["step-one"][1].attrib["class"]
    assert "orange-tint" in found.groups["step-two"][1].attrib["class"]
    words = [text for text, _ in found.texts(found.root)]
    assert words[:4] == ["one, two", "2 flows, 2 steps", "ones 1", "twos 1"]
    assert ".orange{" in text
    assert ".teal{" not in text


def test_hues_of_owners() -> None:
    """In one service, hues stand for owners; flows without any have the last hue."""
    flows = [FlowInfo(name, owner=owner) for name, owner in (("a", "x"), ("b", ""))]
    words = [text for text, _ in svg(*flows).texts(svg(*flows).root)]

    assert words[2:4] == ["x 1", "no name 1"]


def test_a_ninth_owner() -> None:
    """Hues start over if there are more owners than hues."""
    flows = [
        FlowInfo(f"f{n}", (StepInfo("a", f"f{n}", is_entrypoint=True),), owner=f"o{n}")
        for n in range(9)
    ]
    found = svg(*flows)
    kinds = [found.groups[f"step-f{n}_a"][1].attrib["class"] for n in (0, 8)]

    assert kinds[0] == kinds[1] == "card blue-tint blue-line"


EVIDENCE = {
    "shop": recorded(
        {"receive": 5, "charge": 5, "reserve": 2, "ship": 1},
        {("receive", "charge"): 1_204, ("charge", "ship"): (0, 3)},
        broken={("reserve", "ship"): 2},
    )
}


def test_evidence() -> None:
    """Lines say how often they were seen, and what is wrong."""
    found = Svg(str(draw([SHOP], format="svg", evidence=Sources(EVIDENCE))))
    status = {
        key: one.attrib["data-evidence"] for key, one in found.of_class("edge").items()
    }

    assert found.lines("edge-receive-charge") == ["1,204×"]
    assert found.lines("edge-receive-reserve") == ["0×"]
    assert found.lines("edge-charge-ship") == ["3×"]
    assert status == {
        "edge-receive-charge": "seen",
        "edge-receive-reserve": "unseen",
        "edge-charge-ship": "contradicted",
        "edge-reserve-ship": "undeclared",
    }
    words = [text for text, _ in found.texts(found.root)]
    assert words[1] == "1 of 3 edges seen (33 %), 1 run, 1 contradicted, 1 not declared"
    assert "calls came this way" in words
    assert "neither in the code nor seen" not in words


def test_evidence_of_an_overview() -> None:
    """A line that stands for several edges says how many of them were seen."""
    mails = flow_of("mails", {"mail": ["shop:ship", "shop:charge"]})
    report = {"mails": recorded({"mail": 1}, {("shop:ship", "mail"): 1})}
    text = draw([SHOP, mails], format="svg", overview=True, evidence=Sources(report))

    found = Svg(str(text))
    words = [one for one, _ in found.texts(found.root)]
    assert found.lines("edge-shop-mails") == ["1 of 2"]
    assert words[1] == (
        "2 flows, 5 steps, 1 link between flows, 1 of 5 edges seen (20 %), 1 run"
    )


@pytest.mark.parametrize("overview", [False, True])
def test_the_title_names_flows_as_they_follow_each_other(*, overview: bool) -> None:
    """A picture and its overview have the same title."""
    mails = flow_of("mails", {"mail": "shop:ship"})
    bills = flow_of("bills", {"bill": "mails:mail"})
    found = Svg(str(draw([bills, mails, SHOP], format="svg", overview=overview)))

    assert found.texts(found.root)[0][0] == "shop, mails, bills"


def test_evidence_from_the_code() -> None:
    """An edge that is only declared says so; an undeclared one may have no count."""
    code = CodeEvidence(
        {("shop", "receive", "charge"): True, ("shop", "charge", "ship"): False},
        [("shop", "reserve", "ship")],
    )
    text = draw([SHOP], format="svg", evidence=Sources({}, code))
    found = Svg(str(text))

    assert found.lines("edge-charge-ship") == ["declared"]
    assert found.lines("edge-reserve-ship") == ["undeclared"]
    assert "in the code, never seen" in [one for one, _ in found.texts(found.root)]


def test_the_count_of_a_way_back() -> None:
    """The label of a line that leads back stands beside its step."""
    flow = flow_of("f", {"a": None, "b": ["a", "c"], "c": "b"})
    report = {"f": recorded({"b": 7}, {("c", "b"): 7})}
    found = Svg(str(draw([flow], format="svg", evidence=Sources(report))))
    ((words, box),) = found.texts(found.groups["edge-c-b"])

    assert words == "7×"
    assert box.left > found.box("step-b").right
    assert found.size.holds(box)


def test_labels_never_meet() -> None:
    """Cards widen, and rows make room, so that all labels can be read."""
    names = [f"step_{number}" for number in range(9)]
    last = StepInfo("last", "f", after=tuple((name,) for name in names))
    flow = flow_of("f", dict.fromkeys(names), more=[last])
    report = recorded(
        dict.fromkeys([*names, "last"], 1),
        {(name, "last"): 10**at for at, name in enumerate(names)},
    )
    for direction in ("TD", "LR"):
        found = Svg(
            str(
                draw(
                    [flow],
                    format="svg",
                    direction=direction,
                    evidence=Sources({"f": report}),
                )
            )
        )
        boxes = [
            box
            for edge in found.of_class("edge").values()
            for _, box in found.texts(edge)
        ]
        assert len(boxes) == 9
        for at, one in enumerate(boxes):
            assert not any(one.meets(other) for other in boxes[at + 1 :])
            assert not one.meets(found.box("step-last"))


def test_heat() -> None:
    """A figure stands below the name, with a bar as long as its share."""
    graph = build_graph([flow_of("f", {"a": None, "b": "a", "c": "b"})])
    heat = {0: Heat("p95 3 ms", 0), 1: Heat("p95 1.9 s", 1, is_bad=True)}
    found = Svg(draw_svg(graph, detail=False, direction="TD", heat=heat))

    assert found.lines("step-a") == ["a", "p95 3 ms"]
    assert found.lines("step-b") == ["b", "p95 1.9 s"]
    assert found.lines("step-c") == ["c"]
    assert "p95, least to most" in [text for text, _ in found.texts(found.root)]
    kinds = [one.get("class") for one in found.groups["step-b"].iter()]
    assert "heat-4" in kinds
    assert "bold" in found.groups["step-b"][3].attrib["class"]
    assert "heat" not in str(
        [one.get("class") for one in found.groups["step-a"].iter()]
    )


@pytest.mark.parametrize("direction", ["TD", "LR"])
def test_a_fan_is_no_strip(direction: Direction) -> None:
    """A row of very many steps continues in the next row."""
    flow = flow_of(
        "f", {"receive": None, **{f"handle_event_{n}": "receive" for n in range(30)}}
    )
    _, _, width, height = svg(flow, direction=direction).size

    assert max(width, height) < 1_800


def chain(length: int, *, skips: bool = False) -> list[FlowInfo]:
    """Return flows of which each leads to the next, or to the next two."""
    return [
        flow_of(
            f"f{at}",
            {
                f"s{at}": [
                    f"f{one}:s{one}" for one in range(at - 1 - skips, at) if one >= 0
                ]
            },
        )
        for at in range(length)
    ]


def test_a_long_chain_of_flows() -> None:
    """A picture that is far too tall advises the overview; its HTML does not."""
    with pytest.warns(UserWarning, match=r"\d times as tall as wide.*--overview"):
        draw(chain(40, skips=True), format="svg")

    draw(chain(40, skips=True), format="html")
    draw(chain(8, skips=True), format="svg")
    draw(chain(40), format="svg")
    draw(chain(60, skips=True), format="svg", overview=True)


def test_components() -> None:
    """Unconnected parts of a flow are packed, and fill a page rather than a strip."""
    flow = flow_of("f", {f"step_{number}": None for number in range(40)})
    found = svg(flow)
    _, _, width, height = found.size

    assert 0.6 < width / height < 1.7


def test_components_with_doors() -> None:
    """In a frame, unconnected parts stand side by side, with doors at both rims."""
    parts = flow_of("f", {"a": ["g:x"], "b": "a", "c": None, "d": "c", "e": None})
    before = flow_of("g", {"x": None})
    after = flow_of("h", {"y": ["f:d", "f:e"], "z": ["f:b"]})
    for direction in ("TD", "LR", "BT", "RL"):
        found = svg(parts, before, after, direction=direction)
        frame = found.box("flow_f")
        assert all(frame.holds(found.box(f"step-{name}")) for name in "abcde")


def test_a_shared_flow() -> None:
    """With details, a step of a flow of several services says which it is in."""
    one = flow_of("f", {"a": None, "b": "a"}, service="one")
    two = flow_of("f", {"a": None, "c": "a"}, service="two")
    found = svg(one, two, detail=True)

    assert found.lines("step-a") == ["a", "one", "two"]
    assert found.lines("step-b") == ["b", "one"]


def test_a_file_by_its_suffix(tmp_path: Path) -> None:
    """The suffix of ``output`` decides the format."""
    draw([SHOP], output=tmp_path / "a.svg")

    assert (tmp_path / "a.svg").read_text(encoding="utf-8").endswith("</svg>\n")


def test_the_order_of_declaration_plays_no_part() -> None:
    """However flows and steps are ordered, the bytes are the same."""
    flows = [SHOP, BILLS]
    turned = [FlowInfo(one.name, one.steps[::-1]) for one in flows[::-1]]

    assert draw(flows, format="svg") == draw(turned, format="svg")
