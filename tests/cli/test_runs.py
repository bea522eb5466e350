"""``penstock runs`` and ``penstock stats``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.stored_runs import Rates, write
from tests.support.projects import PROCESS, Project, surroundings
from tests.support.terminals import run_in_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.stored_runs import Truth

pytest.importorskip("click", reason="needs click")
pytest.importorskip("rich", reason="needs rich")

from penstock.cli._stored_runs import source_names

MORE = """
    from penstock import flow

    orders = flow("orders")


    @orders.entrypoint
    def receive(): ...


    @orders.step(after=receive)
    def thank(): ...
"""
MODULE = """
    from penstock import all_of, flow

    orders = flow("orders")


    @orders.entrypoint
    def receive(): ...


    @orders.step(after=receive)
    def stock(): ...


    @orders.step(after=receive)
    def fraud(): ...


    @orders.step(after=all_of(stock, fraud))
    def charge(): ...


    @orders.step(after=charge)
    def fulfil(): ...


    @orders.step(after=fulfil)
    def pack(): ...


    @orders.step(after=pack)
    def ship(): ...


    @orders.step(after=ship)
    def notify(): ...
"""
RATES = Rates(broken=0.2, failed=0.2, crashed=0.1, lost=0, garbage=0.01)


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Project, Truth]:
    """Return a project with the logs of 40 runs."""
    project = Project(tmp_path)
    project.write("shop.py", MODULE)
    return project, write(tmp_path / "logs", 40, RATES)


def test_the_latest_runs(stored: tuple[Project, Truth]) -> None:
    """The list is the result, counts are not; its IDs are what ``show`` takes."""
    project, _ = stored

    result = project.penstock("runs", "logs", "--limit", "3")
    lines = result.stdout.splitlines()
    shown = project.penstock("show", lines[2].split()[0], "logs")

    assert result.returncode == 0
    assert len(lines) == 5
    assert lines[0].startswith("run       began (UTC)          entrypoint      service")
    assert "Read " in result.stderr
    assert "Skipped " in result.stderr
    assert "orders/receive" in shown.stdout


def test_options_choose_runs(stored: tuple[Project, Truth]) -> None:
    """All of them together."""
    project, truth = stored
    broken = {*truth.broken}

    def roots(*options: str) -> set[str]:
        result = project.penstock("runs", "logs", "--format", "json", *options)
        return {run["root_id"] for run in json.loads(result.stdout)["runs"]}

    failed = roots("--failed", "--limit", "99")
    slow = roots("--slow", "0.13s", "--limit", "99")
    order = roots("--where", "order_id=A-3", "--flow", "orders")

    assert failed == set(truth.failed)
    assert 0 < len(slow) < 40
    assert len(order) == 1
    assert roots("--limit", "99", "--since", "2026-09-21T14:13:20") >= broken
    assert not roots("--since", "2026-09-22")


def test_out_of_order(stored: tuple[Project, Truth]) -> None:
    """Runs that broke the order are listed with the reason."""
    project, truth = stored
    expected = [one for one, how in truth.broken.items() if how == "no fraud"]

    result = project.penstock("runs", "logs", "--out-of-order", "-t", "shop")

    for root in expected:
        reason = "'charge' was called when 'fraud' had not ended"
        assert f"{root[:8]}  {reason}\n" in result.stdout
    assert result.stdout.count("'charge' was called") == len(expected) > 0


def test_order_needs_a_declaration(tmp_path: Path) -> None:
    """Without one nothing can be out of order."""
    write(tmp_path / "logs", 2)

    result = Project(tmp_path).penstock("runs", "logs", "--out-of-order")

    assert result.returncode == 2
    assert "unknown, because no declaration was found: name your" in result.stderr


def test_nothing_found(stored: tuple[Project, Truth]) -> None:
    """Both commands say so and exit with 1; JSON is complete all the same."""
    project, _ = stored

    runs = project.penstock("runs", "logs", "--flow", "order")
    stats = project.penstock("stats", "logs", "--flow", "none", "-f", "json")
    since = project.penstock(
        "stats", "logs", "--flow", "orders", "--since", "2030-01-01"
    )

    assert (runs.returncode, runs.stdout) == (1, "")
    assert runs.stderr.endswith(
        "No such run.\nNo flow is named 'order' there. Did you mean 'orders'?\n"
        "The flows are orders.\n"
    )
    assert stats.returncode == 1
    assert json.loads(stats.stdout)["flows"] == []
    assert stats.stderr.endswith(
        "No such call.\nNo flow is named 'none' there.\nThe flows are orders.\n"
    )
    assert since.stderr.endswith("No such call.\n")


def test_logs_that_are_text(tmp_path: Path) -> None:
    """They are named as the reason; one that is JSON but empty of runs is not."""
    project = Project(tmp_path)
    project.write("logs/shop.log", "12:00:00 5f0c9c1e step.start orders/receive\n")
    needed = (
        "The logger 'penstock' writes the lines of steps, at INFO.\npenstock reads "
        "lines in JSON, such as penstock.JSONFormatter writes. To make lines of "
        "indented JSON, pipe it through jq -c . or, if it is an array, jq -c '.[]'\n"
    )

    for command, found in ("runs", "No such run."), ("stats", "No such call."):
        result = project.penstock(command, "logs")
        assert result.returncode == 1
        assert result.stderr.endswith(f"{found}\n{needed}")
    shown = project.penstock("show", "5f0c9c1e", "logs")

    assert shown.stderr.endswith(needed.partition("\n")[2])


def test_steps_that_never_ran(stored: tuple[Project, Truth]) -> None:
    """They are known where the flow is declared."""
    project, _ = stored
    project.write("more.py", MORE)

    text = project.penstock("stats", "logs", "--target", "more").stdout
    json_text = project.penstock("stats", "logs", "--target", "more", "-f", "json")

    assert text.endswith("\nthank                   0\n")
    steps = json.loads(json_text.stdout)["flows"][0]["steps"]
    (thank,) = [one for one in steps if one["step"] == "thank"]
    assert (thank["calls"], thank["p50_ms"], thank["share"]) == (0, None, 0.0)


def test_figures(stored: tuple[Project, Truth]) -> None:
    """Text and JSON say the same."""
    project, truth = stored

    text = project.penstock("stats", "logs").stdout
    (flow,) = json.loads(project.penstock("stats", "logs", "-f", "json").stdout)[
        "flows"
    ]
    steps: dict[str, Any] = {one["step"]: one for one in flow["steps"]}

    assert text.startswith("orders\n\nstep")
    assert steps["receive"]["calls"] == 40
    assert steps["receive"]["share"] == 1.0
    assert steps["fulfil"]["no_end"] == len(truth.crashed)
    (line,) = (one for one in text.splitlines() if one.startswith("receive"))
    assert line.split()[:3] == ["receive", "shop", "40"]


def test_figures_over_the_picture(stored: tuple[Project, Truth]) -> None:
    """A card says what its step took; without a declaration there is no picture."""
    project, _ = stored
    project.write(
        "little.py",
        "from penstock import flow\n"
        "orders = flow('orders')\n"
        "@orders.entrypoint\ndef receive(): ...\n",
    )
    command = ("stats", "logs", "--format", "svg", "--target")

    drawn = project.penstock(*command, "little", "--output", "heat.svg")
    little = (project.root / "little.py").read_text(encoding="utf-8")
    project.write("other.py", little.replace("orders", "other"))
    refused = project.penstock(*command, "other")

    assert (drawn.returncode, drawn.stdout) == (0, "")
    svg = (project.root / "heat.svg").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "p95 " in svg
    assert refused.returncode == 2
    assert "no flow of these runs is declared" in refused.stderr


def test_the_page_of_figures(stored: tuple[Project, Truth]) -> None:
    """It has the table and the picture, and without a declaration the table alone."""
    project, _ = stored
    command = ("stats", "logs", "--format", "html")

    drawn = project.penstock(*command, "--target", "shop", "--output", "figures.html")
    alone = project.penstock(*command)

    assert (drawn.returncode, drawn.stdout) == (0, "")
    project.penstock("stats", "logs", "--target", "shop", "--output", "plain.html")
    project.penstock("stats", "logs", "--target", "shop", "--output", "plain.txt")
    plain = (project.root / "plain.html").read_text(encoding="utf-8")
    assert plain.startswith("<!DOCTYPE html>")
    assert 'id="step-charge"' in plain
    text = (project.root / "plain.txt").read_text(encoding="utf-8")
    assert text.startswith("orders\n\nstep     service")
    page = (project.root / "figures.html").read_text(encoding="utf-8")
    assert '<dt>sources</dt><dd class="" dir="auto">logs</dd>' in page
    assert 'id="step-charge"' in page
    assert alone.stdout.startswith("<!DOCTYPE html>")
    assert "<svg" not in alone.stdout.split("<table>")[0]


def test_passwords_are_left_out() -> None:
    """Addresses of servers are named without them."""
    named = source_names(
        ["clickhouse://me:se@cret@host:8123/otel?table=t", "clickhouse://host", "a@b/"]
    )

    assert named == ["clickhouse://host:8123/otel?table=t", "clickhouse://host", "a@b/"]


def test_sources_of_the_project(stored: tuple[Project, Truth]) -> None:
    """pyproject.toml names them; without, the message shows how."""
    project, _ = stored
    missing = project.penstock("stats")
    project.write("pyproject.toml", '[tool.penstock]\nruns = ["logs/"]\n')

    assert missing.returncode == 2
    assert "penstock stats logs/" in missing.stderr
    assert project.penstock("stats").returncode == 0


@pytest.mark.parametrize("wrong", ["1", "s", "-1s", "1 s"])
def test_wrong_durations(wrong: str, stored: tuple[Project, Truth]) -> None:
    """A duration has a unit."""
    project, _ = stored

    result = project.penstock("runs", "logs", f"--slow={wrong}")

    assert result.returncode == 2
    assert "such as 200ms, 1.5s or 2m." in result.stderr


@pytest.mark.parametrize("command", ["runs", "stats"])
def test_narrow_terminals(command: str, stored: tuple[Project, Truth]) -> None:
    """Nothing is wider than the terminal."""
    project, _ = stored
    env = surroundings() | {"COLUMNS": "60"}

    shown = run_in_terminal([*PROCESS, command, "logs"], cwd=project.root, env=env)

    lines = shown.text.replace("\r", "").split("Read ")[0].splitlines()
    assert shown.returncode == 0
    assert max(map(len, lines)) <= 60
