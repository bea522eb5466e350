"""Lay out tables for terminals of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.errors import plain
from penstock.renderers.terminal.canvas import width_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["as_table"]

_GAP = 2
_MAX_PADDED = 80


def as_table(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Collection[str] = (),
    width: int = 0,
) -> list[str]:
    """Return the lines of a table; each row is a block if it does not fit.

    Args:
        names: The names of the columns. Those without any value are left out.
        rows: The cells.
        numbers: The columns that are aligned to the right.
        width: The columns of the terminal; 0 if it is none.
    """
    kept = [i for i in range(len(names)) if any(row[i] for row in rows)]
    shown = [names[i] for i in kept]
    cells = [[plain(row[i]) for i in kept] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(shown, *cells, strict=True)]
    total = sum(widths) + _GAP * (len(widths) - 1)
    if width and total > width:
        return [line for row in cells for line in _block(shown, row)]
    rights = [name in numbers for name in shown]
    # An ID may be as long as a line: nothing else gets as wide.
    widths = [min(one, _MAX_PADDED) for one in widths]
    total = sum(widths) + _GAP * (len(widths) - 1)
    lines = [_line(row, widths, rights) for row in (shown, *cells)]
    return [lines[0], "─" * total, *lines[1:]]


def _line(cells: Sequence[str], widths: Sequence[int], rights: Sequence[bool]) -> str:
    padded = []
    for cell, width, is_right in zip(cells, widths, rights, strict=True):
        space = " " * (width - width_of(cell))
        padded.append(space + cell if is_right else cell + space)
    return (" " * _GAP).join(padded).rstrip()


def _block(names: Sequence[str], cells: Sequence[str]) -> list[str]:
    width = max(map(len, names)) + _GAP
    pairs = zip(names[1:], cells[1:], strict=True)
    return [cells[0], *(f"  {name:<{width}}{cell}" for name, cell in pairs if cell)]
