"""Known calls and known verdicts: what the check sees, and what it says."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

CORPUS = Path(__file__).parent / "corpus"
Edge = tuple[str, str, str]


def data(name: str) -> dict[str, Any]:
    """Return what is written down in a file of the corpus."""
    return tomllib.loads((CORPUS / name).read_text(encoding="utf-8"))


TRUTH: dict[str, dict[str, list[str]]] = {
    idiom: edges for idiom, edges in data("truth.toml").items() if idiom != "unseen"
}
ROWS: list[dict[str, Any]] = data("verdicts.toml")["row"]


def known_edges() -> set[Edge]:
    """Return the edges that a reader finds, as (idiom, from, to)."""
    return {
        (idiom, before, after)
        for idiom, edges in TRUTH.items()
        for before, afters in edges.items()
        for after in afters
    }


def found_edges(project: CheckedProject, resolver: str) -> set[Edge]:
    """Return the edges that ``--calls`` writes down for the programs."""
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
    """The calls that are found are there, and those that are there are found."""
    known, found = known_edges(), found_edges(project, resolver)
    right = known & found

    assert len(right) / len(found) >= 0.99, found - known
    assert len(right) / len(known) >= 0.93, known - found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["does"])
def test_verdict(project: CheckedProject, resolver: str, row: dict[str, Any]) -> None:
    """Each row of the table gets the verdict that is written down beside it."""
    head = 'import asyncio\nfrom penstock import all_of, flow\n\nf = flow("f")\n'
    path = project.root / "row.py"
    path.write_text(head + row["program"], encoding="utf-8")

    assert project.codes("row", "--resolver", resolver) == sorted(row["found"])
