"""Take stored runs as evidence: what sources show about the declared order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .judged_runs import judge_operations
from .order_counts import OrderCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._types import FlowInfo

    from .figures import RunSource

__all__ = ["count_order"]


def count_order(sources: Iterable[RunSource], flows: Sequence[FlowInfo]) -> OrderCounts:
    """Return what stored runs show about the declared order of *flows*.

    What clearly kept the order is counted by the source; all other operations are
    judged.
    """
    counts = OrderCounts.of(flows)
    for source in sources:
        unclear = source.count_clear(flows, counts)
        for operation, judgements in judge_operations(source, unclear, flows):
            counts.count_operation(operation, judgements)
    return counts
