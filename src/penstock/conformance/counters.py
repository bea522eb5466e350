"""What this process has counted: runs, calls of other flows' steps, violations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .plan import FlowPlan

if TYPE_CHECKING:
    from .plan import Edge
    from .violations import Violation

MAX_EXAMPLES = 20
"""How many runs are listed for one violation; the last one counts all later runs."""


class Counters:
    """Everything that was counted; calls are counted in the plans.

    Attributes:
        plans: The plan of each flow.
        runs: How many runs an entrypoint of each flow began.
        foreign: For each flow, how often its runs called each step of other flows.
        contradicted: In how many runs each edge broke R2.
        violations: For each violation, how often it occurred in which run.
    """

    def __init__(self) -> None:
        self.plans: dict[str, FlowPlan] = {}
        self.runs: Counter[str] = Counter()
        self.foreign: Counter[tuple[str, str, str]] = Counter()
        self.contradicted: Counter[Edge] = Counter()
        self.violations: dict[Violation, dict[str, int]] = {}

    def plan(self, flow: str) -> FlowPlan:
        """Return the plan of a flow; the first call creates it."""
        plan = self.plans.get(flow)
        if plan is None:
            plan = self.plans[flow] = FlowPlan(flow)
        return plan

    def copy(self) -> Counters:
        """Return what is counted now; the plans are the same ones."""
        copy = Counters()
        copy.plans = dict(self.plans)
        copy.runs = self.runs.copy()
        copy.foreign = self.foreign.copy()
        copy.contradicted = self.contradicted.copy()
        copy.violations = {one: dict(runs) for one, runs in self.violations.items()}
        return copy

    def renew_fast_paths(self) -> None:
        """Stop the call path from judging open runs, because something has changed."""
        for plan in self.plans.values():
            plan.renew_fast_paths()

    def add(self, violation: Violation, run: str) -> None:
        """Count a violation."""
        runs = self.violations.setdefault(violation, {})
        if run not in runs and len(runs) >= MAX_EXAMPLES:
            run = next(reversed(runs))
        runs[run] = runs.get(run, 0) + 1

    def withdraw(self, violation: Violation, run: str) -> None:
        """Subtract a violation that a later call has corrected."""
        runs = self.violations.get(violation, {})
        if runs and run not in runs:
            run = next(reversed(runs))
        runs[run] = runs.get(run, 0) - 1
        if runs[run] <= 0:
            del runs[run]
        if not runs:
            self.violations.pop(violation, None)
