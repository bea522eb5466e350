"""What was counted, as plain values; of several processes as one."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._order import edge_status
from penstock._registry import registry
from penstock.errors import ConfigurationError

from ._book import MAX_EXAMPLES, Book
from ._judge import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._plans import FlowPlan

    Flows = Mapping[str, Any]

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

    def __init__(self, flows: Mapping[str, Any]) -> None:
        self._flows = dict(flows)

    def __repr__(self) -> str:
        """Name the flows."""
        return f"<ConformanceReport {' '.join(self._flows)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON would have it; the reference describes each key."""
        return {"flows": deepcopy(self._flows)}

    @classmethod
    def merge(
        cls, reports: Iterable[ConformanceReport | Flows | str | PathLike[str]]
    ) -> ConformanceReport:
        """Return several reports as one.

        Args:
            reports: Reports, dicts of theirs, or paths of JSON files with one.

        Raises:
            ConfigurationError: One of them is no report.
        """
        merged: dict[str, _Flow] = {}
        for report in reports:
            for name, flow in _flows_of(report).items():
                merged.setdefault(name, _Flow()).add(flow)
        return cls({name: merged[name].to_dict() for name in sorted(merged)})


class _Flow:
    """What several reports say of one flow."""

    def __init__(self) -> None:
        self.runs = 0
        self.steps: dict[str, int] = {}
        self.edges: dict[tuple[str, str], list[int]] = {}
        self.violations: dict[tuple[str, str, str, str], dict[str, int]] = {}
        self.foreign: Counter[tuple[str, str]] = Counter()

    def add(self, flow: Mapping[str, Any]) -> None:
        self.runs += flow["runs"]
        for step, count in flow["steps"].items():
            self.steps[step] = self.steps.get(step, 0) + count
        for edge in flow["edges"]:
            counts = self.edges.setdefault((edge["before"], edge["after"]), [0, 0])
            counts[0] += edge["witnessed"]
            counts[1] += edge["contradicted"]
        for item in flow["violations"]:
            caller = item.get("caller", "")  # reports of before do not have it
            finding = item["step"], item["code"], item["message"], caller
            runs = self.violations.setdefault(finding, {})
            run = item["run"]
            if run not in runs and len(runs) >= MAX_EXAMPLES:
                run = next(reversed(runs))
            runs[run] = runs.get(run, 0) + item["count"]
        for item in flow["foreign"]:
            self.foreign[item["flow"], item["step"]] += item["count"]

    def to_dict(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "steps": self.steps,
            "edges": [
                {
                    "before": before,
                    "after": after,
                    "witnessed": witnessed,
                    "contradicted": contradicted,
                    "status": edge_status(witnessed, contradicted),
                }
                for (before, after), (witnessed, contradicted) in self.edges.items()
            ],
            "violations": [
                {
                    "step": step,
                    "run": run,
                    "code": code,
                    "message": text,
                    "caller": caller,
                    "count": count,
                }
                for (step, code, text, caller), runs in self.violations.items()
                for run, count in runs.items()
            ],
            "foreign": [
                {"flow": flow, "step": step, "count": count}
                for (flow, step), count in self.foreign.items()
            ],
        }


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
        flows = {name: _counted(book, book.plans[name]) for name in sorted(book.plans)}
    return ConformanceReport({name: flow.to_dict() for name, flow in flows.items()})


def _counted(book: Book, plan: FlowPlan) -> _Flow:
    flow = _Flow()
    flow.runs = book.runs[plan.flow]
    shown: Counter[tuple[str, str]] = Counter()
    for one in plan.every:
        name = one.step.name
        calls, found = one.counts()
        flow.steps[name] = flow.steps.get(name, 0) + calls
        for key, count in found.items():
            shown[one.names[key], name] += count
    for name, one in plan.steps.items():
        for key, label in one.names.items():
            convicted = book.contradicted[key, (plan.flow, name)]
            flow.edges[label, name] = [shown[label, name], convicted]
    for finding, runs in book.findings.items():
        if finding.flow == plan.flow:
            flow.violations[finding[1:]] = dict(runs)
    for (running, other, step), count in book.foreign.items():
        if running == plan.flow:
            flow.foreign[other, step] = count
    return flow


def _flows_of(report: Any) -> Mapping[str, Any]:
    """Return the flows of a report, a dict or a file."""
    source = "what was given"
    try:
        if isinstance(report, ConformanceReport):
            return report._flows  # noqa: SLF001  # our own class
        if isinstance(report, str | PathLike):
            source = str(report)
            report = json.loads(Path(report).read_bytes())
        flows: Mapping[str, Any] = report["flows"]
        for flow in flows.values():
            _Flow().add(flow)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as exc:
        msg = f"{source} is no conformance report: {type(exc).__name__}: {exc}."
        raise ConfigurationError(msg) from None
    return flows
