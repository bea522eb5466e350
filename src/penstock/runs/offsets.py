"""Find where in a file the lines since a time begin, without reading what is before."""

from __future__ import annotations

import os
from itertools import accumulate
from typing import TYPE_CHECKING

from .blocks import BLOCK, is_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

    TimeOf = Callable[[bytes], int | None]

__all__ = ["offset_of"]

_SLACK_US = 60_000_000
"""How far lines may be out of order."""

_SAMPLES = 64
_CHUNK = 64 << 10


def offset_of(since_us: int, file: FileIO, time_of: TimeOf) -> int:
    """Return the start of a line before which all are older.

    That is 0 unless the first and the last line have a time, and samples show that the
    file is in order.

    Args:
        since_us: The time, in microseconds since 1970.
        file: The file.
        time_of: Returns the time of a line, None if it has none.
    """
    size = os.fstat(file.fileno()).st_size
    step = (size - _CHUNK) // _SAMPLES
    if step < BLOCK or not is_plain(file.read(_CHUNK)):
        return 0
    stamps = [_stamp(step * n, file, time_of) for n in range(_SAMPLES + 1)]
    known = [stamp for stamp in stamps if stamp is not None]
    is_whole = stamps[0] is not None and stamps[-1] is not None
    if not is_whole or not _is_in_order([time_us for time_us, _ in known]):
        return 0
    wanted = since_us - _SLACK_US
    start = max((at for time_us, at in known if time_us < wanted), default=0)
    end = min((at for _, at in known if at > start), default=size)
    while end - start > BLOCK:
        middle = (start + end) // 2
        stamp = _stamp(middle, file, time_of)
        if stamp is not None and stamp[0] < wanted:
            start = stamp[1]
        else:
            end = middle
    return start


def _stamp(offset: int, file: FileIO, time_of: TimeOf) -> tuple[int, int] | None:
    """Return the time and the offset of the first line after *offset* with a time."""
    file.seek(offset)
    *lines, _ = file.read(_CHUNK).split(b"\n")
    for number, line in enumerate(lines):
        if number or not offset:  # else it may have begun before
            time_us = time_of(line)
            if time_us is not None:
                return time_us, offset
        offset += len(line) + 1
    return None


def _is_in_order(times: list[int]) -> bool:
    """Tell whether no time is much earlier than one before it."""
    latest = accumulate(times, max)
    return all(
        time > last - _SLACK_US for time, last in zip(times, latest, strict=True)
    )
