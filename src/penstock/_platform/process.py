"""Whether penstock is disabled in this process, and hooks for forked children."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DISABLED = os.environ.get("PENSTOCK_DISABLED", "").lower() in {"1", "true", "yes", "on"}

_fork_hooks: list[Callable[[], None]] = []


def on_fork(hook: Callable[[], None]) -> None:
    """Call *hook* in every forked child process when it starts."""
    _fork_hooks.append(hook)


def after_fork() -> None:
    """Make a forked child safe: fresh IDs, unlocked locks.

    Python's own ``fork`` calls this. Call it yourself in a server that forks
    without Python's hooks, such as uWSGI.

    >>> import penstock
    >>> penstock.after_fork()
    """
    for hook in _fork_hooks:
        hook()


if hasattr(os, "register_at_fork"):  # pragma: no branch  # absent on Windows only
    os.register_at_fork(after_in_child=after_fork)
