"""Give every log record of the process the flow, step and ID it belongs to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from penstock._context import scope_var
from penstock._runtime.state import state

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FlowFilter", "install_log_fields", "uninstall_log_fields"]

_ABSENT = "-"
_installed: list[Callable[..., logging.LogRecord]] = []


def install_log_fields() -> None:
    """Give every record ``flow``, ``step``, ``correlation_id`` and ``flow_id``.

    They are ``"-"`` outside a flow, so that one format string works for all
    loggers. A user's own ``extra`` of the same name is kept. More calls do
    nothing; ``uninstall_log_fields`` is the inverse.

    >>> import penstock
    >>> penstock.install_log_fields()
    >>> penstock.uninstall_log_fields()
    """
    if _installed:
        return
    make_record = logging.Logger.makeRecord

    def make_record_in_flow(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        if _installed and _installed[-1] is make_record_in_flow:
            _fill(record)
        return record

    # Not a record factory: fields that it sets make the user's own
    # extra={"step": 3} raise, because extra comes after the factory.
    logging.Logger.makeRecord = make_record_in_flow  # type: ignore[method-assign]  # on purpose
    _installed.append(make_record_in_flow)
    _originals[make_record_in_flow] = make_record
    state.watch("log fields")


def uninstall_log_fields() -> None:
    """Undo ``install_log_fields``; without it, do nothing.

    Where another library has replaced ``Logger.makeRecord`` since, ours stays
    underneath and passes records through untouched.

    >>> import penstock
    >>> penstock.uninstall_log_fields()
    """
    if not _installed:
        return
    ours = _installed.pop()
    if logging.Logger.makeRecord is ours:
        logging.Logger.makeRecord = _originals.pop(ours)  # type: ignore[method-assign]  # its own
    state.unwatch("log fields")


_originals: dict[Callable[..., logging.LogRecord], Any] = {}


class FlowFilter(logging.Filter):
    """Give the records of one handler the same fields, as ``dictConfig`` can say.

    Put it on handlers: a filter of a logger misses the records of its children.

    >>> import logging, penstock
    >>> handler = logging.StreamHandler()
    >>> handler.addFilter(penstock.FlowFilter())
    """

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        state.watch("flow filter")

    def filter(self, record: logging.LogRecord) -> bool:
        """Fill in what is missing; let through what ``logging.Filter`` would."""
        _fill(record)
        return bool(super().filter(record))


def _fill(record: logging.LogRecord) -> None:
    """Set what neither the user's ``extra`` nor our own backend has set."""
    scope = scope_var.get()
    flow = step = correlation_id = _ABSENT
    if scope is not None:
        context, running = scope[0], scope[1]
        correlation_id = context.correlation_id
        flow = context.flow or _ABSENT
        if running is not None:
            flow, step = running.flow, running.name
    known = record.__dict__
    known.setdefault("flow", flow)
    known.setdefault("step", step)
    known.setdefault("correlation_id", correlation_id)
    known.setdefault("flow_id", correlation_id)
    for name, read in state.record_fields.items():
        known.setdefault(name, read() or _ABSENT)
