"""Cut the lines that contain a text out of blocks of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["MAX_LINE", "LineScanner"]

MAX_LINE = 16 << 20
_TOO_LONG = f"longer than {MAX_LINE >> 20} MiB"


class LineScanner:
    """Find lines in the blocks of one file.

    Args:
        needles: A line is wanted if it contains one of these. More may be added.
        skip: Is called with a reason for each line that is skipped.
    """

    def __init__(
        self,
        needles: Sequence[bytes],
        skip: Callable[[str], object],
    ) -> None:
        self._needles = needles
        self._skip = skip
        self._start: list[bytes] = []
        self._length = 0

    def feed(self, block: bytes) -> Iterator[bytes]:
        """Yield the wanted lines that end in *block*, without their line ends."""
        first = block.find(b"\n") + 1
        if not first:
            self._keep(block)
            return
        yield from self._border(block[:first])
        last = block.rfind(b"\n") + 1
        # rfind takes a third of the time of find, and most blocks hold no hit.
        if any(block.rfind(needle, first, last) >= 0 for needle in self._needles):
            yield from self._hits(block, first, last)
        self._keep(block[last:])

    def finish(self) -> Iterator[bytes]:
        """Yield the last line if it has no line end and is wanted."""
        yield from self._border(b"")

    def _keep(self, part: bytes) -> None:
        """Keep the start of a line; of one that is too long, only its length."""
        self._length += len(part)
        if self._length > MAX_LINE:
            self._start.clear()
        else:
            self._start.append(part)

    def _border(self, rest: bytes) -> Iterator[bytes]:
        """Yield the line that other blocks began, if it is wanted."""
        self._keep(rest)
        if self._length > MAX_LINE:
            self._skip(_TOO_LONG)
        line = b"".join(self._start)
        self._start, self._length = [], 0
        yield from self._hits(line, 0, len(line))

    def _hits(self, data: bytes, start: int, end: int) -> Iterator[bytes]:
        nearest: dict[bytes, int] = {}
        while True:
            for needle in self._needles:
                if nearest.get(needle, -1) < start:
                    found = data.find(needle, start, end)
                    nearest[needle] = end if found < 0 else found
            hit = min(nearest.values())
            if hit == end:
                return
            line_start = max(data.rfind(b"\n", start, hit) + 1, start)
            line_end = data.find(b"\n", hit, end)
            start = end if line_end < 0 else line_end + 1
            yield data[line_start : start if line_end < 0 else line_end]
