"""Say where a function is in the same words on every machine."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["portable"]

_DRIVE = re.compile(r"[A-Za-z]:/")


def portable(path: str, module: str) -> str:
    """Return *path* as the import system sees it, else below the current folder."""
    path = path.replace("\\", "/")
    stem = module.replace(".", "/")
    for tail in (f"{stem}.py", f"{stem}/__init__.py"):
        if f"/{path}".endswith(f"/{tail}"):
            return tail
    if not (path.startswith("/") or _DRIVE.match(path)):
        return path
    here = f"{Path.cwd().as_posix().rstrip('/')}/"
    return path.removeprefix(here) if path.startswith(here) else path.rpartition("/")[2]
