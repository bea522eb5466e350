"""Show a list of runs, as text or JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from penstock._platform.clock import utc
from penstock.backends.log_fields import short
from penstock.errors import plain

from .facts import rfc3339, words_for
from .figures_table import read_of
from .tables import as_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.runs.figures import StoredRun
    from penstock.runs.lines import ReadCounts
    from penstock.runs.operation import OrderJudgement

    Listed = tuple[StoredRun, OrderJudgement | None]

__all__ = ["runs_as_json", "runs_as_text"]

_COLUMNS = (
    "run",
    "began (UTC)",
    "entrypoint",
    "service",
    "took",
    "outcome",
    "calls",
    "errors",
    "no end",
)
_NUMBERS = ("took", "calls", "errors", "no end")


def runs_as_text(runs: Sequence[Listed], width: int = 0) -> str:
    """Return a table of runs, and below it why runs are out of order.

    Args:
        runs: The runs, with the verdict on those that were judged.
        width: The columns of the terminal; 0 if it is none.
    """
    rows = [_row(run) for run, _ in runs]
    lines = as_table(_COLUMNS, rows, numbers=_NUMBERS, width=width)
    reasons = [
        f"{short(run.root_id)}  {plain('; '.join(verdict.reasons))}"
        for run, verdict in runs
        if verdict is not None
    ]
    return "\n".join([*lines, *([""] if reasons else []), *reasons])


def _row(run: StoredRun) -> tuple[str, ...]:
    took = "" if run.duration_ms is None else words_for(round(run.duration_ms * 1000))
    return (
        short(run.root_id),
        utc(run.start_us / 1e6)[:19].replace("T", " "),
        f"{run.flow}/{run.step}",
        run.service,
        took,
        run.outcome or "no end",
        f"{run.calls:,}",
        f"{run.errors:,}" if run.errors else "",
        f"{run.no_end:,}" if run.no_end else "",
    )


def runs_as_json(runs: Sequence[Listed], counts: ReadCounts) -> str:
    """Return runs as one JSON object."""
    found = [_entry(run, verdict) for run, verdict in runs]
    return json.dumps({"runs": found, "read": read_of(counts)}, indent=2)


def _entry(run: StoredRun, verdict: OrderJudgement | None) -> dict[str, Any]:
    found = {"short_id": short(run.root_id), **asdict(run)}
    del found["start_us"]
    found["start"] = rfc3339(run.start_us)
    if verdict is not None:
        found["reasons"] = verdict.reasons
        found["edges"] = verdict.edges
    return found
