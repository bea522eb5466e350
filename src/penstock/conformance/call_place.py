"""Where a call is made: in which run, below what, and how much is known of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock._context import UNKNOWN_ANCESTORS

from .run_progress import RunProgress

if TYPE_CHECKING:
    from penstock._context import Call, FlowContext, Scope
    from penstock._steps.step import Step

    from .counters import Counters
    from .rules import Rule

__all__ = ["CallPlace", "find_place", "open_run"]


class CallPlace(NamedTuple):
    """Where a call is made."""

    progress: RunProgress
    above: int
    """The open calls that it is below."""
    is_entry: bool
    """Whether it begins the run."""
    is_direct: bool
    """Whether it is made directly under a context that was carried here."""
    is_lost: bool
    """Whether what it is below is not known."""

    def unsure(self, rule: Rule) -> int:
        """Return the predecessors whose absence proves nothing here."""
        run = self.progress
        if self.is_entry or not run.is_known or run.may_run_elsewhere:
            return rule.mask
        return rule.mask if self.is_lost or run.is_in_pool else rule.unsure

    def maybe(self, rule: Rule) -> int:
        """Return the predecessors that may have come first, whatever happens later."""
        run = self.progress
        if self.is_entry or self.is_lost or run.is_in_pool or not run.is_seen:
            return rule.mask
        return (rule.unsure | run.sent) & rule.mask


def find_place(
    counters: Counters,
    judge_epoch: object,
    call: Call,
    outer: Scope | None,
    *,
    is_fast: bool,
) -> CallPlace:
    """Return where a call in the scope *outer* is made; begin to follow a new run.

    Args:
        counters: Has the plans, and counts runs.
        judge_epoch: Since when every call is seen.
        call: The call.
        outer: The scope around it, None outside a flow.
        is_fast: Whether the call path may judge a new run by itself.
    """
    context, step = call[:2]
    progress: RunProgress | None = context.progress
    is_new = outer is None or outer[0] is not context
    is_entry = is_new and progress is None and context.entry is step
    if progress is None:
        flow = context.flow or step.flow
        progress = context.progress = open_run(counters, flow, context, judge_epoch)
        if outer is not None and is_new:
            progress.around = _around(counters, flow, context, outer, judge_epoch)
            if progress.around is not None:
                progress.learn(progress.around, max(_above(outer), 0))
        if is_entry:
            counters.runs[flow] += 1
            entry = progress.plan.step_rule(step)
            progress.begin(entry.slow_flag, entry.rule.bit, is_fast=is_fast)
    is_other = step.flow != progress.plan.flow and not context.flow
    if is_other:
        progress = _other(counters, progress, context, step)
    progress.refresh(judge_epoch)
    if outer is None or is_new:
        return CallPlace(progress, 0, is_entry, is_direct=False, is_lost=False)
    is_direct = context.is_carried and outer[1] is None
    above = UNKNOWN_ANCESTORS if is_other else _above(outer)
    is_lost = above < 0 and not is_direct
    return CallPlace(progress, max(above, 0), is_entry, is_direct, is_lost)


def open_run(
    counters: Counters, flow: str, context: FlowContext, judge_epoch: object
) -> RunProgress:
    """Return the progress of a run in *flow* that begins, or goes on, in *context*."""
    progress = RunProgress(counters.plan(flow), context.correlation_id)
    progress.judge_epoch = judge_epoch
    progress.is_over = context.entry is None
    progress.shares_id = context.home is not None
    progress.take_over(context)
    return progress


def _around(
    counters: Counters,
    flow: str,
    context: FlowContext,
    outer: Scope,
    judge_epoch: object,
) -> RunProgress | None:
    """Return the run around a new one; one that came by a message may be new, too."""
    around = outer[0]
    if around.progress is None and context.home is around:
        flow = around.flow or flow
        around.progress = open_run(counters, flow, around, judge_epoch)
    found: RunProgress | None = around.progress
    return found


def _other(
    counters: Counters, progress: RunProgress, context: FlowContext, step: Step
) -> RunProgress:
    """Return the progress of a step's flow, under a context of no flow."""
    other = progress.others.get(step.flow)
    if other is None:
        other = open_run(counters, step.flow, context, progress.judge_epoch)
        progress.others[step.flow] = other
    return other


def _above(scope: Scope) -> int:
    """Return the open steps in a scope, ``UNKNOWN_ANCESTORS`` if it has none."""
    return scope[3] if len(scope) > 3 else UNKNOWN_ANCESTORS  # noqa: PLR2004  # see Scope
