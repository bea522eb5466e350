"""The page of an operation in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.runs.output.facts import Shown
from penstock.runs.output.operation_page import as_page
from tests.support.flow_values import flow_of
from tests.support.html_pages import Browser, chromium, point_at
from tests.support.operations import (
    call,
    line,
    operation,
    shop_flows,
    shop_judgements,
    shop_operation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from penstock.runs.operation import Operation

DOWN, ENTER, TAB = "\ue015", "\ue007", "\ue004"
HOSTILE = (
    "</script></style><script>document.title = 'run'</script>"
    "<img src=x onerror=\"document.title='run'\">\n\u202e\u2028\x00 ${1} `end`"
)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Start one Chromium for all these tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def order(chrome: Browser, tmp_path: Path) -> Iterator[Browser]:
    """Show the order of the shop, and check at the end for errors and requests."""
    path = tmp_path / "order.html"
    yield show_order(chrome, path)
    assert chrome.complaints() == []
    assert chrome.requests() == [path.as_uri()]


def show_order(browser: Browser, path: Path) -> Browser:
    """Write and open the page of the order of the shop."""
    shown = shop_operation()
    judgements = {shown: shop_judgements(shown)}
    return show(browser, path, Shown([shown], judgements, "", shop_flows()))


def show(browser: Browser, path: Path, shown: Shown) -> Browser:
    """Write and open the page of one operation."""
    (one,) = shown.operations
    path.write_text(as_page(one, shown), encoding="utf-8")
    browser.open(path)
    browser.settle()
    return browser


def lit_rows(browser: Browser) -> list[str]:
    """Return the steps whose rows are lit."""
    return browser.texts(".row.lit .label")


def colour(browser: Browser, selector: str, name: str) -> str:
    """Return a colour as the browser shows it."""
    script = (
        "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    )
    return str(browser.run(script, selector, name))


def test_a_row_lights_its_card(order: Browser) -> None:
    """The pointer on a row lights the row and its card, and brings it into view."""
    row = order.driver.find_elements("css selector", ".row")[11]
    point_at(order, row)

    assert order.ids(".node.lit") == ["step-label"]
    assert lit_rows(order) == ["shipping/label"]
    assert order.run(
        "return new Promise(done => setTimeout(() => {"
        "const box = document.querySelector('.node.lit').getBoundingClientRect();"
        "done(box.top >= 0 && box.bottom <= innerHeight)}, 900))"
    )
    point_at(order, order.find("h1"))
    assert order.ids(".lit") == []


def test_a_card_lights_its_rows(order: Browser) -> None:
    """The pointer on a card lights the rows of all its calls."""
    point_at(order, order.find("#step-pay"))
    assert lit_rows(order) == ["billing/pay", "billing/pay"]

    point_at(order, order.find("#step-refund"))
    assert lit_rows(order) == []


def test_the_keyboard(order: Browser) -> None:
    """Tab leads to the rows, arrows along them, and Tab on to the cards."""
    order.run("document.querySelector('.row').focus()")
    assert order.ids(".node.lit") == ["step-receive"]

    order.press(DOWN)
    assert order.ids(".node.lit") == ["step-lines"]
    order.press(ENTER)
    for _ in range(13):
        order.press(DOWN)
    assert order.ids(".node.lit") == ["step-pick"]

    order.run("document.querySelector('#step-pay').focus()")
    assert lit_rows(order) == ["billing/pay", "billing/pay"]
    label = order.find("#step-pay").get_dom_attribute("aria-label")
    assert label == "pay"
    assert order.find("#step-refund").get_dom_attribute("tabindex") is None


def test_light_and_dark(order: Browser) -> None:
    """Both show what failed in red, and what was not called in grey."""
    found = {}
    for mode in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": mode}
        order.command("Emulation.setEmulatedMedia", features=[feature])
        found[mode] = [
            colour(order, "html", "backgroundColor"),
            colour(order, "#step-capture .card", "stroke"),
            colour(order, "#step-refund text", "fill"),
            colour(order, "#step-lines .card", "stroke"),
            colour(order, "#edge-pick-label .line", "stroke"),
        ]
    order.command("Emulation.setEmulatedMedia", features=[])

    assert found["light"] == [
        "rgb(255, 255, 255)",
        "rgb(180, 35, 24)",
        "rgb(89, 99, 110)",
        "rgb(8, 96, 181)",
        "rgb(180, 35, 24)",
    ]
    assert found["dark"] == [
        "rgb(13, 17, 23)",
        "rgb(255, 138, 122)",
        "rgb(145, 152, 161)",
        "rgb(121, 184, 255)",
        "rgb(255, 138, 122)",
    ]


def test_an_entrypoint_that_was_not_called(chrome: Browser, tmp_path: Path) -> None:
    """Its border is not that of what was called."""
    flows = [flow_of("f", {"called": None, "uncalled": None, "step": "uncalled"})]
    show(
        chrome,
        tmp_path / "one.html",
        Shown([operation(call("f/called"))], {}, "", flows),
    )

    called, uncalled, step = (
        colour(chrome, f"#step-{name} .card", "stroke")
        for name in ("called", "uncalled", "step")
    )
    assert uncalled == step != called


def test_print(order: Browser) -> None:
    """A print is light, and nothing scrolls."""
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    order.command("Emulation.setEmulatedMedia", media="print", features=[dark])
    background = colour(order, "html", "backgroundColor")
    overflow = colour(order, "#picture", "overflow")
    order.command("Emulation.setEmulatedMedia", media="", features=[])

    assert (background, overflow) == ("rgb(255, 255, 255)", "visible")


def test_hostile_text_does_nothing(chrome: Browser, tmp_path: Path) -> None:
    """Whatever a line says is text."""
    one = call("f/s", outcome="error", service=HOSTILE, doubts=[HOSTILE])
    one.flow, one.step, one.error_type = HOSTILE, HOSTILE, HOSTILE
    one.lines = [line(0, HOSTILE, logger=HOSTILE)]
    shown: Operation = operation(one, root_id=HOSTILE, lines=[line(1, HOSTILE)])
    flows = [flow_of(HOSTILE, {HOSTILE: None})]
    path = tmp_path / "hostile.html"
    show(chrome, path, Shown([shown], {}, HOSTILE, flows, with_logs=True))
    point_at(chrome, chrome.find(".row"))

    assert len(chrome.ids(".node.lit")) == 1
    assert chrome.driver.title != "run"
    assert chrome.run("return document.scripts.length") == 1
    assert chrome.run("return document.images.length + document.links.length") == 0
    assert chrome.run("return document.documentElement.scrollWidth <= innerWidth")
    assert chrome.complaints() == []
    assert chrome.requests() == [path.as_uri()]


def test_on_a_phone(tmp_path: Path) -> None:
    """The picture is above the rows, and nothing is wider than the screen."""
    with chromium(is_phone=True) as phone:
        show_order(phone, tmp_path / "order.html")
        picture, calls = (phone.find(one).rect for one in ("#picture", "#rows"))

        assert picture["y"] + picture["height"] <= calls["y"]
        assert phone.run("return document.documentElement.scrollWidth <= innerWidth")
        assert phone.complaints() == []
