"""``penstock stats``: how often steps run and fail, and where time goes."""

from __future__ import annotations

import sys

import click

from penstock._project.shown import note
from penstock.runs.figures import RunFilter
from penstock.runs.output.figures_table import figures_as_json, figures_as_text

from ._options import flow_option, format_option, map_option, since_option
from ._output import emit, terminal_width
from ._stored_runs import note_counts, stored_runs

__all__ = ["stats"]


@click.command(
    "stats",
    short_help="Show how often steps run and fail, and where time goes.",
    epilog="Example: penstock stats logs/ --flow orders --since 1d",
)
@click.argument("sources", nargs=-1)
@flow_option
@since_option("Only calls that began since then")
@format_option(["text", "json"], "json is for programs.")
@map_option
def stats(
    sources: tuple[str, ...],
    flow: str,
    since_us: int | None,
    form: str,
    fields: tuple[tuple[str, str], ...],
) -> None:
    """Show for each step how often it ran and failed, and how long it took.

    SOURCES are the same as those of `penstock runs`. p50, p95 and p99 are exact. `time`
    is the share of the time of all runs of the flow.

    Exit status 1 if there is no call.
    """
    source = stored_runs("stats", sources, fields)
    found = source.figures(RunFilter(flow, since_us=since_us))
    if form == "json":
        emit(figures_as_json(found, source.counts))
    elif found:
        emit(figures_as_text(found, terminal_width()))
    note_counts(source.counts)
    if not found:
        note("No such call.")
        sys.exit(1)
