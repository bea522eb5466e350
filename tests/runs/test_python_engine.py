from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock.runs.figures import RunFilter
from penstock.runs.log_files import LogFiles
from penstock.runs.python_engine import PythonRuns

if TYPE_CHECKING:
    from pathlib import Path


def span(
    number: int, parent: int | None, step: str = "", **more: Any
) -> dict[str, Any]:
    """Return a span as OTLP has it; without *step* it is that of a framework."""
    names = {"flow": "orders", "step": step, "root_id": "root", "run_id": "5f0c-1"}
    attributes = [
        {"key": f"penstock.{key}", "value": {"stringValue": value}}
        for key, value in names.items()
        if step
    ]
    return {
        "traceId": "aa" * 16,
        "spanId": f"{number:016x}",
        **({} if parent is None else {"parentSpanId": f"{parent:016x}"}),
        "name": step or "GET /",
        "startTimeUnixNano": str(10**18 + number * 10**6),
        "endTimeUnixNano": str(10**18 + 10**9 - number * 10**6),
        "attributes": attributes,
        **more,
    }


@pytest.fixture
def spans(tmp_path: Path) -> PythonRuns:
    """Return one operation of two steps with a framework's span between, and more."""
    every = [
        span(1, None, "receive", traceState="ot=th:8"),
        span(2, 1),
        span(3, 2, "charge"),
        span(4, None, traceId="bb" * 16),
    ]
    groups = [{"scopeSpans": [{"spans": every}]}]
    path = tmp_path / "spans.jsonl"
    path.write_text(json.dumps({"resourceSpans": groups}), encoding="utf-8")
    return PythonRuns(LogFiles([str(path)]))


def test_spans(spans: PythonRuns) -> None:
    """Spans of steps are calls, and traces say that they were sampled."""
    (run,) = spans.latest(RunFilter())
    charge, receive = spans.figures(RunFilter())

    assert (run.step, run.calls, run.root_id) == ("receive", 2, "root")
    assert (charge.total_ms, receive.total_ms, receive.share) == (994.0, 998.0, 1.0)
    assert (spans.counts.hits, spans.counts.is_sampled) == (2, True)


def test_spans_of_frameworks_come_with_their_operation(spans: PythonRuns) -> None:
    """They say who called whom."""
    lines = list(spans.lines_of(["root"]))

    assert [line.fields["span_id"][-1] for line in lines] == ["1", "2", "3"]
    assert list(spans.lines_of(["other"])) == []


def test_keys_of_others(tmp_path: Path) -> None:
    """Lines are found by the key that the user names."""
    path = tmp_path / "app.log"
    entry = {
        "timestamp": "2026-11-30T10:15:02Z",
        "penstock": {"event": "step.end"},
        "flow": "orders",
        "step": "receive",
        "call_id": "5f0c-1",
        "run_id": "5f0c-1",
        "root_id": "root",
        "outcome": "ok",
        "duration_ms": 2.0,
    }
    other = '{"event": "hello"}'
    path.write_text(f"{json.dumps(entry)}\n{other}\n", encoding="utf-8")
    files = LogFiles([str(path)], fields={"flow_event": "penstock.event"})

    (figures,) = PythonRuns(files).figures(RunFilter())

    assert (figures.step, figures.calls) == ("receive", 1)
