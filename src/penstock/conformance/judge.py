"""Judge each call by the declared order, while it happens."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from penstock._context import UNKNOWN_ANCESTORS, Done
from penstock._platform.process import on_fork
from penstock._runtime.state import state
from penstock.errors import FlowOrderError

from .call_place import find_place, open_run
from .counters import Counters
from .reporting import Reporter
from .run_progress import Activation, PendingCall, RunProgress
from .violations import call_violation, edge_violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._context import Call, FlowContext, Scope
    from penstock._steps.step import Step

    from .call_place import CallPlace
    from .plan import StepRule
    from .violations import Violation

    Watch = Callable[[RunProgress, Step], None]

_MAX_PENDING = 100
"""How many calls of one run may be pending; more are judged immediately."""


class Judge:
    """What the call path calls for every call, as if it were a backend.

    Common calls of a known run never come here: the call path judges them by the flags
    of the run. Counts change under one lock. It is reentrant, because the garbage
    collector may close a marked generator at any moment.

    Attributes:
        counters: What was counted.
        watchers: Called for every call. The call path does not judge runs that begin
            while there is one.
        flush: Writes the report, if a folder is configured.
        epoch: Replaced when calls may have been missed; runs that began under an
            older one were not seen completely.
        reporter: Reports violations.
    """

    def __init__(self) -> None:
        self.counters: Counters = Counters()
        self.lock: threading.RLock = threading.RLock()
        self.watchers: tuple[Watch, ...] = ()
        self.flush: Callable[[], None] | None = None
        self.epoch: object = object()
        self.reporter: Reporter = Reporter()

    def __repr__(self) -> str:
        """Return the name that log lines show."""
        return f"<conformance {self.reporter.mode}>"

    def switch_on(self, mode: str) -> None:
        """Judge every call from now on; earlier runs were not seen completely."""
        with self.lock:
            self.reporter.mode = mode
            self.counters.renew_fast_paths()
            if state.judge is None:
                self.epoch = object()
        state.judge_by(self)

    def clear(self) -> None:
        """Forget what was counted."""
        with self.lock:
            self.counters = Counters()
            self.reporter.clear()

    def restart(self) -> None:
        """Start from zero in a forked child; the parent reports its own counts."""
        self.lock = threading.RLock()
        self.clear()
        self.lose_sight()

    def lose_sight(self) -> None:
        """Distrust open runs: they may continue in another process."""
        self.epoch = object()

    def judge(
        self, call: Call, outer: Scope | None, /
    ) -> tuple[Scope, Activation | None]:
        """Begin a call in the scope *outer*; return its scope, and what to finish.

        Raises:
            FlowOrderError: The call breaks the order, and the mode is ``raise``.
        """
        try:
            return self._begin(call, outer)
        except FlowOrderError:
            raise
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self.reporter.report_failure(exc)
            return (*call[:3], UNKNOWN_ANCESTORS), None

    def send(self, call: Call, outer: Scope, /) -> bool:
        """Judge a call that a message will make; return whether it was counted.

        Raises:
            FlowOrderError: The call breaks the order, and the mode is ``raise``.
        """
        try:
            progress = self._send(call, outer)
        except FlowOrderError:
            raise
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self.reporter.report_failure(exc)
            return False
        if progress.is_over:
            self.settle(progress)
        return True

    def follow(self, context: FlowContext, flow: str, /) -> RunProgress:
        """Return the progress of *context*; create it before the first call.

        *flow* is the flow of the step that will be called, if *context* has none.
        """
        with self.lock:
            if context.progress is None:
                flow = context.flow or flow
                context.progress = open_run(self.counters, flow, context, self.epoch)
        progress: RunProgress = context.progress
        return progress

    def note_message(self, context: FlowContext, flows: frozenset[str] | None) -> None:
        """Record that a message was sent to steps of *flows*, or to any step (None)."""
        progress: RunProgress | None = context.progress
        if progress is not None:
            with self.lock:
                progress.note_message(flows)

    def note_pool(self, context: FlowContext) -> None:
        """Record that a call was submitted to another process."""
        progress: RunProgress | None = context.progress
        if progress is not None:
            progress.is_in_pool, progress.epoch = True, None

    def done_before(self, scope: Scope, /) -> Done | None:
        """Return what is before a call in *scope*, None if it is not known."""
        context = scope[0]
        progress: RunProgress | None = context.progress
        if progress is None:
            return context.given_done
        try:
            with self.lock:
                progress.refresh(self.epoch)
                above = max(scope[3], 0) if len(scope) > 3 else 0  # noqa: PLR2004  # see Scope
                keys = progress.plan.names(progress.fold() | above)
            flow = progress.plan.flow
            names = {name for place, name in keys if place == flow}
            is_all = progress.is_seen and (progress.is_known or progress.is_told)
            return Done(state.service, flow, progress.given_names | names, is_all)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self.reporter.report_failure(exc)
            return None

    def hold_open(self, call: Call, /) -> Activation:
        """Record that a call judged by the call path outlives its function."""
        progress: RunProgress = call[0].progress
        with self.lock:
            progress.open += 1
            step_rule = progress.plan.step_rule(call[1])
        bit, flag = step_rule.rule.bit, step_rule.fast_flag
        return Activation(progress, bit, flag, None, is_entry=False)

    def finish(
        self,
        call: Call,  # noqa: ARG002  # part of Recorder
        started: Activation | None,
        exc: BaseException | None,  # noqa: ARG002  # the same
        *,
        inner: bool,  # noqa: ARG002  # the same
    ) -> None:
        """End a call."""
        self.pause(started)

    def pause(self, started: Activation | None) -> None:
        """End a call: a generator has ended at its first yield."""
        if started is None or not started.is_open:
            return
        started.is_open = False
        progress = started.progress
        with self.lock:
            progress.end(started.bit, started.flag)
            if started.pending is not None:
                started.pending.is_open = False
                progress.count_decided()
            if started.is_entry:
                progress.leave()
        if progress.is_over:
            self.settle(progress)

    def resume(self, started: Activation | None) -> None:
        """Do nothing: a generator has ended at its first yield."""

    def settle(self, progress: RunProgress, /) -> None:
        """Judge what must wait for the end of a run, if none of its calls is open."""
        try:
            self._judge_end(progress)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self.reporter.report_failure(exc)

    def _begin(self, call: Call, outer: Scope | None) -> tuple[Scope, Activation]:
        context, step, number, _ = call
        caller = None if outer is None else outer[1]
        with self.lock:
            place = self._find_place(call, outer)
            progress = place.progress
            violation, flag, pending = None, sys.maxsize, None
            if step.flow != progress.plan.flow:
                bit = self._begin_foreign(place, call)
            else:
                step_rule = progress.plan.step_rule(step)
                bit, flag = step_rule.rule.bit, step_rule.slow_flag
                violation = _violation(place, step_rule, caller, is_sent=False)
                pending = _pending(place, step_rule, violation)
                if pending is not None and pending.violation is not None:
                    violation = None
                if violation is None or self.reporter.mode != "raise":
                    self._start(place, step_rule, context, pending)
            for watch in self.watchers:
                watch(progress, step)
        if violation is not None:
            self._report(violation, progress.run)
        activation = Activation(progress, bit, flag, pending, is_entry=place.is_entry)
        return (context, step, number, place.above | bit), activation

    def _send(self, call: Call, outer: Scope) -> RunProgress:
        step, caller = call[1], outer[1]
        violation = None
        with self.lock:
            place = self._find_place(call, outer)
            progress = place.progress
            if step.flow != progress.plan.flow:
                self._count_foreign(progress, step)
            else:
                step_rule = progress.plan.step_rule(step)
                rule = step_rule.rule
                violation = _violation(place, step_rule, caller, is_sent=True)
                if violation is None or self.reporter.mode != "raise":
                    before = progress.send(rule, place.above, place.maybe(rule))
                    if progress.is_counted:
                        step_rule.add(before & rule.mask)
            for watch in self.watchers:
                watch(progress, step)
        if violation is not None:
            self._report(violation, progress.run)
        return progress

    def _find_place(self, call: Call, outer: Scope | None) -> CallPlace:
        is_fast = not self.watchers
        place = find_place(self.counters, self.epoch, call, outer, is_fast=is_fast)
        place.progress.fold()
        return place

    def _begin_foreign(self, place: CallPlace, call: Call) -> int:
        """Start a call of another flow's step; return its bit."""
        context, step = call[:2]
        rule = place.progress.plan.foreign(step)
        place.progress.start(rule, place.above)
        if not _was_counted(place, context, step):
            self._count_foreign(place.progress, step)
        return rule.bit

    def _count_foreign(self, progress: RunProgress, step: Step) -> None:
        if progress.is_counted:
            self.counters.foreign[progress.plan.flow, step.flow, step.name] += 1

    def _start(
        self,
        place: CallPlace,
        step_rule: StepRule,
        context: FlowContext,
        pending: PendingCall | None,
    ) -> None:
        """Start a call, and count it with its known predecessors."""
        progress, rule = place.progress, step_rule.rule
        if pending is None and not place.is_lost:
            progress.remember(step_rule, place.above)
        if rule.bit & progress.plan.generators:
            progress.begin_generator(rule.bit, place.above)
        before = progress.start(rule, place.above, place.maybe(rule)) & rule.mask
        if place.is_direct and not (progress.is_known or progress.is_told):
            before &= progress.given
        was_counted = _was_counted(place, context, step_rule.step)
        is_counted = progress.is_counted and not was_counted
        if pending is not None:
            pending.before, pending.is_counted = before, is_counted
            progress.pending.append(pending)
        elif is_counted:
            step_rule.add(before)

    def _judge_end(self, progress: RunProgress) -> None:
        """Judge late generators and R2, which may correct an earlier verdict."""
        with self.lock:
            progress.refresh(self.epoch)
            is_rehearsal = not progress.is_counted and not progress.is_known
            if progress.open:
                return
            broken = progress.take_pending()
            before = now = progress.contradicted
            if progress.is_seen and not is_rehearsal:
                progress.fold()
                now = progress.contradicted = progress.find_contradicted()
            if now == before and not broken:  # at most ends of runs
                return
            found = progress.plan.edges(now & ~before)
            corrected = progress.plan.edges(before & ~now)
            if progress.is_counted:
                self.counters.contradicted.update(found)
                self.counters.contradicted.subtract(corrected)
        for violation in broken:
            self._report(violation, progress.run, is_late=True)
        for edge in found:
            violation = edge_violation(progress.plan, edge)
            self._report(violation, progress.run, is_late=True)
        for edge in corrected:
            violation = edge_violation(progress.plan, edge)
            with self.lock:
                self.counters.withdraw(violation, progress.run)
                self.reporter.notify(violation, progress.run, is_found=False)

    def _report(self, violation: Violation, run: str, *, is_late: bool = False) -> None:
        with self.lock:
            self.counters.add(violation, run)
            self.reporter.notify(violation, run, is_found=True)
        self.reporter.report(violation, is_late=is_late)


