"""Record steps as lines of the ``penstock`` logger."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id
from penstock._runtime.state import ASK_EACH_TIME, LOGGER, state

from .base import TracingBackend, status_of
from .records import make_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from penstock._context import Call

    from .records import Place

    Fields = dict[str, Any]

__all__ = ["LoggingBackend"]

_START = "step.start %s %.8s"
_END = "step.end %s %.1f ms %.8s"
_END_AS = "step.end %s %s %.1f ms %.8s"
_END_AS_QUIET = "step.end %s %s %.8s"
_ERROR = "step.error %s %s %.1f ms %.8s"
_ERROR_QUIET = "step.error %s %s %.8s"


class LoggingBackend(TracingBackend):
    """Write ``step.start``, ``step.end`` and ``step.error`` lines.

    >>> import logging, penstock
    >>> penstock.configure(penstock.LoggingBackend(level=logging.DEBUG))

    Args:
        level: Level of starts, ends, and of errors that a step below reported.
        error_level: Level of an error where it first leaves a step. The
            application decides what is an ERROR: a handled exception is none.
        traceback: Whether the innermost ``step.error`` carries ``exc_info``.
    """

    def __init__(
        self,
        level: int = logging.INFO,
        error_level: int = logging.WARNING,
        *,
        traceback: bool = False,
    ) -> None:
        self.level = level
        self._error_level = error_level
        self._traceback = traceback

    def __repr__(self) -> str:
        """Name the level, which tells when it is quiet."""
        return f"<{type(self).__name__} level={logging.getLevelName(self.level)}>"

    @property
    def answers(self) -> Mapping[int, bool]:
        """The logger's own cache: a known no is final, anything else means "ask"."""
        if type(LOGGER).isEnabledFor is not logging.Logger.isEnabledFor:
            return ASK_EACH_TIME  # a logger class of the application decides for itself
        if type(self).enabled is not LoggingBackend.enabled:
            return ASK_EACH_TIME  # so does a subclass
        return getattr(LOGGER, "_cache", ASK_EACH_TIME)

    def enabled(self) -> bool:
        """Tell whether the logger takes lines of *level*."""
        return LOGGER.isEnabledFor(self.level)

    def get_correlation_id(self) -> str:
        """Return the correlation ID of the run around, ``""`` outside a flow."""
        return current_flow_id() or ""

    def span(
        self, step_name: str, flow_name: str, **attrs: object
    ) -> AbstractContextManager[object]:
        """Return a context manager that writes the lines of one call."""
        return _LogSpan(self, {"flow": flow_name, "step": step_name, **attrs})

    def start(self, call: Call) -> tuple[float, Fields]:
        """Write ``step.start``; return the moment, and what the end says again."""
        fields = _fields(call)
        args = (call[1].label, fields["correlation_id"])
        _emit(self.level, _START, args, fields, call[1].source)
        return perf_counter(), fields

    start_paused = start

    def finish(
        self,
        call: Call,
        started: tuple[float, Fields],
        exc: BaseException | None,
        *,
        inner: bool,
    ) -> None:
        """Write ``step.end`` or ``step.error``, with the time since *started*."""
        began, fields = started
        duration_ms = (perf_counter() - began) * 1000
        if exc is not None:
            self.end(fields, call[1].source, duration_ms, exc, inner=inner)
        elif LOGGER.isEnabledFor(self.level):
            fields["status"] = "ok"
            fields["duration_ms"] = duration_ms
            args = (call[1].label, duration_ms, fields["correlation_id"])
            _emit(self.level, _END, args, fields, call[1].source)

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Write ``step.error`` for a call whose start nobody wanted to see."""
        self.end(_fields(call), call[1].source, None, exc, inner=inner)

    def resume(self, started: float) -> None:
        """Do nothing: a log line is never current."""

    def pause(self, started: float) -> None:
        """Do nothing: a log line is never current."""

    def begin(self, fields: Fields, place: Place) -> float:
        """Write ``step.start``; return the moment, in seconds."""
        label = f"{fields['flow']}/{fields['step']}"
        args = (label, fields["correlation_id"])
        _emit(self.level, _START, args, fields, place)
        return perf_counter()

    def end(
        self,
        fields: Fields,
        place: Place,
        duration_ms: float | None,
        exc: BaseException | None,
        *,
        inner: bool,
    ) -> None:
        """Write how a call ended; without *duration_ms* its start was quiet."""
        status = status_of(exc)
        is_error = status == "error"
        level = self._error_level if is_error and inner else self.level
        if not LOGGER.isEnabledFor(level):
            return
        fields["status"] = status
        outcome: tuple[object, ...] = ()
        if exc is not None:
            outcome = (type(exc).__name__,) if is_error else (status,)
        if is_error:
            fields["error"] = type(exc).__name__
        took: tuple[object, ...] = ()
        if duration_ms is not None:
            fields["duration_ms"] = duration_ms
            took = (duration_ms,)
        label = f"{fields['flow']}/{fields['step']}"
        args = (label, *outcome, *took, fields["correlation_id"])
        wants_traceback = self._traceback and is_error and inner
        template = _TEMPLATES[is_error, bool(outcome), bool(took)]
        _emit(level, template, args, fields, place, exc if wants_traceback else None)


_TEMPLATES = {
    (False, False, True): _END,
    (False, True, True): _END_AS,
    (False, True, False): _END_AS_QUIET,
    (True, True, True): _ERROR,
    (True, True, False): _ERROR_QUIET,
}


def _fields(call: Call) -> Fields:
    context, step, caller = call
    correlation_id = context.correlation_id
    return {
        "flow": step.flow,
        "step": step.name,
        "correlation_id": correlation_id,
        "flow_id": correlation_id,
        "root_id": context.given_root_id or correlation_id,
        "parent_id": context.parent_id,
        "caller": None if caller is None else caller.name,
        "service": state.service or None,
    }


def _emit(
    level: int,
    template: str,
    args: tuple[object, ...],
    fields: Fields,
    place: Place,
    exc: BaseException | None = None,
) -> None:
    exc_info = None if exc is None else (type(exc), exc, exc.__traceback__)
    record = make_record(level, template, args, place, exc_info)
    record.__dict__.update(fields)
    if state.record_fields:
        _add_fields(record)
    if LOGGER.filters or LOGGER.disabled or type(LOGGER).handle is not _handle:
        LOGGER.handle(record)
    else:  # all that handle() does where nothing filters; a tenth of the line's cost
        LOGGER.callHandlers(record)


def _add_fields(record: logging.LogRecord) -> None:
    for name, read in state.record_fields.items():
        value = read()
        if value is not None:
            record.__dict__[name] = value


_handle = logging.Logger.handle


class _LogSpan:
    """``span()`` of the logging backend, for whoever drives it by hand."""

    def __init__(self, backend: LoggingBackend, attrs: Fields) -> None:
        unknown = dict.fromkeys(("root_id", "parent_id", "caller", "service"))
        self._backend = backend
        self._fields = {"correlation_id": current_flow_id() or "-", **unknown, **attrs}
        self._fields["flow_id"] = self._fields["correlation_id"]
        self._place = ("(unknown file)", 0, str(attrs["step"]))
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = self._backend.begin(dict(self._fields), self._place)

    def __exit__(
        self,
        _type: type[BaseException] | None,
        exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        duration_ms = (perf_counter() - self._started) * 1000
        self._backend.end(self._fields, self._place, duration_ms, exc, inner=True)
