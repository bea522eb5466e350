"""``penstock dag --evidence``: what the check sees, in a drawing."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.reports import recorded

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

RUNS = {
    "orders": recorded(
        {"receive": 4, "validate": 4, "charge": 3, "ship": 0, "pack": 0},
        {("receive", "validate"): 4, ("validate", "charge"): 3},
        runs=4,
    )
}


@pytest.fixture
def shop(project: CheckedProject) -> CheckedProject:
    """Return the project with a report of four runs."""
    project.write("runs.json", json.dumps({"flows": RUNS}))
    return project


@pytest.fixture
def no_resolver(
    shop: CheckedProject, monkeypatch: pytest.MonkeyPatch
) -> CheckedProject:
    """Return the project, with jedi and ty hidden."""
    monkeypatch.setitem(sys.modules, "jedi", None)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    return shop


def edges_of(text: str) -> dict[str, str]:
    """Return the list of edges below a drawing for the terminal."""
    lines = (line[2:].partition("  ") for line in text.splitlines() if " → " in line)
    return {way: said.strip() for way, _, said in lines}


def test_all_three(shop: CheckedProject) -> None:
    """Declared, in the code, seen: by default, from the one option."""
    result = shop.penstock(
        "dag", "shop.orders", "--evidence", "runs.json", "--format=text"
    )

    assert result.stderr == ""
    assert edges_of(result.stdout) == {
        "receive → validate": "4×",
        "validate → charge": "3×",
        "charge → pack": "only declared",
        "pack → ship": "only declared",
        "receive → ship": "not declared",
    }


def test_what_the_code_does_not_tell(shop: CheckedProject) -> None:
    """An edge from another service is neither in the code nor absent."""
    shop.write(
        "shop/orders.py",
        """
        from penstock import flow

        orders = flow("orders")


        @orders.entrypoint(after="other/service:done")
        def receive(): validate()


        @orders.step(after="receive")
        def validate(): ...
        """,
    )
    result = shop.penstock(
        "dag", "shop.orders", "--evidence", "runs.json", "--format=json"
    )

    (flow,) = json.loads(result.stdout)["flows"]
    found = {edge["after"]: edge["evidence"]["found_in_code"] for edge in flow["edges"]}
    assert found == {"receive": None, "validate": True}


def test_ignored_findings_are_no_edges(shop: CheckedProject) -> None:
    """A call that a comment ignores is not drawn in red."""
    path = shop.root / "shop" / "orders.py"
    code = path.read_text()
    path.write_text(
        code.replace("    ship(order)", "    ship(order)  # penstock: ignore[PEN101]")
    )
    result = shop.penstock(
        "dag", "shop.orders", "--evidence", "runs.json", "--format=text"
    )

    assert "not declared" not in result.stdout


RUNS_ALONE = {
    "receive → validate": "4×",
    "validate → charge": "3×",
    "charge → pack": "unseen",
    "pack → ship": "unseen",
}


def test_runs_alone(shop: CheckedProject) -> None:
    """``--no-code`` draws declarations and runs."""
    result = shop.penstock(
        "dag", "shop.orders", "--evidence", "runs.json", "--format=text", "--no-code"
    )

    assert (edges_of(result.stdout), result.stderr) == (RUNS_ALONE, "")


def test_runs_without_a_resolver(no_resolver: CheckedProject) -> None:
    """Without a resolver the drawing shows the same, and one line says so."""
    result = no_resolver.penstock(
        "dag", "shop.orders", "--evidence", "runs.json", "--format=text"
    )

    assert edges_of(result.stdout) == RUNS_ALONE
    assert result.stderr.count("\n") == 1
    assert "pip install 'penstock[check]'" in result.stderr


def test_code_without_a_resolver_is_an_error(no_resolver: CheckedProject) -> None:
    """``--code`` fails if the code cannot be read."""
    command = ("dag", "shop.orders", "--evidence", "runs.json", "--code")
    result = no_resolver.penstock(*command)

    assert result.returncode == 2
    assert "jedi" in result.stderr


def test_code_needs_runs(shop: CheckedProject) -> None:
    """The check itself is what looks at the code alone."""
    result = shop.penstock("dag", "shop.orders", "--code")

    assert result.returncode == 2
    assert "--code needs --evidence SOURCE" in result.stderr


def test_manifests_have_no_code(shop: CheckedProject) -> None:
    """The sources of manifests are elsewhere, and a note says so."""
    shop.penstock("export", "shop.orders", "--output", "penstock.json")
    result = shop.penstock(
        "dag", "penstock.json", "--evidence", "runs.json", "--format=text"
    )

    assert edges_of(result.stdout)["pack → ship"] == "unseen"
    assert "source of these flows is not here" in result.stderr


def test_several_reports(shop: CheckedProject) -> None:
    """Several reports are added up."""
    both = ("--evidence", "runs.json", "--evidence", "runs.json")
    result = shop.penstock("dag", "shop.orders", *both, "--format=text")

    assert edges_of(result.stdout)["receive → validate"] == "8×"
    assert "8 runs" in result.stdout


def test_a_folder_of_reports(shop: CheckedProject) -> None:
    """A folder stands for its reports; an empty one is an error."""
    (shop.root / "runs").mkdir()
    command = ("shop.orders", "--evidence", "runs")
    empty = shop.penstock("dag", *command)
    assert empty.returncode == 2
    assert "'runs' has no report" in empty.stderr
    assert shop.penstock("check", *command).stderr == empty.stderr

    for name in ("a", "b", "c"):
        shop.write(f"runs/{name}.json", json.dumps({"flows": RUNS}))
    result = shop.penstock("dag", *command, "--format=text")
    assert edges_of(result.stdout)["receive → validate"] == "12×"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"flows": {"orders": {}}}', "\x00"])
def test_no_report(shop: CheckedProject, text: str) -> None:
    """The message is that of ``penstock check``, and nothing is written."""
    shop.write("runs.json", text)
    command = ("shop.orders", "--evidence", "runs.json")
    result = shop.penstock("dag", *command, "--output", "flow.mmd")

    assert result.returncode == 2
    assert result.stderr == shop.penstock("check", *command).stderr
    assert not (shop.root / "flow.mmd").exists()


def test_what_is_gone(shop: CheckedProject) -> None:
    """An old report is drawn as far as its steps still exist."""
    old = recorded({"receive": 1, "weigh": 1}, {("receive", "weigh"): 1})
    shop.write("runs.json", json.dumps({"flows": {"orders": old}}))
    result = shop.penstock(
        "dag", "shop.orders", "--evidence", "runs.json", "--output", "flow.mmd"
    )

    assert result.returncode == 0
    assert "step 'weigh' of 'orders'" in result.stderr
