"""The font of pictures: its files, its widths, and how texts break."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.renderers.picture.type import (
    FONTS,
    WEIGHTS,
    Style,
    is_in_font,
    is_measured,
    one_line,
    text_width,
    wrapped,
)

PLAIN = Style(12, 400, "ink")


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("suffix", ["ttf", "woff2"])
def test_the_widths_are_those_of_the_font(weight: int, suffix: str) -> None:
    """The table has the advance of each character in the files, without kerning."""
    fonts = pytest.importorskip("fontTools.ttLib", reason="needs fonttools")
    if suffix == "woff2":
        pytest.importorskip("brotli", reason="needs brotli")
    font = fonts.TTFont(FONTS / f"{weight}.{suffix}")
    per_em, style = font["head"].unitsPerEm, Style(1, weight, "ink")

    for code, name in font.getBestCmap().items():
        advance = font["hmtx"][name][0] / per_em
        assert text_width(chr(code), style) == pytest.approx(advance, abs=1e-4)
    assert font["OS/2"].usWeightClass == weight
    assert str(font["name"].getDebugName(16)) == "Penstock Sans"
    assert not {"GPOS", "GSUB", "fpgm", "prep"} & {*font.keys()}


def test_the_files_are_small() -> None:
    """What every SVG holds has a few kilobytes, and the licence is beside it."""
    sizes = {one.name: one.stat().st_size for one in FONTS.iterdir()}

    assert max(size for name, size in sizes.items() if name.endswith("woff2")) < 7_000
    assert max(size for name, size in sizes.items() if name.endswith("ttf")) < 18_000
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text()


@pytest.mark.parametrize("weight", WEIGHTS)
def test_what_the_files_can_draw(weight: int) -> None:
    """A text counts as drawable if the TTF has all of its characters."""
    fonts = pytest.importorskip("fontTools.ttLib", reason="needs fonttools")
    known = fonts.TTFont(FONTS / f"{weight}.ttf").getBestCmap()

    for code in (*range(0x20, 0x600), *range(0x2000, 0x2200)):
        if is_in_font(chr(code)):
            assert code in known
    assert is_in_font("Ça coûte 3 €, « oui » …")
    assert not is_in_font("日")


def test_widths_that_are_estimated() -> None:
    """Marks have no width, Chinese letters one em, emoji more, others nearly one."""
    widths = [text_width(char, Style(1, 400, "ink")) for char in "\u0316日😀\u10a0"]

    assert widths == [0, 1, 1.25, 0.9]
    assert is_measured("Привет, мир")
    assert not is_measured("日本")


@given(st.text(max_size=60), st.integers(1, 4))
def test_no_line_is_too_wide(text: str, lines: int) -> None:
    """Whatever the text, it has at most so many lines, and none is too wide."""
    found = wrapped(text, PLAIN, 100, lines)

    assert len(found) <= lines
    assert all(text_width(line, PLAIN) <= 100 for line in found)


def test_lines_of_even_length() -> None:
    """A text that needs two lines is cut in its middle."""
    assert wrapped("Choose the smallest box that holds it all.", PLAIN, 216, 2) == [
        "Choose the smallest",
        "box that holds it all.",
    ]
    assert wrapped("One.\nTwo.", PLAIN, 216, 2) == ["One.", "Two."]


def test_what_is_left_out() -> None:
    """An ellipsis stands for the rest, also if that has no spaces."""
    assert one_line("no space here", PLAIN, 50) == "no spa…"
    assert one_line("x" * 5_000, PLAIN, 50) == "xxxxxx…"
    assert one_line("two\nlines", PLAIN, 100) == "two lines"
