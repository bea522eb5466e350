"""Wrap the text of a box, and measure the box."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .text_metrics import text_em

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_EM = 22.0
_MAX_LINES = 4
_MAX_CHARS = 400  # more than _MAX_LINES can hold
_POINTS_PER_EM = 12
_POINTS_PER_INCH = 72
# The reader may have another font than Arial; few are more than 17 % wider.
_ROOM = 1.17
_MARGINS_IN = 0.26
_PIECE = re.compile(r"\s+|[^\s_./:,-]+[_./:,-]*|[_./:,-]+")


def fit_text(texts: Sequence[str]) -> tuple[list[str], float]:
    """Return the lines of a box, and its width in inches.

    Each of *texts* takes at most four lines; "…" replaces the rest.
    """
    lines = [line for text in texts for line in _lines(text)]
    widest = max(map(text_em, lines))
    width_in = widest * _POINTS_PER_EM / _POINTS_PER_INCH * _ROOM + _MARGINS_IN
    return lines, width_in


def _lines(text: str) -> list[str]:
    shown = text[:_MAX_CHARS]
    lines = [line for part in shown.split("\n") for line in _wrapped(part)]
    if len(lines) > _MAX_LINES or len(shown) < len(text):
        lines = lines[:_MAX_LINES]
        lines[-1] += "…"
    return lines


def _wrapped(text: str) -> Iterator[str]:
    """Break one line between words, or inside a word that is too long for a line."""
    line, width_em = "", 0.0
    for piece in _pieces(text):
        piece_em = text_em(piece)
        if line and width_em + piece_em > _MAX_EM:
            yield line.strip()
            line, width_em = "", 0.0
        line += piece
        width_em += piece_em
    yield line.strip()


def _pieces(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        if text_em(piece) > _MAX_EM:
            yield from piece
        else:
            yield piece
