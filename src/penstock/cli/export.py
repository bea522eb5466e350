"""``penstock export``: write flows down for other services and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from penstock._manifests.manifest import dump_manifest
from penstock._platform.file import write_file
from penstock._project.load import load_flows

from ._options import file_option, service_option, targets_argument
from ._output import emit

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["export"]


@click.command("export", epilog="Example: penstock export shop -o penstock.json")
@targets_argument
@file_option("--output", "-o", explained="Write this file instead of stdout.")
@service_option
def export(targets: tuple[str, ...], output: Path | None, service: str | None) -> None:
    """Write the flows of TARGETS as a manifest.

    A manifest is JSON, the same bytes for the same flows. Commit it, and other
    repositories can draw and check against this one: every command takes manifests
    as targets.
    """
    flows, known = load_flows(targets, service=service)
    manifest = dump_manifest(flows, known)
    if output is None:
        emit(manifest)
    else:
        write_file(output, manifest.encode())
