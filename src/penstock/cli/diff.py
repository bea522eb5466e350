"""``penstock diff``: what changed in the flows since a revision or a manifest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from penstock._manifests.diff import compare
from penstock._manifests.manifest import load_manifest
from penstock._platform.file import write_file
from penstock._project.load import Loaded, NoFlowError, load_flows
from penstock._project.shown import note
from penstock.renderers.formats import fenced

from ._change_chart import changes_as_mermaid
from ._changes import changes_as_json, changes_as_text
from ._git.revision import flows_at
from ._options import (
    direction_option,
    file_option,
    format_option,
    service_option,
    targets_argument,
)
from ._output import emit, warnings_as_notes

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.renderers.formats import Direction

__all__ = ["diff"]


@click.command(
    "diff",
    short_help="Show what changed since REVISION.",
    epilog="Example: penstock diff origin/main --format mermaid --output flows.md",
)
@click.argument("base", metavar="REVISION")
@targets_argument
@format_option(
    ["text", "mermaid", "markdown", "json"],
    "mermaid is one diagram: added green, removed red and dashed, changed amber; "
    "markdown is that with the text below it, for a comment in a pull request.",
)
@file_option(
    "--output",
    "-o",
    explained="Write this file instead of stdout; a .md file gets a fenced block.",
)
@direction_option
@service_option
@click.option("--exit-code", is_flag=True, help="Exit with 1 if something differs.")
def diff(
    base: str,
    targets: tuple[str, ...],
    form: str,
    output: Path | None,
    direction: Direction,
    service: str | None,
    *,
    exit_code: bool,
) -> None:
    """Show what changed in the flows of TARGETS since REVISION.

    REVISION is a commit, branch or tag of git, which is compared with the working
    tree, or a manifest (penstock.json). TARGETS may be a manifest, too.
    """
    new, new_known = Loaded((), ())
    missing = None
    try:
        new, new_known = load_flows(targets, service=service)
    except NoFlowError as exc:
        missing = exc  # every flow may have been removed
    if base.endswith(".json"):
        old = load_manifest(base)
    else:
        old = flows_at(base, targets, service)
    if missing is not None and not old:
        raise missing
    changes = compare(old, new, new_known=new_known)
    result = ""
    if form == "text":
        result = changes_as_text(changes)
    elif form == "json":
        result = changes_as_json(changes)
    elif changes:
        with warnings_as_notes():
            result = changes_as_mermaid(changes, old, (*new, *new_known), direction)
        if form == "markdown":
            text = changes_as_text(changes)
            result = "\n\n".join((fenced(result, "mermaid"), fenced(text, "text")))
    else:
        note("No flow differs.")
    _deliver(result, form, output)
    sys.exit(1 if changes and exit_code else 0)


def _deliver(result: str, form: str, output: Path | None) -> None:
    if output is None:
        emit(result)
        return
    if result and form == "mermaid" and output.suffix.lower() == ".md":
        result = fenced(result, form)
    write_file(output, f"{result}\n".encode() if result else b"")
