"""The catalog in a real browser: search, keys, hostile names, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock import FlowInfo, StepInfo
from penstock.cli._output_folder import write_folder
from penstock.renderers.catalog import Catalog, render_html_catalog
from tests.support.browser import chromium, complaints, requests
from tests.support.flow_values import flow_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


ATTACK = "</script><img src=x onerror=\"document.title='broken'\">"
FLOWS = (
    FlowInfo(
        "orders",
        (
            StepInfo("receive", "orders", is_entrypoint=True, doc="Take the order."),
            StepInfo("charge", "orders", after=(("receive",),), tags=("io", "a b/ü")),
        ),
        owner="payments",
        description="From click to parcel.",
        service="shop",
    ),
    flow_of("mails", {"send": ["shop/orders:charge"]}, service="mail"),
    FlowInfo(
        ATTACK,
        (StepInfo(ATTACK, ATTACK, doc=ATTACK, tags=(ATTACK,)),),
        owner=ATTACK,
        description=ATTACK,
        service=ATTACK,
    ),
    *(flow_of(f"flow_{number:03}", {"a": None}) for number in range(40)),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a catalog."""
    folder = tmp_path_factory.mktemp("catalog") / "site"
    write_folder(folder, render_html_catalog(Catalog(FLOWS)), record=".record.json")
    return folder


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    """Start one browser for all tests here."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(started: Any, site: Path) -> Iterator[Any]:
    """Show the index, and check at the end for errors and requests."""
    started.get("data:,")
    complaints(started)  # those of the test before
    requests(started)
    started.get(f"{site.as_uri()}/index.html")
    yield started
    assert complaints(started) == []
    assert requests(started) == []


def shown(browser: Any) -> list[str]:
    """Return the names of the visible flows."""
    links = browser.find_elements("css selector", ".entry h3 a")
    return [link.text for link in links if link.is_displayed()]


def press(browser: Any, *keys: str) -> None:
    """Press keys, wherever the focus is."""
    from selenium.webdriver import ActionChains  # noqa: PLC0415  # may be missing

    ActionChains(browser).send_keys(*keys).perform()


def focused(browser: Any) -> str:
    """Return the focus: the name of a flow, or the id of a field."""
    element = browser.switch_to.active_element
    return str(element.get_attribute("id") or element.text)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("orders", ["orders"]),
        ("CLICK parcel", ["orders"]),
        ("payments", ["orders"]),
        ("charge", ["orders"]),
        ("mail send", ["mails"]),
        ("flow_01 flow_017", ["flow_017"]),
        ("nothing has this", []),
    ],
)
def test_search_as_you_type(browser: Any, typed: str, left: list[str]) -> None:
    """A flow must contain all words, in names, owners, descriptions, steps or tags."""
    assert len(shown(browser)) == len(FLOWS)

    browser.find_element("id", "search").send_keys(typed)

    assert shown(browser) == left
    count = browser.find_element("id", "count").text
    assert count == f"{len(left)} of {len(FLOWS)} flows"


def test_keys_alone(browser: Any) -> None:
    """A slash moves to the search, arrows through its results, Enter opens a page."""
    keys = pytest.importorskip("selenium.webdriver", reason="needs selenium").Keys
    press(browser, "/", "f", "l", "o", "w", "_", "0", "1")
    assert focused(browser) == "search"
    press(browser, keys.ARROW_DOWN, keys.ARROW_DOWN)
    assert focused(browser) == "flow_011"
    press(browser, keys.ARROW_UP, keys.ARROW_UP)
    assert focused(browser) == "search"
    press(browser, keys.ESCAPE)
    assert len(shown(browser)) == len(FLOWS)
    press(browser, *"orders", keys.ENTER)

    assert browser.title == "orders"
    # What can be scrolled or followed can be reached without a mouse.
    reached = set()
    for _ in range(12):
        press(browser, keys.TAB)
        reached.add(browser.switch_to.active_element.tag_name)
    assert {"a", "div"} <= reached


def test_a_tag_leads_to_the_flows_that_have_it(browser: Any, site: Path) -> None:
    """Tags are links into the search, whatever letters they have."""
    browser.get(f"{site.as_uri()}/flows/orders.html")

    browser.find_element("link text", "a b/ü").click()

    assert browser.title == f"Flows of {ATTACK}, mail, shop"
    assert browser.find_element("id", "search").get_property("value") == "a b/ü"
    assert shown(browser) == ["orders"]


def test_from_the_map_to_a_step_of_another_flow(browser: Any) -> None:
    """Boxes of the map and of a diagram are links, as are predecessors."""
    browser.find_element("link text", "Map of the system").click()
    browser.find_element("css selector", "g[data-flow='mails']").click()
    assert browser.title == "mails"
    browser.find_element("link text", "orders:charge").click()
    assert browser.title == "orders"
    assert browser.current_url.endswith("#about-charge")
    browser.find_element("css selector", "g[data-step='receive']").click()
    assert browser.current_url.endswith("#about-receive")


def test_a_hostile_flow_is_text(browser: Any) -> None:
    """No text of a flow runs as a script, on any page."""
    browser.find_element("link text", ATTACK).click()

    assert browser.title == ATTACK
    assert browser.find_elements("css selector", "img, script") == []
    assert ATTACK in browser.find_element("css selector", "pre").text
    browser.back()
    browser.get(f"{browser.current_url.partition('#')[0]}#q=%3Cimg%20%ff")
    assert len(browser.find_elements("css selector", "img")) == 0


def test_those_who_watch_see(tmp_path: Path) -> None:
    """These tests notice requests and errors of a page."""
    page = tmp_path / "page.html"
    page.write_text("<img src='http://127.0.0.1:9/x.png'><script>oops()</script>")

    with chromium() as browser:  # of its own: complaints may come late
        browser.get(page.as_uri())

        assert requests(browser) == ["http://127.0.0.1:9/x.png"]
        assert any("oops" in one for one in complaints(browser))


def test_dark_and_paper(site: Path) -> None:
    """The page follows the reader's theme; on paper it is dark on white."""
    with chromium("--blink-settings=preferredColorScheme=0") as browser:
        browser.get(f"{site.as_uri()}/flows/orders.html")
        ink, back = _colours(browser)
        assert sum(ink) > sum(back)

        command = {"media": "print"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", command)
        ink, back = _colours(browser)
        assert sum(ink) < sum(back)
        assert not browser.find_element("css selector", "nav").is_displayed()


def _colours(browser: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    script = """
        const text = document.querySelector("svg text"), body = document.body;
        return [getComputedStyle(text).fill, getComputedStyle(body).backgroundColor];
    """
    ink, back = browser.execute_script(script)
    return _numbers(ink), _numbers(back)


def _numbers(colour: str) -> tuple[int, ...]:
    return tuple(int(part) for part in colour[4:-1].split(","))
