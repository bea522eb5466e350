"""Keep, of runs that cross processes, what other processes will ask for."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Protocol

from penstock._runtime.state import state

from .records import Dropped, OpenCall, RunRecord, Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .plan import FlowPlan, Key, Ruled

__all__ = ["MAX_RUNS", "Crossing", "Crossings", "clock"]

MAX_RUNS = 10_000
"""How many runs that cross a process remembers; the oldest go first."""

MAX_CALLS = 100
"""How many open calls of one run."""


class Run(Protocol):
    """What a crossing asks of the run that it keeps; ``RunTrack`` has it."""

    home: FlowPlan
    run: str
    gate: object
    done: int
    is_counted: bool
    is_told: bool
    is_known: bool
    inner: dict[FlowPlan, int]
    crossing: Crossing | None

    def ended(self) -> int:
        """Return the steps that have ended here, other flows' among them."""
        ...


class Crossing:
    """What is kept of one run.

    Attributes:
        store: Where it is kept.
        root: The ID of the operation that the run belongs to.
        opened: When it was first known to cross, in ns.
    """

    __slots__ = (
        "_began",
        "_calls",
        "_ended",
        "_is_origin",
        "_is_whole",
        "_looked",
        "_shown",
        "_track",
        "_unknown",
        "opened",
        "root",
        "store",
    )

    def __init__(
        self, track: Run, root: str, store: Crossings, *, is_origin: bool
    ) -> None:
        self.store: Crossings = store
        self.root: str = root
        self.opened: int = time_ns()
        self._track = track
        self._is_origin = is_origin
        self._is_whole = True
        self._looked = 0
        self._began: dict[int, tuple[int, int]] = {}
        self._ended: dict[int, tuple[int, int]] = {}
        self._calls: list[tuple[Ruled, int, int, int, str, bool]] = []
        self._shown = track.done & track.home.edge_bits if is_origin else 0
        self._unknown = 0
        self.look()

    def look(self) -> None:
        """Take over what the call path has judged since the last look."""
        now, track = time_ns(), self._track
        for bit in _bits(track.ended()):
            if bit not in self._ended:
                self._ended[bit] = self._looked, now
        self._looked = now

    def begin(self, bit: int) -> int:
        """Note that a call begins; return when."""
        now = time_ns()
        self._began[bit] = self._began.get(bit, (now, now))[0], now
        return now

    def end(self, bit: int) -> None:
        """Note that a call has ended."""
        if bit not in self._ended:
            now = time_ns()
            self._ended[bit] = now, now

    def add(
        self, ruled: Ruled, before: int, unknown: int, caller: str, *, is_judged: bool
    ) -> None:
        """Note that a call of a step begins, and of which predecessors after.

        Args:
            ruled: The step.
            before: The predecessors that are before it.
            unknown: Those whose absence proves nothing.
            caller: The step that calls it.
            is_judged: Whether records may convict it.
        """
        rule = ruled.rule
        now = self.begin(rule.bit)
        self._shown |= rule.shown(before)
        if not unknown:
            return
        if is_judged:
            self._unknown |= rule.shown(unknown)
        if len(self._calls) < MAX_CALLS:
            self._calls.append((ruled, now, before, unknown, caller, is_judged))
        else:
            self._is_whole = False

    def doubt(self) -> None:
        """Note that something ran of which nobody knows what was above it."""
        self._is_whole = False

    def records(self) -> Iterator[RunRecord]:
        """Yield what there is to tell: of the run, and of other flows inside."""
        self.look()
        track = self._track
        times = {key: self._times(bit) for bit, key in self._named(track.home)}
        for plan, bits in track.inner.items():
            for key in plan.keys(bits):
                times.setdefault(key, Times(0, self.opened, 0, self.opened))
        flow = track.home.flow
        for place in dict.fromkeys([flow, *(place for place, _ in times)]):
            steps = {name: at for (other, name), at in times.items() if other == place}
            record = RunRecord(
                run=track.run if place == flow else "",
                root=self.root,
                flow=place,
                service=state.service,
                clock=clock(),
                opened=self.opened,
                is_origin=self._is_origin and place == flow,
                is_told=track.is_told and self._is_whole,
                is_known=track.is_known and self._is_whole,
                steps=steps,
            )
            yield self._with_calls(record) if place == flow else record

    def _named(self, plan: FlowPlan) -> Iterator[tuple[int, Key]]:
        for bit in dict.fromkeys([*self._began, *self._ended]):
            for key in plan.keys(bit):
                yield bit, key

    def _times(self, bit: int) -> Times:
        began_after, began_by = self._began.get(bit, (0, self._looked))
        if self._is_origin:
            began_after = 0  # it may have been called before the run crossed
        if self._track.gate is not None and bit & self._track.home.own:
            began_after, began_by = 0, self._looked  # the call path may have, any time
        return Times(began_after, began_by, *self._ended.get(bit, (None, None)))

    def _with_calls(self, record: RunRecord) -> RunRecord:
        home = self._track.home
        return record._replace(
            witnessed=tuple(home.labels(self._shown)),
            unknown=tuple(home.labels(self._unknown & ~self._shown)),
            calls=tuple(_open(*call) for call in self._calls),
        )


class Crossings:
    """The runs of this process that cross, the latest of them."""

    def __init__(self) -> None:
        self._kept: dict[Crossing, None] = {}
        self._dropped = 0
        self._until = 0

    def open(self, track: Run, root: str, *, is_origin: bool) -> None:
        """Begin to keep what happens in a run, but for one that a test sets up."""
        if not track.is_counted:
            return
        if len(self._kept) >= MAX_RUNS:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._dropped += 1
            self._until = max(self._until, oldest.opened)
        track.crossing = Crossing(track, root, self, is_origin=is_origin)
        self._kept[track.crossing] = None

    def records(self) -> list[RunRecord]:
        """Return what there is to tell of each run."""
        return [record for crossing in self._kept for record in crossing.records()]

    def dropped(self) -> list[Dropped]:
        """Return what there was no room for."""
        if not self._dropped:
            return []
        return [Dropped(clock(), self._dropped, self._until)]


@cache
def clock() -> str:
    """Return which clock the times of this process are of: one for each machine.

    Linux names each start of a machine; its containers share the name, and the clock.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return platform.node()


def _open(
    ruled: Ruled,
    began: int,
    before: int,
    unknown: int,
    caller: str,
    is_judged: bool,  # noqa: FBT001  # as Crossing.add has it
) -> OpenCall:
    step, names = ruled.step, ruled.names
    own = step.flow
    return OpenCall(
        step.name,
        began,
        step.after,
        {name: key for key, name in names.items() if key[0] != own},
        tuple(_labels(ruled, before)),
        tuple(_labels(ruled, unknown)),
        step.place,
        caller,
        is_judged,
    )


def _labels(ruled: Ruled, bits: int) -> Iterable[str]:
    for name, (bit, _) in zip(ruled.names.values(), ruled.rule.edges, strict=True):
        if bit & bits:
            yield name


def _bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest
        bits ^= lowest
