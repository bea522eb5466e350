"""Rows of results, and the tables that show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Row", "markdown", "results"]


@dataclass(frozen=True, slots=True)
class Row:
    """One result.

    Attributes:
        what: What was measured.
        measured: The result, None if there is none.
        limit: The maximum for *measured*; None if the row is only for information.
        unit: Text after a number.
        note: Text instead of a result, or after it.
    """

    what: str
    measured: float | None
    limit: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def misses(self) -> bool:
        """Whether the result is above its limit."""
        if self.measured is None or self.limit is None:
            return False
        return self.measured > self.limit

    @property
    def verdict(self) -> str:
        """``ok``, ``MISSES``, or an empty string without a limit."""
        if self.measured is None or self.limit is None:
            return ""
        return "MISSES" if self.misses else "ok"


def results(rows: Sequence[Row]) -> str:
    """Return the table of results and limits."""
    lines = [
        (row.what, _measured(row), _number(row.limit, row.unit), row.verdict)
        for row in rows
    ]
    return markdown(("what", "measured", "at most", ""), lines)


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up in a terminal, too."""
    table = [tuple(head), *map(tuple, lines)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    ruler = tuple("-" * max(width, 3) for width in widths)
    table.insert(1, ruler)
    return "\n".join(
        f"| {' | '.join(cell.ljust(w) for cell, w in zip(line, widths, strict=True))} |"
        for line in table
    )


def _measured(row: Row) -> str:
    said = (_number(row.measured, row.unit), row.note)
    return ", ".join(part for part in said if part)


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = f"{value:,}" if isinstance(value, int) else f"{value:.2f}"
    return f"{digits} {unit}".strip()
