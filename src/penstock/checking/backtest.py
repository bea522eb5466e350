"""Try a changed declaration on stored runs: what it would have meant for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError
from penstock.runs.evidence import count_order
from penstock.runs.order_counts import BrokenRuns, OrderCounts
from penstock.runs.output.order_text import read_lines

from .recorded import open_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._manifests.diff import ChangeStatus, FlowChange
    from penstock._types import FlowInfo

__all__ = ["EdgeTrial", "FlowTrial", "StepTrial", "backtest"]


@dataclass(frozen=True, slots=True)
class EdgeTrial:
    """What stored runs say about an edge that was added or removed.

    Attributes:
        before: The predecessor, as the flow names it.
        after: The step.
        status: Whether the edge was added or removed.
        calls: How many calls of the step came after it.
        broken: The runs that it puts, or has put, out of order.
    """

    before: str
    after: str
    status: ChangeStatus
    calls: int
    broken: BrokenRuns


@dataclass(frozen=True, slots=True)
class StepTrial:
    """What stored runs say about a step that comes after other steps than before.

    Attributes:
        name: The step.
        old: The runs in which it is out of order by the old declaration.
        new: The same by the new one.
    """

    name: str
    old: BrokenRuns
    new: BrokenRuns


@dataclass(frozen=True, slots=True)
class FlowTrial:
    """What stored runs say about the changes of a flow.

    Attributes:
        runs: How many there are.
        unknown: How many of them cannot be judged by the new declaration.
        edges: The edges that were added or removed.
        steps: The steps that come after other steps than before.
    """

    runs: int
    unknown: int
    edges: tuple[EdgeTrial, ...]
    steps: tuple[StepTrial, ...]


def backtest(
    paths: Iterable[str],
    changes: Sequence[FlowChange],
    old: Sequence[FlowInfo],
    new: Sequence[FlowInfo],
) -> tuple[Mapping[str, FlowTrial], Sequence[str]]:
    """Return what the changes of each flow would have meant, and what was read.

    Args:
        paths: Logs, folders of logs, and ``clickhouse://`` addresses.
        changes: What differs between *old* and *new*.
        old: The flows as they were declared, with those that they name.
        new: The flows as they are declared now, with those that they name.

    Raises:
        ConfigurationError: One of *paths* is a conformance report.
        LogSourceError: There is nothing to read, or too much.
        MissingExtraError: A package is missing to read it.
    """
    reports, sources = open_evidence(paths)
    if reports:
        msg = (
            f"{str(reports[0])!r} is a conformance report, which knows only the edges "
            "that were declared when it was written. Name the logs of the runs."
        )
        raise ConfigurationError(msg)
    was, now = (count_order([one for _, one in sources], each) for each in (old, new))
    notes = [line for name, one in sources for line in read_lines(name, one.counts)]
    return {change.name: _trial(change, was, now) for change in changes}, notes


def _trial(change: FlowChange, was: OrderCounts, now: OrderCounts) -> FlowTrial:
    flow = change.name
    verdicts = (was if change.status == "removed" else now).verdicts[flow]
    edges = []
    for edge in change.edges:
        counts = was if edge.status == "removed" else now
        name = edge.before, edge.after
        calls, _ = counts.flow(flow).edges.get(name, (0, 0))
        broken = counts.broken.get((flow, *name), BrokenRuns())
        edges.append(EdgeTrial(*name, edge.status, calls, broken))
    steps = {edge.after for edge in change.edges} | {
        step.name
        for step in change.steps
        if any(field.field == "after" for field in step.fields)
    }
    return FlowTrial(
        verdicts.total(),
        verdicts["unknown"],
        tuple(edges),
        tuple(
            StepTrial(
                step,
                was.broken.get((flow, "", step), BrokenRuns()),
                now.broken.get((flow, "", step), BrokenRuns()),
            )
            for step in sorted(steps)
        ),
    )
