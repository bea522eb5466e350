"""HTML: one file that shows what was declared, and loads nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from penstock import FlowInfo, StepInfo
from penstock._graph.evidence import Sources
from tests.support.flow_values import draw, flow_of
from tests.support.html_pages import Page
from tests.support.images import Svg
from tests.support.reports import recorded

if TYPE_CHECKING:
    from pathlib import Path

SHOP = flow_of(
    "shop",
    {"receive": None, "charge": "receive", "reserve": "receive", "ship": ["charge"]},
)
HOSTILE = (
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]> --> $title ${script} $$",
    "\" onfocus=alert(1) autofocus='",
    "javascript:alert(1)",
    "&lt;b&gt; &amp; &#34;",
    "end",
    "two\nlines\r\nand\u2028more\u2029",
    "\u202eright to left\u202c",
    "\x00\x01\x1b[1m\x7f\x85",
    "\ufffe\uffff\ud800x",
    "日本語 ✓ 👩‍💻",
    "x" * 10_000,
    "__proto__",
    "constructor",
)


def page(*flows: FlowInfo) -> Page:
    """Return the parsed page."""
    return Page(str(draw(flows, format="html")))


def test_a_page_shows_what_is_declared() -> None:
    """The page contains the SVG, and the facts about each of its steps."""
    found = page(SHOP)
    svg = Svg(str(draw([SHOP], format="svg")))

    assert found.steps() == svg.steps()
    assert (
        found.edges()
        == svg.edges()
        == [
            ("charge", "ship"),
            ("receive", "charge"),
            ("receive", "reserve"),
        ]
    )
    assert set(found.facts) == {one["id"] for one in found.of_class("node")}
    assert {fact["name"] for fact in found.facts.values()} == {
        "receive",
        "charge",
        "reserve",
        "ship",
    }


def test_what_it_knows_of_a_step() -> None:
    """The facts have the whole docstring, owner, source and predecessors."""
    steps = (
        StepInfo(
            "charge",
            "orders",
            after=(("receive", "reserve"), ("far/away:go",)),
            doc="Charge it.\n\nTwice.",
            tags=("io",),
            module="shop.orders",
            qualname="Orders.make.<locals>.charge",
            path="/srv/shop/orders.py",
            line=7,
            is_async=True,
            signature="(order: str) -> int",
        ),
        StepInfo("receive", "orders", is_entrypoint=True, description="Take it."),
        StepInfo("reserve", "orders", qualname="reserve"),
    )
    flow = FlowInfo(
        "orders",
        steps,
        "payments",
        service="shop",
        source_url="https://forge.example/{path}#L{line}",
    )
    facts = page(flow).facts

    assert facts["step-charge"] == {
        "label": "charge",
        "name": "charge",
        "kind": "step",
        "entrypoint": False,
        "flow": "orders",
        "owner": "payments",
        "service": "shop",
        "tags": ["io"],
        "code": "async def charge(order: str) -> int",
        "doc": "Charge it.\n\nTwice.",
        "place": "shop/orders.py:7",
        "link": "https://forge.example/shop/orders.py#L7",
        "joins": {"step-receive": "all of", "step-reserve": "all of"},
    }
    assert facts["step-receive"]["doc"] == "Take it."
    assert facts["step-receive"]["entrypoint"]
    assert facts["step-reserve"]["code"] == "def reserve(...)"
    assert facts["step-far_away_go"]["kind"] == "external"
    assert not any(facts["step-far_away_go"][key] for key in ("owner", "place", "link"))


def test_a_flow_of_two_services() -> None:
    """A shared step has both owners, other steps one."""
    one = flow_of("f", {"a": None, "b": "a"}, service="one")
    two = flow_of("f", {"a": None, "c": "a"}, service="two")
    facts = page(
        FlowInfo("f", one.steps, "ada", service="one"),
        FlowInfo("f", two.steps, "bob", service="two"),
    ).facts

    owners = {fact["name"]: (fact["owner"], fact["service"]) for fact in facts.values()}
    assert owners == {
        "a": ("ada, bob", "one, two"),
        "b": ("ada", "one"),
        "c": ("bob", "two"),
    }


def test_each_flow_is_introduced() -> None:
    """Description, owner, tags and entrypoints are in the HTML itself."""
    flow = FlowInfo("shop", SHOP.steps, "payments", "From <click>.", ("core",), "front")
    words = page(flow, flow_of("bills", {"bill": ["shop:ship"]})).words

    for text in ("payments", "From <click>.", "#core", "front", "receive", "4"):
        assert text in words
    assert "bills, shop" in words
    assert "1" in words


def test_the_title_of_very_many_flows() -> None:
    """The title counts many flows, and says so if there are none."""
    flows = [flow_of(name, {"a": None}) for name in "wxyz"]

    assert "4 flows" in page(*flows).words
    assert "No flow" in page().words


def test_heat() -> None:
    """With figures of logs, each flow says how slow it is, and when it last ran."""
    flows = [flow_of(name, {"go": None}) for name in ("a", "b", "c", "d")]
    evidence = Sources(
        {},
        last_runs={"b": "2026-11-30 10:15 UTC"},
        slowest={"a": (1_500.2, "go"), "b": (150.1, "go"), "c": (149.9, "go")},
    )
    found = Page(str(draw(flows, format="html", evidence=evidence)))
    heat = [
        (given["data-heat"], given["data-heat-hue"])
        for tag, given in found.elements
        if tag == "section" and "data-name" in given
    ]

    assert heat == [
        ("slow", "orange"),
        ("medium", "blue"),
        ("fast", "teal"),
        ("no figures", "slate"),
    ]
    assert found.words.count("Slowest step") == 3
    assert "go, p95 1,500 ms" in found.words
    assert found.words.count("Last run") == 1
    assert "2026-11-30 10:15 UTC" in found.words


def test_groups_and_colours() -> None:
    """Each flow has its group and hue by service, owner and evidence."""
    flows = [
        replace(flow_of("a", {"go": None}, service="one"), owner="ada"),
        replace(flow_of("b", {"go": None, "on": "go"}, service="two"), owner="bob"),
        flow_of("c", {"go": None, "on": "go"}, service="two"),
    ]
    runs = recorded({"go": 1}, {("go", "on"): (0, 1)})
    evidence = Sources({"b": runs, "c": recorded({}, {}, runs=0)})
    found = Page(str(draw(flows, format="html", evidence=evidence)))
    sections = [
        {name[5:]: value for name, value in given.items() if name.startswith("data-")}
        for tag, given in found.elements
        if tag == "section" and "data-name" in given
    ]

    assert sections == [
        {
            "name": "a",
            "steps": "1",
            "service": "one",
            "service-hue": "blue",
            "owner": "ada",
            "owner-hue": "blue",
            "evidence": "never seen",
            "evidence-hue": "slate",
        },
        {
            "name": "b",
            "steps": "2",
            "service": "two",
            "service-hue": "orange",
            "owner": "bob",
            "owner-hue": "orange",
            "evidence": "not as declared",
            "evidence-hue": "wrong",
        },
        {
            "name": "c",
            "steps": "2",
            "service": "two",
            "service-hue": "orange",
            "owner": "no name",
            "owner-hue": "teal",
            "evidence": "never seen",
            "evidence-hue": "slate",
        },
    ]


def test_an_overview_introduces_its_flows() -> None:
    """The box of a flow has the same section as a frame."""
    words = Page(str(draw([SHOP], format="html", overview=True))).words

    assert "No flow" not in words
    assert "shop" in words
    assert "receive" in words


def test_the_legend_has_what_is_drawn() -> None:
    """The legend has only what occurs in the picture."""
    plain, far = page(SHOP).words, page(flow_of("f", {"a": ["x/y:z"]})).words

    assert "entrypoint" in plain
    assert "to another process" not in plain
    assert "entrypoint" not in far
    assert "to another process" in far
    assert "step of another service" in far


def test_only_its_own_script_and_style_may_run() -> None:
    """The policy names both by their digest, comes first, and allows nothing else."""
    found = page(SHOP)
    policy = next(
        attributes["content"]
        for _, attributes in found.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )

    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest(found.inside['style'])}'",
        f"script-src 'sha256-{digest(found.inside['script'])}'",
        "font-src data:",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    tags = [tag for tag, _ in found.elements]
    assert tags[: tags.index("meta") + 2] == ["html", "head", "meta", "meta"]
    assert tags.count("script") == 2
    assert tags.count("style") == 1


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_texts(text: str) -> None:
    """Hostile text adds no elements, and is shown as it is."""
    step = StepInfo(
        text,
        text,
        is_entrypoint=True,
        description=text,
        doc=text,
        tags=(text,),
        module=text,
        qualname=text,
        path=text,
        line=1,
        signature=text,
    )
    last = StepInfo("next", text, after=((text,),))
    flow = FlowInfo(text, (step, last), text, text, (text,), text, text)
    found = page(flow)
    tame = page(FlowInfo("f", (StepInfo("a", "f", is_entrypoint=True),)))

    assert {tag for tag, _ in found.elements} <= {
        *(tag for tag, _ in tame.elements),
        "p",
        "path",
    }
    assert found.inside["script"] == tame.inside["script"]
    assert found.inside["style"] == tame.inside["style"]
    assert len(found.steps()) == 2
    assert len(found.edges()) == 1
    fact = next(one for one in found.facts.values() if one["entrypoint"])
    assert (fact["name"], fact["tags"]) == (text, [text])
    assert fact["link"] == ""


def test_nothing_in_it_leads_elsewhere() -> None:
    """No element loads, runs or styles anything by an attribute."""
    flow = flow_of("f", dict.fromkeys(HOSTILE))
    text = str(draw([flow], format="html"))
    found = Page(text)

    names = {name for _, attributes in found.elements for name in attributes}
    assert not names & {"src", "href", "style", "srcdoc", "action", "xlink:href"}
    assert not {name for name in names if name.startswith("on")}
    assert {tag for tag, _ in found.elements}.isdisjoint(
        {"a", "base", "embed", "form", "iframe", "img", "link", "object", "use"}
    )
    assert {*re.findall(r"url\([^,]*", text)} == {"url(data:font/woff2;base64"}
    assert not re.search(r"@import|fetch\(|import\(|XMLHttp|WebSocket", text)
    assert not {*text} & {*"\x00\x01\x1b\x7f\x85\u2028\u2029"} - {"\u2028", "\u2029"}
    assert found.inside["application/json"].isascii()


def test_a_file_by_its_suffix(tmp_path: Path) -> None:
    """``.html`` and ``.htm`` write pages, and the same flow gives the same bytes."""
    draw([SHOP], output=tmp_path / "a.html")
    draw([FlowInfo("shop", SHOP.steps[::-1])], output=tmp_path / "b.HTM")

    first = (tmp_path / "a.html").read_bytes()
    assert first.startswith(b"<!DOCTYPE html>\n")
    assert first.endswith(b"</html>\n")
    assert b"\r" not in first
    assert (tmp_path / "b.HTM").read_bytes() == first
