"""Figures of stored calls and runs: what a source is asked for, and what it answers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING, Protocol

from .places import run_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock._types import FlowInfo

    from .lines import ReadCounts, StoredLine
    from .operation import StoredCall
    from .order_counts import OrderCounts

QUANTILES = (0.5, 0.95, 0.99)

SAMPLED = re.compile(r"\bth:0*[1-9a-f]")
"""The state of a trace that was kept by chance: OpenTelemetry's threshold."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are asked for.

    Attributes:
        flow: Those of this flow; ``""`` for all.
        is_failed: Only those in which a call ended in an error.
        slow_ms: Only those that took at least so long, in milliseconds.
        since_us: Only those that began then or later, in microseconds since 1970.
        where: Only those with these metadata on a line.
        limit: How many at most, the latest first.
    """

    flow: str = ""
    is_failed: bool = False
    slow_ms: float = 0.0
    since_us: int | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    limit: int = 20


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One run, in a list of runs.

    Attributes:
        run_id: Its ID.
        root_id: The ID of its operation.
        flow: Its flow.
        step: The step that began it.
        service: The service of that step.
        start_us: When it began, in microseconds since 1970.
        duration_ms: How long its entry call took; None if that has no end.
        outcome: How that ended, ``""`` if it has no end.
        calls: The number of its calls.
        errors: How many of them ended in an error.
        no_end: How many have no end.
    """

    run_id: str
    root_id: str
    flow: str
    step: str
    service: str
    start_us: int
    duration_ms: float | None
    outcome: str
    calls: int
    errors: int
    no_end: int


@dataclass(frozen=True, slots=True)
class StepFigures:
    """The figures of one step in one service.

    Attributes:
        flow: Its flow.
        step: Its name.
        service: The service.
        calls: The number of calls.
        errors: How many ended in an error.
        no_end: How many have no end.
        quantiles_ms: p50, p95 and p99 of the durations in milliseconds, exact; empty
            if no call has an end.
        total_ms: The sum of the durations.
        share: *total_ms* as a share of the durations of all entry calls of the flow.
            A step that a message brings takes its time beside them.
        runs: How many of the calls began a run.
        first_us: When the first call began, in microseconds since 1970; None if no
            line says so.
        last_us: When the last call began, likewise.
    """

    flow: str
    step: str
    service: str
    calls: int
    errors: int
    no_end: int
    quantiles_ms: tuple[float, ...]
    total_ms: float
    share: float = 0.0
    runs: int = 0
    first_us: int | None = None
    last_us: int | None = None

    @property
    def error_rate(self) -> float:
        """The share of calls that ended in an error."""
        return self.errors / self.calls if self.calls else 0.0


class RunSource(Protocol):
    """Where stored runs are: log files read in Python or by DuckDB, or ClickHouse."""

    @property
    def counts(self) -> ReadCounts:
        """What was read and skipped, as far as it is known by now."""
        ...

    def latest(self, wanted: RunFilter) -> list[StoredRun]:
        """Return the latest runs, the last one first."""
        ...

    def figures(self, wanted: RunFilter) -> list[StepFigures]:
        """Return the figures of each step, by flow, step and service.

        Of *wanted*, flow and time count.
        """
        ...

    def suspects(self, flows: Sequence[FlowInfo]) -> list[str]:
        """Return the root IDs of all operations that may have broken the order."""
        ...

    def count_clear(
        self, flows: Sequence[FlowInfo], counts: OrderCounts, /
    ) -> list[str]:
        """Count operations that clearly kept the order; return the roots of all others.

        Those with missing lines need not be returned: they are unknown.
        """
        ...

    def lines_of(self, root_ids: Iterable[str]) -> Iterator[StoredLine]:
        """Yield the lines of operations."""
        ...


def figures_of(calls: Sequence[StoredCall], wanted: RunFilter) -> list[StepFigures]:
    """Return the figures of *calls*, those of the wanted flow and time."""
    groups: dict[tuple[str, str, str], list[StoredCall]] = defaultdict(list)
    entry_ms: dict[str, float] = defaultdict(float)
    entries = set(_entries(calls).values())
    for call in calls:
        if wanted.flow in {"", call.flow} and _is_since(call.start_us, wanted.since_us):
            groups[call.flow, call.step, call.service].append(call)
            if call in entries:
                entry_ms[call.flow] += call.duration_ms or 0.0
    return [
        _figures(key, group, entry_ms[key[0]], sum(one in entries for one in group))
        for key, group in sorted(groups.items())
    ]


