"""The page in a real Chromium: what a user can do, and what a page must not do."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from penstock import FlowInfo, StepInfo
from penstock._graph.evidence import Sources
from tests.support.flow_values import draw, flow_of
from tests.support.html_pages import Browser, chromium
from tests.support.reports import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from penstock.renderers.formats import Direction

ENTER, ESCAPE, TAB = "\ue007", "\ue00c", "\ue004"
LEFT, UP, RIGHT, DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
HOSTILE = (
    "</script><script>document.title = 'run'</script>"
    "<img src=x onerror=\"document.title='run'\">\n\u202e\u2028\x00 ${1} `end`"
)
ORDERS = FlowInfo(
    "orders",
    (
        StepInfo("receive", "orders", is_entrypoint=True, doc="Take the order."),
        StepInfo(
            "charge",
            "orders",
            after=(("receive",),),
            doc="Take the money.\n\nTwice, if need be.",
            tags=("io", "pci"),
            module="shop.orders",
            qualname="charge",
            path="shop/orders.py",
            line=7,
            signature="(order: Order) -> int",
        ),
        StepInfo("reserve", "orders", after=(("receive",),)),
        StepInfo("ship", "orders", after=(("charge", "reserve"),)),
        StepInfo("mail", "orders", after=(("ship",),), crosses=True),
    ),
    owner="payments",
    description="From click to parcel.",
    source_url="https://forge.example/{path}#L{line}",
)
BILLS = flow_of("bills", {"open": None, "bill": ["orders:ship", "open"]})
SHOP = (
    flow_of(
        "checkout",
        {
            "receive": None,
            "price": "receive",
            "reserve": "receive",
            "charge": ["price", "reserve"],
        },
        service="web",
    ),
    replace(
        flow_of(
            "capture",
            {"settle": "approved"},
            more=[
                StepInfo(
                    "approved",
                    "capture",
                    after=(("web/checkout:charge",),),
                    is_entrypoint=True,
                )
            ],
            service="payments",
        ),
        owner="Ada",
    ),
    flow_of(
        "parcels",
        {"pack": ["payments/capture:settle"], "send": "pack"},
        service="web",
    ),
    replace(flow_of("reviews", {"search": None}, service="payments"), owner="Bob"),
)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Start one Chromium for all these tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def shown(chrome: Browser, tmp_path: Path) -> Iterator[Browser]:
    """Show two flows, and check at the end for errors and requests."""
    yield show(chrome, tmp_path / "orders.html", ORDERS, BILLS)
    assert chrome.complaints() == []
    assert chrome.requests() == [(tmp_path / "orders.html").as_uri()]


def show(browser: Browser, path: Path, *flows: FlowInfo) -> Browser:
    """Draw and open a page."""
    draw(flows, output=path)
    browser.open(path)
    browser.settle()
    return browser


def seen(browser: Browser) -> list[float]:
    """Return the visible part of the drawing: left, top, width, height."""
    browser.settle()
    return [
        float(x)
        for x in browser.find("#stage > .drawing").get_dom_attribute("viewBox").split()
    ]


def test_a_page_opens(shown: Browser) -> None:
    """All steps, the rail of flows and the legend are shown."""
    assert len(shown.ids(".node")) == 7
    assert shown.texts("#rail a") == ["orders\n5", "bills\n2"]
    assert shown.texts("#panel") == []
    assert shown.texts(".legend li") == [
        "entrypoint",
        "step",
        "to another process",
    ]


def test_search_as_you_type(shown: Browser) -> None:
    """The search finds names, docstrings and tags; Enter moves to the next match."""
    search = shown.find("#search")
    for typed, found in [
        ("char", ["step-charge"]),
        ("TWICE need", ["step-charge"]),
        ("#pci", ["step-charge"]),
        ("take", ["step-charge", "step-receive"]),
        ("nothing like it", []),
    ]:
        search.clear()
        search.send_keys(typed)
        assert shown.ids(".node.hit") == found
    assert shown.texts("#found") == ["none found"]

    search.clear()
    search.send_keys("take", ENTER)
    assert shown.texts("#found") == ["1 of 2 found"]
    first = shown.ids(".chosen")
    search.send_keys(ENTER)
    assert shown.texts("#found") == ["2 of 2 found"]
    assert sorted(first + shown.ids(".chosen")) == ["step-charge", "step-receive"]
    search.send_keys(ENTER)
    assert shown.ids(".chosen") == first


def test_a_click_tells_of_a_step(shown: Browser) -> None:
    """The panel has the whole docstring, signature, tags, owner and source."""
    shown.find("#step-charge").click()

    assert shown.texts("#details h2") == ["charge"]
    assert shown.texts("#details .doc") == ["Take the money.\n\nTwice, if need be."]
    assert shown.texts("#details .code") == ["def charge(order: Order) -> int"]
    assert shown.texts("#details dd") == [
        "orders",
        "payments",
        "#io #pci",
        "shop/orders.py:7",
    ]
    link = shown.find("#details a")
    assert link.get_attribute("href") == "https://forge.example/shop/orders.py#L7"
    assert shown.texts("#before li") == ["receive"]
    assert shown.texts("#after li") == ["ship"]


def test_its_neighbours_are_buttons(shown: Browser) -> None:
    """The neighbours are links, and those of an ``all_of`` say so."""
    shown.find("#step-ship").click()
    assert shown.texts("#before li") == ["charge all of", "reserve all of"]
    assert shown.texts("#after li") == ["bill", "mail"]

    shown.find("#before li:nth-child(2) button").click()

    assert shown.texts("#details h2") == ["reserve"]
    assert shown.ids(".chosen") == ["step-reserve"]
    assert shown.run("return document.activeElement.id") == "step-reserve"
    assert shown.run("return location.hash") == "#orders/reserve"


def test_highlights(shown: Browser) -> None:
    """Everything up- or downstream is highlighted, with the edges between."""
    shown.find("#step-charge").click()
    shown.find("#down").click()
    assert shown.ids(".node.lit") == [
        f"step-{x}" for x in ("bill", "charge", "mail", "ship")
    ]
    assert shown.ids(".edge.lit") == [
        "edge-charge-ship",
        "edge-ship-bill",
        "edge-ship-mail",
    ]

    shown.find("#up").click()
    assert shown.ids(".node.lit") == ["step-charge", "step-receive"]
    assert shown.find("#up").text == "Upstream 1 u"
    assert shown.run("return location.hash") == "#orders/charge!up"
    shown.run("document.getAnimations().forEach((one) => one.finish())")
    opacity = "return getComputedStyle(document.getElementById(arguments[0])).opacity"
    assert shown.run(opacity, "step-receive") == "1"
    assert shown.run(opacity, "step-ship") == "0.18"
    shown.press(ESCAPE)
    assert shown.ids(".lit") == []
    assert shown.texts("#details") == []


def test_a_cycle_ends(chrome: Browser, tmp_path: Path) -> None:
    """The steps of a cycle are both up- and downstream."""
    loop = flow_of("f", {"a": ["c"], "b": "a", "c": "b", "d": "d"})
    show(chrome, tmp_path / "f.html", loop)
    chrome.find("#step-a").click()
    chrome.press("d")

    assert chrome.ids(".node.lit") == ["step-a", "step-b", "step-c"]
    assert chrome.complaints() == []


def test_without_a_mouse(shown: Browser) -> None:
    """Tab reaches search, buttons and each step; Enter opens one, Escape closes it."""
    shown.press("/")
    assert shown.run("return document.activeElement.id") == "search"
    reached = []
    for _ in range(20):
        shown.press(TAB)
        reached.append(shown.run("return document.activeElement.id"))
        if reached[-1] == "step-ship":
            break
    assert reached[:5] == ["theme", "help", "", "", "step-open"]
    assert reached[-1] == "step-ship"
    ring = "getComputedStyle(document.activeElement.querySelector('.card')).strokeWidth"
    assert shown.run(f"return {ring}") == "2.5px"

    shown.press(ENTER)
    assert shown.texts("#details h2") == ["ship"]
    shown.press("u")
    assert len(shown.ids(".node.lit")) == 4
    shown.press(ESCAPE)
    assert shown.texts("#details h2") == []


def test_everything_has_a_name(shown: Browser) -> None:
    """Every control has a role and a name for screen readers."""
    shown.find("#step-charge").click()
    tree = shown.command("Accessibility.getFullAXTree")["nodes"]
    controls = [
        (node["role"]["value"], node["name"]["value"])
        for node in tree
        if node.get("role", {}).get("value") in {"button", "searchbox", "link"}
    ]

    assert ("searchbox", "Search flows and steps") in controls
    assert ("button", "Zoom in") in controls
    assert ("button", "receive, entrypoint of orders") in controls
    assert all(name for _, name in controls)


def test_zoom_and_pan(shown: Browser) -> None:
    """Keys, the wheel and dragging move the view; f shows everything again."""
    start = seen(shown)
    shown.find("body").send_keys("+")
    assert seen(shown)[2] < start[2]
    shown.find("body").send_keys("--")
    assert seen(shown)[2] > start[2]
    shown.find("body").send_keys("f")
    assert seen(shown) == start
    shown.find("body").send_keys(RIGHT)
    assert seen(shown)[0] > start[0]
    shown.find("#fit").click()
    assert seen(shown) == start

    shown.command(
        "Input.dispatchMouseEvent",
        type="mouseWheel",
        x=400,
        y=300,
        deltaX=0,
        deltaY=-200,
    )
    left, top, width, height = seen(shown)
    assert width < start[2]
    assert left - start[0] < start[0] + start[2] - left - width  # nearer to the pointer
    for kind, x in (
        ("mousePressed", 500),
        ("mouseMoved", 530),
        ("mouseMoved", 600),
        ("mouseReleased", 600),
    ):
        shown.command(
            "Input.dispatchMouseEvent",
            type=kind,
            x=x,
            y=300,
            button="left",
            buttons=1,
            clickCount=1,
        )
    moved = seen(shown)
    assert moved[0] < left
    assert (moved[1], moved[2:]) == (top, [width, height])
    assert shown.texts("#details") == []  # a drag is no click


def test_pinch(shown: Browser) -> None:
    """Spreading two fingers zooms in."""
    start = seen(shown)
    for kind, apart in (
        ("touchStart", 50),
        ("touchMove", 80),
        ("touchMove", 150),
        ("touchEnd", 0),
    ):
        points = [
            {"x": 500 - apart, "y": 300, "id": 1},
            {"x": 500 + apart, "y": 300, "id": 2},
        ]
        shown.command(
            "Input.dispatchTouchEvent", type=kind, touchPoints=points if apart else []
        )

    assert seen(shown)[2] < start[2] * 0.7


def box(browser: Browser, selector: str) -> dict[str, float]:
    """Return where the first element that a CSS selector finds is in the window."""
    script = "return document.querySelector(arguments[0]).getBoundingClientRect()"
    found: dict[str, float] = browser.run(f"{script}.toJSON()", selector)
    return found


def opacity(browser: Browser, selector: str) -> str:
    """Return the opacity of an element at the end of its transition."""
    browser.run("document.getAnimations().forEach((one) => one.finish())")
    found: str = browser.run(
        "return getComputedStyle(document.querySelector(arguments[0])).opacity",
        selector,
    )
    return found


def is_inside(browser: Browser, selector: str) -> bool:
    """Return whether an element is in view as a whole."""
    browser.settle()
    one, stage = box(browser, selector), box(browser, "#stage")
    return (
        stage["left"] <= one["left"] <= one["right"] <= stage["right"]
        and stage["top"] <= one["top"] <= one["bottom"] <= stage["bottom"]
    )


@pytest.fixture
def shop(chrome: Browser, tmp_path: Path) -> Iterator[Browser]:
    """Show the map of four flows of two services, with a chain of three of them."""
    path = tmp_path / "shop.html"
    yield show(chrome, path, *SHOP)
    assert chrome.complaints() == []
    assert chrome.requests() == [path.as_uri()]


def test_a_flow_of_the_rail(shop: Browser) -> None:
    """Choosing a flow frames it, lights its whole path and dims the others."""
    assert shop.texts("#rail h2") == ["payments\n2", "web\n2"]
    shop.find("#rail a[href='#capture']").click()

    assert is_inside(shop, ".cluster[data-flow=capture]")
    assert shop.ids(".node:not(.lit)") == ["step-search"]
    assert shop.ids(".edge:not(.lit)") == []
    assert len(shop.ids(".door.lit")) == 4
    assert opacity(shop, ".cluster[data-flow=reviews]") == "0.18"
    assert opacity(shop, ".cluster[data-flow=checkout]") == "1"
    assert shop.texts("#panel h2") == ["capture"]
    assert shop.texts("#panel dd") == ["Ada", "approved", "2"]
    assert shop.texts("#before li") == ["checkout charge"]
    assert shop.texts("#after li") == ["parcels pack"]
    assert shop.texts("#around .group button") == [
        "Upstream 1 u",
        "Downstream 1 d",
        "Open flow ↵",
    ]
    assert shop.texts("#rail [aria-current]") == ["capture\n2"]
    assert shop.run("return location.hash") == "#capture"

    shop.find("#down").click()
    assert shop.ids(".cluster.lit") == ["flow_capture", "flow_parcels"]
    assert shop.run("return location.hash") == "#capture!down"
    shop.find("#after button").click()
    assert shop.texts("#panel h2") == ["parcels"]
    assert is_inside(shop, ".cluster[data-flow=parcels]")
    shop.find("#close").click()
    assert shop.ids(".dim, .lit") == []
    assert shop.run("return location.hash") == ""


def test_doors_and_frames_are_ways_to_a_flow(shop: Browser) -> None:
    """A click on a door shows the flow behind it, one on a frame the flow in it."""
    shop.find(".door[data-flow=checkout]").click()
    assert shop.texts("#panel h2") == ["capture"]
    shop.press("f")
    shop.find(".cluster[data-flow=reviews] text").click()
    assert shop.texts("#panel h2") == ["reviews"]


@pytest.mark.parametrize(
    ("address", "heading", "lit"),
    [
        ("#capture", "capture", 8),
        ("#capture/approved", "approved", 1),
        ("#capture!up", "capture", 6),
        ("#capture/approved!down", "approved", 4),
        ("#caf%C3%A9%21%2Fx", "café!/x", 1),
        ("#capture/nothing", "capture", 8),
    ],
)
def test_an_address_holds_the_choice(
    chrome: Browser, tmp_path: Path, address: str, heading: str, lit: int
) -> None:
    """The same choice is made again, and gives the same address."""
    path = tmp_path / "shop.html"
    show(chrome, path, *SHOP, flow_of("café!/x", {"go": None}))
    chrome.driver.get(path.as_uri() + address)
    chrome.settle()

    assert chrome.texts("#panel h2") == [heading]
    assert len(chrome.ids(".node.lit")) == lit
    known = address.removesuffix("/nothing")
    assert chrome.run("return location.hash") == known
    assert chrome.complaints() == []


@pytest.mark.parametrize("address", ["#%ff", "#__proto__", "#nothing", "#/", "#a/b/c"])
def test_an_address_of_nothing(shop: Browser, address: str) -> None:
    """An address that names nothing opens the page without a choice."""
    shop.run("location.hash = arguments[0]", address)
    shop.settle()

    assert shop.texts("#panel") == []
    assert shop.ids(".lit") == []


def test_arrows_follow_the_lines(shop: Browser) -> None:
    """Arrows move to the next step that a line leads to, or to one beside it."""
    shop.find("#step-receive").click()
    found: list[str] = []
    for key in (DOWN, RIGHT, LEFT, DOWN, DOWN, UP):
        shop.find("body").send_keys(key)
        found.append(*shop.texts("#details h2"))

    assert found == ["price", "reserve", "price", "charge", "approved", "charge"]
    assert is_inside(shop, "#step-charge")


def test_enter_opens_the_step_and_then_its_flow(shop: Browser) -> None:
    """Enter on a step shows it, and once more its flow; Escape ends the choice."""
    shop.run("document.getElementById('step-approved').focus()")
    shop.press(ENTER)
    assert shop.texts("#details h2") == ["approved"]
    shop.press(ENTER)
    assert shop.texts("#panel h2") == ["capture"]
    assert is_inside(shop, ".cluster[data-flow=capture]")
    shop.press(ESCAPE)
    assert shop.texts("#panel") == []


def test_a_list_of_the_keys(shop: Browser) -> None:
    """A question mark lists the keys; Escape closes the list."""
    shop.press("?")
    assert "along the lines to the next step" in shop.texts("#keys dd")
    shop.press(ESCAPE)
    assert shop.texts("#keys") == []


def test_a_search_for_a_flow(shop: Browser) -> None:
    """The rail has the flows that match, or whose steps do; Enter opens one."""
    search = shop.find("#search")
    search.send_keys("pack")
    assert shop.texts("#rail a") == ["parcels\n2"]
    search.clear()
    search.send_keys("capture", ENTER)

    assert shop.texts("#panel h2") == ["capture"]


def test_colours(shop: Browser) -> None:
    """Flows are coloured, and grouped in the rail, by service or owner."""
    disc = "return document.querySelector('.cluster[data-flow=%s] circle').classList[0]"
    door = (
        "return document.querySelector('.door[data-flow=checkout] rect').classList[0]"
    )
    keys = ".graph > circle"
    assert shop.run(disc % "capture") == "blue"
    assert shop.run(door) == "blue-tint"
    assert len(shop.texts("#colour option")) == 2
    shop.find("#colour").send_keys("owner")

    assert shop.texts("#rail h2") == ["Ada\n1", "Bob\n1", "no name\n2"]
    assert shop.run(disc % "capture") == "blue"
    assert shop.run(disc % "reviews") == "orange"
    assert shop.run(disc % "checkout") == "teal"
    assert shop.run(door) == "blue-tint"
    assert not any(
        one.is_displayed() for one in shop.driver.find_elements("css selector", keys)
    )
    shop.find("#colour option:first-child").click()
    assert shop.run(disc % "capture") == "blue"
    assert shop.run(door) == "blue-tint"
    assert all(
        one.is_displayed() for one in shop.driver.find_elements("css selector", keys)
    )


def test_less_when_it_is_far(chrome: Browser, tmp_path: Path) -> None:
    """Small cards hide descriptions; the names of far frames keep their size."""
    draw([ORDERS, BILLS], output=tmp_path / "orders.html", detail=True)
    chrome.open(tmp_path / "orders.html")

    def words_at(scale: float) -> str:
        size = "document.querySelector('.drawing').getScreenCTM().a"
        while chrome.run(f"return {size}") > scale:
            chrome.find("#farther").click()
            chrome.settle()
        return " ".join(chrome.texts(".drawing text"))

    assert "pci" in words_at(9)
    middle = words_at(0.5)
    assert "pci" not in middle
    assert "receive" in middle
    chrome.command(
        "Emulation.setDeviceMetricsOverride",
        width=800,
        height=300,
        deviceScaleFactor=1,
        mobile=False,
    )
    assert words_at(0.29) == "bills orders"
    assert 8 < box(chrome, ".sign")["height"] < 20
    assert box(chrome, ".sign")["top"] < box(chrome, ".frame")["top"]
    chrome.command("Emulation.clearDeviceMetricsOverride")


def copied(browser: Browser, button: str, read: str) -> Any:
    """Click a button, and return what JavaScript reads from the clipboard then."""
    browser.find(button).click()
    return browser.driver.execute_async_script(
        f"""const done = arguments[0], found = document.getElementById("found");
        (function wait() {{
            if (found.textContent === "copied") {read}.then(done);
            else setTimeout(wait, 20);
        }})()"""
    )


def test_a_copy_is_a_picture_by_itself(shop: Browser) -> None:
    """The buttons copy the whole picture as SVG and PNG, in the colours shown."""
    shop.command(
        "Browser.grantPermissions",
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
    )
    shop.find("body").send_keys("+++")
    svg = copied(shop, "#copy-svg", "navigator.clipboard.readText()")
    root = ET.fromstring(svg)  # noqa: S314  # penstock drew it
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert [f"{float(x):.0f}" for x in (root.get("viewBox") or "").split()] == [
        "0",
        "0",
        root.get("width"),
        root.get("height"),
    ]
    assert "light-dark" not in svg
    assert "#1f2328" in svg

    size = copied(
        shop,
        "#copy-png",
        """navigator.clipboard.read().then(async ([item]) => {
            const image = await createImageBitmap(await item.getType("image/png"));
            return [image.width, image.height];
        })""",
    )
    wanted = [2 * int(root.get(name) or 0) for name in ("width", "height")]
    assert size == pytest.approx(wanted, abs=1)


def test_a_copy_without_a_clipboard(chrome: Browser, tmp_path: Path) -> None:
    """Where a page may not write to the clipboard, the picture is a download."""
    show(chrome, tmp_path / "orders.html", ORDERS)
    chrome.command(
        "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path)
    )
    chrome.run("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    chrome.find("#copy-svg").click()
    until = monotonic() + 10
    while not (tmp_path / "orders.svg").exists():
        assert monotonic() < until
        sleep(0.02)

    assert (tmp_path / "orders.svg").read_text(encoding="utf-8").startswith("<svg")
    assert chrome.complaints() == []


def test_a_link_to_a_step(chrome: Browser, tmp_path: Path) -> None:
    """The address ends in the names of flow and step, and opens the page there."""
    draw([ORDERS], output=tmp_path / "orders.html")
    chrome.open(tmp_path / "orders.html")
    chrome.driver.get("about:blank")
    chrome.driver.get((tmp_path / "orders.html").as_uri() + "#orders/charge")
    chrome.settle()

    assert chrome.texts("#details h2") == ["charge"]


def test_light_and_dark(shown: Browser) -> None:
    """The page follows the system's theme until the button changes it for good."""
    color = "return getComputedStyle(document.querySelector('h1')).color"
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    light = shown.run(color)
    shown.command("Emulation.setEmulatedMedia", features=features)
    dark = shown.run(color)
    assert dark != light

    shown.find("#theme").click()
    assert shown.run(color) == light
    shown.command("Emulation.setEmulatedMedia", features=[])
    shown.find("#theme").click()
    assert shown.run(color) == dark
    shown.run("localStorage.clear()")


