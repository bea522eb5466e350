"""Results go to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys

from penstock.errors import RenderError

__all__ = ["emit"]

_KILLED_BY_SIGPIPE = 141  # what a shell reports for any command whose reader left


def emit(result: str | bytes) -> None:
    """Write *result* to stdout, and end quietly if nobody reads it any more.

    Raises:
        RenderError: It cannot be written, as to a disk that is full.
    """
    if isinstance(result, str):
        encoding = sys.stdout.encoding or "utf-8"
        end = "\n" if result and not result.endswith("\n") else ""
        # A terminal that lacks a character shows its code; no command fails for it.
        result = (result + end).encode(encoding, "backslashreplace")
    try:
        _write(memoryview(result))
    except OSError as exc:
        # The interpreter flushes stdout once more when it ends; let that succeed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(exc, BrokenPipeError):
            sys.exit(_KILLED_BY_SIGPIPE)
        msg = f"the result cannot be written: {exc.strerror or exc}."
        raise RenderError(msg) from exc


def _write(rest: memoryview) -> None:
    """Write all of *rest*: under PYTHONUNBUFFERED one write may take a part of it."""
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.flush()
