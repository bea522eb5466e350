"""``penstock check`` in a terminal: colours and progress."""

from __future__ import annotations

import sys
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING

import pytest

from tests.support.projects import surroundings
from tests.support.terminals import Shown, run_in_terminal

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

# Variables by which terminals and builds tell rich what they are.
_DETECTED = {"NO_COLOR", "FORCE_COLOR", "TERM", "TTY_COMPATIBLE", "COLUMNS"}


def shown(project: CheckedProject, *arguments: str, **env: str) -> Shown:
    """Run the check in a terminal of ordinary size."""
    kept = {name: at for name, at in surroundings().items() if name not in _DETECTED}
    return run_in_terminal(
        [sys.executable, "-m", "penstock", "check", *arguments],
        cwd=project.root,
        env=kept | {"TERM": "xterm-256color", "COLUMNS": "80"} | env,
    )


def test_colours(project: CheckedProject) -> None:
    """An error's code is red, a warning's yellow, and the step stands out."""
    result = shown(project, "shop.orders")

    assert result.returncode == 1
    assert "\x1b[31mPEN101\x1b[0m" in result.text
    assert "\x1b[33mPEN201\x1b[0m" in result.text
    assert "\x1b[1m" in result.text


class Terminal(TextIOWrapper):
    """Output that says it is a terminal."""

    def isatty(self) -> bool:
        """Return true."""
        return True


def terminal() -> Terminal:
    """Return a terminal that has shown nothing yet."""
    return Terminal(BytesIO(), "utf-8")


def test_no_colours_if_unwanted(project: CheckedProject) -> None:
    """``NO_COLOR`` turns colours off."""
    command = ("check", "shop.orders")
    plain = project.penstock(*command, stdout=terminal(), env={"NO_COLOR": "1"})

    assert "PEN101 orders/ship: " in plain.stdout
    assert "\x1b" not in plain.stdout


@pytest.mark.parametrize("form", ["json", "github", "sarif"])
def test_no_colours_for_programs(project: CheckedProject, form: str) -> None:
    """Formats for programs have no colours, even on a terminal."""
    result = project.penstock(
        "check", "shop.orders", "--format", form, stdout=terminal()
    )

    assert "PEN101" in result.stdout
    assert "\x1b" not in result.stdout


def test_progress(project: CheckedProject) -> None:
    """A bar counts the steps that are read, and goes away before the result."""
    text = shown(project, "shop.orders").text
    bar, _, rest = text.partition("shop/orders.py:9:")

    assert "reading steps" in bar
    assert "5/5" in bar
    assert "\x1b[2K" in bar.rpartition("reading steps")[2]  # the line is wiped
    assert "reading steps" not in rest


def test_no_progress_in_a_pipe(project: CheckedProject) -> None:
    """In a pipe there is neither a bar nor colour."""
    result = project.check("shop.orders")

    assert "reading steps" not in result.stderr + result.stdout
    assert "\x1b" not in result.stderr + result.stdout
