"""The demo keeps a record of an environment, and its log tells one ID per operation."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytest.importorskip("click", reason="needs click")

PARTS = ("iniconfig", "packaging", "pluggy", "pytest", "sortedcontainers")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log."""

    level: str
    id: str
    root_id: str
    step: str
    text: str


@dataclass(frozen=True, slots=True)
class Demo:
    """What one run of the demo left behind."""

    printed: str
    lines: list[Line]
    parts: dict[str, str]

    def of(self, flow_id: str) -> list[Line]:
        """Return the lines that carry one ID."""
        return [line for line in self.lines if line.id == flow_id]

    def says(self, pattern: str) -> list[Line]:
        """Return the lines whose text matches."""
        return [line for line in self.lines if re.search(pattern, line.text)]


def small_environment(folder: Path) -> Path:
    """Copy some of what is installed: to hash all of it takes seconds."""
    site = folder / "site"
    for name in PARTS:
        for file in distribution(name).files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    return site


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run the demo once, on the small environment."""
    folder = tmp_path_factory.mktemp("bom_sync")
    path = os.pathsep.join([str(ROOT / "src"), str(small_environment(folder))])
    result = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-m", "examples.bom_sync", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert (result.returncode, result.stderr) == (0, "Read 5 lines in 1 file.\n")
    log = (folder / "bom_sync.jsonl").read_text(encoding="utf-8").splitlines()
    lines = [
        Line(
            line["level"],
            line["correlation_id"],
            line["root_id"],
            line.get("step", "-"),
            line["message"],
        )
        for line in map(json.loads, log)
    ]
    with closing(sqlite3.connect(folder / "bom_sync.db")) as database:
        parts = dict(database.execute("select name, version from parts").fetchall())
    return Demo(result.stdout, lines, parts)


def test_database_holds_what_is_installed(demo: Demo) -> None:
    """Every distribution of the environment is a row, and nothing else is."""
    assert demo.parts == {name: version(name) for name in PARTS}


def test_every_line_has_an_id(demo: Demo) -> None:
    """Lines of modules that know nothing of penstock have one, too."""
    assert demo.lines
    assert not [
        line for line in demo.lines if not re.fullmatch("[0-9a-f]{32}", line.id)
    ]
    assert {line.step for line in demo.says("^upserted")} == {"sync_to_database"}


def test_one_id_from_the_message_to_the_last_check(demo: Demo) -> None:
    """Sync, database, thread, task and the second queue share an operation's ID."""
    for synced in demo.says("^upserted"):
        told = {
            line.text.partition(" ")[0] + " " + line.step for line in demo.of(synced.id)
        }
        assert {
            "step.start handle_message",
            "step.end handle_message",
            "upserted sync_to_database",
            "step.start check",
            "hashed hash_files",
            "step.end find_missing",
            "step.end write_findings",
            "step.end check",
        } <= told


def test_each_part_has_its_own_id(demo: Demo) -> None:
    """No two operations share an ID."""
    synced = demo.says("^upserted")

    assert len({line.id for line in synced}) == len(synced) == len(demo.parts)


def test_metadata_travels_with_the_message(demo: Demo) -> None:
    """The second flow sees the version that the first one set, under the same ID."""
    found = {line.text.partition(":")[0]: line.id for line in demo.says("files, ")}

    assert found == {
        line.text.removeprefix("upserted "): line.id for line in demo.says("^upserted")
    }


def test_licence_report_knows_the_run_that_started_it(demo: Demo) -> None:
    """The second flow has its own runs, and each names its parent."""
    started = demo.says("^started by run")

    parents = [line.text.rpartition(" ")[2] for line in started]
    synced = [line.id for line in demo.says("^upserted")]
    assert sorted(parents) == sorted(one[:8] for one in synced)
    assert not {line.id for line in started} & set(synced)
    assert sorted(line.root_id for line in started) == sorted(synced)


def test_failing_message_fails_under_its_id(demo: Demo) -> None:
    """One WARNING is logged, at the step that failed, and INFO above it."""
    failed = [(line.level, line.step) for line in demo.says("^step.error")]
    (given_up,) = demo.says("^gave up")

    assert failed == [("WARNING", "fetch_details"), ("INFO", "handle_message")]
    assert {line.id for line in demo.says("^step.error")} == {given_up.id}
    assert "PackageNotFoundError" in demo.says("^step.error")[0].text
    assert given_up.text in demo.printed


def test_printed_lines_are_those_of_the_log(demo: Demo) -> None:
    """The lines below the ID are those of one operation."""
    found = re.findall(r"with root_id (\w+)\n((?:  [\d:.]+ .*\n)+)", demo.printed)

    ((root_id, shown),) = found
    lines = [line for line in demo.lines if line.root_id == root_id]
    assert shown.count("\n") == len(lines)


def test_the_failed_operation_is_shown(demo: Demo) -> None:
    """The demo looks back at it by its ID, from the log that it wrote."""
    (given_up,) = demo.says("^gave up")
    shown = demo.printed[demo.printed.index("$ penstock show ") :]

    assert f"operation  {given_up.id}\n" in shown
    assert "outcome    error: PackageNotFoundError\n" in shown
    assert "order      bom_sync: in order\n" in shown
    assert given_up.text in shown


def test_diagrams_are_printed(demo: Demo) -> None:
    """The demo draws two flows, and ends with the path of a picture of the system."""
    *_, last = demo.printed.splitlines()
    picture = Path(last.rpartition(": ")[2]).read_text(encoding="utf-8")

    assert "║ handle_message ║" in demo.printed
    assert picture.startswith("<svg")
    assert "sync_to_database → check" in picture


def test_the_story_fits_on_a_few_screens(demo: Demo) -> None:
    """The demo prints at most 130 lines, for any number of parts."""
    assert len(demo.printed.splitlines()) <= 130
