"""Run programs and keep what they log, as lines that are read back."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import penstock
from penstock.runs.field_layouts import FieldLayout
from penstock.runs.lines import StoredLine
from penstock.runs.parsing import parse_line

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    """Read one line."""
    (line,) = parse_line(text.encode(), FieldLayout({}))
    return line


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


EPOCH_US = 10**15
"""When hand-made lines begin: 2001-09-09 01:46:40 UTC."""


def made_line(event: str, step: str, ms: float, **more: Any) -> StoredLine:
    """Make a line about a call: ``start``, ``end`` or ``error`` of a step.

    The call has the ID ``id-`` and the step's name, in a run that ``receive`` began.
    """
    fields = {
        "flow": "orders",
        "step": step,
        "call_id": f"id-{step}",
        "run_id": "id-receive",
        "correlation_id": "run",
        "root_id": "run",
        "host.name": "host",
        "process.pid": "1",
        "flow_event": f"step.{event}",
        **more,
    }
    source = fields.pop("source", "-")
    known = {key.replace("__", "."): value for key, value in fields.items()}
    known = {key: value for key, value in known.items() if value is not None}
    return StoredLine(EPOCH_US + round(ms * 1000), known, source=source)


def made_call(step: str, start: float, end: float, **more: Any) -> list[StoredLine]:
    """Make both lines of a call, made by ``receive`` if nothing else is said."""
    if step != "receive":
        more = {"parent_call_id": "id-receive", "parent_step": "receive"} | more
    duration = {"duration_ms": float(end - start), "outcome": "ok"}
    return [
        made_line("start", step, start, **more),
        made_line("end", step, end, **(duration | more)),
    ]


def other_line(ms: float, **fields: Any) -> StoredLine:
    """Make a line of another logger in the same run."""
    known = {"correlation_id": "run", "root_id": "run", **fields}
    known = {key: value for key, value in known.items() if value is not None}
    return StoredLine(EPOCH_US + round(ms * 1000), known)
