"""The width of texts in the font of pictures, and how they break into lines."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from penstock.renderers.labels import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FONTS = Path(__file__).with_name("fonts")
WEIGHTS = (400, 600)
FAMILIES = "'Penstock Sans',Inter,'Segoe UI',system-ui,Roboto,Arial,sans-serif"
ELLIPSIS = "…"
_MOST, _MOST_LINE = 2_000, 200  # characters, more than any box or line holds
_EMOJI_EM, _WIDE_EM = 1.25, 1.0  # in Noto Color Emoji, in any Chinese font
_OTHER_EM = 0.9
_LATIN_1 = re.compile(r"[ -~\xa0-\xac\xae-\xff–—‘’“”•…←€]*")  # noqa: RUF001  # what our files have
_PIECE = re.compile(r"\s+|[^\s_./:,-]+[_./:,-]*|[_./:,-]+")


class Style(NamedTuple):
    """How a text is set: its size in pixels, its weight, and the name of its colour."""

    size: float
    weight: int
    colour: str

    @property
    def is_bold(self) -> bool:
        """Whether it is set in the heavier of the two weights."""
        return self.weight > min(WEIGHTS)


def is_in_font(text: str) -> bool:
    """Return whether the font files that come with penstock can draw *text*."""
    return bool(_LATIN_1.fullmatch(text))


def is_measured(text: str) -> bool:
    """Return whether the width of *text* is known and not estimated."""
    return all(char in _advances(400) for char in text)


def text_width(text: str, style: Style) -> float:
    """Return the width of a line in pixels, rather too large where it is not known."""
    known = _advances(style.weight)
    ems = (known[char] if char in known else _estimated(char) for char in text)
    return style.size * sum(ems)


def wrapped(text: str, style: Style, most: float, lines: int) -> list[str]:
    """Return *text* in at most *lines* lines of even length, none wider than *most*."""
    found = [
        line for part in text[:_MOST].split("\n") for line in _fill(part, style, most)
    ]
    if len(found) > lines or len(text) > _MOST:
        rest = " ".join(found[lines - 1 :])[:_MOST_LINE]
        return [*found[: lines - 1], _cut(rest, style, most)]
    if len(found) > 1 and "\n" not in text:
        return _evenly(text, style, most, len(found))
    return found


def one_line(text: str, style: Style, most: float) -> str:
    """Return *text* in one line, cut where it is wider than *most*."""
    (line,) = wrapped(printable(text).replace("\n", " "), style, most, 1)
    return line


@cache
def _advances(weight: int) -> Mapping[str, float]:
    table = json.loads((FONTS / "advances.json").read_text(encoding="utf-8"))
    return {
        char: float(width) / 1000
        for width, chars in table[str(weight)].items()
        for char in chars
    }


def _estimated(char: str) -> float:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return _EMOJI_EM if char >= "\U0001f000" else _WIDE_EM
    return _OTHER_EM


def _fill(text: str, style: Style, most: float) -> Iterator[str]:
    """Break a line between words, or inside a word that is too long for a line."""
    line, width = "", 0.0
    for piece in _pieces(text, style, most):
        wide = text_width(piece, style)
        if line.strip() and width + text_width(piece.rstrip(), style) > most:
            yield line.strip()
            line, width = "", 0.0
        line += piece
        width += wide
    yield line.strip()


def _pieces(text: str, style: Style, most: float) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        if text_width(piece, style) > most:
            yield from piece
        else:
            yield piece


def _evenly(text: str, style: Style, most: float, lines: int) -> list[str]:
    """Return the narrowest way to break *text* into the same number of lines."""
    low, high = most / 2, most
    for _ in range(6):
        middle = (low + high) / 2
        if len(list(_fill(text, style, middle))) > lines:
            low = middle
        else:
            high = middle
    return list(_fill(text, style, high))


def _cut(text: str, style: Style, most: float) -> str:
    """Return the beginning of *text* with an ellipsis, if possible whole words."""
    kept = text
    while kept and text_width(kept + ELLIPSIS, style) > most:
        kept = kept[:-1]
    words, _, part = kept.rpartition(" ")
    is_inside_word = not text[len(kept) :].startswith(" ")
    if is_inside_word and len(part) < len(words):
        kept = words
    return kept.rstrip() + ELLIPSIS