def _violation(
    place: CallPlace, step_rule: StepRule, caller: Step | None, *, is_sent: bool
) -> Violation | None:
    """Return the violation of a call, or None."""
    progress, rule = place.progress, step_rule.rule
    before, unsure = progress.done | place.above, place.unsure(rule)
    if not rule.broken(before, unsure):
        return None
    return call_violation(
        progress.plan, step_rule, caller, before=before, unsure=unsure, is_sent=is_sent
    )


def _pending(
    place: CallPlace, step_rule: StepRule, violation: Violation | None
) -> PendingCall | None:
    """Return the call if it may turn out valid when generators begin inside it."""
    progress, rule = place.progress, step_rule.rule
    before = progress.done | place.above
    missing = progress.plan.generators & rule.mask & ~before
    if not missing or place.is_entry or len(progress.pending) >= _MAX_PENDING:
        return None
    unsure = place.unsure(rule)
    late = None if rule.broken(before | missing, unsure) else violation
    return PendingCall(step_rule, unsure, late)


def _was_counted(place: CallPlace, context: FlowContext, step: Step) -> bool:
    """Return whether the sender of a message has counted the call."""
    if not place.is_direct or context.given_call != step.label:
        return False
    context.given_call = ""  # the receiver counts the next call of the step
    return True


process_judge: Judge = Judge()
on_fork(process_judge.restart)
if hasattr(os, "register_at_fork"):  # pragma: no branch  # absent on Windows only
    os.register_at_fork(after_in_parent=process_judge.lose_sight)
