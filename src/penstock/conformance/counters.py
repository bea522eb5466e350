"""The counts of this process: what ran, what broke, what was not ours."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from .plan import FlowPlan

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["MAX_EXAMPLES", "Book", "Finding"]

MAX_EXAMPLES = 20
"""How many runs are named for one finding; what comes later counts as the last."""


class Finding(NamedTuple):
    """One way in which runs of a flow broke what it declares.

    Attributes:
        flow: The flow.
        step: The step that ran.
        code: ``R1``, ``R2`` or ``R3``.
        message: What happened, and what to do.
        caller: The step that called it, as ``after`` would name it; ``""`` where none
            did, and for an edge.
    """

    flow: str
    step: str
    code: str
    message: str
    caller: str = ""


class Book:
    """Everything that was counted."""

    def __init__(self) -> None:
        self.plans: dict[str, FlowPlan] = {}
        self.runs: Counter[str] = Counter()
        self.foreign: Counter[tuple[str, str, str]] = Counter()
        self.contradicted: Counter[tuple[Hashable, Hashable]] = Counter()
        self.findings: dict[Finding, dict[str, int]] = {}

    def plan(self, flow: str) -> FlowPlan:
        """Return the plan of a flow, made when it is first asked for."""
        plan = self.plans.get(flow)
        if plan is None:
            plan = self.plans[flow] = FlowPlan(flow)
        return plan

    def forget_guides(self) -> None:
        """Have runs that began before now judged slowly: something has changed."""
        for plan in self.plans.values():
            plan.guide()

    def add(self, finding: Finding, run: str) -> bool:
        """Count a finding; return whether it is the first of its kind."""
        runs = self.findings.setdefault(finding, {})
        is_new = not runs
        if run not in runs and len(runs) >= MAX_EXAMPLES:
            run = next(reversed(runs))
        runs[run] = runs.get(run, 0) + 1
        return is_new

    def take_back(self, finding: Finding, run: str) -> None:
        """Count a finding no longer: what came later has amended it."""
        runs = self.findings.get(finding, {})
        if runs and run not in runs:
            run = next(reversed(runs))
        runs[run] = runs.get(run, 0) - 1
        if runs[run] <= 0:
            del runs[run]
        if not runs:
            self.findings.pop(finding, None)