def never_called(
    figures: Iterable[StepFigures], flows: Iterable[FlowInfo]
) -> list[StepFigures]:
    """Return the declared steps without figures, of the flows that have some."""
    called = {(one.flow, one.step) for one in figures}
    names = {flow for flow, _ in called}
    found = {
        (flow.name, step.name): flow.service
        for flow in flows
        if flow.name in names
        for step in flow.steps
        if (flow.name, step.name) not in called
    }
    return [
        StepFigures(flow, step, service, 0, 0, 0, (), 0.0)
        for (flow, step), service in found.items()
    ]


def _figures(
    key: tuple[str, str, str], calls: Sequence[StoredCall], entry_ms: float, runs: int
) -> StepFigures:
    starts = [call.start_us for call in calls if call.start_us is not None]
    known = (call.duration_ms for call in calls)
    durations = sorted(ms for ms in known if ms is not None)
    total_ms = sum(durations)
    return StepFigures(
        *key,
        calls=len(calls),
        errors=sum(call.outcome == "error" for call in calls),
        no_end=sum(not call.outcome for call in calls),
        quantiles_ms=tuple(quantile(durations, one) for one in QUANTILES)
        if durations
        else (),
        total_ms=total_ms,
        share=total_ms / entry_ms if entry_ms else 0.0,
        runs=runs,
        first_us=min(starts, default=None),
        last_us=max(starts, default=None),
    )


def _is_since(start_us: int | None, since_us: int | None) -> bool:
    return since_us is None or (start_us is not None and start_us >= since_us)


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile of sorted *values*, between two of them by interpolation.

    >>> quantile([1, 2, 4], 0.75)
    3.0
    """
    place = share * (len(values) - 1)
    below = floor(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def runs_of(calls: Sequence[StoredCall]) -> list[StoredRun]:
    """Return the runs that *calls* belong to, the last one first.

    Calls whose run has no entry call here are left out.
    """
    groups: dict[str, list[StoredCall]] = defaultdict(list)
    for call in calls:
        groups[run_of(call)].append(call)
    runs = (
        _run(run_id, entry, entry.start_us, groups[run_id])
        for run_id, entry in _entries(calls).items()
        if entry.start_us is not None
    )
    return sorted(runs, key=lambda run: (-run.start_us, run.run_id))


def _run(
    run_id: str, entry: StoredCall, start_us: int, calls: Sequence[StoredCall]
) -> StoredRun:
    return StoredRun(
        run_id,
        entry.root_id,
        entry.flow,
        entry.step,
        entry.service,
        start_us,
        entry.duration_ms,
        entry.outcome,
        calls=len(calls),
        errors=sum(call.outcome == "error" for call in calls),
        no_end=sum(not call.outcome for call in calls),
    )


def chosen(runs: Iterable[StoredRun], wanted: RunFilter) -> list[StoredRun]:
    """Return those of *runs* that are *wanted*; metadata are not looked at."""
    found = [
        run
        for run in runs
        if wanted.flow in {"", run.flow}
        and (not wanted.is_failed or run.errors)
        and (run.duration_ms or 0.0) >= wanted.slow_ms
        and _is_since(run.start_us, wanted.since_us)
    ]
    return found[: wanted.limit]


def _entries(calls: Sequence[StoredCall]) -> dict[str, StoredCall]:
    """Return the call that began each run, by the ID of the run.

    It is the one that gave the run its ID. Spans and older lines have other IDs: there
    it is one that no call of the run has made, and no message brought; the first one.
    """
    inside = {(run_of(call), call.call_id) for call in calls if call.call_id}
    found: dict[str, StoredCall] = {}
    tops: dict[str, list[StoredCall]] = defaultdict(list)
    for call in calls:
        run = run_of(call)
        if call.run_id and call.call_id == call.run_id:
            found[run] = call
        elif (
            (call.recorded == "span" or not call.call_id)
            and call.parent is None
            and (run, call.parent_call_id) not in inside
        ):
            tops[run].append(call)
    for run, candidates in tops.items():
        found.setdefault(run, min(candidates, key=_begin))
    return found


def _begin(call: StoredCall) -> tuple[bool, int]:
    return call.sent_at_us is not None, call.start_us or 0
