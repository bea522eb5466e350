"""``penstock export``: write flows down for other services and tools."""

from __future__ import annotations

from pathlib import Path

import click

from penstock._manifests.manifest import dump_manifest
from penstock._platform.file import write_file
from penstock._project.load import load_flows
from penstock._project.shown import note

from ._output import emit

__all__ = ["export"]


@click.command("export")
@click.argument("targets", nargs=-1)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this file instead of stdout.",
)
@click.option(
    "--service",
    metavar="NAME",
    help="The service whose flows these are. By default what the program configures, "
    "else $OTEL_SERVICE_NAME.",
)
def export(targets: tuple[str, ...], output: Path | None, service: str | None) -> None:
    """Write the flows of TARGETS as a manifest.

    A manifest is JSON, the same bytes for the same flows. Commit it, and other
    repositories can draw and check against this one: every command takes manifests
    as targets.
    """
    flows, known = load_flows(targets, service=service)
    if not flows:
        note("No flow is declared there.")
    manifest = dump_manifest(flows, known)
    if output is None:
        emit(manifest)
    else:
        write_file(output, manifest.encode())
