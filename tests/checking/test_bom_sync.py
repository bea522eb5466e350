"""The demo, with a bug of each kind put into it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

DEMO = Path(__file__).parents[2] / "examples" / "bom_sync"
TARGETS = ("bom_sync.sync", "bom_sync.integrity")
UNSEEN = "PEN301 check"
"""Its message comes by a queue, which no reading of the code can follow."""


@pytest.fixture
def demo(project: CheckedProject) -> CheckedProject:
    """Return a project with a copy of the demo."""
    shutil.copytree(DEMO, project.root / "bom_sync")
    return project


def change(demo: CheckedProject, name: str, old: str, new: str) -> None:
    """Change one place of a module of the demo."""
    path = demo.root / "bom_sync" / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_demo_is_clean(demo: CheckedProject) -> None:
    """The only thing that is told cannot be decided."""
    assert demo.codes(*TARGETS) == [UNSEEN]
    assert demo.check(*TARGETS).returncode == 0


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        (
            "sync.py",
            '@step(after="fetch_details")',
            '@step(after="fetch_detials")',
            {"PEN001 resolve_requirements"},
        ),
        (
            "sync.py",
            '@step(after="fetch_details")',
            '@step(after="sync_to_database")',
            {
                "PEN002 resolve_requirements",
                "PEN002 sync_to_database",
                "PEN101 resolve_requirements",
            },
        ),
        (
            "sync.py",
            "        needed = list(self.resolve_requirements(part))\n",
            "        needed = []\n",
            {"PEN101 sync_to_database", "PEN201 resolve_requirements"},
        ),
        (
            "licences.py",
            (
                "    classified = read_classifiers(part)\n"
                "    write_licence(part, declared, classified, store)\n"
            ),
            (
                '    write_licence(part, declared, "", store)\n'
                "    read_classifiers(part)\n"
            ),
            {"PEN101 write_licence"},
        ),
        (
            "licences.py",
            '@step(after="examine")\ndef read_classifiers',
            '@step(after=["examine", "write_licence"])\ndef read_classifiers',
            {"PEN202 read_classifiers"},
        ),
        (
            "integrity.py",
            "        find_missing(message.part, store),\n    )",
            "        write_findings(message.part, 0, [], [], store),\n    )",
            {"PEN101 write_findings", "PEN201 find_missing"},
        ),
    ],
)
def test_bug(
    demo: CheckedProject, name: str, old: str, new: str, found: set[str]
) -> None:
    """The bug is named; with the old code back, all is clean again."""
    change(demo, name, old, new)
    assert set(demo.codes(*TARGETS)) - {UNSEEN} == found

    change(demo, name, new, old)
    assert demo.codes(*TARGETS) == [UNSEEN]


def test_suggestion_is_accepted(demo: CheckedProject) -> None:
    """What the finding suggests makes it go away."""
    old = "        needed = list(self.resolve_requirements(part))\n"
    change(demo, "sync.py", old, "        needed = []\n")
    (finding,) = [f for f in demo.findings(*TARGETS) if f["code"] == "PEN101"]

    change(demo, "sync.py", 'after="resolve_requirements"', str(finding["suggestion"]))

    assert "PEN101" not in str(demo.codes(*TARGETS))
