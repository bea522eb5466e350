"""Pictures in a real Chromium: texts fit, and one file suits light and dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock import FlowInfo, StepInfo
from tests.support.flow_values import draw, flow_of
from tests.support.html_pages import Browser, chromium
from tests.support.images import pixels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STEPS = (
    StepInfo("receive", "orders", is_entrypoint=True, description="Take the basket."),
    StepInfo(
        "charge_the_card_of_the_customer",
        "orders",
        after=(("receive",),),
        description="Ask the bank, and wait until it has answered at length.",
        tags=("http", "slow", "retry"),
        is_async=True,
    ),
    StepInfo("Prüfen, größer", "orders", after=(("receive",),), tags=("été",)),
    StepInfo("заказ", "orders", after=(("receive",),), description="Привет, мир!"),
    StepInfo("注文を確認する", "orders", after=(("receive",),)),
    StepInfo("WWWWMMMM@@@", "orders", after=(("receive", "заказ"),), tags=("iiiiil",)),
)
ORDERS = FlowInfo("orders", STEPS, "storefront", "From the basket.", ("core",), "web")
BILLS = flow_of("bills", {"bill": ["orders:receive", "far/away:go"]}, service="bills")
_OVERHANG = """
const outside = [];
for (const text of document.querySelectorAll('.node text')) {
  const bar = [...text.closest('.node').querySelectorAll('.bar')];
  const boxes = [text.closest('.node').querySelector('.card'), ...bar];
  const one = text.getBoundingClientRect();
  const holds = ({left, right}) => left <= one.left && right >= one.right;
  if (!boxes.some((box) => holds(box.getBoundingClientRect()))) {
    outside.push(text.textContent);
  }
}
return outside;
"""
_POLICY = "default-src 'none'; img-src file: data:"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Start one Chromium for all these tests."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return the file of a picture of two flows."""
    draw([ORDERS, BILLS], output=tmp_path / "orders.svg", detail=True)
    return tmp_path / "orders.svg"


def test_texts_fit(chrome: Browser, picture: Path) -> None:
    """Each text is inside its card, and as wide as it was measured with the font."""
    chrome.open(picture)
    chrome.driver.execute_async_script("document.fonts.ready.then(arguments[0])")
    script = """return [...document.querySelectorAll('[textLength]')].map((text) => {
        const wanted = text.textLength.baseVal.value;
        text.removeAttribute('textLength');
        return [text.textContent, wanted, text.getComputedTextLength()];
    })"""

    assert chrome.run(_OVERHANG) == []
    widths: list[Any] = chrome.run(script)
    for text, wanted, real in widths:
        if text.isascii():
            assert real == pytest.approx(wanted, abs=0.2)
    assert len(widths) > 20


def test_texts_fit_without_the_font(chrome: Browser, picture: Path) -> None:
    """Where a page forbids the font, each text keeps its width."""
    svg = picture.read_text(encoding="utf-8").replace("font/woff2;base64,", "x/x,")
    picture.write_text(svg, encoding="utf-8")
    chrome.open(picture)

    assert chrome.run(_OVERHANG) == []


def test_an_image_suits_light_and_dark_pages(
    chrome: Browser, picture: Path, tmp_path: Path
) -> None:
    """Inside ``<img>``, below a strict policy, the file follows the reader's theme."""
    page = tmp_path / "page.html"
    page.write_text(
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<img src="{picture.name}">'
    )
    corners = {}
    for theme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": theme}
        chrome.command("Emulation.setEmulatedMedia", features=[feature])
        chrome.open(page)
        chrome.settle()
        shot = pixels(chrome.driver.get_screenshot_as_png())
        corners[theme] = shot.getpixel((40, 20))
        assert len(shot.getcolors(1 << 24)) > 100
    chrome.command("Emulation.setEmulatedMedia", features=[])

    assert corners == {"light": (255, 255, 255), "dark": (13, 17, 23)}
    assert chrome.complaints() == []
