"""``penstock catalog``: pages about all flows."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from penstock._project.load import load_flows
from penstock._project.shown import note
from penstock.errors import ConfigurationError, RenderError
from penstock.renderers.catalog import (
    Catalog,
    render_html_catalog,
    render_markdown_catalog,
)

from ._output_folder import write_folder

__all__ = ["catalog"]

_RECORD = ".penstock-catalog.json"


@click.command("catalog")
@click.argument("targets", nargs=-1)
@click.option(
    "--output",
    "-o",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Write the pages into this folder.",
)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["html", "md"]),
    default="html",
    show_default=True,
    help="html opens from disk; md is for a forge, a wiki or TechDocs.",
)
@click.option(
    "--images",
    type=click.Choice(["svg", "png"]),
    help="With md: pictures instead of Mermaid blocks.",
)
def catalog(
    targets: tuple[str, ...], output: Path, form: str, images: str | None
) -> None:
    """Write a page for each flow of TARGETS, an index and a map.

    Pages of flows that are gone are removed; other files of the folder stay.
    """
    if images and form != "md":
        msg = "--images is for Markdown: --format md. HTML pages have their pictures."
        raise ConfigurationError(msg)
    flows, known = load_flows(targets)
    if not flows:
        msg = "no flow is declared there, so there is nothing to write."
        raise RenderError(msg)
    with warnings.catch_warnings(record=True) as told:
        whole = Catalog(flows, known)
        files = (
            render_html_catalog(whole)
            if form == "html"
            else render_markdown_catalog(whole, images=images or "")
        )
    for warning in told:
        note(f"Warning: {warning.message}")
    changes = write_folder(output, files, record=_RECORD)
    note(
        f"{output}: {len(files)} files, {len(changes.written)} of them changed, "
        f"{len(changes.removed)} removed."
    )
