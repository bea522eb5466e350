"""``penstock export``: write flows to a file for other services and tools."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from penstock._manifests.manifest import dump_manifest
from penstock._platform.file import write_file
from penstock._project.load import load_flows
from penstock._project.shown import note

from ._options import file_option, service_option, targets_argument
from ._output import emit

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["export"]


@click.command("export", epilog="Example: penstock export shop -o penstock.json")
@targets_argument
@file_option("--output", "-o", explained="Write this file instead of stdout.")
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit with 1 if the file of --output is out of date.",
)
@service_option
def export(
    targets: tuple[str, ...], output: Path | None, service: str | None, *, check: bool
) -> None:
    """Write the flows of TARGETS as a manifest.

    A manifest is JSON, the same bytes for the same flows. Commit it, and other
    repositories can draw and check against this one: every command takes manifests
    as targets.
    """
    if check and output is None:
        msg = "--check needs the manifest to check: --output penstock.json"
        raise click.UsageError(msg)
    flows, known = load_flows(targets, service=service)
    manifest = dump_manifest(flows, known)
    if output is None:
        emit(manifest)
    elif check:
        old = output.read_bytes() if output.exists() else b""
        if old != manifest.encode():
            why = _other_service(old, manifest)
            note(f"{output} is out of date{why}. To update: run without --check.")
            sys.exit(1)
    else:
        write_file(output, manifest.encode())


def _other_service(old: bytes, new: str) -> str:
    """Return that a manifest names another service, ``""`` if it does not."""
    try:
        before = json.loads(old)["service"]
    except (ValueError, KeyError, TypeError):
        return ""
    service = json.loads(new)["service"]
    if before == service:
        return ""
    return f": it is of service {before!r}, and --service is {service!r}"
