"""Record steps as lines of the ``penstock`` logger."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id
from penstock._runtime.state import ASK_EACH_TIME, LOGGER, state

from .base import TracingBackend, status_of
from .log_fields import ABSENT, step_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from penstock._context import Call

    LineFields = dict[str, Any]
    SourceLine = tuple[str, int, str]
    """Source file, line and function of a record: those of the user's function."""

__all__ = ["LoggingBackend"]


class LoggingBackend(TracingBackend):
    """Write ``step.start``, ``step.end`` and ``step.error`` lines.

    >>> import logging, penstock
    >>> penstock.configure(penstock.LoggingBackend(level=logging.DEBUG))

    Args:
        level: Level of starts, ends, and errors that an inner step has reported.
        error_level: Level of an error in the innermost step. The application
            decides what is an ERROR: a handled exception is not one.
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
        """Return the correlation ID of the current run, ``""`` outside a flow."""
        return current_flow_id() or ""

    def span(
        self, step_name: str, flow_name: str, **attrs: object
    ) -> AbstractContextManager[object]:
        """Return a context manager that writes the lines of one call."""
        from contextlib import contextmanager  # noqa: PLC0415  # +1 ms on import

        fields: LineFields = {"flow": flow_name, "step": step_name}
        fields |= dict.fromkeys(("root_id", "parent_id", "caller", "service"))
        fields |= {"correlation_id": current_flow_id() or ABSENT, **attrs}
        fields["flow_id"] = fields["correlation_id"]
        source = "(unknown file)", 0, step_name

        @contextmanager
        def lines() -> Iterator[None]:
            began = self._start(fields, source)
            error = None
            try:
                yield
            except BaseException as exc:
                error = exc
                raise
            finally:
                self._end(fields, source, error, inner=True, began=began)

        return lines()

    def start(self, call: Call) -> tuple[float, LineFields]:
        """Write ``step.start``; return the time, and what the end repeats."""
        fields = step_fields(call)
        return self._start(fields, call[1].source), fields

    start_paused = start

    def finish(
        self,
        call: Call,
        started: tuple[float, LineFields],
        exc: BaseException | None,
        *,
        inner: bool,
    ) -> None:
        """Write ``step.end`` or ``step.error``, with the time since *started*."""
        began, fields = started
        self._end(fields, call[1].source, exc, inner=inner, began=began)

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Write ``step.error`` for a call whose start was not logged."""
        self._end(step_fields(call), call[1].source, exc, inner=inner)

    def resume(self, started: float) -> None:
        """Do nothing: a log line is never current."""

    def pause(self, started: float) -> None:
        """Do nothing: a log line is never current."""

    def _start(self, fields: LineFields, source: SourceLine) -> float:
        args = _label(fields), fields["correlation_id"]
        _write(self.level, "step.start %s %.8s", args, fields, source)
        return perf_counter()

    def _end(
        self,
        fields: LineFields,
        source: SourceLine,
        exc: BaseException | None,
        *,
        inner: bool,
        began: float | None = None,
    ) -> None:
        """Write how a call ended, and how long it took if its start was logged."""
        status = status_of(exc)
        is_error = status == "error"
        level = self._error_level if is_error and inner else self.level
        if not LOGGER.isEnabledFor(level):
            return
        template = "step.error %s" if is_error else "step.end %s"
        args: list[object] = [_label(fields)]
        fields["status"] = status
        if exc is not None:
            template += " %s"
            args.append(type(exc).__name__ if is_error else status)
        if is_error:
            fields["error"] = type(exc).__name__
        if began is not None:
            fields["duration_ms"] = duration_ms = (perf_counter() - began) * 1000
            template += " %.1f ms"
            args.append(duration_ms)
        args.append(fields["correlation_id"])
        has_traceback = self._traceback and is_error and inner
        cause = exc if has_traceback else None
        _write(level, f"{template} %.8s", tuple(args), fields, source, cause)


def _label(fields: LineFields) -> str:
    return f"{fields['flow']}/{fields['step']}"


def _write(
    level: int,
    template: str,
    args: tuple[object, ...],
    fields: LineFields,
    source: SourceLine,
    exc: BaseException | None = None,
) -> None:
    path, line, function = source
    exc_info = None if exc is None else (type(exc), exc, exc.__traceback__)
    record = LOGGER.makeRecord(
        LOGGER.name, level, path, line, template, args, exc_info, function
    )
    # Not makeRecord(extra=...): a record factory may have set one of these fields.
    record.__dict__.update(fields)
    for name, read in state.record_fields.items():
        value = read()
        if value is not None:
            record.__dict__[name] = value
    LOGGER.handle(record)
