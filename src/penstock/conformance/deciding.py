"""Decide by the records of several processes what none of them knew alone.

A predecessor was before a call if it had ended before the call began, by their clocks.
Times of one machine are compared as they are; between machines nothing is decided
within a margin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .messages import Called, broken_edge, broken_step
from .operations import Operations

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from .counters import Finding
    from .operations import Moment
    from .records import Dropped, OpenCall, Pair, RunRecord

__all__ = ["Convicted", "Verdicts", "witnessed"]

Edge = tuple[str, str, str]
"""A flow, a predecessor as it is named there, and a step."""


class Convicted(NamedTuple):
    """What broke in one run; the edge is that of R2."""

    finding: Finding
    run: str
    edge: Edge | None


def witnessed(
    records: Sequence[RunRecord], margin_ns: int
) -> tuple[list[Edge], list[RunRecord]]:
    """Return the edges that records witness, one for each call, and what stays open."""
    verdicts = Verdicts(records, margin_ns)
    found: list[Edge] = []
    left: list[RunRecord] = []
    for record in records:
        shown: list[Pair] = []
        calls: list[OpenCall] = []
        for call in record.calls:
            seen = [n for n in call.unknown if verdicts.was_before(record, call, n)]
            found += [(record.flow, name, call.step) for name in seen]
            shown += [(name, call.step) for name in seen]
            unknown = tuple(name for name in call.unknown if name not in seen)
            if unknown:
                before = (*call.before, *seen)
                calls.append(call._replace(before=before, unknown=unknown))
        left.append(
            record._replace(
                witnessed=tuple(dict.fromkeys([*record.witnessed, *shown])),
                unknown=tuple(pair for pair in record.unknown if pair not in shown),
                calls=tuple(calls),
            )
        )
    return found, left


class Verdicts:
    """What records say of the calls in them."""

    def __init__(self, records: Sequence[RunRecord], margin_ns: int) -> None:
        self._records = records
        self._margin_ns = margin_ns
        self._operations = Operations(records)

    def was_before(self, record: RunRecord, call: OpenCall, name: str) -> bool | None:
        """Tell whether a predecessor was before a call; None where that is open."""
        moments = self._moments(record, call.places, name)
        is_own = name not in call.places
        return self._before(moments, record, call.began, is_own=is_own)

    def convicted(
        self, edges: Mapping[str, Collection[Pair]], dropped: Sequence[Dropped]
    ) -> Iterator[Convicted]:
        """Yield what broke, if no record is missing but those that were dropped.

        Args:
            edges: What each flow declares.
            dropped: What processes had no room for.
        """
        whole = [
            record
            for record in sorted(self._records, key=_place)
            if record.is_told and self._is_whole(record, dropped)
        ]
        for record in whole:
            for call in record.calls:
                finding = self._broken(record, call) if call.is_judged else None
                if finding is not None:
                    yield Convicted(finding, record.run, None)
        yield from self._contradicted(whole, edges)

    def _is_whole(self, record: RunRecord, dropped: Sequence[Dropped]) -> bool:
        """Tell whether no record of its operation can be among those dropped."""
        if not dropped:
            return True
        opened = self._operations.origin(record)
        return opened is not None and all(
            one.until + self._margin(one.clock, opened.clock) < opened.opened
            for one in dropped
        )

    def _moments(
        self, record: RunRecord, places: Mapping[str, Pair], name: str
    ) -> list[Moment]:
        if name in places:
            return self._operations.elsewhere(record, *places[name])
        return self._operations.in_run(record, name)

    def _before(
        self, moments: Iterable[Moment], record: RunRecord, began: int, *, is_own: bool
    ) -> bool | None:
        found: bool | None = False
        for clock, times in moments:
            margin = self._margin(clock, record.clock)
            if times.ended_by is not None and times.ended_by + margin < began:
                return True
            is_later = times.began_after > began + margin
            has_not_ended = (
                times.ended_after is None or times.ended_after > began + margin
            )
            # One that is open may be around the call: only its own flow would say so.
            if not is_later and not (has_not_ended and is_own and record.is_known):
                found = None
        return found

    def _margin(self, clock: str, other: str) -> int:
        return 0 if clock == other else self._margin_ns

    def _broken(self, record: RunRecord, call: OpenCall) -> Finding | None:
        absent = {
            name
            for group in call.after
            for name in group
            if name not in call.before
            and (
                name not in call.unknown or self.was_before(record, call, name) is False
            )
        }
        if any(absent.isdisjoint(group) for group in call.after):
            return None
        code = "R3" if call.before else "R1"
        return broken_step(
            Called(record.flow, call.step, call.place, call.after),
            code,
            _missing(call, code),
            call.caller,
        )

    def _contradicted(
        self, records: Iterable[RunRecord], edges: Mapping[str, Collection[Pair]]
    ) -> Iterator[Convicted]:
        """Judge R2 for each edge of which no process has seen both ends."""
        seen: set[tuple[str, str, Pair]] = set()
        for record in records:
            declared = edges.get(record.flow, ())
            for pair in record.unknown:
                key = record.flow, record.run, pair
                if key not in seen and not _leads(declared, *reversed(pair)):
                    seen.add(key)
                    if self._is_contradicted(record, pair):
                        yield _edge_convicted(record, pair)

    def _is_contradicted(self, record: RunRecord, pair: Pair) -> bool:
        before, after = pair
        parts = [part for part in self._operations.parts(record) if after in part.steps]
        if any(pair in part.witnessed or not part.is_told for part in parts):
            return False
        places = {
            name: at for p in parts for c in p.calls for name, at in c.places.items()
        }
        moments = self._moments(record, places, before)
        is_own = before not in places
        return bool(moments) and all(
            self._before(moments, part, part.steps[after].began_by, is_own=is_own)
            is False
            for part in parts
        )


def _place(record: RunRecord) -> tuple[str, str, int]:
    """Return where a record stands among others, in whatever order they came."""
    return record.flow, record.run, record.opened


def _missing(call: OpenCall, code: str) -> list[str]:
    """Return what has to come first: of joins, that which lacks the least."""
    lacks = [[n for n in group if n not in call.before] for group in call.after]
    if code == "R1":
        return list(dict.fromkeys(name for names in lacks for name in names))
    begun = [
        names
        for names, group in zip(lacks, call.after, strict=True)
        if len(names) < len(group)
    ]
    return min(begun, key=len)


def _leads(edges: Collection[Pair], first: str, last: str) -> bool:
    """Tell whether declared edges lead from one step to another, or it is one."""
    reached, frontier = {first}, {first}
    while frontier:
        frontier = {after for before, after in edges if before in frontier} - reached
        reached |= frontier
    return last in reached


def _edge_convicted(record: RunRecord, pair: Pair) -> Convicted:
    before, after = pair
    calls = [call for call in record.calls if call.step == after]
    groups = [group for call in calls for group in call.after]
    names = dict.fromkeys(name for group in groups for name in group)
    others = [name for name in names if name != before]
    place = next((call.place for call in calls), "")
    finding = broken_edge(Called(record.flow, after, place, groups), before, others)
    return Convicted(finding, record.run, (record.flow, before, after))
