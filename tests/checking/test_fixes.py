"""What findings suggest, applied: the finding is gone, and no error took its place."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock.checking import check_project
from tests.checking.conftest import CheckedProject, needed
from tests.support.projects import within

if TYPE_CHECKING:
    from penstock.checking.findings import Finding, Place

ROWS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "corpus/fixes.toml").read_text(encoding="utf-8")
)["row"]
HEAD = """
    import asyncio
    from penstock import all_of, entrypoint, flow, step
    f = flow("f")
"""


def checked(project: CheckedProject, *system: str) -> list[Finding]:
    """Check the module of a row, with the manifests of other services."""
    with within(project.root, {}):
        result = check_project(["row"], system=system, resolver="jedi")
        return list(result.findings)


def identity(finding: Finding) -> tuple[object, ...]:
    """Return what stays the same of a finding while lines move."""
    return finding.code, finding.flow, finding.step, finding.edge


def write_down(place: Place | None, suggestion: str) -> None:
    """Replace the ``after=`` that begins at a place."""
    assert place is not None
    path = Path(place.path)
    text = path.read_text(encoding="utf-8")
    (value,) = (
        keyword.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "after" and keyword.value.lineno == place.line
    )
    old = ast.get_source_segment(text, value)
    assert old is not None
    lines = text.splitlines(keepends=True)
    rest = "".join(lines[place.line - 1 :])
    assert f"after={old}" in rest
    lines[place.line - 1 :] = [rest.replace(f"after={old}", suggestion, 1)]
    path.write_text("".join(lines), encoding="utf-8")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["does"])
def test_fix(tmp_path: Path, row: dict[str, Any]) -> None:
    """The finding is gone once the fix is applied, and no error took its place."""
    needed()
    project = CheckedProject(tmp_path)
    path = project.write("row.py", HEAD)
    path.write_text(path.read_text("utf-8") + row["program"], encoding="utf-8")
    before = checked(project)
    finding = next(f for f in before if f"{f.code} {f.step}".strip() == row["finds"])
    if "change" not in row:
        assert finding.suggestion == row["fix"]
        write_down(finding.declared_at, finding.suggestion)
    elif "fix" not in row:
        assert finding.suggestion == ""
    for old, new in row.get("change", ()):
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), encoding="utf-8")

    after = checked(project)
    assert identity(finding) not in map(identity, after), after
    errors = {identity(one) for one in before if one.level == "error"}
    assert [f for f in after if f.level == "error" and identity(f) not in errors] == []


SHOP = """
    import penstock

    penstock.configure(service="shop")
    orders = penstock.flow("orders")


    @orders.entrypoint
    def receive(): ...


    @orders.step(after="receive")
    def publish(): ...


    @orders.step(name="it's sent", after="publish")
    def send(): ...
"""


@pytest.mark.parametrize(
    ("wrong", "fix"),
    [
        ('["shop/orders:publish", "shop/orders:publsh"]', '"shop/orders:publish"'),
        ('all_of("shop/orders:publsh", "go")', 'all_of("shop/orders:publish", "go")'),
        ('["shop/order:publish", "go"]', '["shop/orders:publish", "go"]'),
        ('"shop/orders:it\'s snt"', '"shop/orders:it\'s sent"'),
    ],
)
def test_names_of_another_service(tmp_path: Path, wrong: str, fix: str) -> None:
    """A name that fits the manifest of the other service takes the place of another."""
    needed()
    project = CheckedProject(tmp_path)
    project.write("shop.py", SHOP)
    assert project.penstock("export", "shop", "-o", "shop.json").returncode == 0
    project.write("row.py", f"{HEAD}    @f.entrypoint\n    def go(): take()\n")
    with (project.root / "row.py").open("a", encoding="utf-8") as file:
        file.write(f"@f.step(after={wrong})\ndef take(): ...\n")
    (finding,) = (f for f in checked(project, "shop.json") if f.level == "error")

    assert (finding.code, finding.suggestion) == ("PEN003", f"after={fix}")
    write_down(finding.declared_at, finding.suggestion)
    assert [f for f in checked(project, "shop.json") if f.level == "error"] == []