def test_it_moves_for_nobody_who_minds(shown: Browser) -> None:
    """With reduced motion there are no transitions."""
    fades = (
        "return getComputedStyle(document.querySelector('.node')).transitionDuration"
    )
    assert shown.run(fades) != "0s"
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    shown.command("Emulation.setEmulatedMedia", features=features)

    assert shown.run(fades) == "0s"
    shown.command("Emulation.setEmulatedMedia", features=[])


def test_a_hostile_flow(chrome: Browser, tmp_path: Path) -> None:
    """Hostile text is shown as it is, and does not run."""
    step = StepInfo(
        HOSTILE,
        HOSTILE,
        is_entrypoint=True,
        doc=HOSTILE + "x" * 10_000,
        tags=(HOSTILE,),
        qualname=HOSTILE,
        path=HOSTILE,
        line=1,
    )
    url = "javascript:document.title='run'"
    flow = FlowInfo(HOSTILE, (step,), HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, url)
    path = tmp_path / "hostile.html"
    show(chrome, path, flow)
    chrome.find(".node").click()

    assert chrome.driver.title != "run"
    assert chrome.run("return document.scripts.length") == 2
    assert chrome.run("return document.images.length + document.links.length") == 0
    text = "return document.querySelector('#details .doc').textContent"
    assert chrome.run(text) == HOSTILE + "x" * 10_000
    wide = "return document.documentElement.scrollWidth <= innerWidth"
    assert chrome.run(wide)
    assert chrome.complaints() == []
    assert chrome.requests() == [path.as_uri()]


