"""``penstock dag``: draw flows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from penstock._dag import draw
from penstock._graph.selection import select_flows
from penstock._project.load import load_flows
from penstock.errors import RenderError
from penstock.renderers.formats import FORMATS

from ._options import (
    direction_option,
    evidence_option,
    file_option,
    targets_argument,
)
from ._output import emit, open_in_browser, temporary_file, warnings_as_notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from penstock._graph.evidence import Sources
    from penstock._project.load import Loaded
    from penstock.renderers.formats import Direction

__all__ = ["dag"]


class _DrawOptions(TypedDict):
    """The options that ``draw`` has, too."""

    format: str | None
    output: Path | None
    detail: bool
    direction: Direction
    overview: bool
    expand: tuple[str, ...]


@click.command("dag", epilog="Example: penstock dag orders --output orders.svg")
@targets_argument
@click.option(
    "--flow",
    "names",
    metavar="NAME",
    multiple=True,
    help="Draw only this flow; may be given several times. By default all flows.",
)
@click.option(
    "--format",
    "-f",
    metavar="FORMAT",
    help=f"One of {', '.join(FORMATS)}, or a format of another package. By default "
    "the one of --output's suffix, else mermaid.",
)
@file_option("--output", "-o", explained="Write this file instead of stdout.")
@click.option(
    "--open",
    "opens",
    is_flag=True,
    help="Open the drawing in a browser. By default it is HTML in a temporary file.",
)
@click.option(
    "--detail", is_flag=True, help="Add shapes, descriptions, tags and joins."
)
@direction_option
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
@evidence_option(
    "show for each edge whether the code has it and how often runs took it."
)
@click.option(
    "--code/--no-code",
    "reads_code",
    default=None,
    help="With --evidence, whether to look for edges in the code. By default if ty or "
    "jedi (penstock[check]) is installed.",
)
def dag(
    targets: tuple[str, ...],
    names: tuple[str, ...],
    evidence: tuple[str, ...],
    *,
    reads_code: bool | None,
    opens: bool,
    **options: Unpack[_DrawOptions],
) -> None:
    """Draw the flows of TARGETS as a diagram."""
    if reads_code and not evidence:
        msg = "--code needs --evidence SOURCE. To check the code alone: penstock check"
        raise click.UsageError(msg)
    loaded = load_flows(targets)
    if opens and options["output"] is None:
        options["output"] = temporary_file(f".{options['format'] or 'html'}")
    chosen = select_flows(names, loaded.flows) if names else loaded.flows
    sources = _sources(loaded, evidence, reads_code=reads_code) if evidence else None
    with warnings_as_notes():
        drawing = draw(chosen, loaded.known, evidence=sources, **options)
    if isinstance(drawing, bytes) and sys.stdout.isatty():
        msg = "a picture cannot be shown here. Name a file: --output flow.png"
        raise RenderError(msg)
    if drawing is not None:
        emit(drawing)
    if opens and options["output"] is not None:
        open_in_browser(options["output"])


def _sources(
    loaded: Loaded, evidence: Sequence[str], *, reads_code: bool | None
) -> Sources:
    # Here, because a plain drawing needs neither the check nor conformance: 60 ms.
    from penstock.checking.code_evidence import sources_of  # noqa: PLC0415  # see above

    from ._progress import reading_progress  # noqa: PLC0415  # see above

    with reading_progress() as progress:
        return sources_of(loaded, evidence, progress, reads_code=reads_code)
