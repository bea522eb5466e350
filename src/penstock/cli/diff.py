"""``penstock diff``: what changed in the flows since a revision or a manifest."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import get_args

import click

from penstock._manifests.diff import compare
from penstock._manifests.manifest import load_manifest
from penstock._platform.file import write_file
from penstock._project.load import load_flows
from penstock._project.shown import note
from penstock.renderers.formats import Direction, fenced

from ._change_chart import changes_as_mermaid
from ._changes import changes_as_json, changes_as_text
from ._git.revision import flows_at
from ._output import emit

__all__ = ["diff"]


@click.command("diff", short_help="Show what changed since REVISION.")
@click.argument("base", metavar="REVISION")
@click.argument("targets", nargs=-1)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["text", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="mermaid is one diagram: added green, removed red and dashed, changed amber.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this file instead of stdout; Mermaid is fenced in a .md file.",
)
@click.option(
    "--direction",
    type=click.Choice(get_args(Direction)),
    default="TD",
    show_default=True,
    help="Where edges of the diagram point.",
)
@click.option(
    "--service",
    metavar="NAME",
    help="The service whose flows these are, as for penstock export.",
)
def diff(
    base: str,
    targets: tuple[str, ...],
    form: str,
    output: Path | None,
    direction: Direction,
    service: str | None,
) -> None:
    """Show what changed in the flows of TARGETS since REVISION.

    REVISION is a commit, branch or tag of git, and is compared with the working tree;
    or it is a manifest (penstock.json). TARGETS may be a manifest too. Exit status: 0
    for no difference, 1 for some, 2 for wrong usage or a failed import.
    """
    new, new_known = load_flows(targets, service=service)
    if base.endswith(".json"):
        old = load_manifest(base)
    else:
        old = flows_at(base, targets, service)
    changes = compare(old, new, new_known=new_known)
    result = ""
    if form == "text":
        result = changes_as_text(changes)
    elif form == "json":
        result = changes_as_json(changes)
    elif changes:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            result = changes_as_mermaid(changes, old, (*new, *new_known), direction)
        for warning in told:
            note(f"Warning: {warning.message}")
    else:
        note("No flow differs.")
    _deliver(result, form, output)
    sys.exit(1 if changes else 0)


def _deliver(result: str, form: str, output: Path | None) -> None:
    if output is None:
        emit(result)
        return
    if result and form == "mermaid" and output.suffix.lower() == ".md":
        result = fenced(result, form)
    write_file(output, f"{result}\n".encode() if result else b"")
