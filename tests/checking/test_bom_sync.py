"""The demo with one bug of each kind: the check and strict tests name it.

Then the suggested fixes are applied until both are clean.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

DEMO = Path(__file__).parents[2] / "examples" / "bom_sync"
TARGETS = ("bom_sync.sync", "bom_sync.integrity")
UNSEEN = "PEN301 check"
"""Its message comes from a queue, which the check cannot follow."""

TESTS = '''
    """Three installed parts; the first one needs others."""

    import asyncio

    import pytest

    from bom_sync.__main__ import check_all
    from bom_sync.messages import Queue, consume
    from bom_sync.store import Store
    from bom_sync.sync import BomSync


    @pytest.mark.parametrize("name", ["pytest", "pluggy", "iniconfig"])
    def test_part(name, tmp_path):
        store = Store(tmp_path / "bom_sync.db")
        messages, checks = Queue(), Queue()
        messages.put(name)
        consume(messages, BomSync(store, checks).handle_message)
        asyncio.run(check_all(checks, store))
        assert [row.name for row in store.table()] == [name]
        store.close()
'''


@pytest.fixture
def demo(project: CheckedProject) -> CheckedProject:
    """Return a project with a copy of the demo."""
    shutil.rmtree(project.root / "shop")
    shutil.copytree(DEMO, project.root / "bom_sync")
    project.write("test_parts.py", TESTS)
    project.write("pyproject.toml", "")
    return project


def change(demo: CheckedProject, name: str, old: str, new: str) -> None:
    """Change one place of a module of the demo."""
    path = demo.root / "bom_sync" / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def strict(demo: CheckedProject) -> tuple[set[str], set[str], str]:
    """Run the tests; return what broke (``R1 step``), the edges not seen, and all."""
    plugin = "-p penstock.pytest_plugin --penstock-strict --penstock-report=runs.json"
    program = ("-m", "pytest", "-q", *plugin.split(), "test_parts.py")
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the others take a second
    result = demo.penstock(*program, program=(sys.executable,), env=alone)
    broken = set(re.findall(r"^(R\d) \w+/(\w+) ", result.stdout, re.MULTILINE))
    assert result.returncode == (1 if broken else 0), result.stdout
    flows = json.loads((demo.root / "runs.json").read_text(encoding="utf-8"))["flows"]
    unseen = {
        f"{edge['before']} -> {edge['after']}"
        for flow in flows.values()
        for edge in flow["edges"]
        if not edge["witnessed"]
    }
    return {" ".join(one) for one in broken}, unseen, result.stdout


AFTER = r"after=(?:\[(?:all_of\([^)]*\)|[^\]])*\]|all_of\([^)]*\)|\"[^\"]*\"|\w+)"
SUGGESTED = re.compile(
    rf"  declared  {AFTER} +(\S+):(\d+)\n(?:  found .*\n)?  fix       "
    r"(?:move the call, or declare )?(after=.*)"
)
TOLD = re.compile(
    r"^R\d \w+/\w+ \(.*?(\w+\.py):(\d+)\) .*(after=\[.*?\])\.$", re.MULTILINE
)


def write_down(path: Path, line: int, fix: str) -> None:
    """Replace the ``after=`` on a line, or on one of the next, with the fix."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    while "after=" not in lines[line - 1]:
        line += 1
    lines[line - 1] = re.sub(AFTER, lambda _: fix, lines[line - 1], count=1)
    path.write_text("".join(lines), encoding="utf-8")


def follow_check(demo: CheckedProject) -> bool:
    """Apply what the check suggests; return whether it suggested anything."""
    found = SUGGESTED.findall(demo.check(*TARGETS).stdout)
    for path, line, fix in found:
        write_down(demo.root / path, int(line), fix)
    return bool(found)


def follow_tests(demo: CheckedProject) -> None:
    """Apply what the tests suggest; of two fixes for a line, either will do."""
    for path, line, fix in sorted(set(TOLD.findall(strict(demo)[2]))):
        write_down(demo.root / "bom_sync" / path, int(line), fix)


