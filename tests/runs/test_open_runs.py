from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock.errors import LogSourceError, MissingExtraError
from penstock.runs import open_runs as module
from penstock.runs.figures import RunFilter
from penstock.runs.open_runs import open_runs
from penstock.runs.python_engine import PythonRuns

if TYPE_CHECKING:
    from collections.abc import Sequence

pytest.importorskip("duckdb", reason="needs duckdb")

from penstock.runs.duckdb_engine import DuckDBRuns

ENTRY = {
    "timestamp": "2026-11-30T10:15:02.000000Z",
    "flow_event": "step.end",
    "flow": "orders",
    "step": "receive",
    "root_id": "a1" * 16,
    "run_id": "5f0c-1",
    "call_id": "5f0c-1",
    "outcome": "ok",
    "duration_ms": 2.0,
    "order_id": "A-1",
}
OWN = f"starting\n{json.dumps(ENTRY)}\n"
WRAPPED = f"shop-1 | {json.dumps(ENTRY)}\n"
OTHER_KEYS = OWN.replace("timestamp", "time")
SPAN = json.dumps(
    {
        "resourceSpans": [
            {
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "aa" * 16,
                                "spanId": "bb" * 8,
                                "name": "receive",
                                "startTimeUnixNano": 10**18,
                                "endTimeUnixNano": 10**18 + 2 * 10**6,
                                "attributes": [
                                    {"key": key, "value": {"stringValue": value}}
                                    for key, value in {
                                        "penstock.flow": "orders",
                                        "penstock.step": "receive",
                                        "penstock.root_id": "a1" * 16,
                                        "penstock.run_id": "5f0c-1",
                                    }.items()
                                ],
                            }
                        ]
                    }
                ]
            }
        ]
    }
)


def steps(paths: Sequence[str], **more: Any) -> list[tuple[str, float]]:
    """Return steps and durations that are read from *paths*."""
    found = open_runs(paths, **more).figures(RunFilter())
    return [(one.step, one.total_ms) for one in found]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file be a large one."""
    monkeypatch.setattr(module, "_SMALL", 0)
    monkeypatch.setattr(module, "MAX_IN_PYTHON", 0)


def without_duckdb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let DuckDB not be installed."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "penstock.runs.duckdb_engine", raising=False)


@pytest.mark.parametrize(
    ("text", "reader"),
    [
        (OWN, DuckDBRuns),
        (WRAPPED, PythonRuns),
        (OTHER_KEYS, PythonRuns),
        (OWN.replace("root_id", "correlation_id"), PythonRuns),
        (f"[1]\n{SPAN}", PythonRuns),
        ('["root_id"]\n' + OWN, PythonRuns),
        (OWN.rstrip(), DuckDBRuns),
    ],
)
def test_the_layout_decides(folder: Path, text: str, reader: type) -> None:
    """DuckDB reads lines of penstock's own, Python what is small and different."""
    Path("a.log").write_text(text, encoding="utf-8")

    assert isinstance(open_runs(["a.log"]), reader)
    assert steps(["a.log"]) == [("receive", 2.0)]


def test_packed_files(folder: Path) -> None:
    """DuckDB unpacks what is named so, Python what is packed under another name."""
    for name in ("a.gz", "b.log"):
        Path(name).write_bytes(gzip.compress(OWN.encode()))
    Path("c.gz").write_text(OWN, encoding="utf-8")

    readers = [type(open_runs([name])) for name in ("a.gz", "b.log", "c.gz")]

    assert readers == [DuckDBRuns, PythonRuns, PythonRuns]
    for name in ("a.gz", "b.log", "c.gz"):
        assert steps([name]) == [("receive", 2.0)]


def test_files_without_runs(folder: Path) -> None:
    """They are read, and nothing is found in them."""
    Path("other.log").write_text("GET /\n", encoding="utf-8")
    Path("a.log").write_text(OWN, encoding="utf-8")

    assert steps(["other.log"]) == []
    assert steps(["other.log", "a.log"]) == [("receive", 2.0)]