def test_hostile_flows(chrome: Browser, tmp_path: Path) -> None:
    """In rail, doors, chips and the address, hostile names are text."""
    step = StepInfo(HOSTILE, HOSTILE, is_entrypoint=True)
    one = FlowInfo(HOSTILE, (step,), HOSTILE, service=HOSTILE)
    other = FlowInfo(
        "</style>",
        (StepInfo("next", "</style>", after=((f"{HOSTILE}:{HOSTILE}",),)),),
        service="__proto__",
    )
    path = tmp_path / "hostile.html"
    draw([one, other, flow_of("constructor", {"__proto__": None})], output=path)
    chrome.open(path)
    chrome.settle()
    for link in chrome.driver.find_elements("css selector", "#rail a"):
        link.click()
        chrome.settle()
        address = chrome.run("return location.hash")
        chrome.run(
            "document.getElementById('close').click(); location.hash = arguments[0]",
            address,
        )
        chrome.settle()
        assert len(chrome.texts("#panel h2")) == 1

    assert chrome.driver.title != "run"
    assert chrome.run("return document.scripts.length") == 2
    assert chrome.run("return document.images.length") == 0
    assert chrome.complaints() == []
    assert chrome.requests() == [path.as_uri()]


def test_the_policy_holds(chrome: Browser, tmp_path: Path) -> None:
    """The policy keeps injected elements from running or loading anything."""
    show(chrome, tmp_path / "orders.html", ORDERS)
    chrome.run(
        "const one = document.createElement('script');"
        "one.textContent = 'document.title = 1'; document.body.append(one)"
    )
    image = "<img src=x onerror='document.title = 1'>"
    chrome.run("document.body.insertAdjacentHTML('beforeend', arguments[0])", image)
    chrome.run("fetch('https://forge.example/').catch(() => {})")

    refused = chrome.complaints()
    assert len(refused) >= 3
    assert all("Content Security Policy" in one for one in refused)
    assert chrome.driver.title == "orders"


