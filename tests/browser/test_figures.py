"""The page of the figures of steps in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.runs.lines import ReadCounts
from penstock.runs.output.figures_page import figures_as_page
from tests.support.figures import shop_figures
from tests.support.flow_values import flow_of
from tests.support.html_pages import Browser, chromium, point_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLOWS = [
    flow_of("orders", {"receive": None, "charge": "receive", "ship": "charge"}),
    flow_of("mail", {"send": None}),
]
BY_TIME = ["mail/send", "orders/receive", "orders/charge", "orders/ship"]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Start one Chromium for all these tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def figures(chrome: Browser, tmp_path: Path) -> Iterator[Browser]:
    """Show the figures, and check at the end for errors and requests."""
    path = tmp_path / "figures.html"
    yield show(chrome, path)
    assert chrome.complaints() == []
    assert chrome.requests() == [path.as_uri()]


def show(browser: Browser, path: Path) -> Browser:
    """Write and open the page."""
    page = figures_as_page(shop_figures(), FLOWS, ReadCounts(files=1), ["logs/"])
    path.write_text(page, encoding="utf-8")
    browser.open(path)
    browser.settle()
    return browser


def sort_by(browser: Browser, name: str) -> list[str]:
    """Click on the name of a column; return the steps of the rows from now on."""
    buttons = browser.driver.find_elements("css selector", "th button")
    (button,) = (one for one in buttons if one.text.startswith(name))
    button.click()
    return browser.texts(".row .label")


def test_a_click_sorts(figures: Browser) -> None:
    """Numbers begin with the highest, names with the first; unknown ones are lowest."""
    assert figures.texts(".row .label") == BY_TIME

    falling = ["orders/charge", "orders/receive", "mail/send", "orders/ship"]
    assert sort_by(figures, "Calls") == falling
    assert sort_by(figures, "p50") == falling
    rising = ["mail/send", "orders/ship", "orders/receive", "orders/charge"]
    assert sort_by(figures, "p50") == rising  # the first two have none
    assert sort_by(figures, "Step") == sorted(falling)
    assert figures.run(
        "return [...document.querySelectorAll('th')].map(one => one.ariaSort)"
    ) == ["ascending", *[None] * 7]


def test_rows_and_cards_light_each_other(figures: Browser) -> None:
    """The pointer on one lights the other, whatever the order of the rows."""
    sort_by(figures, "Calls")
    point_at(figures, figures.driver.find_elements("css selector", ".row")[0])
    assert figures.ids(".node.lit") == ["step-charge"]

    point_at(figures, figures.find("#step-receive"))
    assert figures.texts(".row.lit .label") == ["orders/receive"]


def test_the_keyboard(figures: Browser) -> None:
    """Arrows go along the rows as they are sorted."""
    sort_by(figures, "Calls")
    figures.run("document.querySelector('.row').focus()")
    figures.press("\ue015")  # arrow down

    assert figures.ids(".node.lit") == ["step-receive"]


def test_without_a_script(chrome: Browser, tmp_path: Path) -> None:
    """All is there, in the order of the text."""
    chrome.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        show_without_waiting(chrome, tmp_path / "figures.html")
        assert chrome.texts(".row .label") == BY_TIME
        assert "101 ms" in chrome.find("table").text
        assert chrome.find("#picture").is_displayed()
        assert chrome.texts("th")[:2] == ["Step", "Calls"]
    finally:
        chrome.command("Emulation.setScriptExecutionDisabled", value=False)


def show_without_waiting(browser: Browser, path: Path) -> None:
    """Write and open the page, where no script can tell when it is drawn."""
    page = figures_as_page(shop_figures(), FLOWS, ReadCounts(), ["logs/"])
    path.write_text(page, encoding="utf-8")
    browser.open(path)


def test_print(figures: Browser) -> None:
    """A print is light, shows all rows, and has no buttons to press."""
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    figures.command("Emulation.setEmulatedMedia", media="print", features=[dark])
    background, overflow = figures.run(
        "return [getComputedStyle(document.documentElement).backgroundColor,"
        "getComputedStyle(document.querySelector('#rows')).overflow]"
    )
    figures.command("Emulation.setEmulatedMedia", media="", features=[])

    assert (background, overflow) == ("rgb(255, 255, 255)", "visible")


def test_on_a_phone(tmp_path: Path) -> None:
    """Figures have their names beside them, and nothing is wider than the screen."""
    with chromium(is_phone=True) as phone:
        show(phone, tmp_path / "figures.html")
        label = phone.run(
            "const cell = document.querySelector('[data-name=p95]');"
            "return getComputedStyle(cell, '::before').content"
        )
        picture, rows = (phone.find(one).rect for one in ("#picture", "#rows"))

        assert label == '"p95"'
        assert picture["y"] + picture["height"] < rows["y"] + 1
        assert phone.run("return document.documentElement.scrollWidth <= innerWidth")
        assert sort_by(phone, "p99")[0] == "orders/charge"
        assert phone.complaints() == []
