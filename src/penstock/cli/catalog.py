"""``penstock catalog``: pages about all flows."""

from __future__ import annotations

from pathlib import Path

import click

from penstock._project.load import load_flows
from penstock._project.shown import note
from penstock.errors import ConfigurationError
from penstock.renderers.catalog import (
    Catalog,
    render_html_catalog,
    render_markdown_catalog,
)

from ._options import format_option, targets_argument
from ._output import warnings_as_notes
from ._output_folder import write_folder

__all__ = ["catalog"]

_RECORD = ".penstock-catalog.json"


@click.command("catalog", epilog="Example: penstock catalog shop --output site")
@targets_argument
@click.option(
    "--output",
    "-o",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Write the pages into this folder.",
)
@format_option(
    ["html", "md"], "html opens from disk; md is for a forge, a wiki or TechDocs."
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
    with warnings_as_notes():
        whole = Catalog(flows, known)
        files = (
            render_html_catalog(whole)
            if form == "html"
            else render_markdown_catalog(whole, images=images or "")
        )
    changes = write_folder(output, files, record=_RECORD)
    note(
        f"{output}: {len(files)} files, {len(changes.written)} of them changed, "
        f"{len(changes.removed)} removed."
    )
