"""How far a run has come, and how much is known of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .plan import MAX_FAST

if TYPE_CHECKING:
    from penstock._context import FlowContext

    from .pending_call import PendingCall
    from .plan import FlowPlan, StepRule
    from .rules import Rule
    from .violations import Violation

__all__ = ["Activation", "RunProgress"]

_HAS_GIL = bool(getattr(sys, "_is_gil_enabled", lambda: True)())


@dataclass(slots=True, eq=False)
class RunProgress:
    """One run of a flow, or the part of one that is in this process.

    Attributes:
        plan: The plan of its flow.
        run: Its correlation ID.
        done: The steps of which an activation has ended, and the edges that were
            witnessed or may have been.
        given: The steps that had ended before the run came here.
        given_names: The same by name, known to this process or not.
        sent: The steps that messages of this run have called.
        open: How many activations have not ended.
        is_known: Whether a step that was not seen here cannot have run elsewhere.
        is_told: Whether the message that brought it said all that had ended.
        is_seen: Whether everything that happened here was seen.
        is_over: Whether no entrypoint of it is open, so that each end may be the last.
        is_counted: Whether it earns evidence; what a test sets up does not.
        may_run_elsewhere: Whether a message was sent that may run any of its steps.
        is_in_pool: Whether a call was bound for another process, where any step of it
            may run at any time.
        shares_id: Whether it continues the context of the run around it.
        around: The run around it, None if there is none.
        judge_epoch: ``Judge.epoch`` when it began.
        epoch: That of the plan, while the call path may judge it by itself.
        flags: A byte for each thing that the call path notes, 1 where it happened.
        contradicted: The edges that are contradicted so far.
        pending: Calls that generators may still put in order.
        others: The progress of more flows, in a context that belongs to none.
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
        """Learn from *context* what had ended before it came here."""
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
        """Begin a run by its entrypoint: that is open, and above all that follows."""
        self.is_known = True
        self.is_over = False
        self.done |= bit
        if is_fast and _HAS_GIL and len(self.plan.every) <= MAX_FAST:
            self.epoch = self.plan.epoch
            self.flags = self.plan.flags()
            self.flags[flag] = 1

    def refresh(self, judge_epoch: object) -> None:
        """Note it if something may have happened unseen since the run began."""
        if self.judge_epoch is not judge_epoch:
            self.is_known = self.is_seen = False

    def fold(self) -> int:
        """Take over what the call path has noted; return what is done."""
        if self.flags:
            self.done |= self.plan.folded(self.flags)
        return self.done

    def remember(self, step_rule: StepRule, above: int) -> None:
        """Let the call path judge the next call like this one."""
        if self.epoch is self.plan.epoch:
            self.plan.remember(step_rule, self.flags, above)

    def start(self, rule: Rule, above: int, maybe: int = 0) -> int:
        """Start an activation below the open ones *above*; return what is before.

        *maybe* are predecessors that may be before it.
        """
        before = self.done | above
        self.done |= rule.edges_from(before | maybe)
        self.open += 1
        return before

    def send(self, rule: Rule, above: int, maybe: int) -> int:
        """Start an activation by a message: when it ends is not known here."""
        before = self.start(rule, above, maybe)
        self.open -= 1
        self.sent |= rule.bit
        return before

    def end(self, bit: int, flag: int = sys.maxsize) -> None:
        """End an activation: it returned, raised, was cancelled, or yields at first.

        *flag* is set for the call path, if the run has it.
        """
        self.done |= bit
        self.open -= 1
        if flag < len(self.flags):
            self.flags[flag] = 1

    def begin_generator(self, bit: int, above: int) -> None:
        """Note that a generator begins: it is before the calls that wait for it."""
        for one in self.pending:
            if above & one.step_rule.rule.bit:
                self.done |= one.learn(bit)
        self.count_decided()

    def count_decided(self) -> None:
        """Count the pending calls that nothing later can change."""
        for one in [one for one in self.pending if one.is_decided]:
            one.count()
            self.pending.remove(one)

    def take_pending(self) -> list[Violation]:
        """Count the calls that still wait; return what is wrong with them."""
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
        """Take over what *other* has done, as far as this flow names it."""
        done = other.fold() | above
        for key, bit in self.plan.outside.items():
            if key[0] == other.plan.flow and other.plan.known_bits([key]) & done:
                self.done |= bit

    def note_message(self, flows: frozenset[str] | None) -> None:
        """Note that a message was sent, to steps of *flows* or to anyone (None).

        The call path judges this run no more: it knows nothing of messages.
        """
        self.epoch = None
        around: RunProgress | None = self
        while around is not None:
            if flows is None or around.plan.flow in flows:
                around.may_run_elsewhere = True
            around = around.around

    def find_contradicted(self) -> int:
        """Return the edges that break R2, now that nothing is open."""
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
