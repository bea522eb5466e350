"""The progress of a run, and how much is known about it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .plan import MAX_FAST

if TYPE_CHECKING:
    from penstock._context import FlowContext

    from .plan import FlowPlan, StepRule
    from .rules import Rule
    from .violations import Violation

_HAS_GIL = bool(getattr(sys, "_is_gil_enabled", lambda: True)())


@dataclass(slots=True, eq=False)
class RunProgress:
    """One run of a flow, or the part of a run that is in this process.

    Attributes:
        plan: The plan of its flow.
        run: Its correlation ID.
        done: The steps that have ended at least once, and the edges that were or may
            have been witnessed.
        given: The steps that had ended before the run came here.
        given_names: The names of these steps, including names unknown here.
        sent: The steps that messages of this run have called.
        open: How many activations have not ended.
        is_known: Whether no step can have run elsewhere, unseen.
        is_told: Whether the message that started it listed all steps that had ended.
        is_seen: Whether everything that happened here was seen.
        is_over: Whether all its entrypoints have ended, so that any step that ends may
            be the last.
        is_counted: Whether it counts as evidence; runs that a test sets up do not.
        may_run_elsewhere: Whether a message was sent that may run any of its steps.
        is_in_pool: Whether a call was bound for another process, where any step of it
            may run at any time.
        shares_id: Whether it continues the context of the run around it.
        around: The run around it, None if there is none.
        judge_epoch: ``Judge.epoch`` when it began.
        epoch: The plan's epoch while the call path may judge the run on its own.
        flags: A byte for everything that the call path records, 1 if it happened.
        contradicted: The edges that have been contradicted so far.
        pending: Calls that may turn out valid when a generator begins.
        others: The progress of other flows, if the context belongs to no flow.
    """

    plan: FlowPlan
    run: str = ""
    done: int = 0
    given: int = 0
    given_names: frozenset[str] = frozenset()
    sent: int = 0
    open: int = 0
    is_known: bool = False
    is_told: bool = False
    is_seen: bool = True
    is_over: bool = True
    is_counted: bool = True
    may_run_elsewhere: bool = False
    is_in_pool: bool = False
    shares_id: bool = False
    around: RunProgress | None = None
    judge_epoch: object = None
    epoch: object = None
    flags: bytearray = field(default_factory=bytearray)
    contradicted: int = 0
    pending: list[PendingCall] = field(default_factory=list)
    others: dict[str, RunProgress] = field(default_factory=dict)

    def take_over(self, context: FlowContext) -> None:
        """Add the steps that, according to *context*, have ended elsewhere."""
        done = context.given_done
        if done is not None:
            self.is_counted = not done.is_rehearsal
            if done.flow == self.plan.flow:
                self.is_told = done.is_all
                self.is_known = done.is_all and done.is_rehearsal
                self.given_names = done.steps
        around = context if context.home is None else context.home
        for one in (context, *context.given_causes):
            if one.given_done is not None:
                self.given |= self.plan.given(one.given_done)
        self.done |= self.given
        for one in (around, *around.given_causes):
            if one.given_done is not None:
                self.done |= self.plan.given_outside(one.given_done)

    def begin(self, flag: int, bit: int, *, is_fast: bool) -> None:
        """Begin a run with its entrypoint, an open ancestor of all later calls."""
        self.is_known = True
        self.is_over = False
        self.done |= bit
        if is_fast and _HAS_GIL and len(self.plan.every) <= MAX_FAST:
            self.epoch = self.plan.epoch
            self.flags = self.plan.flags()
            self.flags[flag] = 1

    def refresh(self, judge_epoch: object) -> None:
        """Record whether something may have happened unseen since the run began."""
        if self.judge_epoch is not judge_epoch:
            self.is_known = self.is_seen = False

    def fold(self) -> int:
        """Add what the call path has recorded; return what is done."""
        if self.flags:
            self.done |= self.plan.folded(self.flags)
        return self.done

    def remember(self, step_rule: StepRule, above: int) -> None:
        """Let the call path judge the next call like this one."""
        if self.epoch is self.plan.epoch:
            self.plan.remember(step_rule, self.flags, above)

    def start(self, rule: Rule, above: int, maybe: int = 0) -> int:
        """Start an activation inside the open ones *above*; return what came before it.

        *maybe* are predecessors that may be before it.
        """
        before = self.done | above
        self.done |= rule.edges_from(before | maybe)
        self.open += 1
        return before

    def send(self, rule: Rule, above: int, maybe: int) -> int:
        """Start an activation by a message; its end is not seen in this process."""
        before = self.start(rule, above, maybe)
        self.open -= 1
        self.sent |= rule.bit
        return before

    def end(self, bit: int, flag: int = sys.maxsize) -> None:
        """End an activation: it returned, raised, was cancelled, or yielded once.

        Setting *flag* lets the call path know, if the run has that flag.
        """
        self.done |= bit
        self.open -= 1
        if flag < len(self.flags):
            self.flags[flag] = 1

    def begin_generator(self, bit: int, above: int) -> None:
        """Record that a generator begins, before the pending calls around it."""
        for one in self.pending:
            if above & one.step_rule.rule.bit:
                self.done |= one.learn(bit)
        self.count_decided()

    def count_decided(self) -> None:
        """Count the pending calls whose verdict can no longer change."""
        for one in [one for one in self.pending if one.is_decided]:
            one.count()
            self.pending.remove(one)

    def take_pending(self) -> list[Violation]:
        """Count the calls that are still pending; return their violations."""
        pending, self.pending = self.pending, []
        for one in pending:
            one.count()
        return [one.violation for one in pending if one.violation is not None]

    def leave(self) -> None:
        """End the run: its entrypoint has ended."""
        self.is_over = True
        around = self.around
        if around is not None:
            around.learn(self)
            if self.shares_id and around.plan is self.plan:
                ended = self.done & self.plan.own
                around.done |= ended
                around.given |= ended

    def learn(self, other: RunProgress, above: int = 0) -> None:
        """Add the steps that *other* has done and that this flow names."""
        done = other.fold() | above
        for key, bit in self.plan.outside.items():
            if key[0] == other.plan.flow and other.plan.known_bits([key]) & done:
                self.done |= bit

    def note_message(self, flows: frozenset[str] | None) -> None:
        """Record that a message was sent to steps of *flows*, or to any step (None).

        The call path no longer judges this run: it does not know about messages.
        """
        self.epoch = None
        around: RunProgress | None = self
        while around is not None:
            if flows is None or around.plan.flow in flows:
                around.may_run_elsewhere = True
            around = around.around

    def find_contradicted(self) -> int:
        """Return the edges that break R2; call it when nothing is open."""
        return self.plan.contradicted((self.done | self.sent) & ~self.given)


@dataclass(slots=True, eq=False)
class Activation:
    """One call, from its start to its end."""

    progress: RunProgress
    bit: int
    flag: int
    pending: PendingCall | None
    is_entry: bool
    is_open: bool = True


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
