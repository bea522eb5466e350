"""Show the figures of steps, as text or JSON."""

from __future__ import annotations

import json
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from penstock.errors import plain

from .facts import percent, words_for
from .tables import as_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.runs.figures import StepFigures
    from penstock.runs.lines import ReadCounts

__all__ = ["figures_as_json", "figures_as_text", "read_of"]

_COLUMNS = (
    "step",
    "service",
    "calls",
    "errors",
    "p50",
    "p95",
    "p99",
    "time",
    "no end",
)
_QUANTILES = ("p50_ms", "p95_ms", "p99_ms")


def figures_as_text(figures: Sequence[StepFigures], width: int = 0) -> str:
    """Return a table for each flow; where most time goes comes first.

    Args:
        figures: The figures, by flow.
        width: The columns of the terminal; 0 if it is none.
    """
    tables = (
        "\n".join(_table(flow, list(steps), width))
        for flow, steps in groupby(figures, attrgetter("flow"))
    )
    return "\n\n".join(tables)


def _table(flow: str, steps: Sequence[StepFigures], width: int) -> Iterator[str]:
    has_services = len({one.service for one in steps if one.calls}) > 1
    by_time = sorted(steps, key=lambda one: -one.total_ms)
    rows = [_row(one, has_services=has_services) for one in by_time]
    yield plain(flow)
    yield ""
    yield from as_table(_COLUMNS, rows, numbers=[*_COLUMNS[2:]], width=width)


def _row(one: StepFigures, *, has_services: bool) -> tuple[str, ...]:
    quantiles = [words_for(round(ms * 1000)) for ms in one.quantiles_ms]
    return (
        one.step,
        one.service if has_services else "",
        f"{one.calls:,}",
        percent(one.error_rate) if one.calls else "",
        *(quantiles or ["", "", ""]),
        percent(one.share) if one.share or (one.calls and not one.total_ms) else "",
        f"{one.no_end:,}" if one.no_end else "",
    )


def figures_as_json(figures: Sequence[StepFigures], counts: ReadCounts) -> str:
    """Return figures as one JSON object."""
    flows = [
        {"flow": flow, "steps": [_entry(one) for one in steps]}
        for flow, steps in groupby(figures, attrgetter("flow"))
    ]
    return json.dumps({"flows": flows, "read": read_of(counts)}, indent=2)


def _entry(one: StepFigures) -> dict[str, Any]:
    quantiles = one.quantiles_ms or (None, None, None)
    return {
        "step": one.step,
        "service": one.service,
        "calls": one.calls,
        "errors": one.errors,
        "no_end": one.no_end,
        **dict(zip(_QUANTILES, quantiles, strict=True)),
        "total_ms": one.total_ms,
        "share": one.share,
    }


def read_of(counts: ReadCounts) -> dict[str, Any]:
    """Return what was read as JSON has it."""
    return {
        "files": counts.files,
        "lines": counts.hits,
        "sampled": counts.is_sampled,
        "skipped": counts.skipped,
        "unread": counts.unread,
    }