def test_five_hundred_steps(chrome: Browser, tmp_path: Path) -> None:
    """Many steps work like few; zoomed out, a flow shows its name."""
    flows = [
        flow_of(
            f"flow {f}",
            {
                f"step_{f}_{i}": f"step_{f}_{(i - 1) // 2}" if i else None
                for i in range(100)
            },
        )
        for f in range(5)
    ]
    path = tmp_path / "large.html"
    show(chrome, path, *flows)
    assert len(chrome.ids(".node")) == 500
    assert "flow 3" in "".join(chrome.texts(".sign"))

    chrome.find("#search").send_keys("step_3_99", ENTER)
    chrome.settle()
    assert chrome.texts("#details h2") == ["step_3_99"]
    box = "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()"
    node, stage = (chrome.run(box, one) for one in ("#step-step_3_99", "#stage"))
    assert stage["left"] < node["left"] < node["right"] < stage["right"]
    assert node["width"] > 40
    assert chrome.texts(".sign") == []
    chrome.find("#up").click()
    assert len(chrome.ids(".node.lit")) == 7
    assert chrome.complaints() == []
    assert chrome.requests() == [path.as_uri()]


def test_a_long_strip(chrome: Browser, tmp_path: Path) -> None:
    """A long strip opens at its beginning, at a readable size."""
    names = [f"step_{number}" for number in range(60)]
    chain = flow_of("f", dict(zip(names, [None, *names], strict=False)))
    show(chrome, tmp_path / "chain.html", chain)
    height = "return document.getElementById(arguments[0]).getBoundingClientRect().y"

    assert 0 < chrome.run(height, "step-step_0") < 700
    assert chrome.run(height, "step-step_1") < 700
    assert "step_1" in chrome.texts(".node text")
    chrome.find("#fit").click()
    chrome.settle()
    assert chrome.run(height, "step-step_59") < 760


