"""Hold each call against the declared order, while it happens."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, NamedTuple, cast

from penstock._context import LOST
from penstock._process import on_fork
from penstock._state import say, state
from penstock.errors import FlowOrderError

from ._book import Book, Finding
from ._tracks import Activation, RunTrack
from ._words import Called, broken_edge, broken_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penstock._context import Call, FlowContext, Scope
    from penstock._order import Rule
    from penstock._step import Step

    from ._crossing import Crossing
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
        self.lose_sight()

    def lose_sight(self) -> None:
        """Know the runs that are under way no longer: another process goes on, too."""
        self.since = object()

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
            track.finish(started.mark, started.bit)
            if started.is_entry:
                track.leave()
        if track.is_over and track.is_known:
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
            finding, mark = None, sys.maxsize
            if step.flow != track.home.flow:
                bit = self._stranger(place, step)
            else:
                ruled = track.home.ruled(step)
                bit, mark = ruled.rule.bit, ruled.slow_mark
                unsure = self._unsure(place, ruled.rule)
                finding = self._check(place, ruled, unsure, caller)
                if finding is None or self.mode != "raise":
                    unknown = 0
                    if finding is None and not place.is_lost:
                        unknown = self._unknown(place, ruled.rule, unsure)
                        if not unknown and track.gate is track.home.gate:
                            track.home.note(ruled, track.marks, place.above)
                    if unknown and track.crossing is None:
                        self._cross_by_itself(place, context)
                    before = self._count(place, ruled, unsure)
                    if track.crossing is not None:
                        self._keep(place, ruled, before, unknown, caller)
            for watch in self.watchers:
                watch(track, step)
        if finding is not None:
            self._tell(finding, track.run)
        activation = Activation(track, bit, mark, is_entry=place.is_entry)
        return (context, step, place.above | bit), activation

    def _place(self, context: FlowContext, step: Step, outer: Scope | None) -> _Place:
        known = context.track
        is_new = outer is None or outer[0] is not context
        is_entry = is_new and known is None and context.entry is step
        track = known if isinstance(known, RunTrack) else None
        if track is None:
            track = context.track = self._opened(context, step, outer, is_entry)
        elif track.since is not self.since:
            track.doubt()
        crossing = track.crossing
        if crossing is not None and crossing.store is not self.book.crossings:
            self._cross(track, crossing.root, is_origin=False)
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
        track = RunTrack(self.book.plan(flow), context, self)
        track.since = self.since
        if is_entry:
            self.book.runs[flow] += 1
            entry = track.home.ruled(step)
            entry_marks = entry.slow_mark, entry.rule.bit
            track.begin(*entry_marks, is_fast=not self.watchers)
        if outer is not None and isinstance(around := outer[0].track, RunTrack):
            track.above = around
            track.learn(around, max(_above(outer), 0))
        self._cross_if_shared(track, context)
        return track

    def _cross_if_shared(self, track: RunTrack, context: FlowContext) -> None:
        carried = context if context.home is None else context.home
        is_inside = carried.is_carried and carried.given_root_id is not None
        is_inside |= track.above is not None and track.above.crossing is not None
        if carried.is_shared or is_inside:
            self._cross(track, context.root_id, is_origin=False)

    def _cross_by_itself(self, place: _Place, context: FlowContext) -> None:
        """Keep a run from the first of its calls that only records can judge."""
        if place.track.is_told and not place.is_entry:
            self._cross(place.track, context.root_id, is_origin=True)

    def _cross(self, track: RunTrack, root: str, *, is_origin: bool) -> None:
        if track.is_counted:
            crossings = self.book.crossings
            track.crossing = crossings.open(track, root, is_origin=is_origin)

    def _other(self, track: RunTrack, context: FlowContext, step: Step) -> RunTrack:
        """Return the track of a step's flow, under a context of no flow."""
        other = track.others.get(step.flow)
        if other is None:
            other = RunTrack(self.book.plan(step.flow), context, self)
            track.others[step.flow] = other
            self._cross_if_shared(other, context)
        return other

    def _stranger(self, place: _Place, step: Step) -> int:
        track = place.track
        if track.is_counted:
            self.book.foreign[track.home.flow, step.flow, step.name] += 1
        rule = track.home.stranger(step)
        track.start(rule, place.above)
        if track.crossing is not None:
            track.crossing.begin(rule.bit)
        return rule.bit

    def _check(
        self, place: _Place, ruled: Ruled, unsure: int, caller: Step | None
    ) -> Finding | None:
        """Return what is wrong with a call, or None."""
        rule, step = ruled.rule, ruled.step
        before = place.track.done | place.above
        code = rule.broken(before, unsure)
        if not code:
            return None
        missing = self._missing(place.track, rule, before, code)
        called = Called(step.flow, step.name, step.place, step.after)
        names = [ruled.names[key] for key in missing]
        return broken_step(called, code, names, _named(caller, step))

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
        if place.is_entry or place.is_lost or track.is_lent or not track.is_known:
            return rule.mask
        if place.is_direct and track.is_counted:
            return rule.mask
        return track.home.messages if track.given or track.is_sent else 0

    def _unknown(self, place: _Place, rule: Rule, unsure: int) -> int:
        """Return the predecessors that are not before a call as far as is known."""
        before = place.track.done | place.above
        if place.is_direct and not place.track.is_known:
            before = 0
        return (unsure | rule.unsure) & rule.mask & ~before

    def _count(self, place: _Place, ruled: Ruled, unsure: int) -> int:
        """Start a call, and count it; return what is known to be before it."""
        track, rule = place.track, ruled.rule
        before = track.start(rule, place.above, unsure) & rule.mask
        if place.is_direct and not track.is_known:
            before = 0
        if track.is_counted:
            ruled.add(before)
        return before

    def _keep(
        self,
        place: _Place,
        ruled: Ruled,
        before: int,
        unknown: int,
        caller: Step | None,
    ) -> None:
        """Keep a call in a run that crosses, with what is not known of it."""
        crossing = cast("Crossing", place.track.crossing)
        if place.is_lost:
            crossing.doubt()
        by = _named(caller, ruled.step)
        crossing.add(ruled, before, unknown, by, is_judged=not place.is_entry)

    def share(self, track: RunTrack, root: str, /) -> None:
        """Remember that a message was sent from a run, and from those around it."""
        try:
            with self.lock:
                if track.since is not self.since:
                    track.doubt()
                track.is_sent = True
                track.fold()
                self._share(track, root)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self._report(exc)

    def _share(self, track: RunTrack, root: str) -> None:
        around: RunTrack | None = track
        while around is not None:
            if around.crossing is None:
                self._cross(around, root, is_origin=True)
            else:
                around.crossing.look()
            around = around.above

    def settle(self, track: RunTrack) -> None:
        try:
            self._judge_edges(track)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self._report(exc)

    def _judge_edges(self, track: RunTrack) -> None:
        """Judge R2; what an earlier verdict said may be amended."""
        with self.lock:
            if track.since is not self.since:
                track.doubt()
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


def _named(caller: Step | None, step: Step) -> str:
    """Return how *step* names the one that calls it."""
    if caller is None:
        return ""
    return caller.name if caller.flow == step.flow else caller.label


def _edge_finding(track: RunTrack, edge: Edge) -> Finding:
    before, (flow, after) = edge
    declared = track.home.steps[after].names
    others = [name for key, name in declared.items() if key != before]
    return broken_edge(flow, declared[before], after, others)


judge: Judge = Judge()
on_fork(judge.restart)
if hasattr(os, "register_at_fork"):  # pragma: no branch  # absent on Windows only
    os.register_at_fork(after_in_parent=judge.lose_sight)
