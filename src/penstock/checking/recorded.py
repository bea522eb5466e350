"""Read recorded runs: conformance reports, and the logs of production."""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._platform.clock import utc
from penstock._project.settings import find_project
from penstock._project.shown import note
from penstock.conformance import ConformanceReport
from penstock.errors import ConfigurationError
from penstock.runs.evidence import count_order
from penstock.runs.figures import RunFilter
from penstock.runs.open_runs import open_runs, shown_source
from penstock.runs.output.order_text import order_lines, read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike

    from penstock._types import FlowInfo
    from penstock.runs.figures import RunSource

    Source = tuple[str, RunSource]

__all__ = ["Evidence", "open_evidence", "read_evidence"]

_SCHEME = "clickhouse://"
_HEAD = 1 << 20
_MANY = 1_000  # runs, among which are most flows
_REPORT = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"flows"\s*:')
_LOG = re.compile(rb'"(?:flow_event|root_id|correlation_id|resourceSpans)"')


@dataclass(frozen=True, slots=True)
class Evidence:
    """What recorded runs show.

    Attributes:
        flows: The merged flows of all reports, those that logs give, too.
        notes: What was read from logs, in sentences.
        logs: What reads the logs again.
    """

    flows: Mapping[str, Any]
    notes: Sequence[str] = ()
    logs: Sequence[RunSource] = ()

    def last_runs(self) -> dict[str, str]:
        """Return when the last run of each flow in the logs began, in UTC."""
        latest = [
            run for one in self.logs for run in one.latest(RunFilter(limit=_MANY))
        ]
        found = {run.flow for run in latest}
        for flow, counts in self.flows.items():
            if counts["runs"] and flow not in found:
                only = RunFilter(flow, limit=1)
                latest += [run for one in self.logs for run in one.latest(only)]
        latest.sort(key=lambda run: run.start_us)
        return {run.flow: _minute(run.start_us) for run in latest}

    def slowest(self) -> dict[str, tuple[float, str]]:
        """Return the p95 in ms and the name of each flow's slowest step in the logs."""
        found: dict[str, tuple[float, str]] = {}
        for source in self.logs:
            for one in source.figures(RunFilter()):
                p95_ms = one.quantiles_ms[1] if one.quantiles_ms else 0.0
                found[one.flow] = max(
                    (p95_ms, one.step), found.get(one.flow, (0.0, ""))
                )
        return found


def read_evidence(
    paths: Iterable[str | PathLike[str]], flows: Sequence[FlowInfo]
) -> Evidence:
    """Return what the runs at *paths* show about the declared order of *flows*.

    Args:
        paths: Conformance reports, logs, folders of either, and ``clickhouse://``
            addresses.
        flows: The flows as they are declared, with those that their steps come after.

    Raises:
        ConfigurationError: A folder has no runs, or a file is neither.
        LogSourceError: There is nothing to read, or too much.
        MissingExtraError: A package is missing to read it.
    """
    reports, sources = open_evidence(paths)
    found: list[Any] = [*reports]
    notes: list[str] = []
    for name, source in sources:
        counts = count_order([source], flows)
        notes += [*order_lines(name, counts), *read_lines(name, source.counts)]
        found.append(counts.to_dict())
    merged: Mapping[str, Any] = ConformanceReport.merge(found).to_dict()["flows"]
    return Evidence(merged, notes, [source for _, source in sources])


def _minute(micros: int) -> str:
    return f"{utc(micros / 1_000_000)[:16].replace('T', ' ')} UTC"


def open_evidence(
    paths: Iterable[str | PathLike[str]],
) -> tuple[list[Path], list[Source]]:
    """Return the reports at *paths*, and what reads the logs there, by name.

    Logs are told from reports by their content.

    Raises:
        ConfigurationError: A folder has no runs, or a file is neither.
        LogSourceError: There is nothing to read, or too much.
        MissingExtraError: A package is missing to read it.
    """
    reports: list[Path] = []
    logs: list[str] = []
    servers: list[str] = []
    for given in paths:
        path = fspath(given)
        if path.startswith(_SCHEME):
            servers.append(path)
        elif _is_log(Path(path)):
            logs.append(path)
        else:
            reports += _reports_at(Path(path))
    fields = find_project(Path.cwd()).fields
    asked = [[one] for one in servers] + ([logs] if logs else [])
    sources = [
        (", ".join(map(shown_source, one)), open_runs(one, fields=fields, note=note))
        for one in asked
    ]
    return reports, sources


def _is_log(path: Path) -> bool:
    """Tell whether there are logs at *path*, not reports."""
    if path.is_dir():
        heads = map(_head, path.glob("*.json"))
        has_reports = any(map(_REPORT.match, heads))
        return not has_reports and any(map(_is_log, _files_in(path)))
    if path.suffix != ".json":
        return not _REPORT.match(_head(path))
    head = _head(path)
    return not _REPORT.match(head) and _LOG.search(head) is not None


def _files_in(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _head(path: Path) -> bytes:
    """Return the beginning of a file, nothing if there is none to be read twice."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def _reports_at(path: Path) -> list[Path]:
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        msg = (
            f"evidence {str(path)!r} has no report and no logs. A process writes a "
            "report there when it ends, if PENSTOCK_CONFORMANCE_DIR names the folder."
        )
        raise ConfigurationError(msg)
    return files
