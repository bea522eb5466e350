"""The pages of a catalog, as HTML and as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from penstock import FlowInfo, RenderError, StepInfo
from penstock.renderers.catalog import (
    Catalog,
    render_html_catalog,
    render_markdown_catalog,
)
from penstock.renderers.catalog.entries import page_name
from tests.support.flow_values import flow_of
from tests.support.images import needs_draw

CHARGE = StepInfo(
    "charge",
    "orders",
    after=(("receive", "reserve"),),
    description="Take the money.",
    doc="Take the money.\n\n```\nlike a block\n```",
    tags=("io",),
    module="shop.orders",
    path="/somewhere/shop/orders.py",
    line=7,
)
ORDERS = replace(
    flow_of("orders", {"receive": None, "reserve": "receive"}, more=[CHARGE]),
    owner="payments",
    description="Sells.",
    tags=("core",),
    service="shop",
)
MAILS = flow_of(
    "mails",
    {"send": ["shop/orders:charge", "crm/leads:won"], "log": "send"},
    service="mail",
)
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "end",
    "a\nb\r\n| c |",
    "\u202egnp.exe",
    "[x](javascript:alert(1))",
    "x" * 10_000,
    "\x00\x1b\ud800",
    "../../etc/passwd",
    "con",
    "Orders",
    "orders",
]


def pages(*flows: FlowInfo) -> dict[str, str]:
    """Return the pages of a site as text."""
    files = render_html_catalog(Catalog(flows))
    return {name: content.decode() for name, content in files.items()}


def book(*flows: FlowInfo, images: str = "") -> dict[str, bytes]:
    """Return the files of a catalog in Markdown."""
    return render_markdown_catalog(Catalog(flows), images=images)


class Html(HTMLParser):
    """The text, the elements and the addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.events: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" else []
        self.events += [key for key in given if key.startswith("on") or key == "style"]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_site_has_a_page_for_each_flow() -> None:
    """An index, a map, and the flows."""
    drawings = {"flows/mails.drawing.html", "flows/orders.drawing.html"}

    assert set(pages(ORDERS, MAILS)) - drawings == {
        "index.html",
        "map.html",
        "flows/mails.html",
        "flows/orders.html",
    }


def test_index_lists_what_is_declared() -> None:
    """The index has the flows by service, with what is known of each."""
    words = Html(pages(ORDERS, MAILS)["index.html"]).words

    for word in (
        "Flows of mail, shop",
        "2 flows, 5 steps, 1 link between flows",
        "mail 1 flow",
        "payments · 3 steps · leads to mails",
        "2 steps · runs after crm/leads, orders",
        "Sells.",
        "core",
    ):
        assert word in words
    alone = Html(pages(flow_of("f", {"a": None}))["index.html"])
    assert "1 flow, 1 step" in alone.words
    assert "h2" not in alone.tags


def test_thumbnails_are_small() -> None:
    """A thumbnail has no ids, and no names where they are too small to read."""
    many = {f"s{number}": None for number in range(13)}
    index = pages(flow_of("few", {"start": None}), flow_of("many", many))["index.html"]
    page = Html(index)

    assert set(page.ids) == {"search", "count"}
    assert page.tags.count("svg") == 2
    assert page.tags.count("text") == 1
    assert "data-step" not in index


def test_a_flow_has_the_hue_of_its_service() -> None:
    """Thumbnails and pages have the hue that the flow has in a map of the system."""
    site = pages(ORDERS, MAILS)

    for page in ("index.html", "flows/orders.html", "flows/orders.drawing.html"):
        body = site[page].partition("<body>")[2]
        assert 'class="orange"' in body
    assert 'class="blue"' not in site["flows/orders.html"].partition("<body>")[2]


def test_an_empty_catalog() -> None:
    """Without flows there is an index that says so."""
    assert "0 flows, 0 steps" in Html(pages()["index.html"]).words


