from __future__ import annotations

from typing import Any

import pytest

from penstock import LoggingBackend, configure, flow
from penstock._registry import registry
from penstock.runs.calls import calls_of
from penstock.runs.judging import judge
from penstock.runs.lines import StoredLine
from penstock.runs.operation import NO_START
from penstock.runs.trees import operations_of
from tests.support.stored_lines import EPOCH_US, made_call, made_line, stored_log


def test_copies_of_a_line_count_once() -> None:
    """As where two handlers write the same records to two files."""
    lines = made_call("receive", 0, 9)
    copies = [StoredLine(one.time_us, one.fields, source="b.log") for one in lines]

    (call,) = calls_of([*lines, *copies])

    assert (call.start_us, call.end_us) == (EPOCH_US, EPOCH_US + 9000)
    assert call.doubts == []


def test_two_steps_with_one_call_id() -> None:
    """The first is shown, with a doubt: nothing is left out in silence."""
    lines = made_call("charge", 0, 2) + made_call("pay", 1, 3, call_id="id-charge")

    (call,) = calls_of(lines)

    assert (call.step, call.start_us, call.end_us) == (
        "charge",
        EPOCH_US,
        EPOCH_US + 2000,
    )
    assert call.doubts == ["another step, which is not shown, has its call ID"]


def test_a_call_without_an_end() -> None:
    """No line says how it ended, so nothing does."""
    (call,) = calls_of(made_call("receive", 0, 9)[:1])

    assert (call.end_us, call.outcome, call.doubts) == (None, "", [])


@pytest.mark.parametrize("duration", [9.0, None, float("nan"), float("inf")])
def test_a_call_without_a_start(duration: float | None) -> None:
    """Its duration says when that was, and a doubt that no line does."""
    line = made_line("error", "receive", 9, duration_ms=duration, error_type="KeyError")

    (call,) = calls_of([line])

    assert call.start_us == (EPOCH_US if duration == 9 else None)
    assert (call.end_us, call.outcome) == (EPOCH_US + 9000, "error")
    assert call.error_type == "KeyError"
    assert call.doubts == [NO_START]


def test_a_failure_is_one_call_though_it_is_logged_twice() -> None:
    """At once, and in the line of its run."""
    configure(LoggingBackend(lines="run"))
    orders = flow("orders")

    @orders.step(after="receive")
    def charge() -> None:
        raise KeyError

    @orders.entrypoint
    def receive() -> None:
        with pytest.raises(KeyError):
            charge()

    with stored_log() as log:
        receive()
    for lines in (log.lines(), log.lines()[::-1]):
        entry, call = sorted(calls_of(lines), key=lambda one: one.start_us or 0)
        assert (call.step, call.outcome, call.error_type) == (
            "charge",
            "error",
            "KeyError",
        )
        assert (entry.recorded, call.recorded) == ("run", "run")
        assert call.parent_call_id == entry.call_id


def test_calls_beyond_the_line_of_a_run() -> None:
    """They have a line of their own, and no start is missed."""
    configure(LoggingBackend(lines="run"))
    orders = flow("orders")

    @orders.step(after="receive")
    def charge() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        for _ in range(103):
            charge()

    with stored_log() as log:
        receive()

    (operation,) = operations_of(log.lines())

    entry, *inner = operation.calls
    assert len(inner) == 103
    assert {call.recorded for call in inner} == {"run"}
    ends = [call.end_us or 0 for call in inner]
    starts = [call.start_us or 0 for call in inner]
    assert all(end <= start + 1 for end, start in zip(ends, starts[1:], strict=False))
    assert max(ends) <= (entry.end_us or 0)
    assert operation.gaps == []


@pytest.mark.parametrize(
    ("has_start", "verdict"), [(True, "out of order"), (False, "unknown")]
)
def test_the_order_of_calls_beyond_the_line_of_a_run(
    *, has_start: bool, verdict: str
) -> None:
    """They are judged by the clock of the run, if their lines say when they began."""
    configure(LoggingBackend(lines="run"))
    orders = flow("orders")

    @orders.step(after="receive")
    def check() -> None: ...

    @orders.step(after="check")
    def reserve() -> None: ...

    @orders.step(after="reserve")
    def charge() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        for _ in range(101):
            check()
        charge()
        reserve()

    with stored_log() as log:
        receive()
    lines = log.lines()
    if not has_start:  # as older versions wrote them
        for line in lines[:-1]:
            del line.fields["started_at"]

    (operation,) = operations_of(lines)
    (found,) = judge(operation, registry.infos())

    assert found.verdict == verdict


