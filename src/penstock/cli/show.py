"""``penstock show``: one operation, from the logs of all its services."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

import click

from penstock._platform.file import write_file
from penstock._project.shown import counted, note
from penstock.errors import ConfigurationError
from penstock.runs.finding import find_operations, follow_operations
from penstock.runs.log_files import LogFiles
from penstock.runs.output.operation_json import as_json
from penstock.runs.output.operation_page import as_page
from penstock.runs.output.otlp_json import as_otlp
from penstock.runs.output.sequence_diagram import as_sequence_diagram
from penstock.runs.output.text import as_text, ended_line
from penstock.runs.output.waterfall import unpainted
from penstock.runs.trees import operations_of

from ._following import batches, newly_ended
from ._option_values import pair
from ._options import file_option, map_option, since_option, target_option
from ._output import emit, open_in_browser, temporary_file
from ._stored_runs import (
    NEEDS_JSON,
    chosen,
    declared_flows,
    judged,
    note_counts,
    note_left_out,
    source_names,
    where_to_look,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from penstock._types import FlowInfo
    from penstock.runs.clickhouse_engine import ClickHouseRuns
    from penstock.runs.lines import ReadCounts, StoredLine
    from penstock.runs.output.facts import Shown

    Wanted = str | Mapping[str, str]
    Declared = tuple[Sequence[FlowInfo], str]

__all__ = ["show"]

_FORMATS = ("text", "json", "html", "mermaid", "otlp")
_BY_DEFAULT = "`runs` in pyproject.toml"
_MAX_KEYS = 5
_COLOURS = {"bad": "red", "doubtful": "yellow", "dim": "bright_black"}


@click.command(
    "show",
    short_help="Show what happened in an operation.",
    epilog="Example: penstock show 4711abcd logs/",
)
@click.argument("arguments", nargs=-1, metavar="[ID] [SOURCES]...")
@click.option(
    "--where",
    metavar="KEY=VALUE",
    type=pair,
    multiple=True,
    help="Instead of ID: metadata that a line of the operation has, such as "
    "order_id=A-1. If given several times, one line has all of them.",
)
@click.option(
    "--logs",
    "with_logs",
    is_flag=True,
    help="Show the other lines of each call, too.",
)
@click.option("--follow", is_flag=True, help="Wait for more lines, until Ctrl+C.")
@since_option("Leave out older lines")
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(_FORMATS),
    help="html is a page with the flow's diagram, mermaid a sequence diagram, otlp a "
    "trace that tracing tools can open. By default html for --open and for an --output "
    "that ends in .html, else text.",
)
@file_option("--output", "-o", explained="Write this file instead of stdout.")
@click.option(
    "--open",
    "opens",
    is_flag=True,
    help="Open the result in a browser. By default it is HTML in a temporary file.",
)
@map_option
@target_option
def show(
    arguments: tuple[str, ...],
    where: tuple[tuple[str, str], ...],
    since_us: int | None,
    form: str | None,
    output: Path | None,
    fields: tuple[tuple[str, str], ...],
    targets: tuple[str, ...],
    *,
    with_logs: bool,
    follow: bool,
    opens: bool,
) -> None:
    """Show what happened in the operation with this ID, from the logs of its services.

    ID is a correlation ID, run ID or trace ID, or the beginning of one. SOURCES are
    files, folders, patterns or - (stdin), of lines in JSON, or
    clickhouse://HOST/DATABASE; by default the list `runs` under [tool.penstock] in
    pyproject.toml.

    Exit status 1 if nothing is found.
    """
    wanted, sources = _wanted(arguments, where)
    form = form or _default_format(output, opens=opens)
    source = where_to_look(sources, fields, since_us)
    counts = source.counts
    declared = declared_flows(targets)
    if follow:
        if form != "text" or output:
            msg = "--follow prints text only."
            raise click.UsageError(msg)
        _follow(_files(source, "--follow"), wanted, declared, with_logs=with_logs)
        return
    if with_logs:
        _files(source, "--logs")
    operations = operations_of(_lines(source, wanted, since_us))
    if not operations:
        note_left_out(counts)
        looked_in = ", ".join(source_names(sources) if sources else [_BY_DEFAULT])
        if isinstance(source, LogFiles):
            looked_in = f"{counted(counts.files, 'file')} ({looked_in})"
        is_since = since_us is not None
        note(_nothing_found(wanted, looked_in, declared[0], is_since=is_since))
        if counts.skipped:
            note(NEEDS_JSON)
        for advice in _elsewhere(wanted, counts):
            note(advice)
        sys.exit(1)
    operations = chosen(operations, wanted)
    shown = judged(operations, declared, with_logs=with_logs)
    if opens and output is None:
        output = temporary_file(f".{form}")
    _write(_formatted(shown, form, counts, output), output)
    if opens and output:
        open_in_browser(output)
    note_counts(counts)


def _lines(
    source: LogFiles | ClickHouseRuns, wanted: Wanted, since_us: int | None
) -> Iterable[StoredLine]:
    if isinstance(source, LogFiles):
        return chain.from_iterable(find_operations(source, wanted).values())
    return source.find_operations(wanted, since_us)


def _files(source: LogFiles | ClickHouseRuns, option: str) -> LogFiles:
    if isinstance(source, LogFiles):
        return source
    msg = f"{option} reads log files. Spans in ClickHouse have no log lines."
    raise click.UsageError(msg)


def _default_format(output: Path | None, *, opens: bool) -> str:
    if output is None:
        return "html" if opens else "text"
    return "html" if output.suffix.lower() in (".html", ".htm") else "text"


def _wanted(
    arguments: tuple[str, ...], where: tuple[tuple[str, str], ...]
) -> tuple[Wanted, tuple[str, ...]]:
    """Return what to look for, and where."""
    if where:
        return dict(where), arguments
    if not arguments:
        msg = "no ID given. Name one, or metadata: penstock show --where order_id=A-1"
        raise click.UsageError(msg)
    return arguments[0], arguments[1:]


def _follow(
    files: LogFiles, wanted: Wanted, declared: Declared, *, with_logs: bool
) -> None:
    """Show the operation again whenever lines have come, until the user ends it.

    What is no terminal gets each call once, when it has ended.
    """
    lines: list[StoredLine] = []
    printed: set[object] = set()
    with suppress(KeyboardInterrupt):
        for batch in batches(follow_operations(files, wanted)):
            lines += batch
            operations = chosen(operations_of(lines), wanted)
            if not sys.stdout.isatty():
                ended = newly_ended(operations, printed)
                emit("".join(f"{ended_line(call)}\n" for call in ended))
            elif operations:
                click.clear()
                emit(_text(judged(operations, declared, with_logs=with_logs)))


def _formatted(shown: Shown, form: str, counts: ReadCounts, output: Path | None) -> str:
    if form == "json":
        return as_json(shown, counts)
    if form == "otlp":
        return as_otlp(shown)
    if form == "text":
        return as_text(shown) if output else _text(shown)
    if len(shown.operations) > 1:
        ids = [one.roots[0].run_id for one in shown.operations if one.roots]
        runs = ", ".join(filter(None, ids))
        kind = "a page" if form == "html" else "a sequence diagram"
        msg = f"{len(shown.operations)} operations have this ID, and {kind} shows one."
        if runs:
            msg += f" Name a run ID: {runs}."
        raise ConfigurationError(msg)
    (operation,) = shown.operations
    if form == "html":
        return as_page(operation, shown)
    return as_sequence_diagram(operation, shown.judgements.get(operation, ()))


def _write(result: str, output: Path | None) -> None:
    if output is None:
        emit(result)
    else:
        write_file(output, f"{result}\n".encode())


def _text(shown: Shown) -> str:
    if not sys.stdout.isatty():
        return as_text(shown)
    width = shutil.get_terminal_size().columns
    return as_text(shown, width, unpainted if "NO_COLOR" in os.environ else _paint)


def _paint(text: str, style: str) -> str:
    if style == "bold":
        return click.style(text, bold=True)
    return click.style(text, fg=_COLOURS[style]) if style and text else text


def _elsewhere(wanted: Wanted, counts: ReadCounts) -> Iterator[str]:
    """Yield how many lines have the text elsewhere, and how to find them."""
    if not counts.elsewhere:
        return
    keys = sorted(counts.elsewhere_keys)
    found = f"The text is elsewhere in {counted(counts.elsewhere, 'line')}"
    if keys:
        more = len(keys) - _MAX_KEYS
        named = ", ".join(keys[:_MAX_KEYS]) + (f" and {more} more" if more > 0 else "")
        text = wanted if isinstance(wanted, str) else max(wanted.values(), key=len)
        option = shlex.quote(f"{keys[0]}={text}")
        yield f"{found}, as {named}: --where {option}"
    else:
        yield f"{found}."
    if isinstance(wanted, str):
        yield (
            "If it is an ID under a key that penstock does not know, name that: "
            f"--map correlation_id={keys[0] if keys else 'KEY'}"
        )


def _nothing_found(
    wanted: Wanted, where: str, flows: Sequence[FlowInfo], *, is_since: bool
) -> str:
    if not isinstance(wanted, str):
        pairs = " and ".join(f"{key}={value}" for key, value in wanted.items())
        found = f"No line in {where} has {pairs}."
        advice = "Metadata is on lines whose formatter or install_log_fields names it."
    elif any(flow.name == wanted for flow in flows):
        found = f"No line in {where} has the ID {wanted!r}."
        advice = f"It is the name of a flow. To draw that: penstock dag {wanted}"
    else:
        found = f"No line in {where} has an ID that is {wanted!r} or begins with it."
        advice = "Name more logs, or look for metadata: --where order_id=A-1"
    limit = " --since leaves out older lines." if is_since else ""
    return f"{found}{limit} {advice}"
