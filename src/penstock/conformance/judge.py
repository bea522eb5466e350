"""Hold each call against the declared order, while it happens."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, cast

from penstock._context import LOST
from penstock._platform.process import on_fork
from penstock._runtime.state import state
from penstock.errors import FlowOrderError

from .call_place import Place, find_place
from .counters import Book, Finding
from .findings import call_finding, edge_finding
from .reporting import Teller
from .run_track import Activation, RunTrack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penstock._context import Call, Scope
    from penstock._steps.step import Step

    from .plan import Edge, Ruled

    Watch = Callable[[RunTrack, Step], None]

__all__ = ["Judge", "judge"]


class Judge:
    """What the call path tells of every call, as if it were a backend.

    Common calls of a run that is known never come here: the call path finds them among
    the cells of their rule. Counts change under one lock, which is reentrant, because
    the collector may close a generator of ours at any moment.

    Attributes:
        book: What was counted.
        watchers: Are told of every call; runs that begin while there is one all come
            here.
        flush: Leaves the report where a folder is named for it.
        since: Since when every call is seen; what began before is not wholly known.
        teller: Tells of what was found.
    """

    def __init__(self) -> None:
        self.book: Book = Book()
        self.lock: threading.RLock = threading.RLock()
        self.watchers: tuple[Watch, ...] = ()
        self.flush: Callable[[], None] | None = None
        self.since: object = object()
        self.teller: Teller = Teller()

    def __repr__(self) -> str:
        """Show it as log lines name it."""
        return f"<conformance {self.teller.mode}>"

    def switch_on(self, mode: str) -> None:
        """Judge every call from now on; what began before is not wholly known."""
        with self.lock:
            self.teller.mode = mode
            self.book.forget_guides()
            if state.judge is None:
                self.since = object()
        state.judge_by(self)

    def clear(self) -> None:
        """Forget what was counted."""
        with self.lock:
            self.book = Book()
            self.teller.clear()

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
            self.teller.report(exc)
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

    def share(self, track: RunTrack, /) -> None:
        """Remember that a message was sent from a run, and from those around it."""
        try:
            with self.lock:
                if track.since is not self.since:
                    track.doubt()
                track.is_sent = True
                track.fold()
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self.teller.report(exc)

    def settle(self, track: RunTrack, /) -> None:
        """Judge a run, if nothing of it is open."""
        try:
            self._judge_edges(track)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            self.teller.report(exc)

    def _begin(self, call: Call, outer: Scope | None) -> tuple[Scope, Activation]:
        context, step, caller = call
        with self.lock:
            place = find_place(self, context, step, outer)
            track = place.track
            track.fold()
            finding, mark = None, sys.maxsize
            if step.flow != track.home.flow:
                bit = self._stranger(place, step)
            else:
                ruled = track.home.ruled(step)
                bit, mark = ruled.rule.bit, ruled.slow_mark
                unsure = place.unsure(ruled.rule)
                finding = call_finding(place, ruled, unsure, caller)
                if finding is None:
                    self._start(place, ruled, unsure)
                elif self.teller.mode != "raise":
                    self._count(place, ruled, unsure)
            for watch in self.watchers:
                watch(track, step)
        if finding is not None:
            self._tell(finding, track.run)
        activation = Activation(track, bit, mark, is_entry=place.is_entry)
        return (context, step, place.above | bit), activation

    def _stranger(self, place: Place, step: Step) -> int:
        """Start a call of another flow's step; return its bit."""
        track = place.track
        if track.is_counted:
            self.book.foreign[track.home.flow, step.flow, step.name] += 1
        rule = track.home.stranger(step)
        track.start(rule, place.above)
        return rule.bit

    def _start(self, place: Place, ruled: Ruled, unsure: int) -> None:
        """Start a call that is in order, as far as is known."""
        track = place.track
        unknown = place.unknown(ruled.rule, unsure)
        if not unknown and track.gate is track.home.gate and not place.is_lost:
            track.home.note(ruled, track.marks, place.above)
        self._count(place, ruled, unsure)

    def _count(self, place: Place, ruled: Ruled, unsure: int) -> None:
        """Start a call, and count it with what is known to be before it."""
        track, rule = place.track, ruled.rule
        before = track.start(rule, place.above, unsure) & rule.mask
        if place.is_direct and not track.is_known:
            before &= track.given  # of what was not told nobody knows
        if track.is_counted:
            ruled.add(before)

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
            self._tell(edge_finding(track, edge), track.run)
        for edge in gone:
            with self.lock:
                self.teller.take_back(self.book, edge_finding(track, edge), track.run)

    def _tell(self, finding: Finding, run: str) -> None:
        with self.lock:
            is_new = self.teller.note(self.book, finding, run)
        self.teller.tell(finding, is_new=is_new)


judge: Judge = Judge()
on_fork(judge.restart)
if hasattr(os, "register_at_fork"):  # pragma: no branch  # absent on Windows only
    os.register_at_fork(after_in_parent=judge.lose_sight)
