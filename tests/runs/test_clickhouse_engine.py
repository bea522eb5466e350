"""Stored runs in ClickHouse, asked through HTTP; the engine is ClickHouse's own."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.stored_runs import Rates, write
from penstock._types import FlowInfo, StepInfo
from penstock.errors import ConfigurationError, LogSourceError, TooManyRunsError
from penstock.runs.calls import calls_of
from penstock.runs.evidence import count_order
from penstock.runs.figures import RunFilter
from penstock.runs.judged_runs import (
    judge_operations,
    judge_suspects,
    runs_out_of_order,
)
from penstock.runs.log_files import LogFiles
from penstock.runs.open_runs import open_server
from penstock.runs.order_counts import OrderCounts
from penstock.runs.python_engine import PythonRuns, lines_about_calls
from penstock.runs.trees import operations_of
from tests.support.clickhouse import insert, served, span_of
from tests.support.figures import rounded
from tests.support.projects import Project, Result
from tests.support.shop_flows import shop_flows
from tests.support.stored_activations import info_of, stored_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.stored_runs import Truth
    from penstock.runs.clickhouse_engine import ClickHouseRuns, Wanted
    from penstock.runs.figures import RunSource
    from tests.support.stored_activations import StoredRun as StoredActivations

if find_spec("chdb") is None:
    pytest.skip("needs chdb", allow_module_level=True)
pytest.importorskip("clickhouse_connect", reason="needs clickhouse-connect")

SINCE = 1_790_000_002_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve the engine."""
    with served() as address:
        yield address


@pytest.fixture
def both(server: str, tmp_path: Path) -> tuple[RunSource, ClickHouseRuns, Truth]:
    """Return the same runs, from logs in Python and from spans in ClickHouse."""
    rates = Rates(broken=0.05, failed=0.05, crashed=0, lost=0, garbage=0)
    truth = write(tmp_path, 400, rates)
    paths = [str(path) for path in sorted(tmp_path.glob("*.log"))]
    calls = calls_of(lines_about_calls(LogFiles(paths)))
    insert(server, [*map(span_of, calls), framework_span()])
    return PythonRuns(LogFiles(paths)), open_server([server]), truth


def framework_span() -> dict[str, Any]:
    """Return a row that is not about a step."""
    return {"Timestamp": "1790000000.5", "SpanName": "GET /", "TraceId": "ff" * 16}


def test_figures_are_equal(both: tuple[RunSource, ClickHouseRuns, Truth]) -> None:
    """The same runs give the same figures from log lines and from spans."""
    logs, spans, _ = both

    for wanted in (
        RunFilter(),
        RunFilter(since_us=SINCE),
        RunFilter(flow="orders"),
        RunFilter(flow="none"),
    ):
        assert rounded(spans.figures(wanted)) == rounded(logs.figures(wanted))
    assert spans.counts.hits == sum(one.calls for one in spans.figures(RunFilter()))
    assert not spans.counts.is_sampled


def test_three_engines(
    both: tuple[RunSource, ClickHouseRuns, Truth], tmp_path: Path
) -> None:
    """Python, DuckDB and ClickHouse give the same figures and runs."""
    pytest.importorskip("duckdb", reason="needs duckdb")
    from penstock.runs.duckdb_engine import DuckDBRuns  # noqa: PLC0415  # skipped

    sources = [*both[:2], DuckDBRuns([str(path) for path in tmp_path.glob("*.log")])]

    for wanted in (RunFilter(limit=1000), RunFilter(since_us=SINCE, limit=1000)):
        figures = [rounded(source.figures(wanted)) for source in sources]
        runs = [source.latest(wanted) for source in sources]
        assert figures[0] == figures[1] == figures[2] != []
        assert runs[0] == runs[1] == runs[2] != []


def test_runs_are_equal(both: tuple[RunSource, ClickHouseRuns, Truth]) -> None:
    """So are the runs, however they are chosen."""
    logs, spans, _ = both

    for wanted in (
        RunFilter(limit=1000),
        RunFilter(is_failed=True),
        RunFilter(flow="orders", slow_ms=140.5),
        RunFilter(since_us=SINCE, limit=1000),
    ):
        assert spans.latest(wanted) == logs.latest(wanted)
    assert spans.latest(RunFilter(flow="it's")) == []


def test_metadata(both: tuple[RunSource, ClickHouseRuns, Truth]) -> None:
    """Attributes of spans and of their resource are metadata."""
    _, spans, truth = both
    root = next(iter(truth.broken))
    where = {"penstock.root_id": root, "host.name": "shop-1"}

    (run,) = spans.latest(RunFilter(where=where))

    assert run.root_id == root
    assert spans.latest(RunFilter(where={**where, "host.name": "it's"})) == []