def test_print(chrome: Browser, tmp_path: Path) -> None:
    """It prints the whole picture on one page, without controls."""
    show(chrome, tmp_path / "orders.html", ORDERS, BILLS)
    chrome.find("body").send_keys("+++")
    before = seen(chrome)
    printed = chrome.command("Page.printToPDF", preferCSSPageSize=True)["data"]
    pdf = base64.b64decode(printed)

    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert seen(chrome) == before
    chrome.command("Emulation.setEmulatedMedia", media="print")
    assert chrome.texts(".controls, #panel") == []
    assert "entrypoint" in chrome.texts(".legend li")
    chrome.command("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize(
    ("direction", "is_wide"), [("LR", True), ("TD", False)], ids=["wide", "tall"]
)
def test_paper_is_turned_to_fit(
    chrome: Browser, tmp_path: Path, *, direction: Direction, is_wide: bool
) -> None:
    """A picture that is wider than high prints in landscape."""
    draw([ORDERS], output=tmp_path / "orders.html", direction=direction)
    chrome.open(tmp_path / "orders.html")
    printed = chrome.command("Page.printToPDF", preferCSSPageSize=True)["data"]
    found = re.search(rb"/MediaBox \[0 0 (\d+) (\d+)", base64.b64decode(printed))

    assert found
    assert (int(found[1]) > int(found[2])) is is_wide


