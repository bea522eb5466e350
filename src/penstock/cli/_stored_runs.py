"""Find stored operations and judge their order, as options of a command say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from penstock._project.imports import TargetError
from penstock._project.load import NoFlowError, load_flows
from penstock._project.settings import find_project
from penstock._project.shown import counted, note, plain
from penstock.runs.judging import judge
from penstock.runs.log_files import LogFiles
from penstock.runs.output.facts import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._types import FlowInfo
    from penstock.runs.lines import ReadCounts
    from penstock.runs.operation import Operation

__all__ = [
    "chosen",
    "declared_flows",
    "judged",
    "log_files",
    "moment_us",
    "note_counts",
    "pair",
]

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDS = ("run_id", "call_id", "correlation_id")


def pair(value: str) -> tuple[str, str]:
    """Return the key and the value in ``KEY=VALUE``.

    Raises:
        BadParameter: It has another form.
    """
    key, _, wanted = value.partition("=")
    if not (key and wanted):
        msg = f"{plain(repr(value))}: expected KEY=VALUE."
        raise click.BadParameter(msg)
    return key, wanted


def moment_us(value: str) -> int:
    """Return a time, or how long ago it was, as microseconds since 1970.

    A time without a zone is in UTC.

    Raises:
        BadParameter: It is neither.
    """
    ago = _AGO.fullmatch(value)
    try:
        if ago:
            moment = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        msg = (
            f"{plain(repr(value))}: expected how long ago, such as 90m, 1h or 2d, or a "
            "time, such as 2026-11-30T10:15 (in UTC)."
        )
        raise click.BadParameter(msg) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def log_files(
    sources: Sequence[str], fields: Iterable[tuple[str, str]], since_us: int | None
) -> LogFiles:
    """Return the logs that *sources* name, or those of the project.

    Raises:
        LogSourceError: There is nothing to read.
        ConfigurationError: A setting is wrong.
        UsageError: Neither the user nor the project names logs.
    """
    project = find_project(Path.cwd())
    if not (sources or project.runs):
        msg = (
            "no logs given. Name files, folders or - (stdin): penstock show ID logs/, "
            'or set runs = ["logs/"] under [tool.penstock] in pyproject.toml.'
        )
        raise click.UsageError(msg)
    keys = {**project.fields, **dict(fields)}
    return LogFiles(sources or project.runs, fields=keys, since_us=since_us)


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
        return (), "no declaration was found: name your package with --target"
    except TargetError as exc:
        if targets:
            raise
        note(f"Warning: {exc}")
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
    return Shown(operations, verdicts, reason, with_logs=with_logs)


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


def note_counts(counts: ReadCounts) -> None:
    """Say what was read, and what was not."""
    note(f"Read {counted(counts.hits, 'line')} in {counted(counts.files, 'file')}.")
    for reason, number in counts.skipped.items():
        note(f"Skipped {counted(number, 'line')}: {reason}.")
    for path, reason in counts.unread.items():
        note(f"{path}: {reason}.")
