"""Write the report of this process into a folder, for another process to merge."""

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

from .report import report_of

if TYPE_CHECKING:
    from .judge import Judge

FOLDER = "PENSTOCK_CONFORMANCE_DIR"
"""The environment variable that names the folder."""

_writing: list[Judge] = []


def write_at_exit(judge: Judge) -> None:
    """Write the report when this process ends, if a folder is named."""
    if os.environ.get(FOLDER) and not _writing:
        _writing.append(judge)
        judge.flush = _write
        atexit.register(_write)
        _write_at_signal()
        on_fork(_write_in_child)


def write_report(folder: Path, judge: Judge) -> None:
    """Write the counts of this process to a new file in *folder*."""
    data = report_of(judge.counters).to_dict()
    path = folder / f"penstock-{os.getpid()}-{token_hex(4)}.json"
    write_file(path, dumps(data).encode())


def _write() -> None:
    folder = os.environ.get(FOLDER)
    if not folder or not _writing:
        return
    try:
        write_report(Path(folder), _writing.pop())
    except Exception as exc:  # noqa: BLE001  # the process still ends normally
        # Not logged: where logging is not set up, the report would be lost in silence.
        text = f"penstock: the conformance report was not written: {exc}"
        print(text, file=sys.stderr)  # noqa: T201  # the process is about to end


def _write_at_signal() -> None:
    """Write the report of a server that is stopped by ``SIGTERM``.

    A handler that the application sets, earlier or later, is left alone.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        with suppress(ValueError):  # only the main thread can set a handler
            signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, _frame: object) -> None:
    _write()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _write_in_child() -> None:
    """Write the report of a forked worker, which ends without ``atexit``."""
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(
            _write, lambda _: util.Finalize(None, _write, exitpriority=1)
        )
