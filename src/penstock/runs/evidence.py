"""Take stored runs as evidence: what a source shows about the declared order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .judged_runs import judge_operations
from .order_counts import OrderCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo

    from .figures import RunSource

__all__ = ["count_order"]


def count_order(source: RunSource, flows: Sequence[FlowInfo]) -> OrderCounts:
    """Return what the runs of *source* show about the declared order of *flows*.

    What clearly kept the order is counted by the source; all other operations are
    judged.
    """
    counts = OrderCounts.of(flows)
    unclear = source.count_clear(flows, counts)
    for operation, judgements in judge_operations(source, unclear, flows):
        counts.count_operation(operation, judgements)
    return counts
