"""``penstock explain``."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.projects import Project

pytest.importorskip("click", reason="needs click")
pytest.importorskip("rich", reason="needs rich")

from penstock.checking.findings import CODES  # only where click is


def test_one_code(shop: Project) -> None:
    """The level, the meaning and the page of the reference, for a terminal."""
    result = shop.penstock("explain", "pen101")

    assert result.returncode == 0
    assert result.stdout.startswith(
        "PEN101 (error): called before any step it is declared after\n\n"
    )
    assert "Move the call, or declare what the code does." in result.stdout
    assert "PEN201" not in result.stdout
    assert "<!--" not in result.stdout
    assert "](" not in result.stdout


def test_code_in_the_text(shop: Project) -> None:
    """An index and a call in an example are not a link to another page."""
    result = shop.penstock("explain", "PEN201")

    assert "`HANDLERS[name](order)`" in result.stdout


def test_every_code(shop: Project) -> None:
    """Each code has a page of its own, also for programs."""
    listed = shop.penstock("explain")
    explained = json.loads(shop.penstock("explain", "--format", "json").stdout)

    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(CODES)
    assert [one["code"] for one in explained] == list(CODES)
    assert all(one["text"] and one["level"] and one["meaning"] for one in explained)


def test_unknown_code(shop: Project) -> None:
    """The message suggests a code."""
    result = shop.penstock("explain", "PEN10")

    assert result.returncode == 2
    assert result.stderr == (
        "Error: no finding has the code 'PEN10'. Did you mean 'PEN101'? To list them: "
        "penstock explain\n"
    )


def test_wheel_has_the_explanations() -> None:
    """An installed penstock has the pages that a checkout has in its docs."""
    root = Path(__file__).parents[2]
    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    included = document["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]

    assert included == {"docs/reference/findings": "penstock/checking/explanations"}
    assert {path.stem for path in (root / "docs/reference/findings").iterdir()} == {
        *CODES,
        "index",
    }
