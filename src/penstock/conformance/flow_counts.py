"""The counts of one flow, and how to add those of several processes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .counters import MAX_EXAMPLES, Counters
from .rules import edge_status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from threading import RLock

    from penstock._platform.json_fields import JsonObject

    from .plan import FlowPlan

_VIOLATION = ("step", "code", "message", "caller", "run")


@dataclass(slots=True)
class FlowCounts:
    """The counts of one flow.

    Attributes:
        runs: How many runs an entrypoint began.
        steps: How often each step was called.
        edges: For each edge how often it was witnessed, and how many runs
            contradicted it.
        violations: For each violation how often it occurred in which run.
        foreign: How often steps of other flows were called.
    """

    runs: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    edges: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    violations: dict[tuple[str, str, str, str], dict[str, int]] = field(
        default_factory=dict
    )
    foreign: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, data: JsonObject) -> FlowCounts:
        """Read them from JSON."""
        steps = data.object("steps")
        counts = cls(
            data.number("runs"), {key: steps.number(key) for key in steps.keys}
        )
        for edge in data.objects("edges"):
            counts.count_edge(
                (edge.text("before"), edge.text("after")),
                edge.number("witnessed"),
                edge.number("contradicted"),
            )
        for item in data.objects("violations"):
            step, code, message, caller, run = map(item.text, _VIOLATION)
            runs = counts.violations.setdefault((step, code, message, caller), {})
            runs[run] = runs.get(run, 0) + item.number("count")
        for item in data.objects("foreign"):
            counts.foreign[item.text("flow"), item.text("step")] += item.number("count")
        return counts

    def add(self, other: FlowCounts) -> None:
        """Add the counts of another process."""
        self.runs += other.runs
        for step, count in other.steps.items():
            self.steps[step] = self.steps.get(step, 0) + count
        for edge, (witnessed, contradicted) in other.edges.items():
            self.count_edge(edge, witnessed, contradicted)
        for violation, runs in other.violations.items():
            known = Counter(self.violations.get(violation, {}))
            known.update(runs)
            self.violations[violation] = _named(known)
        self.foreign.update(other.foreign)

    def count_edge(
        self, edge: tuple[str, str], witnessed: int = 0, contradicted: int = 0
    ) -> None:
        """Add to the counts of an edge."""
        counts = self.edges.setdefault(edge, [0, 0])
        counts[0] += witnessed
        counts[1] += contradicted

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return {
            "runs": self.runs,
            "steps": dict(self.steps),
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


def count_flow(counters: Counters, plan: FlowPlan, lock: RLock) -> FlowCounts:
    """Return how often the runs, steps and edges of one flow occurred.

    *counters* do not change meanwhile; the plan may, but for what *lock* protects.
    """
    flow = FlowCounts()
    flow.runs = counters.runs[plan.flow]
    shown: Counter[tuple[str, str]] = Counter()
    for one in tuple(plan.every):
        name = one.step.name
        with lock:
            calls, found = one.total()
        flow.steps[name] = flow.steps.get(name, 0) + calls
        for key, count in found.items():
            shown[one.names[key], name] += count
    for name, one in tuple(plan.steps.items()):
        for key, label in one.names.items():
            contradicted = counters.contradicted[key, (plan.flow, name)]
            flow.edges[label, name] = [shown[label, name], contradicted]
    return flow


def _named(runs: Mapping[str, int]) -> dict[str, int]:
    """Return the first runs by name; the last one has the count of all others, too.

    By name and not by time, so that the order of reports makes no difference.
    """
    names = sorted(runs)
    found = {name: runs[name] for name in names[:MAX_EXAMPLES]}
    for name in names[MAX_EXAMPLES:]:
        found[names[MAX_EXAMPLES - 1]] += runs[name]
    return found
