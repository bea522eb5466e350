"""How names and paths of a project are shown to its user."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["note", "plain", "shown_path"]


def note(message: str) -> None:
    """Tell the user something that is not the result."""
    sys.stderr.write(f"{message}\n")


def plain(text: str) -> str:
    """Return *text* on one line, with what a terminal would obey made visible."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def shown_path(filename: str) -> str:
    """Return *filename* from the current folder on, where it lies below that."""
    path = Path(filename)
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
