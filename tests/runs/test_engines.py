"""What reads stored runs gives the same answers, whatever it is."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from benchmarks.stored_runs import Rates, write
from penstock.runs.figures import RunFilter
from penstock.runs.judging import judge
from penstock.runs.log_files import LogFiles
from penstock.runs.python_engine import PythonRuns
from penstock.runs.trees import operations_of
from tests.support.figures import rounded
from tests.support.random_logs import START_US, random_logs
from tests.support.shop_flows import shop_flows

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.stored_runs import Truth
    from penstock._types import FlowInfo
    from penstock.runs.figures import RunSource

pytest.importorskip("duckdb", reason="needs duckdb")

from penstock.runs.duckdb_engine import DuckDBRuns

FILTERS = (
    RunFilter(),
    RunFilter(flow="orders"),
    RunFilter(flow="it's", is_failed=True),
    RunFilter(is_failed=True, limit=3),
    RunFilter(slow_ms=130.0),
    RunFilter(since_us=START_US + 5_000_000, limit=1000),
    RunFilter(where={"order_id": "A-1"}),
    RunFilter(where={"order_id": "A-1", "Step": "it's"}),
)


def assert_equal(one: RunSource, other: RunSource) -> None:
    """Ask two sources the same questions."""
    for wanted in FILTERS:
        assert one.latest(wanted) == other.latest(wanted)
        assert rounded(one.figures(wanted)) == rounded(other.figures(wanted))


@settings(max_examples=25, deadline=None)
@given(random_logs())
def test_random_logs(text: str) -> None:
    """Python and DuckDB give the same runs and figures."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.log"
        path.write_text(text, encoding="utf-8")

        assert_equal(PythonRuns(LogFiles([str(path)])), DuckDBRuns([str(path)]))


def test_absurd_durations(tmp_path: Path) -> None:
    """A duration of 10^300 years is none, wherever a line has it."""
    line = {
        "timestamp": "2026-01-01T00:00:00Z",
        "flow_event": "step.end",
        "flow": "orders",
        "step": "receive",
        **dict.fromkeys(("call_id", "run_id", "root_id", "correlation_id"), "1"),
        "outcome": "ok",
        "duration_ms": 1e308,
        "calls": [{"step": "charge", "call": "2", "start_ms": 1e308, "outcome": "ok"}],
    }
    path = tmp_path / "a.log"
    path.write_text(f"{json.dumps(line)}\n", encoding="utf-8")

    found = DuckDBRuns([str(path)]).figures(RunFilter())

    assert [(one.step, one.calls, one.quantiles_ms) for one in found] == [
        ("charge", 1, ()),
        ("receive", 1, ()),
    ]
    assert_equal(PythonRuns(LogFiles([str(path)])), DuckDBRuns([str(path)]))


