"""``penstock list``: the flows, one per line."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from penstock._project.load import load_flows
from penstock._project.shown import shown_path
from penstock.errors import plain
from penstock.renderers.terminal.canvas import width_of

from ._options import format_option, targets_argument
from ._output import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock._types import FlowInfo

__all__ = ["list_flows"]


def _table(flows: Sequence[FlowInfo]) -> str:
    rows = [_row(flow) for flow in flows]
    kept = [i for i in range(len(_COLUMNS)) if any(row[i] for row in rows)]
    names = [_COLUMNS[i] for i in kept]
    cells = [[row[i] for i in kept] for row in rows]
    widths = [max(map(width_of, column)) for column in zip(names, *cells, strict=True)]
    is_terminal = sys.stdout.isatty()
    room = shutil.get_terminal_size().columns if is_terminal else _UNLIMITED
    spare = room - sum(widths) - _GAP * (len(widths) - 1)
    if names[-1] == "about" and spare < 0 and widths[-1] + spare >= _LEAST:
        widths[-1] += spare
    elif spare < 0:
        return "\n\n".join(_block(names, row, room) for row in cells)
    rule = "─" * (sum(widths) + _GAP * (len(widths) - 1))
    lines = [_line(names, names, widths), rule]
    for row in cells:
        first, *more = textwrap.wrap(row[-1], widths[-1]) or [""]
        lines.append(_line(names, [*row[:-1], first], widths, is_bold=is_terminal))
        lines += [" " * (len(rule) - widths[-1]) + line for line in more]
    return "\n".join(lines)


_COLUMNS = ("flow", "service", "entrypoints", "steps", "owner", "place", "about")
_GAP = 3
_LEAST = 20  # columns for what a flow is about; with fewer, each flow is a block
_UNLIMITED = 1_000_000


def _line(
    names: Sequence[str],
    cells: Sequence[str],
    widths: Sequence[int],
    *,
    is_bold: bool = False,
) -> str:
    padded = []
    for name, cell, width in zip(names, cells, widths, strict=True):
        space = " " * (width - width_of(cell))
        padded.append(space + cell if name == "steps" else cell + space)
    padded[0] = _name(padded[0], is_bold=is_bold)
    return (" " * _GAP).join(padded).rstrip()


def _block(names: Sequence[str], cells: Sequence[str], room: int) -> str:
    """Return one flow on several lines, for a terminal that is too narrow."""
    width = max(map(len, names)) + 2
    lines = [_name(cells[0], is_bold=True)]
    for name, cell in zip(names[1:], cells[1:], strict=True):
        begin = f"  {name:<{width}}"
        lines += textwrap.wrap(
            cell,
            room,
            initial_indent=begin,
            subsequent_indent=" " * len(begin),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _name(text: str, *, is_bold: bool) -> str:
    has_colour = is_bold and "NO_COLOR" not in os.environ
    return click.style(text, bold=True) if has_colour else text


def _concise(flows: Sequence[FlowInfo]) -> str:
    return "".join("\t".join(_row(flow)) + "\n" for flow in flows)


def _json(flows: Sequence[FlowInfo]) -> str:
    return json.dumps([asdict(flow) for flow in flows], indent=2)


def _row(flow: FlowInfo) -> tuple[str, ...]:
    entrypoints = [step.name for step in flow.steps if step.is_entrypoint]
    first = next((one for one in flow.steps if one.is_entrypoint), None)
    first = first or next(iter(flow.steps), None)
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


@click.command(
    "list",
    short_help="List the flows of TARGETS.",
    epilog="Example: penstock list shop --format json",
)
@targets_argument
@format_option(_FORMATS, "concise is one line per flow, its fields separated by tabs.")
def list_flows(targets: tuple[str, ...], form: str) -> None:
    """List the flows of TARGETS: entrypoints, number of steps, owner and place."""
    flows, _ = load_flows(targets)
    emit(_FORMATS[form](flows))
