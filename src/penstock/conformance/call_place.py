"""The place of a call: its run, its open ancestors, and how much is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock._context import UNKNOWN_ANCESTORS

from .run_progress import RunProgress

if TYPE_CHECKING:
    from penstock._context import Call, FlowContext, Scope

    from .counters import Counters
    from .rules import Rule


class CallPlace(NamedTuple):
    """The place of a call."""

    progress: RunProgress
    above: int
    """The steps whose open calls are its ancestors."""
    is_entry: bool
    """Whether it begins the run."""
    is_direct: bool
    """Whether it is made directly under a context that was carried here."""
    is_lost: bool
    """Whether its ancestors are unknown."""

    def unsure(self, rule: Rule) -> int:
        """Return the predecessors that may have run unseen."""
        run = self.progress
        if self.is_entry or not run.is_known or run.may_run_elsewhere:
            return rule.mask
        return rule.mask if self.is_lost or run.is_in_pool else rule.unsure

    def maybe(self, rule: Rule) -> int:
        """Return the predecessors that may have run first, whatever happens later."""
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
    """Return the place of a call in the scope *outer*; begin a run if it is new.

    *is_fast* lets the call path judge a new run on its own. Runs with an older
    *judge_epoch* were not seen completely.
    """
    context, step = call[:2]
    progress: RunProgress | None = context.progress
    is_new = outer is None or outer[0] is not context
    is_entry = is_new and progress is None and context.entry is step
    if progress is None:
        flow = context.flow or step.flow
        progress = context.progress = open_run(counters, flow, context, judge_epoch)
        if outer is not None and is_new:
            around = outer[0]
            if around.progress is None and context.home is around:  # from a message
                flow_around = around.flow or flow
                around.progress = open_run(counters, flow_around, around, judge_epoch)
            progress.around = around.progress
            if progress.around is not None:
                progress.learn(progress.around, max(_above(outer), 0))
        if is_entry:
            counters.runs[flow] += 1
            entry = progress.plan.step_rule(step)
            progress.begin(entry.slow_flag, entry.rule.bit, is_fast=is_fast)
    is_other = step.flow != progress.plan.flow and not context.flow
    if is_other:
        others, epoch = progress.others, progress.judge_epoch
        if step.flow not in others:
            others[step.flow] = open_run(counters, step.flow, context, epoch)
        progress = others[step.flow]
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
    """Return the progress of a run of *flow* that begins or continues in *context*."""
    progress = RunProgress(counters.plan(flow), context.correlation_id)
    progress.judge_epoch = judge_epoch
    progress.is_over = context.entry is None
    progress.shares_id = context.home is not None
    progress.take_over(context)
    return progress


def _above(scope: Scope) -> int:
    """Return the open steps in a scope, ``UNKNOWN_ANCESTORS`` if it has none."""
    return scope[3] if len(scope) > 3 else UNKNOWN_ANCESTORS  # noqa: PLR2004  # see Scope
