"""Run programs and keep what they log, as lines that are read back."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import penstock
from penstock.backends.log_fields import FIELDS
from penstock.runs.lines import StoredLine
from penstock.runs.times import time_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MORE = ("level", "logger", "message", "host.name", "process.pid")


class StoredLog(logging.Handler):
    """Formats records as JSON, for any logger; ``lines()`` reads them back."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(penstock.JSONFormatter())
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))

    def lines(self) -> list[StoredLine]:
        """Return the lines."""
        return [stored_line(one) for one in self.written]


def stored_line(text: str) -> StoredLine:
    """Read one line of JSON."""
    values: dict[str, Any] = json.loads(text)
    time_us = time_of(values.pop("timestamp"))
    values["process.pid"] = str(values["process.pid"])
    known = {key: values.pop(key) for key in (*FIELDS, *_MORE) if key in values}
    return StoredLine(time_us, known, values)


@contextmanager
def stored_log() -> Iterator[StoredLog]:
    """Log every step, and what other loggers write, as JSON."""
    log = StoredLog()
    root, logger = logging.getLogger(), logging.getLogger("penstock")
    before = root.level, logger.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    logger.setLevel(logging.INFO)
    try:
        yield log
    finally:
        root.removeHandler(log)
        root.setLevel(before[0])
        logger.setLevel(before[1])
