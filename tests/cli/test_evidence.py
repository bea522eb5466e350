"""Logs of production as evidence: ``check``, ``dag`` and ``diff``."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.stored_runs import Rates, write
from penstock._manifests.manifest import dump_manifest
from penstock._types import FlowInfo, StepInfo
from tests.support.projects import Project
from tests.support.reports import recorded

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.stored_runs import Truth

pytest.importorskip("click", reason="needs click")
pytest.importorskip("duckdb", reason="needs duckdb")

ORDERS = """
    from penstock import all_of, entrypoint, flow, step

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self):
            self.stock()
            self.fraud()
            self.charge()

        @step(after="receive")
        def stock(self): ...

        @step(after="receive")
        def fraud(self): ...

        @step(after=all_of("stock", "fraud"))
        def charge(self): ...

        @step(after="charge")
        def fulfil(self): ...

        @step(after="fulfil")
        def pack(self): ...

        @step(after="pack")
        def ship(self): ...

        @step(after="ship")
        def notify(self): ...
"""
RUNS = 400


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a shop that only reads logs of what it declares."""
    project = Project(tmp_path)
    project.write("shop/orders.py", ORDERS)
    project.write("shop/__init__.py", "")
    return project


@pytest.fixture
def truth(project: Project) -> Truth:
    """Write the logs of the shop, which breaks its order, but loses nothing."""
    rates = Rates(broken=0.1, crashed=0.0, lost=0.0, garbage=0.0)
    return write(project.root / "logs", RUNS, rates)


def broken(truth: Truth, way: str) -> list[str]:
    """Return the runs that were broken in a way, by root ID."""
    return [root for root, how in truth.broken.items() if how == way]


def test_check(project: Project, truth: Truth) -> None:
    """Edges that no code takes are witnessed, and broken ones are told."""
    alone = project.penstock("check", "shop.orders")
    assert "PEN201 orders/pack" in alone.stdout

    result = project.penstock("check", "shop.orders", "--evidence", "logs")

    count = len(truth.broken)
    first, *edges = result.stderr.splitlines()
    assert first == (
        f"logs: {RUNS} runs of orders: {RUNS - count} in order, {count} out of order, "
        "0 unknown."
    )
    early = broken(truth, "early notify")
    expected = (
        f"orders: notify after ship: out of order in {len(early) / RUNS:.2%} of {RUNS} "
        f"runs ({len(early)}), for instance "
    ).replace("%", " %")
    (told,) = (line for line in edges if line.startswith(expected))
    assert told.removeprefix(expected).rstrip(".") in {root[:8] for root in early}
    assert "witnessed by runs" in result.stdout
    assert "PEN201 orders/pack" not in result.stdout


def test_dag(project: Project, truth: Truth) -> None:
    """An edge shows how many calls took it, and how many runs contradict it."""
    result = project.penstock(
        "dag", "shop.orders", "--evidence", "logs", "--no-code", "--format=text"
    )

    assert f"logs: {RUNS} runs of orders" in result.stderr
    late = len(broken(truth, "early notify"))
    (edge,) = (line for line in result.stdout.splitlines() if "ship → notify" in line)
    assert f"contradicted {late}×" in edge


def test_reports_and_logs_add_up(project: Project, truth: Truth) -> None:
    """Both are told by their content, wherever they are."""
    report = {"orders": recorded({"receive": 5}, {("receive", "stock"): 5}, runs=5)}
    project.write("runs.json", json.dumps({"flows": report}))
    (project.root / "logs/shop.log").rename(project.root / "logs/shop.json")
    both = ("--evidence", "runs.json", "--evidence", "logs")

    result = project.penstock("dag", "shop.orders", *both, "--no-code", "-f", "text")

    (edge,) = (line for line in result.stdout.splitlines() if "receive → stock" in line)
    assert f"{truth.runs + 5}×" in edge


def test_last_run(project: Project, truth: Truth) -> None:
    """The page of a flow says when its last run began, where logs tell."""
    project.write(
        "shop/refunds.py",
        """
        from penstock import entrypoint, flow

        @flow("refunds")
        @entrypoint
        def refund(): ...
        """,
    )
    project.write(
        "runs.json", json.dumps({"flows": {"refunds": recorded({"refund": 1}, {})}})
    )
    sources = ("--evidence", "runs.json", "--evidence", "logs")
    modules = ("shop.orders", "shop.refunds")

    listed = project.penstock("runs", "logs", "--format", "json").stdout
    began = json.loads(listed)["runs"][0]["start"]
    page = project.penstock("dag", *modules, *sources, "--no-code", "-f", "html").stdout

    assert truth.runs == RUNS
    shown = f"{began[:16].replace('T', ' ')} UTC"
    assert page.count("<dt>Last run</dt>") == 1
    assert f'<dt>Last run</dt><dd dir="auto">{shown}</dd>' in page
    assert page.count("<dt>Slowest step</dt>") == 1
    assert 'data-heat="slow"' in page
    assert 'data-heat="no figures"' in page


def test_logs_without_runs(project: Project) -> None:
    """A log of something else shows nothing, and that is said."""
    project.write("app.log", "hello\n")

    result = project.penstock("check", "shop.orders", "--evidence", "app.log")

    assert "app.log: no runs of flows." in result.stderr