@pytest.fixture(params=["each", "run"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[str], Truth]:
    """Write the logs of the shop, with everything that goes wrong."""
    rates = Rates(broken=0.05, failed=0.05, crashed=0.03, lost=0.002, garbage=0.01)
    truth = write(tmp_path, 300, rates, lines=request.param)
    return [str(path) for path in sorted(tmp_path.glob("*.log"))], truth


@pytest.fixture
def flows() -> tuple[FlowInfo, ...]:
    """Return the flows that the shop declares."""
    return shop_flows()


def test_the_shop(shop: tuple[list[str], Truth]) -> None:
    """The same holds for runs that break, fail, crash and lose lines."""
    paths, _ = shop

    assert_equal(PythonRuns(LogFiles(paths)), DuckDBRuns(paths))


def test_out_of_order(
    shop: tuple[list[str], Truth], flows: tuple[FlowInfo, ...]
) -> None:
    """All suspects of Python are guilty; those of DuckDB are once judged."""
    paths, truth = shop
    by_python, by_duckdb = PythonRuns(LogFiles(paths)), DuckDBRuns(paths)

    guilty = set(by_python.suspects(flows))
    suspects = by_duckdb.suspects(flows)
    convicted = {
        operation.root_id
        for operation in operations_of(by_duckdb.lines_of(suspects))
        if any(one.verdict == "out of order" for one in judge(operation, flows))
    }

    assert guilty == convicted != set()
    assert guilty <= set(truth.broken)
    assert not by_duckdb.suspects(())


def test_lines_of_operations(shop: tuple[list[str], Truth]) -> None:
    """Both yield the lines about calls of the operations that are asked for."""
    paths, truth = shop
    wanted = list(truth.broken)[:3]

    found = [
        sorted((one.time_us, one.fields["call_id"]) for one in source.lines_of(wanted))
        for source in (PythonRuns(LogFiles(paths)), DuckDBRuns(paths))
    ]

    assert found[0] == found[1] != []


def test_lines_are_counted(shop: tuple[list[str], Truth]) -> None:
    """Both say how many lines were read, and how many were left out."""
    paths, truth = shop
    for source in (PythonRuns(LogFiles(paths)), DuckDBRuns(paths)):
        source.figures(RunFilter())
        about = truth_of(paths)

        assert source.counts.hits == about
        assert source.counts.files == 3
        assert 0 < sum(source.counts.skipped.values()) <= truth.garbage


@pytest.mark.parametrize(
    "ask",
    [
        lambda source: source.figures(RunFilter()),
        lambda source: source.latest(RunFilter()),
        lambda source: source.suspects(()),
    ],
    ids=["figures", "latest", "suspects"],
)
def test_lines_of_other_loggers_are_not_skipped(
    ask: Callable[[RunSource], object], tmp_path: Path
) -> None:
    """What DuckDB cannot parse, or finds nothing in, is counted."""
    ids = dict.fromkeys(("call_id", "run_id", "root_id", "correlation_id"), "1")
    start = {"timestamp": "2026-01-01T02:00:00+02:00", "flow_event": "step.start"}
    lines = [
        {**start, "flow": "orders", "step": "receive", **ids},
        {"timestamp": "2026-01-01T00:00:00Z", "level": "INFO", "message": "hello"},
        {"time": 1, "msg": "from another program"},
        {**start, "flow": "orders", "step": "receive"},
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    path = tmp_path / "a.log"
    path.write_text(f'{text}{{"flow_event": "step.st\nTraceback\n', encoding="utf-8")
    source = DuckDBRuns([str(path)])

    ask(source)

    assert (source.counts.hits, *source.counts.skipped.values()) == (1, 4)


def test_times_have_any_offset(tmp_path: Path) -> None:
    """A time that is not UTC is read by both."""
    line = {
        "timestamp": "2026-01-01T02:00:00+02:00",
        "flow_event": "step.start",
        "flow": "orders",
        "step": "receive",
        **dict.fromkeys(("call_id", "run_id", "root_id", "correlation_id"), "1"),
    }
    path = tmp_path / "a.log"
    path.write_text(f"{json.dumps(line)}\n", encoding="utf-8")

    assert_equal(PythonRuns(LogFiles([str(path)])), DuckDBRuns([str(path)]))


def truth_of(paths: list[str]) -> int:
    """Count the whole lines about calls."""
    count = 0
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            try:
                count += "flow_event" in json.loads(line)
            except ValueError:
                continue
    return count


@pytest.mark.parametrize("ask", ["latest", "suspects"])
def test_other_questions_count_too(
    ask: str, shop: tuple[list[str], Truth], flows: tuple[FlowInfo, ...]
) -> None:
    """Each question counts what DuckDB leaves out."""
    paths, _ = shop
    source = DuckDBRuns(paths)

    if ask == "latest":
        assert source.latest(RunFilter(flow="none")) == []
    else:
        source.suspects(flows)

    assert source.counts.hits == truth_of(paths)
    assert sum(source.counts.skipped.values()) > 0


def test_parquet(shop: tuple[list[str], Truth], tmp_path: Path) -> None:
    """Parquet files with the same column names are read, too."""
    import duckdb  # noqa: PLC0415  # skipped without it

    paths, _ = shop
    target = str(tmp_path / "calls.parquet")
    duckdb.sql(
        f"COPY (SELECT * FROM read_json({paths}, format = 'newline_delimited', "  # noqa: S608  # our own paths
        f"ignore_errors = true, union_by_name = true)) TO '{target}'"
    )

    parquet = DuckDBRuns([target], is_parquet=True)

    assert_equal(parquet, DuckDBRuns(paths))
    assert (parquet.counts.files, parquet.counts.skipped) == (1, {})