@dataclass(frozen=True)
class Bug:
    """One bug: where it is, the code before and after, and who names it.

    Attributes:
        checked: What the check finds.
        broken: What the tests find.
        unseen: The edges that no test takes, as ``--penstock-cov`` shows them.
        by_hand: Whether no suggested fix exists; the old code is restored.
    """

    module: str
    old: str
    new: str
    checked: set[str]
    broken: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    by_hand: bool = False


RESOLVE = "        needed = list(self.resolve_requirements(part))\n"
SYNC = "        self.sync_to_database(part, needed)\n"
WRITE = """    classified = read_classifiers(part)
    write_licence(part, declared, classified, store)
"""
FIND = """    (checked, changed), missing = await asyncio.gather(
        loop.run_in_executor(pool, hash_files, message.part),
        find_missing(message.part, store),
    )
    write_findings(message.part, checked, changed, missing, store)
"""
BUGS = {
    "a name that nothing has": Bug(
        "sync.py",
        '@step(after="fetch_details")',
        '@step(after="fetch_detials")',
        {"PEN001 resolve_requirements"},
        {"R1 resolve_requirements"},
        {"fetch_detials -> resolve_requirements"},
    ),
    "a circle": Bug(
        "sync.py",
        '@step(after="fetch_details")',
        '@step(after="sync_to_database")',
        {
            "PEN002 resolve_requirements",
            "PEN002 sync_to_database",
            "PEN101 resolve_requirements",
        },
        {"R1 resolve_requirements"},
        {"sync_to_database -> resolve_requirements"},
    ),
    "calls in the wrong order": Bug(
        "sync.py",
        RESOLVE + SYNC,
        "        self.sync_to_database(part, [])\n"
        "        list(self.resolve_requirements(part))\n",
        {"PEN101 sync_to_database"},
        {"R1 sync_to_database", "R2 sync_to_database"},
        {"resolve_requirements -> sync_to_database"},
    ),
    "a join that does not wait": Bug(
        "licences.py",
        WRITE,
        '    write_licence(part, declared, "", store)\n    read_classifiers(part)\n',
        {"PEN101 write_licence"},
        {"R3 write_licence", "R2 write_licence"},
        {"read_classifiers -> write_licence"},
        by_hand=True,
    ),
    "an edge that never happens": Bug(
        "licences.py",
        '@step(after="examine")\ndef read_declared',
        '@step(after=["examine", "read_classifiers"])\ndef read_declared',
        {"PEN202 read_declared"},
        {"R2 read_declared"},
        {"read_classifiers -> read_declared"},
    ),
    "an edge that closes a circle": Bug(
        "licences.py",
        '@step(after="examine")\ndef read_classifiers',
        '@step(after=["examine", "write_licence"])\ndef read_classifiers',
        {"PEN202 read_classifiers"},
        unseen={"write_licence -> read_classifiers"},
    ),
    "a step that nothing calls": Bug(
        "sync.py",
        RESOLVE,
        "        needed = []\n",
        {"PEN101 sync_to_database", "PEN201 resolve_requirements"},
        {"R1 sync_to_database"},
        {
            "fetch_details -> resolve_requirements",
            "resolve_requirements -> sync_to_database",
        },
        by_hand=True,
    ),
    "a path that skips the predecessor": Bug(
        "sync.py",
        RESOLVE,
        f"        needed = []\n        if part.requires:\n    {RESOLVE}",
        {"PEN301 sync_to_database"},
        {"R1 sync_to_database"},
    ),
    "a thread that nobody waits for": Bug(
        "integrity.py",
        FIND,
        """    loop.run_in_executor(pool, slowly, message.part)
    missing = await find_missing(message.part, store)
    write_findings(message.part, 0, [], missing, store)


def slowly(name: str) -> None:
    \"\"\"Take longer than what is waited for.\"\"\"
    import time

    time.sleep(0.3)
    hash_files(name)
""",
        {"PEN301 write_findings"},
        {"R3 write_findings", "R2 write_findings"},
        {"hash_files -> write_findings"},
        by_hand=True,
    ),
}


