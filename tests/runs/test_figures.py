from __future__ import annotations

from typing import Any

import pytest

from penstock.runs.calls import calls_of
from penstock.runs.figures import (
    SAMPLED,
    RunFilter,
    StoredRun,
    chosen,
    figures_of,
    quantile,
    runs_of,
)
from penstock.runs.operation import StoredCall
from tests.support.stored_lines import EPOCH_US, made_call, made_line


def span(step: str, start_us: int | None, **more: Any) -> StoredCall:
    """Return a call that a span is about."""
    return StoredCall(
        "orders",
        step,
        call_id=f"span:{step}",
        run_id="5f0c-1",
        correlation_id="run",
        root_id="run",
        start_us=start_us,
        end_us=None if start_us is None else start_us + 1000,
        duration_ms=1.0,
        outcome="ok",
        recorded="span",
        **more,
    )


def test_a_call_is_as_long_as_its_line_says() -> None:
    """A clock that is set while a call runs changes nothing about its duration."""
    lines = made_call("receive", 0, 10)
    lines[1].fields["duration_ms"] = 12.5

    (figures,) = figures_of(calls_of(lines), RunFilter())

    assert figures.quantiles_ms == (12.5, 12.5, 12.5)
    assert figures.total_ms == 12.5
    assert figures.share == 1.0
    assert figures.error_rate == 0.0


def test_calls_without_end_have_no_duration() -> None:
    """They are counted, and nothing else is known of them."""
    (figures,) = figures_of(calls_of([made_line("start", "receive", 0)]), RunFilter())

    assert (figures.calls, figures.no_end, figures.quantiles_ms) == (1, 1, ())
    assert (figures.total_ms, figures.share) == (0, 0.0)


def test_only_what_is_wanted() -> None:
    """Figures are those of the calls of a flow that began since then."""
    calls = calls_of([*made_call("receive", 0, 9), *made_call("ship", 5, 6, flow="x")])

    late = figures_of(calls, RunFilter(since_us=EPOCH_US + 1))
    orders = figures_of(calls, RunFilter("orders"))

    assert [one.step for one in late] == ["ship"]
    assert [one.step for one in orders] == ["receive"]
    assert figures_of([span("a", None)], RunFilter(since_us=0)) == []


def test_spans_begin_a_run_without_its_id() -> None:
    """The entrypoint is the first span that no other made and no message brought."""
    sent = span("pack", EPOCH_US - 9, sent_at_us=EPOCH_US)
    receive = span("receive", EPOCH_US, parent_call_id="span:browser")
    charge = span("charge", EPOCH_US - 5, parent_call_id="span:receive")

    (run,) = runs_of([sent, charge, receive])

    assert (run.step, run.calls, run.start_us) == ("receive", 3, EPOCH_US)
    assert run.duration_ms == 1.0


def test_older_lines_begin_a_run_without_an_id() -> None:
    """Their runs have the correlation ID."""
    none = {"call_id": None, "run_id": None}
    lines = [
        *made_call("receive", 0, 9, **none),
        *made_call("charge", 1, 2, parent_call_id=None, **none),
    ]

    (run,) = runs_of(calls_of(lines))

    assert (run.run_id, run.step, run.calls, run.duration_ms) == (
        "run",
        "receive",
        2,
        9,
    )


def test_runs_without_a_known_begin_are_left_out() -> None:
    """A run is listed if its entrypoint has a start."""
    inner = made_call("charge", 1, 2)

    assert runs_of(calls_of(inner)) == []
    assert runs_of([span("receive", None)]) == []


@pytest.mark.parametrize(
    ("wanted", "steps"),
    [
        (RunFilter(), "abc"),
        (RunFilter(limit=2), "ab"),
        (RunFilter("other"), "c"),
        (RunFilter(is_failed=True), "b"),
        (RunFilter(slow_ms=5), "a"),
        (RunFilter(since_us=2), "ab"),
    ],
)
def test_runs_are_chosen(wanted: RunFilter, steps: str) -> None:
    """Each condition leaves out others; without a duration a run is not slow."""
    runs = [
        StoredRun("1", "1", "orders", "a", "", 3, 5.0, "ok", 1, 0, 0),
        StoredRun("2", "2", "orders", "b", "", 2, 4.9, "error", 1, 1, 0),
        StoredRun("3", "3", "other", "c", "", 1, None, "", 1, 0, 1),
    ]

    assert "".join(run.step for run in chosen(runs, wanted)) == steps


def test_quantiles_lie_between_values() -> None:
    """They are interpolated, as in DuckDB's ``quantile_cont``."""
    assert quantile([1.0], 0.99) == 1.0
    assert quantile([1.0, 2.0, 4.0, 8.0], 0.5) == 3.0
    assert quantile([0.0, 10.0], 0.95) == 9.5


@pytest.mark.parametrize(
    ("state", "is_sampled"),
    [
        ("ot=th:8", True),
        ("vendor=1,ot=rv:0123;th:00c", True),
        ("ot=th:0", False),
        ("auth:8", False),
        ("", False),
    ],
)
def test_sampled_traces(state: str, *, is_sampled: bool) -> None:
    """A threshold above zero says that other traces were dropped."""
    assert bool(SAMPLED.search(state)) is is_sampled