def test_a_phone(tmp_path: Path) -> None:
    """On a narrow screen nothing overflows, and the panel shows with a step."""
    with chromium(is_phone=True) as phone:
        show(phone, tmp_path / "orders.html", ORDERS, BILLS)
        wide = "return document.documentElement.scrollWidth"
        assert phone.run(wide) == 390
        assert phone.texts("#panel") == []

        phone.find("#step-charge").click()
        assert phone.texts("#details h2") == ["charge"]
        assert phone.run(wide) == 390
        phone.find("#close").click()
        assert phone.texts("#panel") == []

        assert phone.texts("#rail a") == []
        phone.find("#menu").click()
        phone.find("#rail a[href='#bills']").click()
        assert phone.texts("#rail a") == []
        assert phone.texts("#panel h2") == ["bills"]
        assert is_inside(phone, ".cluster[data-flow=bills]")
        sheet, stage = box(phone, "#panel"), box(phone, "#stage")
        assert (sheet["left"], sheet["right"]) == (0, 390)
        assert sheet["bottom"] > stage["bottom"]
        assert phone.run(wide) == 390
        assert phone.complaints() == []


def test_without_a_script(tmp_path: Path) -> None:
    """Without scripts, picture, flows and legend are shown."""
    with chromium("--blink-settings=scriptEnabled=false") as browser:
        draw([ORDERS], output=tmp_path / "orders.html")
        browser.open(tmp_path / "orders.html")

        assert browser.texts("#flows h2") == ["orders"]
        assert "charge" in browser.texts(".node text")
        assert browser.texts(".controls") == []


