"""Find the runs that broke the declared order, and judge them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .figures import RunFilter, chosen, runs_of
from .judging import judge
from .trees import operations_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock._types import FlowInfo

    from .figures import RunSource, StoredRun
    from .operation import Operation, OrderJudgement

    Judged = tuple[Operation, list[OrderJudgement]]

__all__ = ["judge_operations", "judge_suspects", "runs_out_of_order"]

OPERATIONS_AT_ONCE = 20_000
"""So many operations of ten calls take about 0.5 GB."""

_ALL = 10**9


def judge_suspects(source: RunSource, flows: Sequence[FlowInfo]) -> Iterator[Judged]:
    """Yield each operation that may have broken the order, with its verdicts."""
    return judge_operations(source, source.suspects(flows), flows)


def judge_operations(
    source: RunSource, root_ids: Sequence[str], flows: Sequence[FlowInfo]
) -> Iterator[Judged]:
    """Yield operations with their verdicts."""
    for start in range(0, len(root_ids), OPERATIONS_AT_ONCE):
        lines = source.lines_of(root_ids[start : start + OPERATIONS_AT_ONCE])
        for operation in operations_of(lines):
            yield operation, judge(operation, flows)


def runs_out_of_order(
    source: RunSource, flows: Sequence[FlowInfo], wanted: RunFilter
) -> list[tuple[StoredRun, OrderJudgement]]:
    """Return the latest wanted runs that broke the order, with the verdicts."""
    verdicts: dict[str, OrderJudgement] = {}
    runs: list[StoredRun] = []
    for operation, judgements in judge_suspects(source, flows):
        verdicts |= {
            one.run_id: one for one in judgements if one.verdict == "out of order"
        }
        runs += (run for run in runs_of(operation.calls) if run.run_id in verdicts)
    if wanted.where:
        every = RunFilter(where=wanted.where, limit=_ALL)
        roots = {run.root_id for run in source.latest(every)}
        runs = [run for run in runs if run.root_id in roots]
    runs.sort(key=lambda run: (-run.start_us, run.run_id))
    return [(run, verdicts[run.run_id]) for run in chosen(runs, wanted)]
