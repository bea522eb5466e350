"""Start this interpreter again, for measurements in their own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "rss_kib", "run"]

ROOT = Path(__file__).parents[1]
_STATUS = Path("/proc/self/status")


def run(*args: str) -> str:
    """Return what ``python *args`` prints.

    Raises:
        RuntimeError: It failed; the message is the last line of its output.
    """
    command = [sys.executable, *args]
    done = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    return done.stdout


def rss_kib(*, peak: bool = False) -> int:
    """Return the memory of this process in KiB; other systems know only the peak."""
    if _STATUS.exists():
        name = "VmHWM:" if peak else "VmRSS:"
        fields = _STATUS.read_text(encoding="ascii").split()
        return int(fields[fields.index(name) + 1])
    import resource  # noqa: PLC0415  # not on Windows

    unit = 1024 if sys.platform == "darwin" else 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
