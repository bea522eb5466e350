"""Make the log records of steps: as ``logging`` does, but what is known is kept.

Half of a record's attributes never change for one line of one step, but the constructor
of ``LogRecord`` splits the path each time. That is a sixth of what a line costs.
"""

from __future__ import annotations

import logging
from os import getpid
from sys import modules
from threading import current_thread, get_ident
from time import time
from typing import TYPE_CHECKING, Any

from penstock._runtime.state import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

__all__ = ["Place", "make_record"]

Place = tuple[str, int, str]
"""Source file, line and function of a record: the user's, not ours."""

_MAX_KEPT = 10_000
_Record = logging.LogRecord
_new: Callable[[type[_Record]], _Record] = object.__new__
_KNOWN = {
    *("name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module"),
    *("exc_info", "exc_text", "stack_info", "lineno", "funcName"),
    *("created", "msecs", "relativeCreated", "taskName"),
    *("thread", "threadName", "processName", "process"),
}
_kept: dict[tuple[Place, int, str], dict[str, Any]] = {}


def make_record(
    level: int,
    template: str,
    args: tuple[object, ...],
    place: Place,
    exc_info: ExcInfo | None = None,
) -> logging.LogRecord:
    """Return what ``Logger.makeRecord`` would; ask that itself if it was changed.

    Args:
        level: The record's level.
        template: The constant message.
        args: What is filled into it.
        place: Where the record says that it comes from.
        exc_info: The failure whose traceback is to be written.
    """
    if (
        _Logger.makeRecord is not _make_record
        or logging.getLogRecordFactory() is not _Record
        or not (
            logging.logThreads and logging.logProcesses and logging.logMultiprocessing
        )
    ):
        return _made_by_logging(level, template, args, place, exc_info)
    known = _kept.get((place, level, template))
    if known is None:
        known = _learn(level, template, place)
    record = _new(_Record)
    fields = record.__dict__
    fields.update(known)
    fields["args"] = args
    fields["levelname"] = logging.getLevelName(level)
    if exc_info is not None:
        fields["exc_info"] = exc_info
    now = time()
    fields["created"] = now
    fields["msecs"] = now % 1 * 1000 // 1
    fields["relativeCreated"] = (now - _START_S) * 1000
    fields["thread"] = get_ident()
    fields["threadName"] = current_thread().name
    fields["process"] = getpid()
    fields["processName"] = _process_name() if _MP in modules else "MainProcess"
    if "taskName" in known:  # pragma: no cover  # from Python 3.12
        fields["taskName"] = _task_name()
    return record


def _made_by_logging(
    level: int,
    template: str,
    args: tuple[object, ...],
    place: Place,
    exc_info: ExcInfo | None,
) -> logging.LogRecord:
    path, line, function = place
    return LOGGER.makeRecord(
        "penstock", level, path, line, template, args, exc_info, function
    )


def _learn(level: int, template: str, place: Place) -> dict[str, Any]:
    """Keep what a record of that line is like, as long as there are not too many."""
    if len(_kept) >= _MAX_KEPT:  # of steps that are declared again and again
        _kept.clear()
    made = vars(_made_by_logging(level, template, (), place, None))
    return _kept.setdefault((place, level, template), made)


def _process_name() -> str:
    try:
        return str(modules[_MP].current_process().name)
    except Exception:  # noqa: BLE001  # it is being imported; logging goes on, too
        return "MainProcess"


def _task_name() -> str | None:  # pragma: no cover  # from Python 3.12
    asyncio = modules.get("asyncio")
    try:
        if asyncio is None or asyncio._get_running_loop() is None:  # noqa: SLF001  # current_task() would raise, which takes a microsecond
            return None
        name: str | None = asyncio.current_task().get_name()
    except Exception:  # noqa: BLE001  # no task runs, or asyncio is being imported
        return None
    return name if logging.logAsyncioTasks else None  # type: ignore[attr-defined]  # from 3.12


_MP = "multiprocessing"
_probe = _Record("penstock", logging.INFO, "", 0, "", (), None)
_START_S = _probe.created - _probe.relativeCreated / 1000
_Logger = type(LOGGER)
# Where a later Python's records have more, they are made by logging alone.
_make_record = logging.Logger.makeRecord if vars(_probe).keys() <= _KNOWN else None
