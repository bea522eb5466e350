"""Form operations from the calls that lines are about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .calls import calls_of
from .operation import NO_START, Operation
from .other_lines import attach_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .lines import StoredLine
    from .operation import StoredCall

__all__ = ["gaps_of", "is_caller_missing", "operations_of", "walk"]

_Group = tuple[str, str]
"""What calls of one operation have in common: a kind of ID, and the ID."""


def operations_of(lines: Iterable[StoredLine]) -> list[Operation]:
    """Return the operations that *lines* are about, by start.

    There is one for each run that nothing else in the lines has caused. Runs whose
    caller is missing are one operation if it is the same caller.
    """
    found = list(lines)
    calls = calls_of(found)
    _link(calls)
    operations = [_operation(roots) for roots in _roots(calls)]
    operations.sort(key=lambda operation: _begin(operation.roots[0]))
    return attach_lines(operations, found)


def walk(roots: Iterable[StoredCall]) -> Iterator[StoredCall]:
    """Yield calls and all that is below them, depth first."""
    stack = [*roots][::-1]
    while stack:
        call = stack.pop()
        yield call
        stack.extend(reversed(call.children))


def gaps_of(calls: Iterable[StoredCall]) -> list[str]:
    """Return what shows that lines are missing, with counts."""
    counts = Counter(gap for call in calls for gap in _gaps_at(call))
    return [
        f"{count} call{'s' if count > 1 else ''} {gap}" for gap, count in counts.items()
    ]


def is_caller_missing(call: StoredCall) -> bool:
    """Tell whether a call was made by one that is not stored."""
    return call.parent is None and bool(call.parent_call_id or call.parent_step)


def _link(calls: list[StoredCall]) -> None:
    """Link each call to the one that made it, and that one to its calls, by start."""
    by_id = {call.call_id: call for call in calls if call.call_id}
    for call in calls:
        call.parent = call.parent or by_id.get(call.parent_call_id)
    _cut_circles(calls)
    for call in sorted(calls, key=_begin):
        if call.parent is not None:
            call.parent.children.append(call)


def _cut_circles(calls: list[StoredCall]) -> None:
    """Take the caller from a call that would be its own ancestor."""
    settled: set[StoredCall] = set()
    for start in calls:
        path: dict[StoredCall, None] = {}
        call: StoredCall | None = start
        while call is not None and call not in settled:
            path[call] = None
            if call.parent in path:
                call.parent = None
                call.doubts.append("its lines say that it called itself")
            call = call.parent
        settled.update(path)


def _begin(call: StoredCall) -> tuple[bool, int]:
    """Return what sorts calls by their caller's clock, those without a time last."""
    for time in (call.sent_at_us, call.start_us, call.end_us):
        if time is not None:
            return False, time
    return True, 0


def _roots(calls: list[StoredCall]) -> list[list[StoredCall]]:
    """Return the calls without a caller for each operation."""
    groups = _Groups()
    tops = [call for call in calls if call.parent is None]
    for call in calls:
        groups.join(_run(call), _run(call.parent or call))
    for call in filter(is_caller_missing, tops):
        groups.join(_run(call), ("caller", call.parent_call_id or call.correlation_id))
    _adopt(tops, groups)
    found: dict[_Group, list[StoredCall]] = {}
    for call in sorted(tops, key=lambda top: (is_caller_missing(top), _begin(top))):
        found.setdefault(groups.find(_run(call)), []).append(call)
    return list(found.values())


def _run(call: StoredCall) -> _Group:
    return "run", call.run_id or call.correlation_id


def _adopt(tops: list[StoredCall], groups: _Groups) -> None:
    """Join what a missing call has caused to the only operation that may contain it."""
    whole: dict[str, set[_Group]] = {}
    for call in tops:
        if not is_caller_missing(call):
            group = groups.find(_run(call))
            whole.setdefault(_root_id(call), set()).add(group)
    for call in filter(is_caller_missing, tops):
        candidates = whole.get(_root_id(call), set())
        if len(candidates) == 1:
            groups.join(_run(call), *candidates)


def _root_id(call: StoredCall) -> str:
    return call.root_id or call.correlation_id


class _Groups:
    """Sets of groups that belong together (a union-find forest)."""

    def __init__(self) -> None:
        self._above: dict[_Group, _Group] = {}

    def find(self, group: _Group) -> _Group:
        """Return what stands for all groups that *group* belongs to."""
        path = []
        while group in self._above:
            path.append(group)
            group = self._above[group]
        for each in path:
            self._above[each] = group
        return group

    def join(self, group: _Group, other: _Group) -> None:
        """Let two groups belong together."""
        one, another = self.find(group), self.find(other)
        if one != another:
            self._above[one] = another


def _operation(roots: list[StoredCall]) -> Operation:
    calls = list(walk(roots))
    return Operation(_root_id(roots[0]), roots, calls, gaps=gaps_of(calls))


def _gaps_at(call: StoredCall) -> Iterator[str]:
    """Yield what is missing of a call or around it."""
    if not call.outcome:
        yield "without an end"
    if NO_START in call.doubts:
        yield "without a start"
    if is_caller_missing(call):
        is_entry_missing = call.parent_call_id and call.parent_call_id == call.run_id
        yield f"whose {'entrypoint' if is_entry_missing else 'caller'} is missing"
