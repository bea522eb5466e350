"""A grid of terminal cells, and the number of cells that text takes."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from penstock.renderers.labels import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

# Characters that break the line, or change the direction of the text after them.
_MISLEADING = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_NO_WIDTH = frozenset(("Mn", "Me", "Cf"))


def terminal_text(text: str) -> str:
    """Return *text* without control sequences for a terminal."""
    return _MISLEADING.sub("\N{REPLACEMENT CHARACTER}", printable(text))


def width_of(text: str) -> int:
    """Return the number of cells that *text* takes."""
    return len(text) if text.isascii() else sum(map(_width_of_char, text))


class Canvas:
    """A grid that grows as needed; cells are counted from 0."""

    def __init__(self) -> None:
        self._rows: list[dict[int, str]] = []

    def write(self, row: int, column: int, text: str) -> None:
        """Write *text*, starting in this cell, over whatever was there."""
        while row >= len(self._rows):
            self._rows.append({})
        line = self._rows[row]
        last = column - 1
        for char in text:
            width = _width_of_char(char)
            if not width:  # drawn on top of the character before it
                line[last] = line.get(last, " ") + char
                continue
            last = column
            line[column] = char
            if width > 1:
                line[column + 1] = ""
            column += width

    def lines(self) -> Iterator[str]:
        """Yield the rows without trailing spaces."""
        for row in self._rows:
            end = max(row, default=-1) + 1
            yield "".join(row.get(column, " ") for column in range(end)).rstrip()


def _width_of_char(char: str) -> int:
    if unicodedata.category(char) in _NO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