def test_what_runs_have_shown(chrome: Browser, tmp_path: Path) -> None:
    """A tick in the legend highlights the edges of that status."""
    runs = recorded({"receive": 2, "charge": 2}, {("receive", "charge"): 2})
    path = tmp_path / "evidence.html"
    draw((ORDERS,), output=path, evidence=Sources({"orders": runs}))
    chrome.open(path)
    chrome.settle()

    def opacities() -> dict[str, str]:
        script = """return [...document.querySelectorAll('.edge')].map((edge) =>
            [edge.id, getComputedStyle(edge).opacity])"""
        return dict(chrome.run(script))

    assert set(opacities().values()) == {"1"}
    assert chrome.texts(".edge text") == ["2×", "0×", "0×", "0×", "0×"]
    assert chrome.find("#edge-charge-ship").size["height"] > 0
    clip = "return getComputedStyle(document.querySelector('.edge.unseen')).clipPath"
    assert chrome.run(clip) == "none"
    chrome.find("#show-unseen").click()
    chrome.run(
        "document.querySelectorAll('.edge').forEach(e => e.getAnimations()"
        ".forEach(a => a.finish()))"
    )
    assert opacities() == {
        "edge-receive-charge": "0.18",
        "edge-receive-reserve": "1",
        "edge-charge-ship": "1",
        "edge-reserve-ship": "1",
        "edge-ship-mail": "1",
    }
    chrome.find("#step-charge").click()
    assert "2 calls" in chrome.texts("#details dd")
    assert chrome.texts("#before small") == ["declared, seen 2×"]
    assert chrome.complaints() == []


def test_the_colours_of_evidence(chrome: Browser, tmp_path: Path) -> None:
    """Flows are coloured by what runs have shown; lines keep what they say."""
    runs = recorded({"receive": 2, "charge": 2}, {("receive", "charge"): 2})
    path = tmp_path / "evidence.html"
    draw((ORDERS, BILLS), output=path, evidence=Sources({"orders": runs}))
    chrome.open(path)
    chrome.settle()
    line = "return document.querySelector('#edge-ship-bill .outer').classList.value"
    before = chrome.run(line)
    chrome.find("#colour option:last-child").click()

    assert chrome.texts("#rail h2") == ["never seen\n1", "seen\n1"]
    assert chrome.find(".cluster[data-flow=bills] circle").get_attribute("class") == (
        "slate"
    )
    assert chrome.ids(".minimap .slate-tint, .minimap .blue-tint") == ["", ""]
    assert chrome.run(line) == before
    assert chrome.complaints() == []
