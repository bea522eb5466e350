"""Read a stream several times."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

from .sources import STDIN

__all__ = ["SpooledStream"]

_IN_MEMORY = 32 << 20
_PIPE = 1 << 20


class SpooledStream:
    """A stream whose bytes are kept, in a temporary file if there are many.

    Args:
        path: A pipe or a device, or ``-`` for stdin.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: str) -> None:
        is_stdin = path == STDIN
        self._stream: Any = sys.stdin.buffer if is_stdin else Path(path).open("rb")  # noqa: SIM115  # see close()
        _widen(self._stream)
        self._kept = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # the same

    def read(self, size: int) -> bytes:
        """Return what is kept, then what comes in; wait if there is nothing."""
        kept = self._kept.read(size)
        if kept:
            return kept
        block: bytes = self._stream.read1(size)  # read() would wait for more
        self._kept.write(block)
        return block

    def rewind(self) -> None:
        """Begin again at the start."""
        self._kept.seek(0)

    def close(self) -> None:
        """Delete what is kept."""
        self._kept.close()
        if self._stream is not getattr(sys.stdin, "buffer", None):
            self._stream.close()


def _widen(stream: Any) -> None:
    """Let a pipe hold a MiB, where the system can do that: it halves the time."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415  # Windows does not have it

        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, _PIPE)