def lines_of(source: ClickHouseRuns, wanted: Wanted) -> dict[str, int]:
    """Return the number of spans of each operation that is found."""
    found = operations_of(source.find_operations(wanted, None))
    return {one.root_id: len(one.calls) for one in found}


def test_operations_are_found(
    both: tuple[RunSource, ClickHouseRuns, Truth], server: str
) -> None:
    """By IDs, the beginning of one, or metadata, as in files."""
    logs, spans, truth = both
    root = next(iter(truth.broken))
    (run,) = logs.latest(RunFilter(where={"root_id": root}))
    found = {root: run.calls}

    assert lines_of(spans, root) == found
    assert lines_of(spans, run.run_id) == found
    assert lines_of(spans, root[:20]) == found
    assert lines_of(spans, {"root_id": root, "service": "shop"}) == found
    assert lines_of(spans, {"root_id": root, "service": "it's"}) == {}
    assert lines_of(spans, f"{root}'") == {}
    assert spans.find_operations(root, SINCE * 2) == []
    spans.find_operations(root, None)
    assert spans.counts.hits == run.calls
    with pytest.raises(ConfigurationError, match="is empty"):
        spans.find_operations("", None)


def test_an_id_of_too_many(both: tuple[RunSource, ClickHouseRuns, Truth]) -> None:
    """The message says what to do."""
    _, spans, _ = both

    with pytest.raises(TooManyRunsError, match=r"host.name=shop-1 is in more than 100"):
        spans.find_operations({"host.name": "shop-1"}, None)


def test_show(
    both: tuple[RunSource, ClickHouseRuns, Truth], server: str, tmp_path: Path
) -> None:
    """One operation looks the same, from log lines and from spans."""
    _, _, truth = both
    root = next(iter(truth.broken))
    project = Project(tmp_path)

    def shown(source: str, *more: str) -> Result:
        return project.penstock("show", root[:12], source, *more)

    # Two steps begin at once, so either may come first.
    by_logs, by_spans = (
        sorted(shown(one).stdout.splitlines()) for one in (".", server)
    )
    assert by_spans == by_logs != []
    assert shown(server, "--format", "html").stdout.startswith("<!DOCTYPE html>")
    for option in ("--logs", "--follow"):
        assert f"{option} reads log files." in shown(server, option).stderr
    missing = project.penstock("show", "none", server.replace("//", "//me:secret@"))
    assert missing.returncode == 1
    assert f"No line in {server} has an ID" in missing.stderr


def test_out_of_order(both: tuple[RunSource, ClickHouseRuns, Truth]) -> None:
    """The suspects are few, and the judge convicts those that broke the order."""
    logs, spans, truth = both
    flows = shop_flows()

    suspects = spans.suspects(flows)
    found = [
        [
            run.root_id
            for run, _ in runs_out_of_order(source, flows, RunFilter(limit=99))
        ]
        for source in (logs, spans)
    ]

    assert set(found[1]) == set(truth.broken)
    assert found[0] == found[1]
    assert len(suspects) < 2 * len(truth.broken)
    assert spans.suspects(()) == []
    assert len(list(judge_suspects(spans, flows))) == len(suspects)


@settings(max_examples=15, deadline=None)
@given(st.lists(stored_runs(hosts=2), min_size=1, max_size=8))
def test_what_is_clear(server: str, runs: list[StoredActivations]) -> None:
    """Counting on the server gives what judging each operation gives."""
    rows, flows = [], []
    for number, run in enumerate(runs):
        name = f"flow{number}"
        steps = (replace(one, flow=name) for one in info_of(run.flow).steps)
        flows.append(FlowInfo(name, tuple(steps)))
        for call in calls_of(run.lines):
            call.flow = call.root_id = call.run_id = call.correlation_id = name
            call.call_id = f"{name} {call.call_id}"
            if call.parent_call_id:
                call.parent_call_id = f"{name} {call.parent_call_id}"
            rows.append(span_of(call))
    insert(server, rows)
    spans = open_server([server])

    assert_counts_as_judged(spans, flows)


def assert_counts_as_judged(spans: ClickHouseRuns, flows: list[FlowInfo]) -> list[str]:
    """Compare what the server counts with verdicts; return what it left to judge."""
    counts, judged = count_order([spans], flows), OrderCounts.of(flows)
    roots = [run.root_id for run in spans.latest(RunFilter(limit=10**6))]
    for operation, judgements in judge_operations(spans, [*{*roots}], flows):
        judged.count_operation(operation, judgements)

    assert counts.to_dict() == judged.to_dict()
    assert counts.verdicts == judged.verdicts
    assert counts.broken == judged.broken
    return sorted(spans.suspects(flows))


BATCH = FlowInfo(
    "orders",
    (
        StepInfo("receive", "orders", is_entrypoint=True),
        StepInfo("charge", "orders", after=(("receive",),)),
        StepInfo("ship", "orders", after=(("charge",),)),
    ),
)