def test_page_tells_of_the_steps() -> None:
    """A step has its docstring, source, tags, and links to its neighbours."""
    page = Html(pages(ORDERS, MAILS)["flows/orders.html"])

    for word in (
        "Take the money.",
        "shop/orders.py:7",
        "reserve (all of)",
        "mails:send",
    ):
        assert word in page.words
    assert "/somewhere" not in page.words
    assert "mails.html#about-send" in page.links
    assert "../index.html#q=io" in page.links


def test_every_link_leads_somewhere() -> None:
    """All links lead to pages and anchors that exist."""
    site = {name: Html(text) for name, text in pages(ORDERS, MAILS).items()}

    for name, page in site.items():
        if name.endswith(".drawing.html"):
            continue
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            target, _, anchor = link.partition("#")
            path = target.removeprefix("../") if "/" in name else target
            if "/" in name and target and not target.startswith("../"):
                path = f"flows/{target}"
            found = site[path or name]
            assert not anchor or anchor.startswith("q=") or anchor in found.ids
    assert "flows/orders.html" in site["map.html"].links
    assert "#about-charge" in site["flows/orders.html"].links


def test_step_of_an_unseen_service_has_no_link() -> None:
    """A step outside the catalog is named without a link."""
    page = Html(pages(MAILS)["flows/mails.html"])

    assert "crm/leads:won" in page.words
    assert page.links.count("mails.html#about-send") == 1


@pytest.mark.parametrize(
    ("template", "html", "markdown"),
    [
        (
            "https://forge.example/{path}#L{line}",
            "https://forge.example/shop/orders.py#L7",
            "https://forge.example/shop/orders.py#L7",
        ),
        (
            'https://forge.example/"(a b)/{path}?at=1&n={line}',
            'https://forge.example/"(a b)/shop/orders.py?at=1&n=7',
            "https://forge.example/%22%28a%20b%29/shop/orders.py?at=1&n=7",
        ),
        ("javascript:alert(1)", None, None),
    ],
)
def test_source_is_a_link(
    template: str, html: str | None, markdown: str | None
) -> None:
    """The source leads to the forge, if the flow says where that is."""
    mine = replace(ORDERS, source_url=template)
    site = Html(pages(mine)["flows/orders.html"])
    text = book(mine)["flows/orders.md"].decode()

    source = "shop/orders.py:7"
    assert [one for one in site.links if ":" in one] == ([html] if html else [])
    assert source in site.words
    written = f"[{source}]({markdown})" if markdown else source
    assert f"- **Source:** {written}\n" in text


def test_source_of_a_step_is_that_of_its_service() -> None:
    """Each step of a flow that services share leads to its own repository."""
    step = replace(CHARGE, name="send", after=(), path="post.py", module="post")
    mail = FlowInfo("orders", (step,), service="mail", source_url="https://b/{path}")
    mine = replace(ORDERS, source_url="https://a/{path}")
    site = Html(pages(mine, mail)["flows/orders.html"])

    assert {one for one in site.links if ":" in one} == {
        "https://a/shop/orders.py",
        "https://b/post.py",
    }


def test_a_flow_of_two_services_is_one_page() -> None:
    """Both services and owners are named, and each step names its services."""
    mail = FlowInfo("orders", (StepInfo("send", "orders"),), owner="x", service="mail")
    page = Html(pages(ORDERS, mail)["flows/orders.html"])

    assert page.tags.count("header") == 1
    assert "mail shop" in page.words
    assert "x, payments" in page.words
    assert page.words.count("Servicemail") == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    """No name, label or docstring becomes an element, an address or an event."""
    step = StepInfo(name, name, is_entrypoint=True, doc=name, tags=(name,))
    hostile = FlowInfo(name, (step,), owner=name, description=name, tags=(name,))

    site = pages(hostile)
    for path, text in site.items():
        if path.endswith(".drawing.html"):
            continue
        page = Html(text)
        assert page.tags.count("script") == (path == "index.html")
        assert "img" not in page.tags
        assert page.events == []
        for link in page.links:
            assert re.fullmatch(r"(\.\./)?[\w./-]*(#[\w.%~-]*(=[\w.%~-]+)?)?", link)


