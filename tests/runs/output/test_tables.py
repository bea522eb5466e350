from __future__ import annotations

from penstock.runs.output.tables import as_table

NAMES = ("step", "service", "calls")
ROWS = [("receive", "", "1,200"), ("a\x1bb", "", "3")]


def test_columns_are_aligned() -> None:
    """Numbers stand to the right, and a column without values is left out."""
    assert as_table(NAMES, ROWS, numbers=["calls"], width=16) == [
        "step     calls",
        "──────────────",
        "receive  1,200",
        "a\\x1bb       3",
    ]


def test_long_cells() -> None:
    """They make no other row long."""
    rows = [("x" * 10_000, "shop", "1"), ("receive", "shop", "2")]

    longest, *rest = sorted(as_table(NAMES, rows), key=len, reverse=True)

    assert len(longest) > 10_000
    assert max(map(len, rest)) < 120


def test_narrow_terminals() -> None:
    """Each row is a block where the table does not fit."""
    assert as_table(NAMES, [*ROWS, ("x", "y", "")], width=10) == [
        "receive",
        "  calls    1,200",
        "a\\x1bb",
        "  calls    3",
        "x",
        "  service  y",
    ]
