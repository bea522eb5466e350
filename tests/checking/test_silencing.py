"""Comments, a baseline and recorded runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.checking.conftest import ORDERS

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

BOTH = ["PEN101 ship", "PEN201 pack"]
OTHER = """
    from penstock import flow

    stock = flow("stock")


    @stock.entrypoint
    def count(shelf): ...
"""


def rewrite(project: CheckedProject, old: str, new: str) -> None:
    """Change the module of the project."""
    assert old in ORDERS
    project.write("shop/orders.py", ORDERS.replace(old, new))


def test_ignored_at_the_call(project: CheckedProject) -> None:
    """The line of the call."""
    rewrite(project, "ship(order)\n\n", "ship(order)  # penstock: ignore[PEN101]\n\n")

    assert project.codes("shop.orders") == ["PEN201 pack"]
    assert "(1 ignored)" in project.check("shop.orders").stdout


def test_ignored_at_the_declaration(project: CheckedProject) -> None:
    """The line of ``after=``."""
    rewrite(project, 'after="pack")', 'after="pack")  # why: penstock: ignore')
    assert project.codes("shop.orders") == BOTH
    rewrite(project, 'after="pack")', 'after="pack")  # penstock: ignore[PEN101]')
    assert project.codes("shop.orders") == ["PEN201 pack"]


def test_several_codes(project: CheckedProject) -> None:
    """One comment may name several; each has to be of use."""
    comment = "  # penstock: ignore[PEN101, PEN202]"
    rewrite(project, "ship(order)\n\n", f"ship(order){comment}\n\n")

    found = project.findings("shop.orders")

    assert [one["code"] for one in found] == ["PEN901", "PEN201"]
    assert (
        "PEN202 is ignored here, but nothing here has that code" in found[0]["message"]
    )


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# penstock: ignore", "must name what it ignores"),
        ("# penstock: ignore[]", "must name what it ignores"),
        ("# penstock: ignore[PEN999]", "there is no code 'PEN999' to ignore"),
    ],
)
def test_comment_without_use(
    project: CheckedProject, comment: str, message: str
) -> None:
    """A comment that ignores nothing is a finding, in every imported module."""
    project.write("shop/__init__.py", f"x = 1  {comment}\n")
    project.write("shop/other.py", f"x = 1  {comment}\n")

    (finding,) = [
        one for one in project.findings("shop.orders") if one["code"] == "PEN901"
    ]

    assert (finding["path"], finding["line"]) == ("shop/__init__.py", 1)
    assert message in finding["message"]


def test_text_is_no_comment(project: CheckedProject) -> None:
    """A string with the same text ignores nothing, and is no finding."""
    project.write("shop/__init__.py", 'x = "# penstock: ignore[PEN101]"\n')

    assert project.codes("shop.orders") == BOTH


def test_baseline(project: CheckedProject) -> None:
    """Old findings are known, new ones are reported."""
    written = project.check("shop.orders", "--baseline", "b.json", "--update-baseline")
    assert (written.returncode, written.stdout) == (0, "")
    assert "Wrote 2 findings to b.json" in written.stderr

    clean = project.check("shop.orders", "--baseline", "b.json")
    assert clean.returncode == 0
    assert clean.stdout == ("1 flow, 5 steps: no findings (2 in the baseline)\n")

    new = "return charge(order), ship(order)"
    rewrite(project, "    return charge(order)", f"    {new}")
    assert project.codes("shop.orders", "--baseline", "b.json") == ["PEN101 ship"]


def test_baseline_survives_other_lines(project: CheckedProject) -> None:
    """Entries hold exact edges, and no line numbers."""
    project.check("shop.orders", "--baseline", "b.json", "--update-baseline")
    rewrite(project, "from penstock", "import os\n    import sys\n    from penstock")

    assert project.codes("shop.orders", "--baseline", "b.json") == []


def test_baseline_of_the_project(project: CheckedProject) -> None:
    """pyproject.toml names it once; it also counts for targets."""
    settings = 'import = ["shop.*"]\nbaseline = "b.json"\n'
    project.write("pyproject.toml", f"[tool.penstock]\n{settings}")
    project.write("shop/other.py", OTHER)
    assert project.check("--update-baseline").returncode == 0

    assert project.codes() == []
    assert project.codes("shop.other") == []
    rewrite(project, 'after="pack"', 'after="receive"')
    assert project.codes("shop.other") == []
    assert project.codes() == ["PEN902 ship"]


def test_fixed_entry_has_to_leave(project: CheckedProject) -> None:
    """A baseline only gets shorter."""
    project.check("shop.orders", "--baseline", "b.json", "--update-baseline")
    rewrite(project, 'after="pack"', 'after="receive"')

    (finding,) = project.findings("shop.orders", "--baseline", "b.json")

    assert finding["code"] == "PEN902"
    assert finding["path"] == "b.json"
    entry = (project.root / "b.json").read_text(encoding="utf-8").splitlines()
    assert "PEN101" in entry[finding["line"] - 1]


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"findings": 3}', '{"penstock-baseline": 1, "findings": [{}]}'],
)
def test_no_baseline(project: CheckedProject, content: str) -> None:
    """A file that is not a baseline is a failure, and so is a missing one."""
    missing = project.check("shop.orders", "--baseline", "b.json")
    project.write("b.json", content)
    wrong = project.check("shop.orders", "--baseline", "b.json")

    assert (missing.returncode, wrong.returncode) == (2, 2)
    assert "--update-baseline" in missing.stderr
    assert "'b.json' is not a baseline" in wrong.stderr


def report(project: CheckedProject, witnessed: int, broken: int = 0) -> str:
    """Write a report of runs that took an edge, or broke it; return its name."""
    edge = {
        "before": "pack",
        "after": "ship",
        "witnessed": witnessed,
        "contradicted": 0,
        "status": "witnessed" if witnessed else "unexercised",
    }
    early = {"step": "ship", "run": "1", "code": "R1", "message": "", "count": broken}
    flow = {
        "runs": 3,
        "steps": {},
        "edges": [edge],
        "violations": [early] if broken else [],
        "foreign": [],
    }
    project.write("runs.json", json.dumps({"flows": {"orders": flow}}))
    return "runs.json"


def test_evidence(project: CheckedProject) -> None:
    """An edge that a run has taken is not reported."""
    seen = report(project, 2)

    assert project.codes("shop.orders", "--evidence", seen) == ["PEN201 pack"]
    out = project.check("shop.orders", "--evidence", seen).stdout
    assert "(1 witnessed by runs)" in out


def test_evidence_of_both(project: CheckedProject) -> None:
    """An edge that some runs took and others broke is still wrong."""
    seen = report(project, witnessed=2, broken=1)

    assert project.codes("shop.orders", "--evidence", seen) == BOTH


def test_no_evidence(project: CheckedProject) -> None:
    """An edge that no run has taken proves nothing."""
    assert project.codes("shop.orders", "--evidence", report(project, 0)) == BOTH


def test_evidence_of_something_else(project: CheckedProject) -> None:
    """A file that is not a report is a failure."""
    project.write("runs.json", "[]")

    result = project.check("shop.orders", "--evidence", "runs.json")

    assert result.returncode == 2
    assert "conformance report" in result.stderr
