"""``penstock list``."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.projects import surroundings

if TYPE_CHECKING:
    from tests.support.projects import Project


def test_table(shop: Project) -> None:
    """One row per flow; columns that would be empty are left out."""
    result = shop.penstock("list", "shop.**")

    header, _, *rows = result.stdout.splitlines()
    assert header.split() == [
        "flow",
        "entrypoints",
        "steps",
        "owner",
        "place",
        "about",
    ]
    assert [row.split()[0] for row in rows] == ["audit", "billing", "orders"]
    assert rows[2].split(maxsplit=5)[1:4] == ["receive", "4", "payments"]
    assert rows[2].endswith("From click to parcel.")


def test_place_is_that_of_the_entrypoint(shop: Project) -> None:
    """A reader begins there, not at the file that comes first."""
    flow = 'from penstock import flow\n\norders = flow("placed")\n'
    shop.write("placed/__init__.py", flow)
    use = "from placed import orders\n\n"
    shop.write("placed/a.py", f"{use}@orders.step(after='b')\ndef a(): ...\n")
    shop.write("placed/b.py", f"{use}@orders.entrypoint\ndef b(): ...\n")

    row = shop.penstock("list", "placed").stdout.splitlines()[-1]

    assert row.split()[3] == f"placed{os.sep}b.py:3"


def test_piped_table_is_plain_and_whole(shop: Project) -> None:
    """Without a terminal there is no colour, and no width to wrap or cut at."""
    name = "n" * 500
    shop.write(
        "long.py",
        f"""
        from penstock import flow
        f = flow("long", owner="{name}")
        @f.entrypoint
        def start(): ...
        """,
    )

    result = shop.penstock("list", "long", env={"COLUMNS": "40"})

    assert name in result.stdout
    assert "\x1b" not in result.stdout
    assert all(line == line.rstrip() for line in result.stdout.splitlines())


def test_hostile_names_stay_on_their_line(shop: Project) -> None:
    """Names cannot colour the terminal, break a line, or pass for markup."""
    shop.write(
        "evil.py",
        r"""
        from penstock import flow
        f = flow("a\x1b[31mb\nc\td[bold]:smile:")
        @f.entrypoint
        def start(): ...
        """,
    )

    for form in ("table", "concise"):
        result = shop.penstock("list", "evil", "--format", form)

        assert r"a\x1b[31mb\nc\td[bold]:smile:" in result.stdout
        assert "\x1b" not in result.stdout


def test_concise(shop: Project) -> None:
    """One line per flow, fields separated by tabs, for grep and cut."""
    result = shop.penstock("list", "shop.orders", "--format=concise")

    assert result.stdout == (
        "orders\t\treceive\t4\tpayments\tshop/orders.py:8\tFrom click to parcel.\n"
    )


def test_json(shop: Project) -> None:
    """Everything that is known, for programs."""
    (flow,) = json.loads(shop.penstock("list", "shop.orders", "-f", "json").stdout)

    assert flow["name"] == "orders"
    assert flow["owner"] == "payments"
    assert [step["name"] for step in flow["steps"]] == [
        "receive",
        "charge",
        "reserve",
        "ship",
    ]
    assert flow["steps"][3]["after"] == [["charge", "reserve"]]


def test_output_that_cannot_hold_a_character(shop: Project) -> None:
    """A terminal that lacks a character shows its code."""
    shop.write(
        "wide.py",
        """
        from penstock import flow
        f = flow("größe")
        @f.entrypoint
        def start(): ...
        """,
    )

    ascii_only = TextIOWrapper(BytesIO(), "ascii")
    result = shop.penstock("list", "wide", "-f", "concise", stdout=ascii_only)

    assert result.returncode == 0
    assert result.stdout.startswith(r"gr\xf6\xdfe")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_disk_that_is_full(shop: Project) -> None:
    """A result that cannot be written is an error in one line."""
    script = f"{shlex.quote(sys.executable)} -m penstock list shop.orders > /dev/full"

    result = shop.penstock(program=("sh", "-c", script))

    assert result.returncode == 2
    assert result.stderr == (
        "Error: the result cannot be written: No space left on device.\n"
    )


def in_terminal(shop: Project, columns: int, **env: str) -> list[str]:
    """Return the lines that a terminal shows, with its control sequences."""
    pytest.importorskip("pty", reason="Windows has no pseudo-terminals")
    from tests.support.terminals import run_in_terminal  # noqa: PLC0415  # see above

    result = run_in_terminal(
        [sys.executable, "-m", "penstock", "list", "shop"],
        cwd=shop.root,
        env=surroundings() | {"COLUMNS": str(columns)} | env,
    )
    assert result.returncode == 0, result.text
    return result.text.replace("\r\n", "\n").rstrip().split("\n")


@pytest.mark.parametrize("columns", [40, 60, 72, 80, 100, 200])
def test_terminal(shop: Project, columns: int) -> None:
    """The list fits the terminal, and names stay whole."""
    shop.write(
        "shop/invoicing.py",
        """
        from penstock import flow
        f = flow("invoices", owner="finance", description="Bills, " * 8)
        @f.entrypoint
        def on_order_message(): ...
        @f.entrypoint
        def collect_reminders(): ...
        """,
    )
    shown = in_terminal(shop, columns)
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in shown]
    words = " ".join(lines).split()

    assert max(map(len, lines)) <= columns
    assert {"audit", "billing", "on_order_message,", "collect_reminders"} <= {*words}
    assert "shop/invoicing.py:3" in words
    assert words.count("Bills,") == 8
    assert "\x1b[1m" in "".join(shown)


def test_terminal_without_colour(shop: Project) -> None:
    """``NO_COLOR`` leaves the names plain."""
    assert "\x1b" not in "".join(in_terminal(shop, 80, NO_COLOR="1"))


def test_wide_characters_keep_columns(shop: Project) -> None:
    """A character that takes two cells counts as two."""
    shop.write(
        "wide.py",
        """
        from penstock import flow
        f = flow("注文")
        @f.entrypoint
        def start(): ...
        g = flow("a")
        @g.entrypoint
        def begin(): ...
        """,
    )

    header, _, narrow, wide = shop.penstock("list", "wide").stdout.splitlines()

    assert header.index("entrypoints") == narrow.index("begin")
    assert wide.index("start") == header.index("entrypoints") - 2


def test_place(shop: Project) -> None:
    """It is that of the first entrypoint, or of the first step without one."""
    shop.write(
        "places.py",
        """
        from penstock import flow
        f, g = flow("f"), flow("g")
        @f.step(after="start")
        @g.step(after="lost")
        def end(): ...
        @f.entrypoint
        def start(): ...
        """,
    )

    listed = shop.penstock("list", "places", "--format", "concise").stdout

    assert [row.split("\t")[5] for row in listed.splitlines()] == [
        "places.py:6",
        "places.py:3",
    ]
