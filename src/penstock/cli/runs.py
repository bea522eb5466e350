"""``penstock runs``: the latest runs, and how they ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from penstock.errors import ConfigurationError
from penstock.runs.figures import RunFilter
from penstock.runs.judged_runs import runs_out_of_order
from penstock.runs.output.runs_list import runs_as_json, runs_as_text

from ._option_values import duration_ms, pair
from ._options import (
    flow_option,
    format_option,
    map_option,
    since_option,
    target_option,
)
from ._output import emit, terminal_width
from ._stored_runs import declared_flows, note_counts, note_nothing, stored_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.runs.figures import RunSource
    from penstock.runs.output.runs_list import Listed

__all__ = ["runs"]


@click.command(
    "runs",
    short_help="List the latest runs.",
    epilog="Example: penstock runs logs/ --failed --since 1h",
)
@click.argument("sources", nargs=-1)
@click.option("--failed", "is_failed", is_flag=True, help="In which a call failed.")
@click.option(
    "--slow",
    "slow_ms",
    metavar="DURATION",
    type=duration_ms,
    default="0s",
    help="Which took at least so long: 200ms, 1.5s, 2m.",
)
@click.option(
    "--out-of-order",
    is_flag=True,
    help="Which broke the declared order, and how.",
)
@flow_option
@click.option(
    "--where",
    metavar="KEY=VALUE",
    type=pair,
    multiple=True,
    help="With this metadata on a line, such as order_id=A-1. If given several times, "
    "one line has all of them.",
)
@since_option("Which began since then")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many at most.",
)
@format_option(["text", "json"], "json is for programs.")
@map_option
@target_option
def runs(  # noqa: PLR0913  # options
    sources: tuple[str, ...],
    flow: str,
    where: tuple[tuple[str, str], ...],
    form: str,
    fields: tuple[tuple[str, str], ...],
    targets: tuple[str, ...],
    *,
    is_failed: bool,
    slow_ms: float,
    out_of_order: bool,
    since_us: int | None,
    limit: int,
) -> None:
    """List the latest runs, the last one first.

    Each begins with what `penstock show` takes. SOURCES are the same as there, Parquet
    files, or clickhouse://HOST/DATABASE; by default the list `runs` under
    [tool.penstock] in pyproject.toml. All options together choose the runs.

    Exit status 1 if there are none.
    """
    wanted = RunFilter(flow, is_failed, slow_ms, since_us, dict(where), limit)
    source = stored_runs("runs", sources, fields)
    found: Sequence[Listed]
    if out_of_order:
        found = _out_of_order(source, targets, wanted)
    else:
        found = [(run, None) for run in source.latest(wanted)]
    if form == "json":
        emit(runs_as_json(found, source.counts))
    elif found:
        emit(runs_as_text(found, terminal_width()))
    note_counts(source.counts)
    if not found:
        note_nothing(source, "No such run.", flow)
        sys.exit(1)


def _out_of_order(
    source: RunSource, targets: Sequence[str], wanted: RunFilter
) -> Sequence[Listed]:
    flows, reason = declared_flows(targets)
    if not flows:
        msg = f"whether runs are out of order is unknown, because {reason}."
        raise ConfigurationError(msg)
    return runs_out_of_order(source, flows, wanted)