def test_a_line_in_another_process_than_the_run() -> None:
    """There a call has both lines, and its start is missing."""
    run = made_line("end", "receive", 9, duration_ms=9.0, calls=[])
    here, there = (
        made_line("end", f"charge {pid}", 12, duration_ms=1.0, process__pid=pid)
        for pid in ("1", "2")
    )

    found = {call.step: call for call in calls_of([run, here, there])}

    assert found["charge 1"].recorded == "late"
    assert found["charge 1"].doubts == []
    assert found["charge 2"].doubts == [NO_START]


ENTRIES: list[dict[str, Any]] = [
    {},
    {"call": 3, "step": "charge"},
    {"call": "id-charge", "step": None},
    {"call": "id-charge", "step": "charge"},
    {"call": "id-charge", "step": "charge", "start_ms": "1", "outcome": 7},
    {"call": "id-charge", "step": "charge", "start_ms": 1, "duration_ms": "x"},
    {"call": "id-charge", "step": "charge", "start_ms": 1e308, "duration_ms": 1e308},
    {"call": "id-charge", "step": "charge", "parent": [], "sent_at": 5, "flow": {}},
    {"call": "id-charge", "step": "charge", "sent_at": "yesterday"},
    {"call": "id-charge", "step": "charge", "sent_at": "2026-11-30T10:00:00"},
    {"call": "id-receive", "step": "receive", "parent": "id-receive"},
]


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_a_malformed_entry_in_the_line_of_a_run(entry: dict[str, Any]) -> None:
    """What is wrong in it is unknown, and everything else is not."""
    line = made_line("end", "receive", 9, duration_ms=9.0, calls=[entry])

    (operation,) = operations_of([line])

    assert operation.roots[0].step == "receive"
    for call in operation.calls:
        assert isinstance(call.parent_call_id, str)
        assert call.flow == "orders"
        assert call.sent_at_us is None


def test_a_clock_that_was_set_back() -> None:
    """The lines say that less time passed than the call took."""
    start = made_line("start", "receive", 0)
    end = made_line("end", "receive", 5, duration_ms=9.0)

    (call,) = calls_of([start, end])

    assert call.doubts == ["the clock was set back while it ran"]
    (call,) = calls_of([start, StoredLine(None, end.fields)])
    assert (call.end_us, call.outcome, call.doubts) == (None, "ok", [])


COARSE = [
    made_line("start", "receive", 0),
    made_line("start", "charge", 1),
    made_line("end", "charge", 1, outcome="ok"),
    made_line("start", "ship", 1),
    made_line("end", "ship", 1, outcome="ok"),
    made_line("end", "receive", 1, outcome="ok"),
]


@pytest.mark.parametrize(
    "lines", [COARSE, COARSE[::-1]], ids=["as written", "newest first"]
)
def test_lines_of_one_millisecond_keep_their_order(lines: list[StoredLine]) -> None:
    """A process has written them one after the other."""
    calls = {call.step: call for call in calls_of(lines)}

    times = [
        calls["receive"].start_us,
        calls["charge"].start_us,
        calls["charge"].end_us,
        calls["ship"].start_us,
        calls["ship"].end_us,
        calls["receive"].end_us,
    ]
    assert times == sorted(set(times), key=lambda time: time or 0)
    assert (times[-1] or 0) - EPOCH_US < 2000


def test_lines_of_one_millisecond_without_an_order() -> None:
    """Nothing is guessed: their times stay equal."""
    lines = [COARSE[1], COARSE[0], *COARSE[2:]]

    calls = {call.step: call for call in calls_of(lines)}

    assert calls["charge"].start_us == calls["ship"].end_us == EPOCH_US + 1000


def test_very_many_lines_of_one_millisecond() -> None:
    """They stay within it."""
    lines = [made_line("start", f"s{number}", 0) for number in range(500)]

    times = [call.start_us or 0 for call in calls_of(lines)]

    assert max(times) - min(times) == 999
