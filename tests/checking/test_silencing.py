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
    [
        "",
        "[]",
        '{"findings": 3}',
        '{"penstock-baseline": 2, "findings": []}',
        '{"penstock-baseline": 1, "findings": [{"code": null}]}',
        "[" * 100_000,
    ],
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


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_baseline_of_an_editor_on_windows(
    project: CheckedProject, encoding: str
) -> None:
    """A byte order mark is read over."""
    project.check("shop.orders", "--baseline", "b.json", "--update-baseline")
    path = project.root / "b.json"
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))

    assert project.codes("shop.orders", "--baseline", "b.json") == []


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (["--select", "PEN101"], ["PEN101 ship"]),
        (["--select", "PEN1"], ["PEN101 ship"]),
        (["--select", "pen1, PEN201"], BOTH),
        (["--select", "PEN1", "--select", "PEN2"], BOTH),
        (["--select", "PEN3"], []),
        (["--ignore", "PEN1"], ["PEN201 pack"]),
        (["--ignore", "PEN101,PEN201"], []),
        (["--ignore", "PEN101,"], ["PEN201 pack"]),
        (["--ignore", "", "--select", ""], BOTH),
        (["--select", "PEN", "--ignore", "PEN2"], ["PEN101 ship"]),
        (["--exclude", "shop/orders.py"], []),
        (["--exclude", "shop"], []),
        (["--exclude", "shop/"], []),
        (["--exclude", "shop/o*.py"], []),
        (["--exclude", "*/orders.py"], []),
        (["--exclude", "orders.py", "--exclude", "sho"], BOTH),
    ],
)
def test_selected(
    project: CheckedProject, options: list[str], codes: list[str]
) -> None:
    """Codes and files can be chosen, as in other linters."""
    assert project.codes("shop.orders", *options) == codes
    result = project.check("shop.orders", *options)
    assert result.returncode == bool(codes)
    assert (len(codes) == 2) == ("not selected" not in result.stdout)


def test_a_baseline_is_complete_whatever_is_selected(project: CheckedProject) -> None:
    """An entry of a finding that is not selected is not fixed."""
    project.check("shop.orders", "--baseline", "b.json", "--update-baseline")

    options = ("--baseline", "b.json", "--ignore", "PEN2")
    assert project.codes("shop.orders", *options) == []


@pytest.mark.parametrize("option", ["--select", "--ignore"])
@pytest.mark.parametrize("codes", ["PEN102", "E501", "PEN1,101"])
def test_unknown_code(project: CheckedProject, option: str, codes: str) -> None:
    """A code that does not exist is a wrong option, not an empty result."""
    result = project.check("shop.orders", option, codes)

    assert result.returncode == 2
    assert "no finding has the code" in result.stderr


def test_exit_zero(project: CheckedProject) -> None:
    """Findings are printed, and the exit status is 0."""
    result = project.check("shop.orders", "--exit-zero")

    assert result.returncode == 0
    assert "PEN101" in result.stdout
    assert project.check("nowhere", "--exit-zero").returncode == 2


DYNAMIC = """
    import importlib

    from penstock import flow

    orders = flow("orders")
    HANDLERS = {}


    @orders.entrypoint
    def receive(order, handler):
        CALL(order)


    @orders.step(after="receive")
    def pack(order): ...
"""


@pytest.mark.parametrize(
    ("call", "level"),
    [
        ("print", "warning"),
        ("handler", "info"),
        ("HANDLERS[handler]", "info"),
        ("getattr(__import__(handler), handler)", "info"),
        ("getattr(importlib.import_module(handler), handler)", "info"),
        ("getattr(order, handler)", "warning"),
    ],
)
def test_uncalled_where_calls_are_dynamic(
    project: CheckedProject, call: str, level: str
) -> None:
    """A step that only a call at run time can reach is an info, and no failure."""
    project.write("shop/orders.py", DYNAMIC.replace("CALL", call))

    (finding,) = project.findings("shop.orders")

    assert (finding["code"], finding["level"]) == ("PEN201", level)
    assert project.check("shop.orders").returncode == (level == "warning")
    assert ("only known at run time" in finding["message"]) == (level == "info")
