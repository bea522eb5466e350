"""``penstock draft``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.drafts import write_shop

if TYPE_CHECKING:
    from tests.support.projects import Project

pytest.importorskip("jedi")
pytest.importorskip("tomlkit")

ENTRY = "shop.views:checkout_view"


def test_the_picture_is_text(project: Project) -> None:
    """The drawing goes to stdout, and what it leaves out to stderr."""
    write_shop(project)

    result = project.penstock("draft", ENTRY, "--resolver", "jedi")

    assert result.returncode == 0
    assert "║ checkout_view ║" in result.stdout
    assert "6 of 11 functions that the entry leads to are drawn." in result.stderr


def test_plan_then_write_then_check(project: Project) -> None:
    """The plan is written, drawn again, and its markers pass the check."""
    write_shop(project)
    given = ("draft", "--plan", "draft.toml", "--resolver", "jedi")

    first = project.penstock(*given, ENTRY, "-f", "mermaid")
    second = project.penstock(*given, "-f", "mermaid")
    refused = project.penstock(*given, "--write")
    written = project.penstock(*given, "--write", "--allow-dirty")
    again = project.penstock(*given, "--write", "--allow-dirty")
    checked = project.penstock("check", "shop", "--resolver", "jedi")

    assert first.stdout == second.stdout
    assert "create_order --> charge_order" in first.stdout
    assert (refused.returncode, "not in Git" in refused.stderr) == (2, True)
    assert "+@checkout.entrypoint" in written.stdout
    assert written.stderr == (
        "capture_payment stands for 2 overrides, and only "
        "shop.gateways:Card.capture_payment is marked.\n"
        "Changed 6 files, for 6 steps.\n"
    )
    assert again.stderr == "All markers of this plan are there.\n"
    assert checked.returncode == 0, checked.stdout


def test_write_needs_a_plan(project: Project) -> None:
    """Markers are written from a plan that someone has seen."""
    result = project.penstock("draft", ENTRY, "--write")

    assert result.returncode == 2
    assert "--write needs --plan FILE" in result.stderr


def test_another_entry_for_a_plan(project: Project) -> None:
    """A plan is not overwritten by that of another entry."""
    write_shop(project)
    given = ("draft", "--plan", "draft.toml", "--resolver", "jedi")
    project.penstock(*given, ENTRY)

    result = project.penstock(*given, "shop.mails:send_receipt")

    assert result.returncode == 2
    assert "is the plan of shop.views:checkout_view" in result.stderr


def test_candidates(project: Project) -> None:
    """Without an entry, what a run may begin in is listed by kind."""
    project.write("web.py", '@app.post("/orders")\ndef create_order(): ...\n')

    result = project.penstock("draft")

    assert result.stdout == "1 route:\n  web:create_order  web.py:2  POST /orders\n"


def test_candidates_as_json(project: Project) -> None:
    """The list has the keys that the reference names, and no path of this machine."""
    project.write("web.py", '@app.post("/orders")\ndef create_order(): ...\n')

    result = project.penstock("draft", "--format", "json")

    assert json.loads(result.stdout) == [
        {
            "kind": "route",
            "entry": "web:create_order",
            "route": "POST /orders",
            "path": "web.py",
            "line": 2,
        }
    ]


def test_an_empty_picture_says_why(project: Project) -> None:
    """The reason is in the picture, in its theme, and on stderr."""
    project.write("web.py", "def start():\n    return len(str(1))\n")

    result = project.penstock(
        "draft", "web:start", "--resolver", "jedi", "-o", "x.svg", "--theme", "dark"
    )

    reason = "All that start calls is in libraries: len, str."
    picture = (project.root / "x.svg").read_text(encoding="utf-8")
    assert result.stderr.startswith(reason)
    assert "All that start calls" in picture
    assert "prefers-color-scheme" not in picture


def test_no_candidates(project: Project) -> None:
    """The error says what to do where no framework is known."""
    project.write("web.py", "def create_order(): ...\n")

    result = project.penstock("draft")

    assert result.returncode == 2
    assert "Name a function: penstock draft" in result.stderr
