"""Hold each call against the declared order, while it happens."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, NamedTuple, cast

from penstock._context import LOST
from penstock._process import on_fork
from penstock._registry import registry
from penstock._state import say, state
from penstock.errors import FlowOrderError

from ._book import Book, Finding
from ._tracks import Activation, RunTrack
from ._words import broken_edge, broken_step, no_such_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penstock._context import Call, FlowContext, Scope
    from penstock._order import Rule
    from penstock._step import Step

    from ._plans import Edge, Key, Ruled

    Watch = Callable[[RunTrack, Step], None]
    Hear = Callable[[Finding, str, bool], None]

__all__ = ["Judge", "judge"]


class _Place(NamedTuple):
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


class Judge:
    """What the call path tells of every call, as if it were a backend.

    Common calls of a run that is known never come here: the call path finds them among
    the cells of their rule. Counts change under one lock, which is reentrant, because
    the collector may close a generator of ours at any moment.

    Attributes:
        mode: ``record``, ``warn`` or ``raise``.
        book: What was counted.
        watchers: Are told of every call; runs that begin while there is one all come
            here.
        flush: Leaves the report where a folder is named for it.
        since: Since when every call is seen; what began before is not wholly known.
        hearers: Are told of each finding, and of each that is taken back.
    """

    def __init__(self) -> None:
        self.mode: str = "record"
        self.book: Book = Book()
        self.lock: threading.RLock = threading.RLock()
        self.watchers: tuple[Watch, ...] = ()
        self.hearers: tuple[Hear, ...] = ()
        self.flush: Callable[[], None] | None = None
        self.since: object = object()
        self._said: set[object] = set()

    def __repr__(self) -> str:
        """Show it as log lines name it."""
        return f"<conformance {self.mode}>"

    def switch_on(self, mode: str) -> None:
        """Judge every call from now on; what began before is not wholly known."""
        with self.lock:
            self.mode = mode
            self.book.forget_guides()
            if state.judge is None:
                self.since = object()
        state.judge_by(self)

    def clear(self) -> None:
        """Forget what was counted."""
        with self.lock:
            self.book = Book()
            self._said.clear()

    def restart(self) -> None:
        """Begin anew in a forked child: its parent reports what it has counted."""
        self.lock = threading.RLock()
        self.clear()

    def judge(
        self, call: Call, outer: Scope | None, /
    ) -> tuple[Scope, Activation | None]:
        """Begin a call in the scope *outer*; return its own, and what to finish."""
        try:
            return self._begin(call, outer)
        except FlowOrderError:
            raise
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self._report(exc)
            return (call[0], call[1], LOST), None

    def finish(
        self,
        call: Call,  # noqa: ARG002  # for backends, as the rest
        started: Activation | None,
        exc: BaseException | None,  # noqa: ARG002  # the same
        *,
        inner: bool,  # noqa: ARG002  # the same
    ) -> None:
        """End a call."""
        self.pause(started)

    def pause(self, started: Activation | None) -> None:
        """End a call: a generator that yields has begun to deliver."""
        if started is None or not started.is_open:
            return
        started.is_open = False
        track = started.track
        with self.lock:
            track.finish(started.number, started.bit)
            if started.is_entry:
                track.is_over = True
                if track.above is not None:
                    track.above.learn(track)
        if track.is_over:
            track.settle()

    def resume(self, started: Activation | None) -> None:
        """Do nothing: a generator has ended at its first yield."""

    def enabled(self) -> bool:
        """Want every call."""
        return True

    def start(self, call: Call, /) -> None:
        """Do nothing: ``judge`` has begun the call."""

    start_paused = start

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Do nothing: no call is missed."""

    def _begin(self, call: Call, outer: Scope | None) -> tuple[Scope, Activation]:
        context, step, caller = call
        with self.lock:
            place = self._place(context, step, outer)
            track = place.track
            track.fold()
            finding, number = None, sys.maxsize
            if step.flow != track.home.flow:
                bit = self._stranger(place, step)
            else:
                ruled = track.home.ruled(step)
                bit, number = ruled.rule.bit, ruled.number
                finding = self._check(place, ruled, caller)
                if finding is None or self.mode != "raise":
                    self._count(place, ruled)
            for watch in self.watchers:
                watch(track, step)
        if finding is not None:
            self._tell(finding, track.run)
        activation = Activation(track, bit, number, is_entry=place.is_entry)
        return (context, step, place.above | bit), activation

    def _place(self, context: FlowContext, step: Step, outer: Scope | None) -> _Place:
        known = context.track
        is_new = outer is None or outer[0] is not context
        is_entry = is_new and known is None and context.entry is step
        track = known if isinstance(known, RunTrack) else None
        if track is None:
            track = context.track = self._opened(context, step, outer, is_entry)
        elif track.since is not self.since:
            track.is_known = False
        is_other = step.flow != track.home.flow and not context.flow
        if is_other:
            track = self._other(track, context, step)
        if outer is None or is_new:
            return _Place(track, 0, is_entry, is_direct=False, is_lost=False)
        is_direct = context.is_carried and outer[1] is None
        above = LOST if is_other else _above(outer)
        is_lost = above < 0 and not is_direct
        return _Place(track, max(above, 0), is_entry, is_direct, is_lost)

    def _opened(
        self,
        context: FlowContext,
        step: Step,
        outer: Scope | None,
        is_entry: bool,  # noqa: FBT001  # as in _Place
    ) -> RunTrack:
        flow = context.flow or step.flow
        track = RunTrack(self.book.plan(flow), context, self._settle)
        track.since = self.since
        if is_entry:
            self.book.runs[flow] += 1
            entry = track.home.ruled(step)
            is_fast = self.mode == "record" and not self.watchers
            track.begin(entry.number, entry.rule.bit, is_fast=is_fast)
        if outer is not None and isinstance(around := outer[0].track, RunTrack):
            track.above = around
            track.learn(around, max(_above(outer), 0))
        return track

    def _other(self, track: RunTrack, context: FlowContext, step: Step) -> RunTrack:
        """Return the track of a step's flow, under a context of no flow."""
        other = track.others.get(step.flow)
        if other is None:
            other = RunTrack(self.book.plan(step.flow), context, self._settle)
            track.others[step.flow] = other
        return other

    def _stranger(self, place: _Place, step: Step) -> int:
        track = place.track
        if track.is_counted:
            self.book.foreign[track.home.flow, step.flow, step.name] += 1
        rule = track.home.stranger(step)
        track.start(rule, place.above)
        return rule.bit

    def _check(
        self, place: _Place, ruled: Ruled, caller: Step | None
    ) -> Finding | None:
        """Return what is wrong with a call, or None."""
        rule, step = ruled.rule, ruled.step
        before = place.track.done | place.above
        code = rule.broken(before, self._unsure(place, rule))
        if not code:
            return None
        missing = self._missing(place.track, rule, before, code)
        flow = place.track.home.flow
        lost = [key for key in missing if key[0] == flow and not registry.has(*key)]
        if lost:
            known = [one.step.name for one in place.track.home.every]
            return no_such_step(step, code, ruled.names[lost[0]], known)
        by = ""
        if caller is not None:
            by = caller.name if caller.flow == step.flow else caller.label
        return broken_step(step, code, [ruled.names[key] for key in missing], by)

    def _missing(
        self, track: RunTrack, rule: Rule, before: int, code: str
    ) -> list[Key]:
        """Return what has to come first: of joins, that which lacks the least."""
        lacks = [group & ~before for group in rule.groups]
        if code == "R1":
            return track.home.keys(rule.mask & ~before)
        begun = [
            one for one, group in zip(lacks, rule.groups, strict=True) if one != group
        ]
        return track.home.keys(min(begun, key=int.bit_count))

    def _unsure(self, place: _Place, rule: Rule) -> int:
        """Return the predecessors whose absence proves nothing here."""
        track = place.track
        if place.is_entry or place.is_lost or not track.is_known:
            return rule.mask
        if place.is_direct and track.is_counted:
            return rule.mask
        return track.home.messages if track.given else 0

    def _count(self, place: _Place, ruled: Ruled) -> None:
        """Start a call, and count it with what was before it."""
        track, rule = place.track, ruled.rule
        before = track.start(rule, place.above, self._unsure(place, rule)) & rule.mask
        if not track.is_counted:
            return
        if place.is_direct and not track.is_known:
            before &= track.given  # of what was not told nobody knows
        ruled.add(before)

    def _settle(self, track: RunTrack) -> None:
        try:
            self._judge_edges(track)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self._report(exc)

    def _judge_edges(self, track: RunTrack) -> None:
        """Judge R2; what an earlier verdict said may be amended."""
        with self.lock:
            if track.open or not track.is_known:
                return
            track.fold()
            found = cast("Iterator[Edge]", track.contradicted(track.home))
            now = frozenset(found)
            came, gone = now - track.convicted, track.convicted - now
            track.convicted = now
            if track.is_counted:
                for edge in came | gone:
                    self.book.contradicted[edge] += 1 if edge in came else -1
        for edge in came:
            self._tell(_edge_finding(track, edge), track.run)
        for edge in gone:
            self._take_back(_edge_finding(track, edge), track.run)

    def _tell(self, finding: Finding, run: str) -> None:
        with self.lock:
            self.book.add(finding, run)
            is_new = finding not in self._said
            for hear in self.hearers:
                hear(finding, run, True)  # noqa: FBT003  # it is one
            if self.mode != "record":
                self._said.add(finding)
        if self.mode == "raise" and finding.code != "R2":
            flow, step, code, message = finding
            raise FlowOrderError(message, flow=flow, step=step, code=code)
        if self.mode != "record" and is_new:
            say("%s %s", finding.code, finding.message)

    def _take_back(self, finding: Finding, run: str) -> None:
        with self.lock:
            self.book.take_back(finding, run)
            for hear in self.hearers:
                hear(finding, run, False)  # noqa: FBT003  # it is none any more

    def _report(self, exc: Exception) -> None:
        trace = exc.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        cause = type(exc), trace and (trace.tb_frame.f_code, trace.tb_lineno)
        if cause not in self._said:
            self._said.add(cause)
            say(
                "Conformance failed, and the step ran all the same: %r. Said once.", exc
            )


def _above(scope: Scope) -> int:
    """Return the open steps that a scope tells, ``LOST`` if it does not tell them."""
    return scope[2] if len(scope) > 2 else LOST  # noqa: PLR2004  # see Scope


def _edge_finding(track: RunTrack, edge: Edge) -> Finding:
    before, (_, after) = edge
    ruled = track.home.steps[after]
    others = [name for key, name in ruled.names.items() if key != before]
    return broken_edge(ruled.step, ruled.names[before], others)


judge: Judge = Judge()
on_fork(judge.restart)
