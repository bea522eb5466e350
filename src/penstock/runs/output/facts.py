"""Facts about operations that every output shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from penstock._platform.clock import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from penstock._types import FlowInfo
    from penstock.runs.operation import Operation, OrderJudgement, StoredCall

_MS, _S, _MIN, _H = 1_000, 1_000_000, 60_000_000, 3_600_000_000
_TENTHS_UNTIL_US = 100 * _MS
_TWO_DIGITS = 0.1


_FIRST_US, _LAST_US = 0, 253_402_300_799_000_000  # until the year 9999
_FAILED = ("error", "retry")
_ROUNDED_US = 10  # times in the line of a run are sums of rounded ones


@dataclass(frozen=True, slots=True)
class Shown:
    """What to show.

    Attributes:
        operations: The operations that were found.
        judgements: The verdicts on their order.
        without_order: Why there are no verdicts, in words.
        flows: The flows as they are declared.
        with_logs: Whether to show the other lines of each call.
    """

    operations: Sequence[Operation]
    judgements: Mapping[Operation, Sequence[OrderJudgement]] = field(
        default_factory=dict
    )
    without_order: str = ""
    flows: Sequence[FlowInfo] = ()
    with_logs: bool = False


def counted(number: int, noun: str) -> str:
    """Return ``1 call`` or ``1,200 calls``."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def label_of(call: StoredCall) -> str:
    """Return ``flow/step``."""
    return f"{call.flow}/{call.step}"


def first_us(calls: Iterable[StoredCall]) -> int | None:
    """Return the earliest time that is known of *calls*."""
    return min((one for call in calls for one in _times(call)), default=None)


def last_us(calls: Iterable[StoredCall]) -> int | None:
    """Return the latest time that is known of *calls*."""
    return max((one for call in calls for one in _times(call)), default=None)


def _times(call: StoredCall) -> list[int]:
    return [one for one in (call.start_us, call.end_us) if one is not None]


def duration_us(call: StoredCall) -> int | None:
    """Return how long *call* took, None if a line about it is missing.

    Lines say it by a clock that is never set back.
    """
    if call.duration_ms is not None:
        return round(call.duration_ms * 1000)
    if call.start_us is None or call.end_us is None:
        return None
    return call.end_us - call.start_us


def span_of(group: Sequence[StoredCall]) -> tuple[int | None, int | None]:
    """Return start and end of calls that look the same, as far as they are known.

    A call is as long as it says: writing the line about its start also takes time.
    """
    call = group[0]
    if len(group) > 1 and call.end_us is not None:
        return first_us(group), last_us(group)
    start, end, took = call.start_us, call.end_us, duration_us(call)
    if start is not None and end is not None and took is not None:
        start = max(start, end - took)
    return start, end


def duration_words(group: Sequence[StoredCall]) -> str:
    """Return how long calls took, in words, or which of their ends is missing."""
    call = group[0]
    start, end = span_of(group)
    took = duration_us(call)
    if len(group) > 1 and start is not None and end is not None:
        took = end - start
    if not call.outcome:
        return "no end"
    if took is not None:
        return words_for(took)
    return "no start" if start is None else ""


def new_service(call: StoredCall) -> str:
    """Return the service of *call*, ``""`` if it is that of its caller."""
    caller = call.parent
    return "" if caller and caller.service == call.service else call.service


def services_of(operation: Operation) -> list[str]:
    """Return the services that are known, in the order of their first calls."""
    return list(dict.fromkeys(c.service for c in operation.calls if c.service))


def outcome_words(call: StoredCall) -> str:
    """Return how *call* ended, such as ``ok``, ``error: KeyError`` or ``no end``."""
    if not call.outcome:
        return "no end"
    return f"{call.outcome}: {call.error_type}" if call.error_type else call.outcome


def is_failure(call: StoredCall) -> bool:
    """Return whether *call* raised an exception that is an error."""
    return call.outcome == "error"


def deciding_call(operation: Operation) -> StoredCall | None:
    """Return the call whose outcome is that of *operation*, None if it has no calls.

    It is the first that failed, else the first without an end, of those that nothing
    waited for: the entry, what a message brought, and what outlived its callers. A
    caller may have handled the failures of the others. A failed call that was ok when
    called again does not count. If all went well, it is the entry.
    """
    redone = _failed_before_ok(operation)
    alone = [call for call in operation.calls if not _is_waited_for(call)]
    failed = (call for call in alone if is_failure(call) and call not in redone)
    endless = (call for call in alone if not call.outcome)
    return next(chain(failed, endless, operation.roots), None)


