"""How messages show names, numbers and paths of a project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_LISTED = 5


def note(message: str) -> None:
    """Print *message* to stderr as one line: it is not a part of the result."""
    sys.stderr.write(f"{plain(message)}\n")


def counted(number: int, noun: str) -> str:
    """Return ``1 step`` or ``2 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Iterable[str]) -> str:
    """Return the first few of *names*, each once, and how many more there are."""
    every = list(dict.fromkeys(names))
    more = len(every) - _MAX_LISTED
    rest = f" and {more} more" if more > 0 else ""
    return ", ".join(every[:_MAX_LISTED]) + rest


def shown_path(filename: str) -> str:
    """Return *filename*, relative to the current folder if it lies in there."""
    path = Path(filename)
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
