"""``penstock stats``: how often steps run and fail, and where time goes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from penstock._platform.file import write_file
from penstock.errors import RenderError
from penstock.runs.figures import RunFilter, never_called
from penstock.runs.output.figures_page import figures_as_page
from penstock.runs.output.figures_picture import figures_as_svg
from penstock.runs.output.figures_table import figures_as_json, figures_as_text

from ._options import (
    file_option,
    flow_option,
    map_option,
    since_option,
    target_option,
)
from ._output import emit, terminal_width
from ._stored_runs import (
    declared_flows,
    note_counts,
    note_nothing,
    source_names,
    stored_runs,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from penstock._types import FlowInfo
    from penstock.runs.figures import StepFigures

__all__ = ["stats"]

_FORMATS = {".html": "html", ".htm": "html", ".json": "json", ".svg": "svg"}


@click.command(
    "stats",
    short_help="Show how often steps run and fail, and where time goes.",
    epilog="Example: penstock stats logs/ --flow orders --since 1d",
)
@click.argument("sources", nargs=-1)
@flow_option
@since_option("Only calls that began since then")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["text", "json", "html", "svg"]),
    help="json is for programs; html is a page with the table beside the picture of "
    "the flows; svg is that picture, with p95 and errors. By default what the suffix "
    "of --output names, else text.",
)
@file_option("--output", "-o", explained="Write this file instead of stdout.")
@map_option
@target_option
def stats(
    sources: tuple[str, ...],
    flow: str,
    since_us: int | None,
    form: str | None,
    output: Path | None,
    fields: tuple[tuple[str, str], ...],
    targets: tuple[str, ...],
) -> None:
    """Show for each step how often it ran and failed, and how long it took.

    SOURCES are the same as those of `penstock runs`. p50, p95 and p99 are exact. `time`
    is the share of the time of all runs of the flow.

    Exit status 1 if there is no call.
    """
    form = form or _FORMATS.get(output.suffix.lower() if output else "", "text")
    source = stored_runs("stats", sources, fields)
    found = source.figures(RunFilter(flow, since_us=since_us))
    flows, why = declared_flows(targets) if found else ((), "")
    every = sorted(
        [*found, *never_called(found, flows)], key=lambda one: (one.flow, one.step)
    )
    if form == "json":
        _deliver(figures_as_json(every, source.counts), output)
    elif found and form == "html":
        names = source_names(sources)
        _deliver(figures_as_page(found, flows, source.counts, names), output)
    elif found and form == "svg":
        _deliver(_picture(found, flows, why), output)
    elif found:
        _deliver(figures_as_text(every, 0 if output else terminal_width()), output)
    note_counts(source.counts)
    if not found:
        note_nothing(source, "No such call.", flow)
        sys.exit(1)


def _picture(found: Sequence[StepFigures], flows: Sequence[FlowInfo], why: str) -> str:
    known = {flow.name for flow in flows}
    if not any(one.flow in known for one in found):
        why = why or "no flow of these runs is declared"
        msg = f"The figures cannot be drawn: {why}."
        raise RenderError(msg)
    return figures_as_svg(found, flows)


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        emit(text)
    else:
        write_file(output, f"{text}\n".encode())
