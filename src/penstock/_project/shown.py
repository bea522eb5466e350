"""How messages show names, numbers and paths of a project."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.errors import plain


def note(message: str) -> None:
    """Print *message* to stderr as one line: it is not a part of the result."""
    sys.stderr.write(f"{plain(message)}\n")


def counted(number: int, noun: str) -> str:
    """Return ``1 step`` or ``2 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shown_path(filename: str) -> str:
    """Return *filename*, relative to the current folder if it lies in there."""
    path = Path(filename)
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
