"""Programs that are run in a terminal, a real one as the system sees it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Shown", "run_in_terminal"]


class Shown(NamedTuple):
    """How a program ended, and what was to be seen, with every code for colours."""

    returncode: int
    text: str


def run_in_terminal(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> Shown:
    """Run *command* with a terminal for what it says and what it complains of."""
    pty = pytest.importorskip("pty", reason="needs pty")
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=its, stderr=its
    )
    os.close(its)
    shown = b""
    try:
        while chunk := os.read(ours, 65_536):
            shown += chunk
    except OSError:
        pass  # how Linux says that nobody is left to write
    finally:
        os.close(ours)
    return Shown(process.wait(), shown.decode())
