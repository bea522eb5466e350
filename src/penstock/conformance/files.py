"""Leave the report of this process in a folder, for another one to merge."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from contextlib import suppress
from json import dumps
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from penstock._platform.file import write_file
from penstock._platform.process import on_fork
from penstock._runtime.state import say

from .report import report_of

if TYPE_CHECKING:
    from .judge import Judge

__all__ = ["FOLDER", "write_at_exit", "write_report"]

FOLDER = "PENSTOCK_CONFORMANCE_DIR"
"""The variable that names the folder."""

_leaving: list[Judge] = []


def write_at_exit(judge: Judge) -> None:
    """Write the report when this process ends, if a folder is named."""
    if os.environ.get(FOLDER) and not _leaving:
        _leaving.append(judge)
        judge.flush = _leave
        atexit.register(_leave)
        _leave_at_signal()
        on_fork(_leave_in_child)


def write_report(folder: Path, judge: Judge) -> None:
    """Write what this process has counted into a file of its own."""
    data = report_of(judge.book).to_dict()
    path = folder / f"penstock-{os.getpid()}-{token_hex(4)}.json"
    write_file(path, dumps(data).encode())


def _leave() -> None:
    folder = os.environ.get(FOLDER)
    if not folder or not _leaving:
        return
    try:
        write_report(Path(folder), _leaving.pop())
    except Exception as exc:  # noqa: BLE001  # the process ends well all the same
        say("The conformance report was not written: %s", exc)


def _leave_at_signal() -> None:
    """Have a server that is stopped leave its report: the signal ends it at once.

    Whoever handles the signal by itself, now or later, is left alone.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        with suppress(ValueError):  # no handler can be set outside the main thread
            signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, _frame: object) -> None:
    _leave()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _leave_in_child() -> None:
    """Have a worker that was forked leave its report: it ends without ``atexit``."""
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(
            _leave, lambda _: util.Finalize(None, _leave, exitpriority=1)
        )