def _is_waited_for(call: StoredCall) -> bool:
    """Return whether a caller was still there when *call* ended.

    In another process, without a message, the caller waits for a response.
    """
    last = call.start_us if call.end_us is None else call.end_us
    caller = call
    while caller.parent is not None and caller.sent_at_us is None:
        below, caller = caller, caller.parent
        if (caller.host, caller.process) != (below.host, below.process):
            return True
        if last is None or caller.end_us is None:
            return True
        if last <= caller.end_us + _ROUNDED_US:
            return True
    return False


def operation_outcome(operation: Operation) -> tuple[str, StoredCall | None]:
    """Return how *operation* ended, in words, and the call that decides it."""
    call = deciding_call(operation)
    if call is None:
        return "", None
    words = outcome_words(call)
    if call is operation.roots[0]:
        return words, call
    where = f"{label_of(call)} ({call.service})" if call.service else label_of(call)
    return f"{words} in {where}" if call.outcome else f"{words} of {where}", call


def failures_of(operation: Operation) -> Counter[tuple[str, str, str, str]]:
    """Count the innermost calls that failed.

    They are counted by label, service, class of error, and the label of the call, it
    or a caller that failed with it, that was ok when called again; ``""`` if none was.
    """
    redone = _failed_before_ok(operation)
    return Counter(
        (
            label_of(call),
            call.service,
            call.error_type,
            next((label_of(c) for c in _failed_callers(call) if c in redone), ""),
        )
        for call in operation.calls
        if is_failure(call) and not any(map(is_failure, call.children))
    )


def _failed_callers(call: StoredCall | None) -> Iterator[StoredCall]:
    """Yield *call* and those of its callers that failed with it, innermost first."""
    while call is not None and is_failure(call):
        yield call
        call = call.parent


def repeats_in(operation: Operation) -> dict[StoredCall, int]:
    """Return calls whose caller had called that step before, and that had failed.

    With each is its number among its caller's calls of the step.
    """
    return {
        call: number
        for same in _calls_of_one_step(operation)
        for number, (before, call) in enumerate(pairwise(same), 2)
        if before.outcome in _FAILED
    }


def _failed_before_ok(operation: Operation) -> set[StoredCall]:
    """Return calls that failed and were called again, until a call was ok."""
    found = set()
    for same in _calls_of_one_step(operation):
        is_redone = False
        for call in reversed(same):
            is_redone = call.outcome == "ok" or (is_redone and call.outcome in _FAILED)
            if is_redone and is_failure(call):
                found.add(call)
    return found


def _calls_of_one_step(operation: Operation) -> Iterator[list[StoredCall]]:
    """Yield, for each caller and step, the calls that it made of the step."""
    for calls in (operation.roots, *(call.children for call in operation.calls)):
        made: dict[tuple[str, str], list[StoredCall]] = {}
        for call in calls:
            made.setdefault((call.flow, call.step), []).append(call)
        yield from made.values()


def calls_out_of_order(
    judgements: Iterable[OrderJudgement],
) -> frozenset[StoredCall]:
    """Return the calls that broke the declared order."""
    return frozenset(
        call
        for judgement in judgements
        if judgement.verdict == "out of order"
        for call in judgement.calls
    )


def rfc3339(time_us: int) -> str:
    """Return a time as RFC 3339 has it, in UTC with microseconds.

    Lines may have any number as a duration: what no calendar has is as near as it gets.
    """
    return utc(min(max(time_us, _FIRST_US), _LAST_US) / _S)


def sent_words(delay_us: int) -> str:
    """Return how long before its start a message was sent, by two clocks."""
    if delay_us < 0:
        return f"sent {words_for(-delay_us)} later by the sender's clock"
    return f"sent {words_for(delay_us)} before"


def words_for(duration: int) -> str:
    """Return microseconds in words that are short: ``12.3 ms``, ``2 min 3 s``."""
    if duration < 0:
        return f"-{words_for(-duration)}"
    if duration < _TENTHS_UNTIL_US:
        return f"{duration / _MS:.1f} ms"
    if duration < _S:
        return f"{duration / _MS:.0f} ms"
    if duration < _MIN:
        return f"{duration / _S:.2f} s"
    if duration < _H:
        return f"{duration // _MIN} min {duration % _MIN // _S} s"
    return f"{duration // _H} h {duration % _H // _MIN} min"


def percent(share: float) -> str:
    """Return a share in percent, with two digits that say something.

    >>> percent(0.00093), percent(0.5), percent(0)
    ('0.093 %', '50 %', '0 %')
    """
    is_long = share >= _TWO_DIGITS or not share
    return f"{share * 100:.0f} %" if is_long else f"{share * 100:.2g} %"