def test_same_flows_same_bytes() -> None:
    """Neither the order of flows nor a second run changes a byte."""
    assert pages(ORDERS, MAILS) == pages(MAILS, ORDERS)


def test_nothing_is_asked_of_anybody() -> None:
    """Every page allows only its own style and script, by hash."""
    for text in pages(ORDERS).values():
        assert "default-src 'none'" in text
        assert "unsafe" not in text
        assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")


def test_interactive_pages_come_along() -> None:
    """Each flow has a page to zoom and search, and a link to it."""
    site = pages(ORDERS)

    assert "flows/orders.drawing.html" in site
    assert "orders.drawing.html" in Html(site["flows/orders.html"]).links


@needs_draw
def test_a_drawing_that_fails() -> None:
    """The message names the flow."""
    names = [f"step_{number}" for number in range(150)]
    chain = flow_of(
        "long",
        {name: [*names[max(0, at - 2) : at]] for at, name in enumerate(names)},
    )

    with pytest.raises(RenderError, match=r"the drawing of 'long' failed: .*too many"):
        book(chain, images="png")


def test_markdown() -> None:
    """Mermaid by default, relative links, docstrings as they are."""
    files = book(ORDERS, MAILS)

    assert set(files) == {"README.md", "map.md", "flows/mails.md", "flows/orders.md"}
    index = files["README.md"].decode()
    assert "| [orders](flows/orders.md) | payments | shop | receive | 3 |" in index
    page = files["flows/orders.md"].decode()
    assert "```mermaid\ngraph TD\n" in page
    assert "````text\nTake the money.\n\n```\nlike a block\n```\n````" in page
    assert (
        "- **Runs after:** [receive](orders.md#receive) (all of), "
        "[reserve](orders.md#reserve) (all of)" in page
    )
    assert "- **Leads to:** [mails&#58;send](mails.md#send)" in page
    assert page.endswith("\n")
    assert not page.endswith("\n\n")


@needs_draw
@pytest.mark.parametrize(
    ("images", "start"), [("svg", b"<svg"), ("png", b"\x89PNG\r\n")]
)
def test_markdown_with_pictures(images: str, start: bytes) -> None:
    """Each drawing is a file beside the pages."""
    files = book(ORDERS, images=images)

    assert files[f"images/map.{images}"].startswith(start)
    assert files[f"images/flow-orders.{images}"].startswith(start)
    assert f"](../images/flow-orders.{images})" in files["flows/orders.md"].decode()
    assert f"](images/map.{images})" in files["map.md"].decode()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_no_markdown(name: str) -> None:
    """No name opens an element, a link or a block of its own."""
    step = StepInfo(name, name, is_entrypoint=True, tags=(name,))
    files = book(FlowInfo(name, (step,), owner=name, description=name, tags=(name,)))

    for text in (content.decode() for content in files.values()):
        outside = re.sub(r"```mermaid\n.*?\n```", "", text, flags=re.DOTALL)
        assert "<" not in outside
        assert "](javascript" not in outside
    assert len(files["README.md"].decode().splitlines()) == 7


def test_page_names_are_safe_everywhere() -> None:
    """Page names are short, portable and unique."""
    lower = {page_name(name).lower() for name in HOSTILE}

    assert len(lower) == len(HOSTILE)
    for name in lower:
        assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,59}", name)
    assert page_name("orders") == "orders"
    assert page_name("Orders").startswith("orders-")
    assert page_name("con") != "con"
    assert page_name("注文").startswith("flow-")
    taken = page_name("Orders")
    assert page_name(taken) != taken


def test_long_flows_are_drawn_without_details() -> None:
    """A drawing of many steps leaves out their descriptions."""
    steps = tuple(StepInfo(f"s{n}", "f", description="Words.") for n in range(40))

    assert "Words" not in book(FlowInfo("f", steps))["flows/f.md"].decode()
    assert "Words" in book(FlowInfo("f", steps[:9]))["flows/f.md"].decode()
