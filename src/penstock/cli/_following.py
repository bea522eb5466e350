"""Follow logs: what has come since the last look."""

from __future__ import annotations

import time
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from penstock.runs.lines import StoredLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.runs.operation import Operation, StoredCall

    Queue = SimpleQueue[StoredLine | Exception | None]
    """Lines, and at the end None or what went wrong."""

__all__ = ["batches", "newly_ended"]

_TOGETHER_S = 0.2
"""Lines that come in so short a time are shown at once."""


def batches(lines: Iterable[StoredLine]) -> Iterator[list[StoredLine]]:
    """Yield the lines that have come, soon after the first of them.

    They are read in another thread, because that waits for the next line.
    """
    queue: Queue = SimpleQueue()
    Thread(target=_read, args=(lines, queue), daemon=True).start()
    has_more = True
    while has_more:
        got = [queue.get()]
        time.sleep(_TOGETHER_S)
        while not queue.empty():
            got.append(queue.get())
        has_more = isinstance(got[-1], StoredLine)
        yield [one for one in got if isinstance(one, StoredLine)]
        if isinstance(got[-1], Exception):
            raise got[-1]


def _read(lines: Iterable[StoredLine], queue: Queue) -> None:
    try:
        for line in lines:
            queue.put(line)
    except Exception as exc:  # noqa: BLE001  # raised again where the user sees it
        queue.put(exc)
    else:
        queue.put(None)


def newly_ended(
    operations: Sequence[Operation], printed: set[object]
) -> list[StoredCall]:
    """Return calls that have ended and are not *printed*, and add them to that."""
    ended = [
        (call.end_us, call.call_id or (call.flow, call.step, call.start_us), call)
        for operation in operations
        for call in operation.calls
        if call.end_us is not None
    ]
    ended.sort(key=lambda one: one[0])
    found = [call for _, key, call in ended if key not in printed]
    printed.update(key for _, key, _ in ended)
    return found
