"""Where a call is made: in which run, below what, and how much is known of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from penstock._context import LOST

from .run_track import Keeper, RunTrack

if TYPE_CHECKING:
    from penstock._context import FlowContext, Scope
    from penstock._steps.step import Step

    from .counters import Book
    from .rules import Rule

__all__ = ["Place", "find_place"]


class Host(Keeper, Protocol):
    """What finding a place asks of the judge."""

    @property
    def book(self) -> Book:
        """What was counted."""
        ...

    @property
    def watchers(self) -> tuple[object, ...]:
        """Who is told of every call."""
        ...

    @property
    def since(self) -> object:
        """Since when every call is seen."""
        ...


class Place(NamedTuple):
    """Where a call is made."""

    track: RunTrack
    above: int
    """The open calls that it is below."""
    is_entry: bool
    """Whether it begins the run."""
    is_direct: bool
    """Whether it is made directly under a context that was carried here."""
    is_lost: bool
    """Whether nobody knows what it is below."""

    def unsure(self, rule: Rule) -> int:
        """Return the predecessors whose absence proves nothing here."""
        track = self.track
        if self.is_entry or self.is_lost or track.is_lent or not track.is_known:
            return rule.mask
        if self.is_direct and track.is_counted:
            return rule.mask
        return track.home.messages if track.given or track.is_sent else 0

    def unknown(self, rule: Rule, unsure: int) -> int:
        """Return the predecessors that are not before a call as far as is known."""
        if self.is_lost:
            return 0
        before = self.track.done | self.above
        if self.is_direct and not self.track.is_known:
            before = 0
        return (unsure | rule.unsure) & rule.mask & ~before


def find_place(
    host: Host, context: FlowContext, step: Step, outer: Scope | None
) -> Place:
    """Return where a call in the scope *outer* is made; begin to track a new run."""
    known = context.track
    is_new = outer is None or outer[0] is not context
    is_entry = is_new and known is None and context.entry is step
    track = known if isinstance(known, RunTrack) else None
    if track is None:
        track = context.track = _opened(host, context, step, outer, is_entry)
    is_other = step.flow != track.home.flow and not context.flow
    if is_other:
        track = _other(host, track, context, step)
    if track.since is not host.since:
        track.doubt()
    if outer is None or is_new:
        return Place(track, 0, is_entry, is_direct=False, is_lost=False)
    is_direct = context.is_carried and outer[1] is None
    above = LOST if is_other else _above(outer)
    is_lost = above < 0 and not is_direct
    return Place(track, max(above, 0), is_entry, is_direct, is_lost)


def _opened(
    host: Host,
    context: FlowContext,
    step: Step,
    outer: Scope | None,
    is_entry: bool,  # noqa: FBT001  # as in Place
) -> RunTrack:
    flow = context.flow or step.flow
    track = RunTrack(host.book.plan(flow), context, host)
    track.since = host.since
    if is_entry:
        host.book.runs[flow] += 1
        entry = track.home.ruled(step)
        track.begin(entry.slow_mark, entry.rule.bit, is_fast=not host.watchers)
    if outer is not None and isinstance(around := outer[0].track, RunTrack):
        track.above = around
        track.learn(around, max(_above(outer), 0))
    return track


def _other(host: Host, track: RunTrack, context: FlowContext, step: Step) -> RunTrack:
    """Return the track of a step's flow, under a context of no flow."""
    other = track.others.get(step.flow)
    if other is None:
        other = RunTrack(host.book.plan(step.flow), context, host)
        other.since = track.since
        track.others[step.flow] = other
    return other


def _above(scope: Scope) -> int:
    """Return the open steps that a scope tells, ``LOST`` if it does not tell them."""
    return scope[2] if len(scope) > 2 else LOST  # noqa: PLR2004  # see Scope
