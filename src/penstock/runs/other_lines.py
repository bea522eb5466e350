"""Find the call inside which each other log line was written."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from .lines import is_about_call
from .operation import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .lines import StoredLine
    from .operation import StoredCall

__all__ = ["attach_lines"]

_START, _LINE, _END = range(3)
_SAME = ("message", "logger", "correlation_id", "call_id", "host.name", "process.pid")


def attach_lines(
    operations: Sequence[Operation], lines: Iterable[StoredLine]
) -> list[Operation]:
    """Add the lines that are not about calls to calls and operations.

    A line belongs to the call whose ID it has. Without one it belongs to the call of
    its run that was open then, if the open ones are a single chain of callers.
    Lines of operations without any call are operations of their own. A line that two
    files have, such as the output of a process and its log, counts once.
    """
    sources: dict[tuple[object, ...], str] = {}
    calls = {one.call_id: one for each in operations for one in each.calls}
    calls.pop("", None)
    runs = _Runs(operations)
    found = list(operations)
    for line in sorted(lines, key=lambda line: line.time_us or 0):
        if line.is_span or is_about_call(line):
            continue
        same = (line.time_us, *map(line.fields.get, _SAME))
        if sources.setdefault(same, line.source) != line.source:
            continue
        call_id = line.fields.get("call_id", "")
        span_id = f"span:{line.fields.get('span_id')}"
        call = calls.get(call_id) or calls.get(span_id)
        if call is None and not call_id:
            call = runs.call_at(line)
        if call is not None:
            call.lines.append(line)
            continue
        operation = runs.operation_of(line)
        if operation is None:
            operation = Operation(_root_id(line))
            found.append(operation)
            runs.add(operation, operation.root_id)
        operation.lines.append(line)
    return found


def _root_id(line: StoredLine) -> str:
    fields = line.fields
    root_id: str = fields.get("root_id") or fields.get("correlation_id", "")
    return root_id


class _Runs:
    """The calls that are open, while time passes, and the operations of their runs."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._events: dict[str, list[tuple[int, int, StoredCall]]] = {}
        self._open: dict[str, dict[StoredCall, int]] = {}
        self._operations: dict[str, list[Operation]] = {}
        for operation in operations:
            ids = {call.correlation_id for call in operation.calls}
            for each in ids | {operation.root_id}:
                self.add(operation, each)
            for call in operation.calls:
                self._add_call(call)
        for events in self._events.values():
            events.sort(key=lambda event: event[:2], reverse=True)

    def add(self, operation: Operation, run: str) -> None:
        """Let lines of *run* belong to *operation*; operations come by start."""
        self._operations.setdefault(run, []).append(operation)

    def _add_call(self, call: StoredCall) -> None:
        events = self._events.setdefault(call.correlation_id, [])
        if call.start_us is not None:
            events.append((call.start_us, _START, call))
            if call.end_us is not None:
                events.append((call.end_us, _END, call))

    def call_at(self, line: StoredLine) -> StoredCall | None:
        """Return the innermost call that was open, None if that is ambiguous.

        Lines are to come by time.
        """
        run = line.fields.get("correlation_id", "")
        events = self._events.get(run, [])
        depths = self._open.setdefault(run, {})
        if line.time_us is None:
            return None
        while events and events[-1][:2] < (line.time_us, _LINE):
            _, kind, call = events.pop()
            if kind == _END:
                depths.pop(call, None)
            else:
                depths[call] = depths.get(call.parent, 0) + 1 if call.parent else 1
        innermost = next(reversed(depths), None)
        if innermost is None or depths[innermost] < len(depths):
            return None
        return next((one for one in _up(innermost) if _may_write(one, line)), None)

    def operation_of(self, line: StoredLine) -> Operation | None:
        """Return the operation of the line's run, the last one that began before it."""
        run = line.fields.get("correlation_id", "")
        operations = self._operations.get(run) or self._operations.get(_root_id(line))
        if not operations:
            return None
        after = bisect_right(operations, line.time_us or 0, key=_begin)
        return operations[max(after - 1, 0)]


def _begin(operation: Operation) -> int:
    return (operation.roots[0].start_us or 0) if operation.roots else 0


def _up(call: StoredCall | None) -> Iterator[StoredCall]:
    while call is not None:
        yield call
        call = call.parent


def _may_write(call: StoredCall, line: StoredLine) -> bool:
    """Tell whether a line may come from the process of a call."""
    fields = line.fields
    known = (
        (call.host, fields.get("host.name")),
        (call.process, fields.get("process.pid")),
    )
    return all(not here or not there or here == there for here, there in known)