def test_other_keys(folder: Path) -> None:
    """What the user maps is not penstock's own layout."""
    Path("a.log").write_text(OWN.replace('"flow"', '"app_flow"'), encoding="utf-8")

    assert steps(["a.log"], fields={"flow": "app_flow"}) == [("receive", 2.0)]


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("text", [WRAPPED, OTHER_KEYS])
def test_large_files_in_other_layouts(folder: Path, text: str) -> None:
    """They are rewritten for DuckDB once, and the user learns that it takes long."""
    Path("a.log").write_text(text * 2 + "{root_id\n", encoding="utf-8")
    notes: list[str] = []

    source = open_runs(["a.log"], note=notes.append)
    (run,) = source.latest(RunFilter(where={"order_id": "A-1"}))

    assert isinstance(source, DuckDBRuns)
    assert (run.step, run.duration_ms) == ("receive", 2.0)
    assert source.counts.hits == 2
    assert source.counts.skipped == {"neither JSON nor logfmt": 1}
    assert notes[0].startswith("Rewriting 0 MB for DuckDB")


@pytest.mark.parametrize("ending", ["x" * (34 << 20), "\0" * (34 << 20)])
def test_one_line_that_is_too_long_for_duckdb(folder: Path, ending: str) -> None:
    """It is left out and counted, and the other lines are read."""
    Path("a.log").write_text(f"{OWN}{ending}\n{OWN}", encoding="utf-8")

    source = open_runs(["a.log"])
    (found,) = source.figures(RunFilter())

    assert isinstance(source, DuckDBRuns)
    assert (found.step, found.calls) == ("receive", 1)
    assert source.counts.hits == 2
    assert source.counts.skipped == {"longer than 16 MiB": 1}
    assert len(source.latest(RunFilter())) == 1


def test_a_long_line_among_spans(folder: Path) -> None:
    """Spans cannot be rewritten for DuckDB: the reason is given."""
    long = "x" * (34 << 20)
    Path("a.log").write_text(f"{OWN}{long}\n{SPAN}\n", encoding="utf-8")

    with pytest.raises(LogSourceError, match=r"DuckDB cannot read a\.log:"):
        open_runs(["a.log"]).figures(RunFilter())


@pytest.mark.usefixtures("large")
def test_many_spans_do_not_fit(folder: Path) -> None:
    """Spans are read in Python, with a limit."""
    Path("a.log").write_text(SPAN, encoding="utf-8")

    with pytest.raises(
        LogSourceError,
        match=r"OTLP spans are read in Python.*fewer files, name.*clickhouse://",
    ):
        open_runs(["a.log"])


@pytest.mark.parametrize("text", [OWN, WRAPPED, SPAN])
def test_stdin(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream may have any layout."""
    stdin = io.TextIOWrapper(io.BytesIO(f"{text}\n".encode()))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert steps(["-"]) == [("receive", 2.0)]


def test_without_duckdb(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python reads what is small; for more, the extra is named."""
    without_duckdb(monkeypatch)
    Path("a.log").write_text(OWN, encoding="utf-8")

    assert steps(["a.log"]) == [("receive", 2.0)]
    monkeypatch.setattr(module, "MAX_IN_PYTHON", 0)
    with pytest.raises(LogSourceError, match=r"pip install 'penstock\[runs\]'"):
        open_runs(["a.log"])


def test_parquet_is_told_by_content(folder: Path) -> None:
    """Its columns have the names of the keys, and it cannot be mixed with lines."""
    import duckdb  # noqa: PLC0415  # skipped without it

    Path("a.log").write_text(f"{json.dumps(ENTRY)}\n", encoding="utf-8")
    duckdb.sql("COPY (FROM read_json('a.log')) TO 'calls' (FORMAT parquet)")

    assert steps(["calls"]) == [("receive", 2.0)]
    with pytest.raises(LogSourceError, match=r"such as 'a\.log'"):
        open_runs(["calls", "a.log"])


def test_unreadable_files_are_named(folder: Path) -> None:
    """A file in a format that nothing reads is not a traceback."""
    Path("a.log").write_text(OWN, encoding="utf-8")
    Path("b.zip").write_bytes(b"PK\x03\x04")

    source = open_runs(["."])

    assert [one.step for one in source.figures(RunFilter())] == ["receive"]
    assert list(source.counts.unread) == ["b.zip"]


def test_clickhouse_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address cannot be mixed with files, and it needs an extra."""
    with pytest.raises(LogSourceError, match="together with other logs"):
        open_runs(["a.log", "clickhouse://host"])
    monkeypatch.setitem(sys.modules, "clickhouse_connect", None)
    monkeypatch.delitem(sys.modules, "penstock.runs.clickhouse_engine", raising=False)
    with pytest.raises(MissingExtraError, match=r"'penstock\[clickhouse\]'"):
        open_runs(["clickhouse://host"])
