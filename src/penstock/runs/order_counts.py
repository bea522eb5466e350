"""Count what stored runs show about the declared order, as reports of live runs do."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.conformance.flow_counts import FlowCounts

from .judging import entry_of, is_foreign
from .places import places_of, run_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._types import FlowInfo

    from .operation import Operation, OrderJudgement, OrderVerdict, StoredCall
    from .places import StoredPlace

    Name = tuple[str, str, str]
    """A flow, a predecessor and a step; without a predecessor, all that the step has.
    """

__all__ = ["BrokenRuns", "OrderCounts"]


@dataclass(slots=True)
class BrokenRuns:
    """The runs that broke an edge, or what a step comes after as a whole.

    Attributes:
        runs: How many.
        example: The first of their correlation IDs.
    """

    runs: int = 0
    example: str = ""


@dataclass(slots=True)
class OrderCounts:
    """What stored runs show about the declared order.

    Attributes:
        flows: The counts of a conformance report.
        verdicts: For each flow how many of its runs got each verdict.
        broken: The runs that broke an edge, and those that broke the order at a step.
        entrypoints: The entrypoints that are declared, with their flows.
        declared: The flows that are declared.
    """

    flows: dict[str, FlowCounts] = field(default_factory=dict)
    verdicts: defaultdict[str, Counter[OrderVerdict]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    broken: dict[Name, BrokenRuns] = field(default_factory=dict)
    entrypoints: set[tuple[str, str]] = field(default_factory=set)
    declared: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, flows: Iterable[FlowInfo]) -> OrderCounts:
        """Return the counts before the first run."""
        counts = cls()
        for flow in flows:
            counts.declared.add(flow.name)
            found = counts.flow(flow.name)
            for step in flow.steps:
                found.steps.setdefault(step.name, 0)
                if step.is_entrypoint:
                    counts.entrypoints.add((flow.name, step.name))
                for before in step.predecessors:
                    found.count_edge((before, step.name))
        return counts

    def to_dict(self) -> dict[str, Any]:
        """Return the conformance report."""
        flows = sorted(self.flows.items())
        return {"flows": {name: flow.to_dict() for name, flow in flows}}

    def flow(self, name: str) -> FlowCounts:
        """Return the counts of a flow."""
        return self.flows.setdefault(name, FlowCounts())

    def count_calls(self, of: str, flow: str, step: str, calls: int) -> None:
        """Count calls of a step in runs of the flow *of*, perhaps another one."""
        if flow != of:
            self.flow(of).foreign[flow, step] += calls
            return
        steps = self.flow(flow).steps
        steps[step] = steps.get(step, 0) + calls

    def count_verdict(self, flow: str, verdict: OrderVerdict, runs: int) -> None:
        """Count runs with a verdict."""
        self.verdicts[flow][verdict] += runs

    def count_operation(
        self, operation: Operation, judgements: Sequence[OrderJudgement]
    ) -> None:
        """Count the calls and the verdicts of an operation."""
        runs: dict[str, list[StoredPlace]] = {}
        for place in places_of(operation.calls):
            runs.setdefault(run_of(place.call), []).append(place)
        for places in runs.values():
            entry = entry_of([place.call for place in places])
            if entry is not None and self._is_begun_by(entry):
                self.flow(entry.flow).runs += 1
            for place in places:
                call = place.call
                of = entry if entry and is_foreign(place, entry) else call
                self.count_calls(of.flow, call.flow, call.step, 1)
        for one in judgements:
            self._count_judgement(one, runs[one.run_id][0].call.correlation_id)

    def _is_begun_by(self, entry: StoredCall) -> bool:
        """Tell whether a run has an entrypoint; one that is a span may be any step."""
        step = entry.flow, entry.step
        return entry.call_id == entry.run_id or step in self.entrypoints

    def _count_judgement(self, one: OrderJudgement, run: str) -> None:
        self.count_verdict(one.flow, one.verdict, 1)
        found = FlowCounts()
        for edge, calls in one.witnessed.items():
            found.count_edge(edge, witnessed=calls)
        for edge in one.contradicted:
            found.count_edge(edge, contradicted=1)
        for rule in one.rules:
            key = rule.step, rule.code, rule.reason, rule.caller
            runs = found.violations.setdefault(key, {})
            runs[run] = runs.get(run, 0) + 1
        self.flow(one.flow).add(found)
        names: dict[Name, None] = {}
        for before, step in one.edges:
            names |= {(one.flow, before, step): None, (one.flow, "", step): None}
        for name in names:
            broken = self.broken.setdefault(name, BrokenRuns(example=run))
            broken.runs += 1
            broken.example = min(broken.example, run)
