"""Find stored operations and judge their order, as options of a command say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock._project.imports import TargetError, is_django_without_settings
from penstock._project.load import NoFlowError, load_flows
from penstock._project.settings import find_project
from penstock._project.shown import counted, note
from penstock.errors import did_you_mean
from penstock.runs.figures import RunFilter
from penstock.runs.judging import judge
from penstock.runs.log_files import LogFiles
from penstock.runs.open_runs import is_server, open_runs, open_server, shown_source
from penstock.runs.output.facts import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._types import FlowInfo
    from penstock.runs.clickhouse_engine import ClickHouseRuns
    from penstock.runs.figures import RunSource
    from penstock.runs.lines import ReadCounts
    from penstock.runs.operation import Operation

__all__ = [
    "NEEDS_JSON",
    "chosen",
    "declared_flows",
    "judged",
    "note_counts",
    "note_nothing",
    "source_names",
    "stored_runs",
    "where_to_look",
]

NEEDS_JSON = (
    "penstock reads lines in JSON, such as penstock.JSONFormatter writes. To make "
    "lines of indented JSON, pipe it through jq -c . or, if it is an array, jq -c '.[]'"
)

_MAX_NAMED = 10
_IDS = ("run_id", "call_id", "correlation_id")


def where_to_look(
    sources: Sequence[str], fields: Iterable[tuple[str, str]], since_us: int | None
) -> LogFiles | ClickHouseRuns:
    """Return the logs or the server that *sources* name, or those of the project.

    Raises:
        LogSourceError: There is nothing to read, or the server cannot be reached.
        MissingExtraError: A package is missing.
        ConfigurationError: A setting is wrong.
        UsageError: Neither the user nor the project names logs.
    """
    paths, keys = _sources(sources, fields, "penstock show ID logs/")
    if is_server(paths):
        return open_server(paths)
    return LogFiles(paths, fields=keys, since_us=since_us)


def stored_runs(
    command: str, sources: Sequence[str], fields: Iterable[tuple[str, str]]
) -> RunSource:
    """Return the runs that *sources* name, or those of the project.

    Raises:
        LogSourceError: There is nothing to read.
        ConfigurationError: A setting is wrong.
        UsageError: Neither the user nor the project names logs.
    """
    paths, keys = _sources(sources, fields, f"penstock {command} logs/")
    return open_runs(paths, fields=keys, note=note)


def source_names(sources: Sequence[str]) -> list[str]:
    """Return what the runs are read from, without passwords."""
    named = sources or find_project(Path.cwd()).runs
    return [*map(shown_source, named)]


def _sources(
    sources: Sequence[str], fields: Iterable[tuple[str, str]], example: str
) -> tuple[Sequence[str], dict[str, str]]:
    """Return where the runs are, and the keys of their lines."""
    project = find_project(Path.cwd())
    if not (sources or project.runs):
        msg = (
            f"no logs given. Name files, folders or - (stdin): {example}, "
            'or set runs = ["logs/"] under [tool.penstock] in pyproject.toml.'
        )
        raise click.UsageError(msg)
    return sources or project.runs, {**project.fields, **dict(fields)}


def declared_flows(targets: Sequence[str]) -> tuple[tuple[FlowInfo, ...], str]:
    """Return the flows that are declared, or why none are known.

    Without *targets*, a project that cannot be imported here is a warning: its runs
    can be shown all the same.

    Raises:
        TargetError: One of *targets* does not exist, or importing it failed.
        ManifestError: The same for a manifest.
    """
    try:
        return load_flows(targets).known, ""
    except NoFlowError:
        if targets:
            raise
        advice = "name your package with --target"
        if is_django_without_settings():
            advice = "run it as python manage.py penstock"
        return (), f"no declaration was found: {advice}"
    except TargetError as exc:
        if targets:
            raise
        for line in f"Warning: {exc}".splitlines():
            note(line)
        return (), "the flows of this project cannot be imported"


def judged(
    operations: Sequence[Operation],
    declared: tuple[Sequence[FlowInfo], str],
    *,
    with_logs: bool,
) -> Shown:
    """Return *operations* with the verdicts on their order."""
    flows, reason = declared
    verdicts = {one: judge(one, flows) for one in operations} if flows else {}
    return Shown(operations, verdicts, reason, flows, with_logs=with_logs)


def chosen(operations: list[Operation], wanted: object) -> list[Operation]:
    """Return those of *operations* that the ID *wanted* names; all if it names none.

    Operations that share a root ID have run IDs of their own.
    """
    if not isinstance(wanted, str):
        return operations
    exact = [one for one in operations if _has(one, wanted, exactly=True)]
    begun = [one for one in operations if _has(one, wanted, exactly=False)]
    return exact or begun or operations


def _has(operation: Operation, wanted: str, *, exactly: bool) -> bool:
    ids = (getattr(call, name) for call in operation.calls for name in _IDS)
    return any(one == wanted or (not exactly and one.startswith(wanted)) for one in ids)


def note_nothing(source: RunSource, found: str, flow: str) -> None:
    """Say that nothing was found, and what may be the reason."""
    note(found)
    if source.counts.files and not source.counts.hits:
        note("The logger 'penstock' writes the lines of steps, at INFO.")
        note(NEEDS_JSON)
    elif flow:
        known = sorted({one.flow for one in source.figures(RunFilter())})
        if flow not in known:
            names = ", ".join(known[:_MAX_NAMED])
            note(f"No flow is named {flow!r} there.{did_you_mean(flow, known)}")
            note(f"The flows are {names}{' …' if len(known) > _MAX_NAMED else ''}.")


def note_counts(counts: ReadCounts) -> None:
    """Say what was read, and what was not."""
    where = f" in {counted(counts.files, 'file')}" if counts.files else ""
    note(f"Read {counted(counts.hits, 'line')}{where}.")
    note_left_out(counts)


def note_left_out(counts: ReadCounts) -> None:
    """Say what was not read, and why."""
    if counts.is_sampled:
        note("These are figures of the kept runs: others were dropped by sampling.")
    for reason, number in counts.skipped.items():
        note(f"Skipped {counted(number, 'line')}: {reason}.")
    for path, reason in counts.unread.items():
        note(f"{path}: {reason}.")
