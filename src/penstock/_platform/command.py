"""Which command this process runs, as far as a wrong environment concerns it."""

from __future__ import annotations

import os
import sys

__all__ = ["usage_error_status"]

_PYTEST = {"pytest", "py.test"}
_DJANGO = {"django-admin", "django", "manage"}


def usage_error_status() -> int | None:
    """Return what the command of this process exits with if it cannot start.

    None stands for all programs that are not commands: in those, errors are raised.
    """
    program = _program()
    if program == "penstock":
        return 2
    if program in _PYTEST:
        return 4
    return 2 if program in _DJANGO and sys.argv[1:2] == ["penstock"] else None


def _program() -> str:
    path, name = os.path.split(sys.argv[0] if sys.argv else "")
    if name == "-m":  # until the module is found
        return sys.orig_argv[sys.orig_argv.index(name) + 1]
    if name == "__main__.py":
        name = os.path.basename(path)  # noqa: PTH119  # pathlib doubles the import time
    return os.path.splitext(name)[0]  # noqa: PTH122  # likewise
