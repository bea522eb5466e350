"""``penstock dag``: draw flows."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from penstock._dag import draw
from penstock._graph.selection import select_flows
from penstock._project.load import load_flows
from penstock._project.shown import note
from penstock.errors import RenderError
from penstock.renderers.formats import DIRECTIONS, FORMATS

from ._output import emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._graph.evidence import Sources
    from penstock._project.load import Loaded
    from penstock._types import FlowInfo
    from penstock.renderers.formats import Direction

__all__ = ["dag"]


class _Options(TypedDict):
    """The options that are those of ``draw``."""

    format: str | None
    output: Path | None
    detail: bool
    direction: Direction
    overview: bool
    expand: tuple[str, ...]


@click.command("dag")
@click.argument("targets", nargs=-1)
@click.option(
    "--flow",
    "names",
    metavar="NAME",
    multiple=True,
    help="Draw this flow alone; may be given several times. All flows by default.",
)
@click.option(
    "--format",
    "-f",
    metavar="FORMAT",
    help=f"One of {', '.join(FORMATS)}, or a format of another package. By default "
    "the one of --output's suffix, else mermaid.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this file instead of stdout.",
)
@click.option(
    "--detail", is_flag=True, help="Add shapes, descriptions, tags and joins."
)
@click.option(
    "--direction",
    type=click.Choice(DIRECTIONS),
    default="TD",
    show_default=True,
    help="Where edges point: top-down, left-right, and so on.",
)
@click.option(
    "--overview",
    is_flag=True,
    help="Draw each flow as one box, with its number of steps.",
)
@click.option(
    "--expand",
    metavar="NAME",
    multiple=True,
    help="In an overview, show the steps of this flow; may be given several times.",
)
@click.option(
    "--evidence",
    "reports",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A report of recorded runs, as JSON, or a folder of them: show of each edge "
    "whether the code has it, and how often it was seen. May be given several times.",
)
@click.option(
    "--code/--no-code",
    "reads_code",
    default=None,
    help="With --evidence, whether to look for edges in the code. By default where "
    "ty or jedi (penstock[check]) is installed.",
)
def dag(
    targets: tuple[str, ...],
    names: tuple[str, ...],
    reports: tuple[Path, ...],
    *,
    reads_code: bool | None,
    **options: Unpack[_Options],
) -> None:
    """Draw the flows of TARGETS as a diagram."""
    if reads_code and not reports:
        msg = "--code needs --evidence FILE. Without runs: penstock check"
        raise click.UsageError(msg)
    loaded = load_flows(targets)
    chosen = _chosen(loaded.flows, names)
    sources = _sources(loaded, reports, reads_code=reads_code) if reports else None
    with warnings.catch_warnings(record=True) as told:
        drawing = draw(chosen, loaded.known, evidence=sources, **options)
    for warning in told:
        note(f"Warning: {warning.message}")
    if isinstance(drawing, bytes) and sys.stdout.isatty():
        msg = "a picture is nothing for a terminal. Name a file: --output flow.png"
        raise RenderError(msg)
    if drawing is not None:
        emit(drawing)


def _sources(
    loaded: Loaded, reports: Sequence[Path], *, reads_code: bool | None
) -> Sources:
    # Here, because a plain drawing needs neither the check nor the recorder.
    from ._evidence import sources_of  # noqa: PLC0415  # as said above

    return sources_of(loaded, reports, reads_code=reads_code)


def _chosen(flows: Sequence[FlowInfo], names: Sequence[str]) -> Sequence[FlowInfo]:
    if not flows:
        msg = "no flow is declared there, so there is nothing to draw."
        raise RenderError(msg)
    return select_flows(names, flows) if names else flows
