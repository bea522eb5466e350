"""Reports: the counts as JSON values, and the merged counts of several processes."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._platform.json_fields import JsonError, JsonObject, parse_json
from penstock._registry import registry
from penstock.errors import ConfigurationError

from .flow_counts import FlowCounts, count_flow
from .judge import process_judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .counters import Counters

    Report = Mapping[str, Any]


class ConformanceReport:
    """How well the runs of one or more processes followed the declared order.

    >>> import penstock
    >>> before = {"runs": 1, "steps": {}, "edges": [], "violations": [], "foreign": []}
    >>> reports = [{"flows": {"orders": before}}, {"flows": {"orders": before}}]
    >>> merged = penstock.ConformanceReport.merge(reports).to_dict()
    >>> merged["flows"]["orders"]["runs"]
    2
    """

    def __init__(self, flows: Mapping[str, FlowCounts]) -> None:
        self._flows = dict(flows)

    def __repr__(self) -> str:
        """Name the flows."""
        return f"<ConformanceReport {' '.join(self._flows)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; the reference describes each key."""
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
        merged: dict[str, FlowCounts] = {}
        for report in reports:
            for name, flow in _read(report).items():
                merged.setdefault(name, FlowCounts()).add(flow)
        return cls({name: merged[name] for name in sorted(merged)})


def conformance_report() -> ConformanceReport:
    """Return how well the runs of this process have followed the declared order so far.

    Counting starts with ``configure(conformance=...)``.

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
    return report_of(process_judge.counters)


def report_of(counters: Counters) -> ConformanceReport:
    """Return the report of *counters*, with each declared flow."""
    with process_judge.lock:
        for name in registry.names():
            counters.plan(name).learn(registry.steps(name))
        flows = {
            name: count_flow(counters, counters.plans[name])
            for name in sorted(counters.plans)
        }
    return ConformanceReport(flows)


def _read(report: Any) -> Mapping[str, FlowCounts]:
    """Return the counts in a report, a dict or a file."""
    if isinstance(report, ConformanceReport):
        return report._flows  # noqa: SLF001  # our own class
    source = "the object"
    try:
        if isinstance(report, str | PathLike):
            source = str(report)
            document = parse_json(Path(report).read_bytes())
        else:
            document = JsonObject(report)
        flows = document.object("flows")
        return {name: FlowCounts.of(flows.object(name)) for name in flows.keys}
    except (OSError, JsonError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        msg = f"{source} is not a conformance report: {reason}."
        raise ConfigurationError(msg) from None
