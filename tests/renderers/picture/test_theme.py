"""The colours of pictures: readable, and each theme written as its programs need it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock import FlowInfo
from penstock.renderers.picture.theme import (
    CARD,
    FRAME,
    HUES,
    INK,
    LINE,
    PAGE,
    PILL,
    QUIET,
    WRONG,
    Pair,
    hues_of,
    page_style,
    style_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SURFACES = (PAGE, CARD, FRAME)
TEXTS = [
    *((text, back) for text in (INK, QUIET, WRONG) for back in (*SURFACES, PILL)),
    *((hue.strong, back) for hue in HUES.values() for back in (*SURFACES, hue.tint)),
    *((QUIET, hue.tint) for hue in HUES.values()),
    (PAGE, QUIET),
]


def luminance(colour: str) -> float:
    """Return the relative luminance, as the guidelines for accessible pages do."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("at", [0, 1], ids=["light", "dark"])
def test_every_text_can_be_read(at: int) -> None:
    """Texts have more contrast than the guidelines ask for, which is 4.5."""
    assert min(contrast(text[at], back[at]) for text, back in TEXTS) >= 4.7


@pytest.mark.parametrize("at", [0, 1], ids=["light", "dark"])
def test_every_line_can_be_seen(at: int) -> None:
    """Lines have more contrast than 3."""
    lines = [LINE, WRONG, *(hue.strong for hue in HUES.values())]
    found = [contrast(line[at], back[at]) for line in lines for back in SURFACES]

    assert min(found) >= 3.2


def test_a_file_for_light_and_dark_pages() -> None:
    """Literal colours come first, for programs that do not know media queries."""
    style = style_of("both", ["ink", "card"])
    plain, _, dark = style.partition("@media(prefers-color-scheme:dark){")

    assert f".penstock .ink{{fill:{INK.light}}}" in plain
    assert f".penstock .ink{{fill:{INK.dark}}}" in dark
    assert "prefers-contrast:more" in dark
    assert "var(" not in style


def test_the_other_themes() -> None:
    """A PNG has the colours of one theme, a page of ours a function for both."""
    assert f".penstock .ink{{fill:{INK.dark}}}" in style_of("dark", ["ink"])
    assert "@media" not in style_of("dark", ["ink"])
    assert f"fill:light-dark({INK.light},{INK.dark})" in page_style()


def test_only_what_is_used() -> None:
    """Rules for other classes are left out."""
    assert ".quiet" not in style_of("light", ["ink"])
    assert ".orange" not in style_of("light", ["ink", "blue"])
    assert isinstance(PAGE, Pair)


@pytest.fixture
def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Return a function that writes colors into the settings of this folder."""
    monkeypatch.chdir(tmp_path)
    settings = "[tool.penstock]\ncolors = {{{}}}\n".format
    return lambda pins: Path("pyproject.toml").write_text(settings(pins))


@pytest.mark.parametrize(
    ("flows", "hues"),
    [
        (["a", "b", "c"], ["blue", "orange", "teal"]),
        (["mail", "pay", "shop"], ["blue", "orange", "purple"]),
        (["a", "b", "pay"], ["blue", "teal", "orange"]),
        (["pay"], ["orange"]),
        (["a"], ["blue"]),
    ],
)
def test_pinned_services(
    pin: Callable[[str], object], flows: list[str], hues: list[str]
) -> None:
    """A pinned service has its hue in every picture, the others have the rest."""
    pin('pay = "orange", shop = "purple"')
    found = hues_of([FlowInfo(name, service=name) for name in flows])

    assert [found[name] for name in flows] == hues


def test_pinned_owners(pin: Callable[[str], object]) -> None:
    """In a single service owners can be pinned; more names than hues share the rest."""
    pin('ada = "pink", s = "brown"')
    flows = [FlowInfo(name, owner=name, service="s") for name in ("ada", "bob")]
    ten = [FlowInfo(name, owner=name, service="s") for name in ("ada", *"bcdefghij")]

    assert hues_of(flows) == {"ada": "pink", "bob": "blue"}
    assert hues_of(flows[:1]) == {"ada": "brown"}
    assert list(hues_of(ten).values()).count("pink") == 1
    assert hues_of(ten)["i"] == "blue"
