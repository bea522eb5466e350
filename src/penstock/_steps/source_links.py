"""Where the source of a step can be read: its path, and a link to it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from penstock._types import StepInfo

__all__ = ["portable_path", "source_link", "wrong_template"]

_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_FIELD = re.compile(r"\{(\w*)\}")
_FIELDS = ("path", "line")
_DRIVE = re.compile(r"[A-Za-z]:/")
_MADE_UP = "<"  # <stdin>, <string>: no file that anybody can open


def wrong_template(template: str) -> str:
    """Return what is wrong with the template of an address, ``""`` if nothing is."""
    if template and not _ADDRESS.match(template):
        return "it takes an address that begins with https:// or http://"
    for name in _FIELD.findall(template):
        if name not in _FIELDS:
            return f"there is no {{{name}}}, only {{path}} and {{line}}"
    return ""


def source_link(template: str, step: StepInfo) -> str:
    """Return the address of a step's source, ``""`` where it has none.

    Templates come from manifests, too, which others write: what is no web address,
    as one that would run a script, gives none.
    """
    path = portable_path(step)
    if not template or wrong_template(template) or not path or path[0] == _MADE_UP:
        return ""
    values = {"path": quote(path, errors="replace"), "line": str(step.line)}
    return _FIELD.sub(lambda found: values[found[1]], template)


def portable_path(step: StepInfo) -> str:
    """Return the path as the import system sees it, else below the current folder."""
    path = step.path.replace("\\", "/")
    stem = step.module.replace(".", "/")
    for tail in (f"{stem}.py", f"{stem}/__init__.py"):
        if f"/{path}".endswith(f"/{tail}"):
            return tail
    if not (path.startswith("/") or _DRIVE.match(path)):
        return path
    here = f"{Path.cwd().as_posix().rstrip('/')}/"
    return path.removeprefix(here) if path.startswith(here) else path.rpartition("/")[2]
