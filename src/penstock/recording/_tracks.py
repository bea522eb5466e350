"""How far a run has come, and how much is known of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from penstock._context import Done
from penstock._order import Track
from penstock._state import state

from ._plans import MAX_FAST

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._context import FlowContext

    from ._plans import Edge, FlowPlan

__all__ = ["Activation", "RunTrack"]

_HAS_GIL = bool(getattr(sys, "_is_gil_enabled", lambda: True)())


class RunTrack(Track):
    """One run, or the part of one that is in this process.

    Attributes:
        home: The plan of its flow.
        run: Its correlation ID.
        is_known: Whether everything of it was seen or told, so that absence proves.
        is_over: Whether no entrypoint of it is open.
        is_counted: Whether it earns evidence; what a test sets up does not.
        above: The run around it, None if there is none.
        since: What ``Judge.since`` was when it began.
        convicted: The edges that are contradicted so far.
        others: More tracks, of a context that belongs to no flow.
    """

    done: int
    open: int
    given: int
    __slots__ = (
        "_settle",
        "above",
        "convicted",
        "gate",
        "home",
        "is_counted",
        "is_known",
        "is_over",
        "marks",
        "others",
        "run",
        "since",
    )

    def __init__(
        self, home: FlowPlan, context: FlowContext, settle: Callable[[RunTrack], None]
    ) -> None:
        done = context.given_done
        given = 0 if done is None else home.given(done)
        for cause in context.given_causes:
            given |= 0 if cause.given_done is None else home.given(cause.given_done)
        super().__init__(given)
        self.gate: object = None
        self.marks: bytearray = bytearray()
        self.home: FlowPlan = home
        self.run: str = context.correlation_id
        is_known = done is not None and done.is_all and done.flow == home.flow
        self.is_known: bool = is_known
        self.is_over: bool = context.entry is None
        self.is_counted: bool = done is None or not done.is_rehearsal
        self.above: RunTrack | None = None
        self.convicted: frozenset[Edge] = frozenset()
        self.others: dict[str, RunTrack] = {}
        self.since: object = None
        self._settle = settle
        around = context if context.home is None else context.home
        for one in (around, *around.given_causes):
            if one.given_done is not None:
                self.done |= home.given_outside(one.given_done)

    def begin(self, number: int, bit: int, *, is_fast: bool) -> None:
        """Begin a run by its entrypoint: that is open, and above all that follows."""
        self.is_known = True
        self.done |= bit
        if is_fast and _HAS_GIL and len(self.home.every) <= MAX_FAST:
            self.gate = self.home.gate
            self.marks = self.home.marks()
            self.marks[2 + 2 * number] = 1

    def fold(self) -> int:
        """Take over what the call path has marked; return what is done."""
        if self.marks:
            self.done |= self.home.folded(self.marks)
        return self.done

    def finish(self, number: int, bit: int) -> None:
        """End an activation of the step of that number, judged slowly."""
        self.done |= bit
        self.open -= 1
        if 2 + 2 * number < len(self.marks):
            self.marks[2 + 2 * number] = 1

    def settle(self) -> None:
        """Judge the run, if nothing is open."""
        self._settle(self)

    def before(self, above: int) -> Done:
        """Return what is before a call made below *above*."""
        flow, bits = self.home.flow, self.fold() | above
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

    __slots__ = ("bit", "is_entry", "is_open", "number", "track")

    def __init__(
        self, track: RunTrack, bit: int, number: int, *, is_entry: bool
    ) -> None:
        self.track: RunTrack = track
        self.bit: int = bit
        self.number: int = number
        self.is_entry: bool = is_entry
        self.is_open: bool = True
