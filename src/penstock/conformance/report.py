"""What was counted, as plain values; of several processes as one."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._registry import registry
from penstock.errors import ConfigurationError

from .flow_counts import Counts, counted
from .judge import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .counters import Book

    Report = Mapping[str, Any]

__all__ = ["ConformanceReport", "conformance_report", "report_of"]


class ConformanceReport:
    """How the runs of a process kept to the declared order, or those of several.

    >>> import penstock
    >>> before = {"runs": 1, "steps": {}, "edges": [], "violations": [], "foreign": []}
    >>> reports = [{"flows": {"orders": before}}, {"flows": {"orders": before}}]
    >>> merged = penstock.ConformanceReport.merge(reports).to_dict()
    >>> merged["flows"]["orders"]["runs"]
    2
    """

    def __init__(self, flows: Mapping[str, Counts]) -> None:
        self._flows = dict(flows)

    def __repr__(self) -> str:
        """Name the flows."""
        return f"<ConformanceReport {' '.join(self._flows)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON would have it; the reference describes each key."""
        return {"flows": {name: flow.to_dict() for name, flow in self._flows.items()}}

    @classmethod
    def merge(
        cls, reports: Iterable[ConformanceReport | Report | str | PathLike[str]]
    ) -> ConformanceReport:
        """Add up the counts of several reports; their order makes no difference.

        A report that is given twice counts twice.

        Args:
            reports: Reports, their dicts, or paths of JSON files that hold one.

        Raises:
            ConfigurationError: One of them is not a conformance report.
        """
        merged: dict[str, Counts] = {}
        for report in reports:
            for name, flow in _read(report).items():
                merged.setdefault(name, Counts()).add(flow)
        return cls({name: merged[name] for name in sorted(merged)})


def conformance_report() -> ConformanceReport:
    """Return how the runs of this process have kept to the declared order so far.

    Nothing is counted until ``configure(conformance=...)`` says so.

    >>> import penstock
    >>> penstock.configure(conformance="record")
    >>> @penstock.flow("orders")
    ... @penstock.entrypoint
    ... def receive():
    ...     charge()
    >>> @penstock.flow("orders")
    ... @penstock.step(after=receive)
    ... def charge(): ...
    >>> receive()
    >>> report = penstock.conformance_report().to_dict()
    >>> report["flows"]["orders"]["edges"][0]["status"]
    'witnessed'
    """
    return report_of(judge.book)


def report_of(book: Book) -> ConformanceReport:
    """Return the report of *book*, with each declared flow."""
    with judge.lock:
        for name in registry.names():
            book.plan(name).learn(registry.steps(name))
        flows = {name: counted(book, book.plans[name]) for name in sorted(book.plans)}
    return ConformanceReport(flows)


def _read(report: Any) -> Mapping[str, Counts]:
    """Return what a report, a dict or a file says."""
    if isinstance(report, ConformanceReport):
        return report._flows  # noqa: SLF001  # our own class
    source = "what was given"
    try:
        if isinstance(report, str | PathLike):
            source = str(report)
            report = json.loads(Path(report).read_bytes())
        return {name: Counts.of(flow) for name, flow in report["flows"].items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as exc:
        msg = f"{source} is not a conformance report: {type(exc).__name__}: {exc}."
        raise ConfigurationError(msg) from None