def row(root: str, run: str, step: str, at: int, parent: str = "", **more: Any) -> Any:
    """Return the row of a call that takes 1 ms, in the process of a shop."""
    return {
        "Timestamp": f"{1_790_000_000 + at / 1000 + 0.0001:.6f}",
        "TraceId": root,
        "SpanId": f"{root}-{run}-{step}",
        "ParentSpanId": parent,
        "SpanName": step,
        "ServiceName": "shop",
        "ResourceAttributes": {"host.name": "a"},
        "SpanAttributes": {
            "penstock.flow": "orders",
            "penstock.step": step,
            "penstock.root_id": root,
            "penstock.run_id": run,
            "penstock.correlation_id": run,
        },
        "Duration": 900_000,
        "StatusCode": "Unset",
        **more,
    }


def run_of(
    root: str, run: str, *steps: str, at: int = 0, parent: str = ""
) -> list[dict[str, Any]]:
    """Return the rows of a run whose entrypoint calls steps, one after the other."""
    first = row(root, run, "receive", at, parent, Duration=90_000_000)
    rows = [
        row(root, run, step, at + n, first["SpanId"]) for n, step in enumerate(steps, 1)
    ]
    return [first, *rows]


def test_runs_of_one_operation(server: str) -> None:
    """What one run has done does not excuse another one."""
    good = [
        *run_of("good", "g1", "charge", "ship"),
        *run_of("good", "g2", "charge", at=50),
    ]
    bad = [*run_of("bad", "b1", "charge", "ship"), *run_of("bad", "b2", "ship", at=50)]
    insert(server, [*good, *bad])

    assert assert_counts_as_judged(open_server([server]), [BATCH]) == ["bad"]


def test_spans_of_frameworks(server: str) -> None:
    """A run below the span of a request is clear; one below nothing is unknown."""
    request = {**framework_span(), "SpanId": "request", "TraceId": "good"}
    good = run_of("good", "g", "charge", parent="request")
    torn = run_of("torn", "t", "charge", parent="lost")
    insert(server, [request, *good, *torn])
    spans = open_server([server])

    assert assert_counts_as_judged(spans, [BATCH]) == ["torn"]
    verdicts = count_order([spans], [BATCH]).verdicts["orders"]
    assert verdicts == {"in order": 1, "unknown": 1}


def test_flows_that_are_not_declared(server: str) -> None:
    """Their runs are unknown, and need not be judged."""
    insert(server, [*run_of("one", "o", "charge", "ship"), *run_of("two", "t", "ship")])
    spans = open_server([server])

    assert assert_counts_as_judged(spans, []) == []
    assert count_order([spans], []).verdicts["orders"] == {"unknown": 2}
    other = replace(BATCH, name="orders", steps=BATCH.steps[1:])
    assert assert_counts_as_judged(spans, [other]) == ["one", "two"]


def test_copies_are_judged(server: str) -> None:
    """A collector may write a span twice."""
    insert(server, [*run_of("twice", "t", "charge"), *run_of("twice", "t", "charge")])

    assert assert_counts_as_judged(open_server([server]), [BATCH]) == ["twice"]


def test_many_operations(server: str) -> None:
    """More root IDs than fit into an address are asked for at once."""
    roots = [f"{number:032x}" for number in range(1500)]
    insert(server, [row(root, root, "receive", 0) for root in roots])

    found = list(open_server([server]).lines_of(roots))

    assert len(found) == len(roots)


def test_sampled_runs(server: str) -> None:
    """The state of a trace says that it was kept by chance."""
    row = {
        **framework_span(),
        "SpanAttributes": {"penstock.step": "a", "penstock.flow": "f"},
        "TraceState": "vendor=1,ot=th:8;rv:00000000000001",
    }
    insert(server, [row])
    source = open_server([f"{server}?table=default.otel_traces"])

    (figures,) = source.figures(RunFilter())

    assert (figures.flow, figures.step, figures.calls) == ("f", "a", 1)
    assert source.counts.is_sampled


def test_wrong_addresses(server: str) -> None:
    """An address that cannot be used is one message, without the password."""
    for wrong in ("clickhouse://", "clickhouse://host/db?tables=x"):
        with pytest.raises(ConfigurationError, match="clickhouse://host:8123/"):
            open_server([wrong])
    with pytest.raises(LogSourceError, match="cannot be used") as caught:
        open_server(["clickhouse://me:secret@127.0.0.1:1/db"])
    assert "secret" not in str(caught.value)
    with pytest.raises(LogSourceError, match="cannot be read together"):
        open_server([server, "logs"])
    with pytest.raises(LogSourceError, match="cannot answer"):
        open_server([f"{server}?table=none"]).figures(replace(RunFilter(), limit=1))
