"""Format log records as JSON, one object per line."""

from __future__ import annotations

import logging
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from penstock._platform.clock import utc
from penstock._runtime.state import state

from .log_fields import ABSENT, FIELDS, fill_late

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["JSONFormatter"]

_MAX_DEPTH = 8
"""How deep the values of an extra are written; deeper ones as ``str`` has them."""

_MAX_INT = 2**64

# What a record has before anyone adds to it, and what other formatters leave on it.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",  # uvicorn's message once more, for terminals
    "flow_id",  # the same as correlation_id
    "message",
    "taskName",  # from Python 3.12
}


class JSONFormatter(logging.Formatter):
    """Write each record as one JSON object on one line, with the fields of its flow.

    The keys are ``timestamp`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, the
    fields of the flow, ``host.name``, ``process.pid``, where there is an exception
    ``exception.type``, ``exception.message`` and ``exception.stacktrace``, and then the
    record's ``extra``, under ``extra.KEY`` if the key is taken. What is ``-`` or None
    is left out. A value that JSON does not have is a string, whatever it is.

    Metadata is on records that ``install_log_fields`` or a ``FlowFilter`` names it for.

    >>> import logging, penstock
    >>> handler = logging.StreamHandler()
    >>> handler.setFormatter(penstock.JSONFormatter())
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        state.watch("JSON formatter")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        from json import dumps  # noqa: PLC0415  # +2 ms on import

        fill_late(record, (), "JSONFormatter")
        line: dict[str, Any] = {
            "timestamp": _time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **dict.fromkeys(FIELDS),
            "host.name": _host(),
            "process.pid": record.process,
            **self._exception(record),
        }
        for name, value in record.__dict__.items():
            written = None if name in _PLAIN else _jsonable(value)
            if written is not None and written != ABSENT:
                is_taken = name in line and name not in FIELDS
                line[f"extra.{name}" if is_taken else name] = written
        return dumps({key: one for key, one in line.items() if one is not None})

    def _exception(self, record: logging.LogRecord) -> dict[str, str]:
        found: dict[str, str] = {}
        info: Any = record.exc_info
        if isinstance(info, tuple) and info[0] is not None:
            klass, exc, trace = info
            found["exception.type"] = _name(klass)
            found["exception.message"] = _text(exc)
            found["exception.stacktrace"] = self._trace(klass, exc, trace)
        elif record.exc_text:  # from another process, or formatted before
            found["exception.stacktrace"] = record.exc_text
        if record.stack_info:
            found["stack_info"] = self.formatStack(record.stack_info)
        return found

    def _trace(
        self, klass: type[BaseException], exc: BaseException, trace: TracebackType
    ) -> str:
        try:
            return self.formatException((klass, exc, trace))
        except Exception as error:  # noqa: BLE001  # odd exceptions must not lose the line
            return f"<{_name(klass)}, not shown: {type(error).__name__}>"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  # wrong arguments must not lose the line
        return f"{_text(record.msg)} {_text(record.args)}"


def _name(klass: type[BaseException]) -> str:
    if klass.__module__ == "builtins":
        return klass.__qualname__
    return f"{klass.__module__}.{klass.__qualname__}"


@cache
def _host() -> str:
    from socket import gethostname  # noqa: PLC0415  # +4 ms on import

    return gethostname()


def _jsonable(value: Any, above: tuple[object, ...] = ()) -> Any:
    """Return *value*, inside *above*, as JSON can hold it; a string if it cannot."""
    if value is None or _is_scalar(value):
        return value
    if len(above) < _MAX_DEPTH and not any(value is one for one in above):
        above = (*above, value)
        try:
            if isinstance(value, dict):
                items = tuple(value.items())
                return {_text(key): _jsonable(one, above) for key, one in items}
            if isinstance(value, list | tuple | set | frozenset):
                return [_jsonable(one, above) for one in tuple(value)]
        except Exception:  # noqa: BLE001  # a subclass, or changed by another thread
            return _text(value)
    return _text(value)


def _is_scalar(value: Any) -> bool:
    """Tell whether JSON has *value*; subclasses may be anything, such as an enum."""
    kind = type(value)
    if kind is int:
        return bool(abs(value) < _MAX_INT)
    if kind is float:
        return isfinite(value)
    return kind is str or kind is bool


def _time(seconds: float) -> str:
    try:
        return utc(seconds)
    except Exception:  # noqa: BLE001  # a record from elsewhere may have anything
        return _text(seconds)


def _text(value: object) -> str:
    """Return *value* as a string, a broken object as the name of its class.

    Times with a zone are as RFC 3339 has them, in UTC; others as ISO 8601 has them.
    """
    try:
        if getattr(value, "tzinfo", None) is not None:
            return utc(value.timestamp())  # type: ignore[attr-defined]  # a datetime
        isoformat = getattr(value, "isoformat", None)
        return str(value) if isoformat is None else str(isoformat())
    except Exception:  # noqa: BLE001  # str() is the user's own code
        return f"<{type(value).__name__}>"