def test_demo_is_clean(demo: CheckedProject) -> None:
    """The only finding is an info, and the tests of the demo take every edge."""
    assert demo.codes(*TARGETS) == [UNSEEN]
    assert demo.check(*TARGETS).returncode == 0
    assert strict(demo)[:2] == (set(), set())


@pytest.mark.parametrize("name", BUGS)
def test_bug(demo: CheckedProject, name: str) -> None:
    """The check and the tests name it; their fixes leave both clean."""
    bug = BUGS[name]
    change(demo, bug.module, bug.old, bug.new)

    assert set(demo.codes(*TARGETS)) - {UNSEEN} == bug.checked
    broken, unseen, _ = strict(demo)
    assert (broken, unseen) == (bug.broken, bug.unseen)

    if bug.by_hand:
        change(demo, bug.module, bug.new, bug.old)
    rounds = 0
    while follow_check(demo):
        rounds += 1
        assert rounds <= 2
    while strict(demo)[0]:
        follow_tests(demo)
        rounds += 1
        assert rounds <= 2
    assert demo.check(*TARGETS).returncode == 0
    assert strict(demo)[:2] == (set(), set())


def test_step_of_another_service(demo: CheckedProject) -> None:
    """PEN003: only the check knows, because the tests do not run the other service."""
    change(demo, "sync.py", "@entrypoint\n", '@entrypoint(after="parts/index:ad")\n')
    demo.write("parts.py", INDEX)
    exported = demo.penstock("export", "parts", "-o", "parts.json")
    assert exported.returncode == 0
    system = ("--system", "parts.json")

    assert set(demo.codes(*TARGETS, *system)) - {UNSEEN} == {"PEN003 handle_message"}
    assert strict(demo)[:2] == (set(), {"parts/index:ad -> handle_message"})

    (finding,) = [f for f in demo.findings(*TARGETS, *system) if f["level"] == "error"]
    assert "service 'parts' (owner index) has no step 'ad'" in finding["message"]
    change(demo, "sync.py", 'after="parts/index:ad"', finding["suggestion"])
    assert "PEN003" not in str(demo.codes(*TARGETS, *system))


INDEX = """
    import penstock

    penstock.configure(service="parts")
    index = penstock.flow("index", owner="index")


    @index.entrypoint
    def add(name): ...
"""


def test_files_and_comments(demo: CheckedProject) -> None:
    """PEN000, PEN004, PEN901 and PEN902, which no run can show, and their fixes."""
    change(demo, "sync.py", SYNC, f"{SYNC.rstrip()}  # penstock: ignore[PEN101]\n")
    demo.write("bom_sync/broken.py", "def x(:\n")
    demo.write("bom_sync/late.py", LATE)
    imports = '"bom_sync.sync", "bom_sync.integrity"'
    settings = "[tool.penstock]\nimport = [{}]\nbaseline = 'known.json'\n"
    demo.write("pyproject.toml", settings.format(imports))
    demo.write("known.json", KNOWN)

    found = {finding["code"]: finding for finding in demo.findings()}
    assert set(found) == {"PEN000", "PEN004", "PEN301", "PEN901", "PEN902"}
    assert found["PEN004"]["suggestion"] == 'import = [..., "bom_sync.late"]'
    assert "PEN101 is ignored here, but nothing here" in found["PEN901"]["message"]
    assert "--update-baseline" in found["PEN902"]["message"]
    assert strict(demo)[0] == set()

    demo.write("bom_sync/broken.py", "def x(): ...\n")
    demo.write("pyproject.toml", settings.format(f'{imports}, "bom_sync.late"'))
    change(demo, "sync.py", "  # penstock: ignore[PEN101]", "")
    assert demo.check("--update-baseline").returncode == 0
    assert demo.codes() == [UNSEEN]


LATE = """
    from penstock import flow

    late = flow("late")


    @late.entrypoint
    def begin(): ...
"""
KNOWN = """
    {"penstock-baseline": 1, "findings": [
      {"code": "PEN201", "flow": "bom_sync", "step": "gone", "edge": "gone"}
    ]}
"""
