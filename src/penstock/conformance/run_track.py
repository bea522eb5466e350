"""How far a run has come, and how much is known of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from penstock._context import Done
from penstock._runtime.state import state

from .plan import MAX_FAST
from .rules import Track

if TYPE_CHECKING:
    from penstock._context import FlowContext

    from .plan import Edge, FlowPlan

__all__ = ["Activation", "RunTrack"]

_HAS_GIL = bool(getattr(sys, "_is_gil_enabled", lambda: True)())


class Keeper(Protocol):
    """What a track asks of the judge."""

    def settle(self, track: RunTrack, /) -> None:
        """Judge a run, if nothing of it is open."""
        ...

    def share(self, track: RunTrack, /) -> None:
        """Remember that a message was sent from a run."""
        ...


class RunTrack(Track):
    """One run, or the part of one that is in this process.

    Attributes:
        home: The plan of its flow.
        run: Its correlation ID.
        is_known: Whether everything of it was seen or told, so that absence proves.
        is_over: Whether no entrypoint of it is open.
        is_counted: Whether it earns evidence; what a test sets up does not.
        is_lent: Whether a call was bound for another process, so that anything may run
            there.
        is_sent: Whether a message was sent, so that more of it may run elsewhere.
        above: The run around it, None if there is none.
        since: What ``Judge.since`` was when it began.
        convicted: The edges that are contradicted so far.
        others: More tracks, of a context that belongs to no flow.
    """

    done: int
    open: int
    given: int
    __slots__ = (
        "_keeper",
        "above",
        "convicted",
        "gate",
        "home",
        "is_counted",
        "is_known",
        "is_lent",
        "is_over",
        "is_sent",
        "marks",
        "others",
        "run",
        "since",
    )

    def __init__(self, home: FlowPlan, context: FlowContext, keeper: Keeper) -> None:
        done = context.given_done
        given = 0 if done is None else home.given(done)
        for cause in context.given_causes:
            given |= 0 if cause.given_done is None else home.given(cause.given_done)
        super().__init__(given)
        self.gate: object = None
        self.marks: bytearray = bytearray()
        self.home: FlowPlan = home
        self.run: str = context.correlation_id
        self.is_known: bool = (
            done is not None and done.is_all and done.flow == home.flow
        )
        self.is_over: bool = context.entry is None
        self.is_counted: bool = done is None or not done.is_rehearsal
        self.is_sent: bool = False
        self.is_lent: bool = False
        self.above: RunTrack | None = None
        self.convicted: frozenset[Edge] = frozenset()
        self.others: dict[str, RunTrack] = {}
        self.since: object = None
        self._keeper = keeper
        around = context if context.home is None else context.home
        for one in (around, *around.given_causes):
            if one.given_done is not None:
                self.done |= home.given_outside(one.given_done)

    def begin(self, mark: int, bit: int, *, is_fast: bool) -> None:
        """Begin a run by its entrypoint: that is open, and above all that follows."""
        self.is_known = True
        self.done |= bit
        if is_fast and _HAS_GIL and len(self.home.every) <= MAX_FAST:
            self.gate = self.home.gate
            self.marks = self.home.marks()
            self.marks[mark] = 1

    def doubt(self) -> None:
        """Know it no longer: something may have happened unseen."""
        self.is_known = False

    def fold(self) -> int:
        """Take over what the call path has marked; return what is done."""
        if self.marks:
            self.done |= self.home.folded(self.marks)
        return self.done

    def finish(self, mark: int, bit: int) -> None:
        """End an activation that was judged slowly; *mark* is what says so."""
        self.done |= bit
        self.open -= 1
        if mark < len(self.marks):
            self.marks[mark] = 1

    def leave(self) -> None:
        """End the run: its entrypoint has ended."""
        self.is_over = True
        if self.above is not None:
            self.above.learn(self)

    def settle(self) -> None:
        """Judge the run, if nothing is open."""
        self._keeper.settle(self)

    def sent(self, above: int, *, is_lent: bool) -> Done:
        """Return what is before a call that a message brings, sent below *above*."""
        self.is_lent |= is_lent
        self._keeper.share(self)
        flow, bits = self.home.flow, self.done | above
        steps = frozenset(name for place, name in self.home.keys(bits) if place == flow)
        return Done(state.service, flow, steps, self.is_known)

    def learn(self, other: RunTrack, above: int = 0) -> None:
        """Take over what *other* has done, as far as this flow names it."""
        done = other.fold() | above
        for key, bit in self.home.outside.items():
            if key[0] == other.home.flow and other.home.known_bit(key) & done:
                self.done |= bit


class Activation:
    """One call, from its start to its end."""

    __slots__ = ("bit", "is_entry", "is_open", "mark", "track")

    def __init__(self, track: RunTrack, bit: int, mark: int, *, is_entry: bool) -> None:
        self.track: RunTrack = track
        self.bit: int = bit
        self.mark: int = mark
        self.is_entry: bool = is_entry
        self.is_open: bool = True
