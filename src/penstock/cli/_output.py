"""Results go to stdout, everything else to stderr."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
import tempfile
import warnings
import webbrowser
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.shown import note
from penstock.errors import RenderError

if TYPE_CHECKING:
    from collections.abc import Generator

_KILLED_BY_SIGPIPE = 141  # what a shell reports for a command whose reader has left
_ASCII = {
    char: similar
    for chars, similar in (
        ("═─┄·", "-"),
        ("━", "="),
        ("║│┆", "|"),
        ("╔╗╚╝╤╧╟╢╭╮╰╯┌┐└┘├┤┬┴┼✓", "+"),
        ("▼↓", "v"),
        ("▲↑", "^"),
        ("×✗", "x"),
        ("→", "->"),
        ("←", "<-"),
        ("≤", "<="),
        ("≥", ">="),
        ("…", "..."),
    )
    for char in chars
}


def temporary_file(suffix: str) -> Path:
    """Return a new file in the folder for temporary files."""
    handle, name = tempfile.mkstemp(suffix, "penstock-")
    os.close(handle)
    return Path(name)


def open_in_browser(path: Path) -> None:
    """Open a file in the user's browser, or say where it is."""
    address = path.resolve().as_uri()
    if not webbrowser.open(address):
        note(f"There is no browser here to open {address}")


@contextmanager
def warnings_as_notes(place: str = "") -> Generator[None]:
    """Print each warning of the block as one line, beginning with *place*."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        note(f"Warning: {place}{warning.message}")


def terminal_width() -> int:
    """Return the columns of the terminal, 0 if stdout is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def emit(result: str | bytes) -> None:
    """Write *result* to stdout, and end quietly if its reader has left.

    Raises:
        RenderError: It cannot be written; for example, the disk is full.
    """
    if isinstance(result, str):
        encoding = sys.stdout.encoding or "utf-8"
        end = "\n" if result and not result.endswith("\n") else ""
        result = (result + end).encode(encoding, _SIMILAR)
    try:
        _write(memoryview(result))
    except OSError as exc:
        # The interpreter flushes stdout again when it exits; let that succeed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(exc, BrokenPipeError):
            sys.exit(_KILLED_BY_SIGPIPE)
        msg = f"the result cannot be written: {exc.strerror or exc}."
        raise RenderError(msg) from exc


def _similar(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding lacks by similar ASCII, otherwise by its code."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    char = error.object[error.start]
    if char in _ASCII:
        return _ASCII[char], error.start + 1
    whole = UnicodeEncodeError(
        error.encoding, error.object, error.start, error.start + 1, error.reason
    )
    replaced, end = codecs.backslashreplace_errors(whole)
    return str(replaced), end


_SIMILAR = "penstock.similar"  # a terminal or file that lacks a character fails nothing
codecs.register_error(_SIMILAR, _similar)


def _write(rest: memoryview) -> None:
    """Write all of *rest*; with PYTHONUNBUFFERED one write may take only a part."""
    while rest:
        rest = rest[sys.stdout.buffer.write(rest) :]
    sys.stdout.flush()
