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
    Flows = Mapping[str, FlowCounts]


class ConformanceReport:
    """How well the runs of one or more processes followed the declared order.

    >>> import penstock
    >>> before = {"runs": 1, "steps": {}, "edges": [], "violations": [], "foreign": []}
    >>> reports = [{"flows": {"orders": before}}, {"flows": {"orders": before}}]
    >>> merged = penstock.ConformanceReport.merge(reports).to_dict()
    >>> merged["flows"]["orders"]["runs"]
    2
    """

    def __init__(self, parts: Iterable[ConformanceReport | Flows]) -> None:
        # Not added up before they are wanted: a loop may merge one report after another
        # into the one so far.
        self._parts = tuple(parts)

    def __repr__(self) -> str:
        """Name the flows."""
        return f"<ConformanceReport {' '.join(self._flows())}>"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values; the reference describes each key."""
        flows = self._flows().items()
        return {"flows": {name: flow.to_dict() for name, flow in flows}}

    def _flows(self) -> Flows:
        merged: dict[str, FlowCounts] = {}
        parts = list(self._parts)
        while parts:
            part = parts.pop()
            if isinstance(part, ConformanceReport):
                parts += part._parts  # noqa: SLF001  # our own class
                continue
            for name, flow in part.items():
                merged.setdefault(name, FlowCounts()).add(flow)
        flows = {name: merged[name] for name in sorted(merged)}
        self._parts = (flows,)
        return flows

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
        return cls(map(_read, reports))


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
    """Return the report of *counters*, with each declared flow.

    The lock is held for a moment at a time, so that runs go on meanwhile.
    """
    lock = process_judge.lock
    for name in registry.names():
        with lock:
            counters.plan(name).learn(registry.steps(name))
    with lock:
        counted = counters.copy()
    flows = {
        name: count_flow(counted, plan, lock)
        for name, plan in sorted(counted.plans.items())
    }
    for violation, runs in counted.violations.items():
        flows[violation.flow].violations[violation[1:]] = runs
    for (running, other, step), count in counted.foreign.items():
        flows[running].foreign[other, step] = count
    return ConformanceReport([flows])


def _read(report: Any) -> ConformanceReport | Flows:
    """Return a report, or the counts in a dict or a file."""
    if isinstance(report, ConformanceReport):
        return report
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
