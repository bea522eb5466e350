from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.stored_runs import Rates, write
from penstock.runs import judged_runs
from penstock.runs.figures import RunFilter
from penstock.runs.judged_runs import runs_out_of_order
from penstock.runs.log_files import LogFiles
from penstock.runs.python_engine import PythonRuns
from tests.support.shop_flows import shop_flows

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_runs_out_of_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that broke the order are found, in parts, and chosen like others."""
    monkeypatch.setattr(judged_runs, "OPERATIONS_AT_ONCE", 3)
    truth = write(tmp_path, 60, Rates(broken=0.2, failed=0, crashed=0, lost=0))
    source = PythonRuns(LogFiles([f"{tmp_path}/*.log"]))
    flows = shop_flows()

    found = runs_out_of_order(source, flows, RunFilter(limit=100))
    first, verdict = found[0]
    line = next(source.lines_of([first.root_id]))
    order = {"order_id": line.extra["order_id"]}

    assert {run.root_id for run, _ in found} == truth.broken.keys()
    assert verdict.reasons
    for wanted in (RunFilter(limit=1), RunFilter(where=order)):
        ((run, _),) = runs_out_of_order(source, flows, wanted)
        assert run == first
    assert runs_out_of_order(source, flows, RunFilter("none")) == []
