"""A call that a generator among its arguments may still put in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plan import StepRule
    from .violations import Violation

__all__ = ["PendingCall"]


class PendingCall:
    """A call whose missing predecessor is a generator step, which may begin inside it.

    Attributes:
        step_rule: The step that was called.
        before: The predecessors that are before it so far.
        unsure: Those whose absence proves nothing.
        violation: What is wrong with it unless such a generator begins.
        is_open: Whether the call has not ended.
        is_counted: Whether it is to be counted.
    """

    __slots__ = (
        "before",
        "is_counted",
        "is_open",
        "step_rule",
        "unsure",
        "violation",
    )

    def __init__(
        self,
        step_rule: StepRule,
        unsure: int,
        violation: Violation | None,
    ) -> None:
        self.step_rule: StepRule = step_rule
        self.before: int = 0
        self.unsure: int = unsure
        self.violation: Violation | None = violation
        self.is_open: bool = True
        self.is_counted: bool = True

    @property
    def is_decided(self) -> bool:
        """Whether nothing that happens later can change the verdict."""
        return not self.is_open and self.violation is None

    def learn(self, bit: int) -> int:
        """Note that a generator begins inside; return the edges that this witnesses."""
        rule = self.step_rule.rule
        self.before |= bit & rule.mask
        if not rule.broken(self.before, self.unsure):
            self.violation = None
        return rule.edges_from(bit)

    def count(self) -> None:
        """Count the call with what is before it."""
        if self.is_counted:
            self.step_rule.add(self.before)
