"""Runs of three services with wrong clocks, in which much goes wrong on purpose."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from penstock._types import FlowInfo, StepInfo
from penstock.runs.field_layouts import FieldLayout
from penstock.runs.judging import judge
from penstock.runs.parsing import LineError, parse_line
from penstock.runs.trees import operations_of
from penstock.testing import isolated_registry

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.runs.lines import StoredLine

AFTER: dict[str, list[tuple[str, ...]]] = {
    "stock": [("receive",)],
    "fraud": [("receive",)],
    "charge": [("stock", "fraud")],
    "fulfil": [("charge",)],
    "pack": [("fulfil",)],
    "ship": [("pack",)],
    "notify": [("ship",)],
}
SHOP = FlowInfo(
    "orders",
    (
        StepInfo("receive", "orders", is_entrypoint=True),
        *(
            StepInfo(name, "orders", after=tuple(after))
            for name, after in AFTER.items()
        ),
    ),
)


@pytest.mark.parametrize("lines", ["each", "run"])
def test_every_planted_violation_is_found(lines: str, tmp_path: Path) -> None:
    """And no other run is accused; one of which lines are missing is unknown."""
    with isolated_registry():
        from benchmarks.stored_runs import Rates, write  # noqa: PLC0415  # it declares

        rates = Rates(broken=0.1, crashed=0.02, lost=0.002)
        truth = write(tmp_path, 500, rates, lines=lines)

    gaps = {*truth.crashed, *truth.lost}
    stored = read(tmp_path)
    assert len(stored) == truth.runs
    for root, found in stored.items():
        (operation,) = operations_of(found)
        (one,) = judge(operation, [SHOP])
        expected = "out of order" if root in truth.broken else "in order"
        assert one.verdict in ({expected, "unknown"} if root in gaps else {expected})


def read(folder: Path) -> dict[str, list[StoredLine]]:
    """Return the lines of each operation."""
    found: dict[str, list[StoredLine]] = defaultdict(list)
    for log in sorted(folder.glob("*.log")):
        for text in log.read_bytes().splitlines():
            try:
                (line,) = parse_line(text, FieldLayout({}), log.name)
            except LineError:  # garbage
                continue
            found[line.fields["root_id"]].append(line)
    return found
