"""The check against known calls and known verdicts."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from penstock.checking.resolvers.ty import find_ty
from tests.checking.conftest import CheckedProject, needed

CORPUS = Path(__file__).parent / "corpus"
HEAD = 'import asyncio\nfrom penstock import all_of, flow\n\nf = flow("f{}")\n'
Edge = tuple[str, str, str]


def data(name: str) -> dict[str, Any]:
    """Return the contents of a TOML file of the corpus."""
    return tomllib.loads((CORPUS / name).read_text(encoding="utf-8"))


TRUTH: dict[str, dict[str, list[str]]] = {
    idiom: edges for idiom, edges in data("truth.toml").items() if idiom != "unseen"
}
ROWS: list[dict[str, Any]] = data("verdicts.toml")["row"]


def known_edges() -> set[Edge]:
    """Return the edges that a person finds, as (idiom, from, to)."""
    return {
        (idiom, before, after)
        for idiom, edges in TRUTH.items()
        for before, afters in edges.items()
        for after in afters
    }


def found_edges(project: CheckedProject, resolver: str) -> set[Edge]:
    """Return the edges that ``--calls`` writes for the programs."""
    pytest.importorskip("celery", reason="needs celery")
    shutil.copytree(CORPUS / "idioms", project.root / "idioms")
    options = ("--calls", "calls.json", "--resolver", resolver)
    result = project.check("idioms.**", *options)
    assert result.returncode == 1, result.stderr
    calls = json.loads((project.root / "calls.json").read_text(encoding="utf-8"))
    found: set[Edge] = set()
    for call in calls:
        idiom = call["from"].split(".")[1]
        found.add((idiom, _step_name(call["from"]), _step_name(call["to"])))
    return found


def _step_name(function: str) -> str:
    if function == "idioms.inheritance.Twice.write":
        return "write twice"
    return function.rpartition(".")[2]


def test_corpus_is_large_enough() -> None:
    """At least 80 known edges over 13 idioms."""
    assert len(known_edges()) >= 80
    assert len(TRUTH) == 13


def test_precision_and_recall(project: CheckedProject, resolver: str) -> None:
    """The check finds the calls that exist, and no others."""
    known, found = known_edges(), found_edges(project, resolver)
    right = known & found

    assert len(right) / len(found) >= 0.99, found - known
    assert len(right) / len(known) >= 0.93, known - found


@pytest.fixture(scope="module", params=["jedi", "ty"])
def verdicts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """Check one program for each row of the table; return the findings of each."""
    needed()
    for package in ("celery", "django"):
        pytest.importorskip(package, reason=f"needs {package}")
    if request.param == "ty" and find_ty() is None:
        pytest.skip("needs ty")
    project = CheckedProject(tmp_path_factory.mktemp("rows"))
    project.write("rows/__init__.py", "")
    for number, row in enumerate(ROWS):
        path = project.root / f"rows/r{number}.py"
        path.write_text(HEAD.format(number) + row["program"], encoding="utf-8")
    found: dict[str, list[str]] = {row["does"]: [] for row in ROWS}
    for finding in project.findings("rows.**", "--resolver", request.param):
        row = ROWS[int(finding["flow"].removeprefix("f"))]
        found[row["does"]].append(f"{finding['code']} {finding['step']}")
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["does"])
def test_verdict(verdicts: dict[str, list[str]], row: dict[str, Any]) -> None:
    """Each row of the table gets its verdict."""
    assert sorted(verdicts[row["does"]]) == sorted(row["found"])