@pytest.mark.parametrize("path", ["nowhere", "nowhere.log", "clickhouse://"])
def test_nothing_there(project: Project, path: str) -> None:
    """A path without anything is an error that names it."""
    result = project.penstock("check", "shop.orders", "--evidence", path)

    assert result.returncode == 2
    assert path.removesuffix("://") in result.stderr


def shop(**after: tuple[tuple[str, ...], ...]) -> FlowInfo:
    """Return the declaration of the shop, in which some steps are declared anew."""
    known: dict[str, Any] = {
        "receive": (),
        "stock": (("receive",),),
        "fraud": (("receive",),),
        "charge": (("stock", "fraud"),),
        "fulfil": (("charge",),),
        "pack": (("fulfil",),),
        "ship": (("pack",),),
        "notify": (("ship",),),
    } | after
    steps = (
        StepInfo(name, "orders", is_entrypoint=name == "receive", after=one)
        for name, one in known.items()
    )
    return FlowInfo("orders", tuple(steps))


@pytest.fixture
def changed(project: Project) -> Project:
    """Add a declaration before three changes, and one after them."""
    old = shop(charge=(("stock",), ("fraud",)))
    new = shop(ship=(("pack",), ("stock",)), notify=(("pack",),))
    for name, flow in (("old", old), ("new", new)):
        project.write(f"{name}.json", dump_manifest([flow], [flow]))
    return project


COMMAND = ("diff", "old.json", "new.json", "--evidence", "logs")


def test_backtest(changed: Project, truth: Truth) -> None:
    """The figures of each change are those of an exact count."""
    result = changed.penstock(*COMMAND, "--format", "json")

    calls = calls_in(changed.root / "logs")
    (flow,) = json.loads(result.stdout)
    found = flow["evidence"]
    assert (found["runs"], found["unknown"]) == (RUNS, 0)
    edges = {(one["before"], one["after"]): one for one in found["edges"]}
    assert {edge: one["status"] for edge, one in edges.items()} == {
        ("pack", "notify"): "added",
        ("ship", "notify"): "removed",
        ("stock", "ship"): "added",
    }
    packed = [run for run in calls if ended_before_sent(run, "pack")]
    unpacked = [run for run in calls if "notify" in run and "pack" not in run]
    shipped = [run for run in calls if ended_before_sent(run, "ship")]
    assert edges["pack", "notify"]["calls"] == len(packed)
    assert edges["pack", "notify"]["broken"]["runs"] == len(unpacked) > 0
    assert edges["ship", "notify"]["calls"] == len(shipped)
    assert edges["stock", "ship"]["calls"] == sum("ship" in run for run in calls)
    assert edges["stock", "ship"]["broken"] == {"runs": 0, "example": ""}

    steps = {one["name"]: one for one in found["steps"]}
    unchecked = broken(truth, "no fraud")
    assert steps["charge"]["old"]["runs"] == 0
    assert steps["charge"]["new"]["runs"] == len(unchecked) > 0
    assert steps["charge"]["new"]["example"] in unchecked
    assert steps["notify"]["old"]["runs"] == len(broken(truth, "early notify"))
    assert steps["ship"]["new"]["runs"] == 0 < steps["ship"]["old"]["runs"]


def test_backtest_as_text(changed: Project, truth: Truth) -> None:
    """The same in words, in Markdown, too."""
    text = changed.penstock(*COMMAND).stdout
    markdown = changed.penstock(*COMMAND, "--format", "markdown").stdout

    assert text.strip() in markdown
    assert f"  {RUNS} runs in the logs:" in text
    lines = text.splitlines()
    (added,) = (line for line in lines if "+ notify after pack: " in line)
    (removed,) = (line for line in lines if "- notify after ship: " in line)
    (step,) = (line for line in lines if "~ charge: " in line)
    unpacked, early = (broken(truth, way) for way in ("no pack", "early notify"))
    assert f"of {RUNS} runs ({len(unpacked)}), for instance" in added
    assert f"of {RUNS} runs ({len(early)}), for instance" in removed
    assert step.endswith("; before the change in 0 runs")
    (fine,) = (line for line in lines if "+ ship after stock: " in line)
    assert fine.endswith(f"out of order in none of {RUNS} runs")


def test_backtest_needs_logs(changed: Project) -> None:
    """A report does not know edges that were not declared."""
    changed.write("logs", json.dumps({"flows": {}}))

    result = changed.penstock(*COMMAND)

    assert result.returncode == 2
    assert "'logs' is a conformance report, which knows only" in result.stderr


def calls_in(folder: Path) -> list[dict[str, dict[str, str]]]:
    """Return for each run when its steps ended, or a message was sent."""
    found: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for log in folder.glob("*.log"):
        for text in log.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            if "flow_event" in line:
                times = found[line["root_id"]].setdefault(line["step"], {})
                times[line["flow_event"]] = line["timestamp"]
                times["sent"] = line.get("sent_at", "")
    return list(found.values())


def ended_before_sent(run: dict[str, dict[str, str]], step: str) -> bool:
    """Tell whether a step of the warehouse had ended when it sent the mail."""
    return {"notify", step} <= run.keys() and run[step]["step.end"] < run["notify"][
        "sent"
    ]
