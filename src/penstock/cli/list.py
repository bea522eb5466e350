"""``penstock list``: the flows, one per line."""

from __future__ import annotations

import json
from dataclasses import asdict
from io import StringIO
from typing import TYPE_CHECKING

import click

from penstock._platform.optional import requires
from penstock._project.load import load_flows
from penstock._project.shown import note, plain, shown_path

from ._options import format_option, targets_argument
from ._output import emit

with requires("rich", extra="cli"):
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock._types import FlowInfo

__all__ = ["list_flows"]


def _table(flows: Sequence[FlowInfo]) -> str:
    if not flows:
        return ""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    rows = [_row(flow) for flow in flows]
    columns = ["flow", "service", "entrypoints", "steps", "owner", "place", "about"]
    kept = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    for i in kept:
        # A narrow terminal folds what does not fit, and hides nothing.
        table.add_column(
            columns[i],
            justify="right" if columns[i] == "steps" else "left",
            overflow="fold",
            min_width=min(max(len(row[i]) for row in rows), 12) if i == 0 else None,
        )
    for row in rows:
        table.add_row(*(Text(row[i], style="bold" if i == 0 else "") for i in kept))
    return _drawn(table)


def _drawn(table: Table) -> str:
    """Return *table* for the terminal, or as wide as its data if there is none."""
    terminal = Console()
    buffer = StringIO()
    console = Console(
        file=buffer,
        force_terminal=terminal.is_terminal,
        color_system="auto" if terminal.is_terminal else None,
        width=terminal.width if terminal.is_terminal else _UNLIMITED,
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


_UNLIMITED = 1_000_000


def _concise(flows: Sequence[FlowInfo]) -> str:
    return "".join("\t".join(_row(flow)) + "\n" for flow in flows)


def _json(flows: Sequence[FlowInfo]) -> str:
    return json.dumps([asdict(flow) for flow in flows], indent=2)


def _row(flow: FlowInfo) -> tuple[str, ...]:
    entrypoints = [step.name for step in flow.steps if step.is_entrypoint]
    first = min(flow.steps, key=lambda step: (step.path, step.line), default=None)
    return (
        plain(flow.name),
        plain(flow.service),
        plain(", ".join(entrypoints)),
        str(len(flow.steps)),
        plain(flow.owner),
        plain(f"{shown_path(first.path)}:{first.line}") if first and first.path else "",
        plain(flow.description),
    )


_FORMATS: dict[str, Callable[[Sequence[FlowInfo]], str]] = {
    "table": _table,
    "json": _json,
    "concise": _concise,
}


@click.command("list", short_help="List the flows of TARGETS.")
@targets_argument
@format_option(_FORMATS, "concise is one line per flow, its fields separated by tabs.")
def list_flows(targets: tuple[str, ...], form: str) -> None:
    """List the flows of TARGETS: entrypoints, number of steps, owner and place."""
    flows, _ = load_flows(targets)
    if not flows:
        note("The targets declare no flow.")
    emit(_FORMATS[form](flows))
