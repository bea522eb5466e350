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
from .ledger import Ledger

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

    def __init__(self, flows: Mapping[str, Counts], ledger: Ledger) -> None:
        self._flows = dict(flows)
        self._ledger = ledger

    def __repr__(self) -> str:
        """Name the flows."""
        return f"<ConformanceReport {' '.join(self._flows)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON would have it; the reference describes each key."""
        flows = {name: flow.to_dict() for name, flow in self._flows.items()}
        crossings = self._ledger.to_dict()
        return (
            {"flows": flows, "crossings": crossings} if crossings else {"flows": flows}
        )

    @classmethod
    def merge(
        cls,
        reports: Iterable[ConformanceReport | Report | str | PathLike[str]],
        *,
        complete: bool = False,
        margin_s: float = 1.0,
    ) -> ConformanceReport:
        """Return several reports as one, in whatever order they come.

        Of an edge that crosses processes they decide what none of them knew alone: a
        step that had ended before, anywhere, is a witness. One report given twice
        counts twice.

        Args:
            reports: Reports, dicts of theirs, or paths of JSON files with one.
            complete: Whether each process that took part has its report among them,
                none was killed, and all of them recorded all the time. Only then what
                is in no record did not happen, and breaks the order; nothing stays
                open.
            margin_s: How far the clocks of two machines may be apart, in seconds.

        Raises:
            ConfigurationError: One of them is no report.
        """
        merged: dict[str, Counts] = {}
        ledger = Ledger()
        for report in reports:
            flows, more = _read(report)
            for name, flow in flows.items():
                merged.setdefault(name, Counts()).add(flow)
            ledger.add(more)
        ledger.decide(merged, is_complete=complete, margin_ns=round(margin_s * 1e9))
        return cls({name: merged[name] for name in sorted(merged)}, ledger)


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
        ledger = Ledger(book.crossings.records(), book.crossings.dropped())
    return ConformanceReport(flows, ledger)


def _read(report: Any) -> tuple[Mapping[str, Counts], Ledger]:
    """Return what a report, a dict or a file says."""
    if isinstance(report, ConformanceReport):
        return report._flows, report._ledger  # noqa: SLF001  # our own class
    source = "what was given"
    try:
        if isinstance(report, str | PathLike):
            source = str(report)
            report = json.loads(Path(report).read_bytes())
        flows = {name: Counts.of(flow) for name, flow in report["flows"].items()}
        return flows, Ledger.of(report.get("crossings"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as exc:
        msg = f"{source} is no conformance report: {type(exc).__name__}: {exc}."
        raise ConfigurationError(msg) from None
