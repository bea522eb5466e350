"""Links to the source of a step."""

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
_NO_FILE = "<"  # <stdin>, <string>


def wrong_template(template: str) -> str:
    """Return what is wrong with the template of an address, ``""`` if nothing is."""
    if template and not _ADDRESS.match(template):
        return "expected an address that begins with https:// or http://"
    for name in _FIELD.findall(template):
        if name not in _FIELDS:
            return f"there is no {{{name}}}, only {{path}} and {{line}}"
    return ""


def source_link(template: str, step: StepInfo) -> str:
    """Return the address of a step's source, ``""`` if it has none.

    Templates also come from manifests that others write, so anything but a web
    address (``javascript:``, for one) gives no link.
    """
    path = portable_path(step)
    if not template or wrong_template(template) or not path or path[0] == _NO_FILE:
        return ""
    values = {"path": quote(path, errors="replace"), "line": str(step.line)}
    return _FIELD.sub(lambda found: values[found[1]], template)


def portable_path(step: StepInfo) -> str:
    """Return the path relative to the import path or the current folder."""
    path = step.path.replace("\\", "/")
    stem = step.module.replace(".", "/")
    for tail in (f"{stem}.py", f"{stem}/__init__.py"):
        if f"/{path}".endswith(f"/{tail}"):
            return tail
    if not (path.startswith("/") or _DRIVE.match(path)):
        return path
    here = f"{Path.cwd().as_posix().rstrip('/')}/"
    return path.removeprefix(here) if path.startswith(here) else path.rpartition("/")[2]
