"""Run programs in a terminal, as the operating system sees one."""

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
    """How a program ended, and what it showed, colour codes included."""

    returncode: int
    text: str


def run_in_terminal(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str]
) -> Shown:
    """Run *command* with a terminal as its output and its errors."""
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
        pass  # how Linux reports that no writer is left
    finally:
        os.close(ours)
    return Shown(process.wait(), shown.decode())
