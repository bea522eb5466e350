"""Say how many runs kept the declared order, and what was not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.runs.lines import ReadCounts
    from penstock.runs.order_counts import OrderCounts

__all__ = ["order_lines"]

_SHOWN = 8  # of an ID: enough for penstock show


def order_lines(source: str, counts: OrderCounts, read: ReadCounts) -> Iterator[str]:
    """Yield a sentence for each flow, and for what was left out."""
    if not counts.verdicts:
        yield f"{source}: no run of any flow."
    for flow, verdicts in sorted(counts.verdicts.items()):
        found = ", ".join(
            f"{verdicts[verdict]:,} {verdict}"
            for verdict in ("in order", "out of order", "unknown")
        )
        example = _example(flow, counts)
        yield f"{source}: {verdicts.total():,} runs of {flow}: {found}{example}."
    if read.is_sampled:
        yield f"{source}: these are the kept runs: others were dropped by sampling."
    for reason, number in read.skipped.items():
        yield f"{source}: {number:,} lines skipped: {reason}."
    for path, reason in read.unread.items():
        yield f"{path}: {reason}."


def _example(flow: str, counts: OrderCounts) -> str:
    for (at, _, _), broken in counts.broken.items():
        if at == flow:
            return f", for instance {broken.example[:_SHOWN]}"
    return ""
