"""A call that may turn out valid when a generator among its arguments begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plan import StepRule
    from .violations import Violation


@dataclass(slots=True, eq=False)
class PendingCall:
    """A call whose missing predecessor is a generator step, which may begin inside it.

    Attributes:
        step_rule: The step that was called.
        unsure: Predecessors that may have run unseen.
        violation: Its violation, unless such a generator begins.
        before: The predecessors that have run so far.
        is_open: Whether the call has not ended.
        is_counted: Whether it has to be counted.
    """

    step_rule: StepRule
    unsure: int
    violation: Violation | None
    before: int = 0
    is_open: bool = True
    is_counted: bool = True

    @property
    def is_decided(self) -> bool:
        """Whether nothing that happens later can change the verdict."""
        return not self.is_open and self.violation is None

    def learn(self, bit: int) -> int:
        """Record that a generator begins inside; return the edges witnessed by it."""
        rule = self.step_rule.rule
        self.before |= bit & rule.mask
        if not rule.broken(self.before, self.unsure):
            self.violation = None
        return rule.edges_from(bit)

    def count(self) -> None:
        """Count the call with its predecessors so far."""
        if self.is_counted:
            self.step_rule.add(self.before)
