"""Say how many runs kept the declared order, and what was not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.runs.lines import ReadCounts
    from penstock.runs.order_counts import BrokenRuns, OrderCounts

__all__ = ["order_lines", "out_of_order", "read_lines", "runs_in_words"]

_ID = 8  # characters, enough for `penstock show`
_SHOWN = 5
_FLOWS = 100
_SMALLEST = 0.0001


def order_lines(source: str, counts: OrderCounts) -> Iterator[str]:
    """Yield a sentence for each flow, and one for each edge that runs broke."""
    if not counts.verdicts:
        yield f"{source}: no runs of flows."
    flows = sorted(counts.verdicts.items(), key=lambda one: (-one[1].total(), one[0]))
    for flow, verdicts in flows[:_FLOWS]:
        runs = verdicts.total()
        if counts.declared and flow not in counts.declared:
            words = runs_in_words(runs)
            yield f"{source}: {words} of {flow}, which is not declared here."
            continue
        found = ", ".join(
            f"{verdicts[verdict]:,} {verdict}"
            for verdict in ("in order", "out of order", "unknown")
        )
        yield f"{source}: {runs_in_words(runs)} of {flow}: {found}."
        edges = [(name, one) for name, one in counts.broken.items() if name[0] == flow]
        edges = [(name, one) for name, one in edges if name[1]]
        edges.sort(key=lambda edge: -edge[1].runs)
        for (_, before, step), broken in edges[:_SHOWN]:
            yield f"{flow}: {step} after {before}: {out_of_order(broken, runs)}."
        if len(edges) > _SHOWN:
            yield f"{flow}: the same for {len(edges) - _SHOWN} more edges."
    if len(flows) > _FLOWS:
        yield f"{source}: runs of {len(flows) - _FLOWS} more flows."


def out_of_order(broken: BrokenRuns, runs: int) -> str:
    """Return in how many of all *runs* something was out of order."""
    if not broken.runs:
        return f"out of order in none of {runs_in_words(runs)}"
    share = broken.runs / runs
    percent = f"{share * 100:.2f} %" if share >= _SMALLEST else "less than 0.01 %"
    example = broken.example[:_ID]
    return (
        f"out of order in {percent} of {runs_in_words(runs)} ({broken.runs:,}), "
        f"for instance {example}"
    )


def runs_in_words(number: int) -> str:
    """Return ``1 run`` or ``2,000 runs``."""
    return f"{number:,} run{'' if number == 1 else 's'}"


def read_lines(source: str, read: ReadCounts) -> Iterator[str]:
    """Yield a sentence for each thing to know about what was read."""
    if read.is_sampled:
        yield f"{source}: these are the kept runs; others were dropped by sampling."
    for reason, number in read.skipped.items():
        yield f"{source}: {number:,} lines skipped: {reason}."
    for path, reason in read.unread.items():
        yield f"{path}: {reason}."
