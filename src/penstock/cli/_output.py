"""Results go to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock._project.shown import note
from penstock.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["emit", "warnings_as_notes"]

_KILLED_BY_SIGPIPE = 141  # what a shell reports for a command whose reader has left


@contextmanager
def warnings_as_notes(place: str = "") -> Generator[None]:
    """Print each warning of the block as one line, beginning with *place*."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        note(f"Warning: {place}{warning.message}")


def emit(result: str | bytes) -> None:
    """Write *result* to stdout, and end quietly if its reader has left.

    Raises:
        RenderError: It cannot be written; for example, the disk is full.
    """
    if isinstance(result, str):
        encoding = sys.stdout.encoding or "utf-8"
        end = "\n" if result and not result.endswith("\n") else ""
        # A terminal that lacks a character shows its code, and no command fails.
        result = (result + end).encode(encoding, "backslashreplace")
    try:
        _write(memoryview(result))
    except OSError as exc:
        # The interpreter flushes stdout again when it exits; let that succeed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(exc, BrokenPipeError):
            sys.exit(_KILLED_BY_SIGPIPE)
        msg = f"the result cannot be written: {exc.strerror or exc}."
        raise RenderError(msg) from exc


def _write(rest: memoryview) -> None:
    """Write all of *rest*; with PYTHONUNBUFFERED one write may take only a part."""
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.flush()
