"""Record steps as lines of the ``penstock`` logger."""

from __future__ import annotations

import logging
from time import time
from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id, get_flow_context
from penstock._platform.clock import elapsed_ms, now, utc
from penstock._platform.process import on_fork
from penstock._runtime.state import ASK_EACH_TIME, LOGGER, state
from penstock.errors import ConfigurationError

from .base import TracingBackend, outcome_of
from .log_fields import ABSENT, step_fields, trace_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from penstock._context import Call

    LineFields = dict[str, Any]
    SourceLine = tuple[str, int, str]
    """Source file, line and function of a record: those of the user's function."""

__all__ = ["LoggingBackend"]

MAX_CALLS = 100

_process = [object()]
"""Stands for this process; a forked child has one of its own."""


class LoggingBackend(TracingBackend):
    """Write ``step.start``, ``step.end`` and ``step.error`` lines.

    >>> import logging, penstock
    >>> penstock.configure(penstock.LoggingBackend(level=logging.DEBUG))

    Args:
        level: Level of starts, ends, and errors that an inner step has reported.
        error_level: Level of an error in the innermost step. The application
            decides what is an ERROR: a handled exception is not one.
        traceback: Whether the innermost ``step.error`` carries ``exc_info``.
        lines: ``each``: a line when a step starts and one when it ends. ``run``: one
            line when a run ends, with its calls inside, and failures at once.

    Raises:
        ConfigurationError: *lines* is something else.
    """

    def __init__(
        self,
        level: int = logging.INFO,
        error_level: int = logging.WARNING,
        *,
        traceback: bool = False,
        lines: str = "each",
    ) -> None:
        if lines not in {"each", "run"}:
            msg = f"lines={lines!r}: expected 'each' or 'run'."
            raise ConfigurationError(msg)
        self._is_by_run = lines == "run"
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
        fields |= dict.fromkeys(("root_id", "parent_id", "parent_step", "service"))
        fields |= {"correlation_id": current_flow_id() or ABSENT, **attrs}
        fields |= trace_fields()
        fields["flow_id"] = fields["correlation_id"]
        source = "(unknown file)", 0, step_name

        @contextmanager
        def lines() -> Iterator[None]:
            line = _Line(fields, source)
            self._start(line)
            error = None
            try:
                yield
            except BaseException as exc:
                error = exc
                raise
            finally:
                outcome = outcome_of(error, get_flow_context())
                self._end(line, error, outcome, inner=True)

        return lines()

    def start(self, call: Call) -> _Line:
        """Write ``step.start``; return what the end repeats."""
        line = _line_of(call)
        if self._is_by_run:
            line.run = _run_of(call)
        self._start(line)
        return line

    def start_paused(self, call: Call) -> _Line:
        """Write ``step.start`` of a generator, whose first pause is after an item."""
        line = self.start(call)
        line.is_running = True
        return line

    def finish(
        self,
        call: Call,
        started: _Line,
        exc: BaseException | None,
        *,
        inner: bool,
    ) -> None:
        """Write ``step.end`` or ``step.error``, with the time since *started*."""
        run, fields = started.run, started.fields
        outcome = outcome_of(exc, call[0])
        if run is not None and fields["call_id"] == fields["run_id"]:
            fields["started_at"] = utc(run.started_at)
            fields["calls"] = run.close()
        elif run is not None and run.takes_calls():
            run.add(started, outcome)
            if not inner or outcome != "error":
                return
        elif run is not None:
            fields["started_at"] = utc(run.time_of(started))
        self._end(started, exc, outcome, inner=inner)

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Write ``step.error`` for a call whose start was not logged."""
        self._end(_line_of(call), exc, outcome_of(exc, call[0]), inner=inner)

    def resume(self, started: _Line) -> None:
        """Note that the body goes on: what it paused for was an item."""
        if started.first_item_ms is None:
            started.first_item_ms = started.paused_ms
        started.is_running = True

    def pause(self, started: _Line) -> None:
        """Note when a generator's body pauses for the first time."""
        if started.is_running and started.paused_ms is None:
            started.paused_ms = elapsed_ms(started.began)

    def _start(self, line: _Line) -> None:
        """Write that a call began, unless its run is logged as one line."""
        if line.run is None:
            fields = line.fields
            fields["flow_event"] = "step.start"
            args = fields["flow"], fields["step"]
            _write(self.level, "step.start %s/%s", args, line)
        line.began = now()

    def _end(
        self, line: _Line, exc: BaseException | None, outcome: str, *, inner: bool
    ) -> None:
        """Write how a call ended, and how long it took if its start was logged."""
        is_error = outcome == "error"
        level = self._error_level if is_error and inner else self.level
        if not LOGGER.isEnabledFor(level):
            return
        fields = line.fields
        event = "step.error" if is_error else "step.end"
        fields["flow_event"], fields["outcome"] = event, outcome
        template = f"{event} %s/%s"
        args: tuple[object, ...] = fields["flow"], fields["step"]
        if exc is not None:
            template += " %s"
            args += (type(exc).__name__ if is_error else outcome,)
        if is_error or outcome == "client_error":
            fields["error_type"] = type(exc).__name__
        duration_ms = elapsed_ms(line.began)
        if duration_ms is not None:
            fields["duration_ms"] = duration_ms
            template += " %.1f ms"
            args += (duration_ms,)
        if line.first_item_ms is not None:
            fields["first_item_ms"] = line.first_item_ms
        cause = exc if self._traceback and is_error and inner else None
        _write(level, template, args, line, cause)


class _Line:
    """What the lines about a call say.

    Attributes:
        fields: The fields of the last line, which the next one changes.
        source: Where the user's function is.
        began: When the call began, None if its start was not logged.
        run: The run, where one line is written for all its calls.
        is_running: Whether the body of a generator has begun. What a plain function
            returns pauses once before that.
        paused_ms: How long after its start the body paused for the first time.
        first_item_ms: The same if that was for an item rather than the end.
    """

    # Most calls never need these: a class attribute costs a call nothing.
    began: float | None = None
    run: _Run | None = None
    is_running: bool = False
    paused_ms: float | None = None
    first_item_ms: float | None = None

    def __init__(self, fields: LineFields, source: SourceLine) -> None:
        self.fields: LineFields = fields
        self.source: SourceLine = source


class _Run:
    """The calls of a run that is logged as one line.

    There are at most ``MAX_CALLS``, so that the line stays below the 16 kB at which
    container logs are cut. Calls that end later, or after the run, get their own line.
    So do those in a forked child, where the run may never end.
    """

    __slots__ = ("_began", "_calls", "_flow", "_has_room", "_process", "started_at")

    def __init__(self, flow: str) -> None:
        self._flow = flow
        self._began = now()
        self.started_at: float = time()
        self._calls: list[LineFields] = []
        self._has_room: bool = True
        self._process = _process[0]

    def takes_calls(self) -> bool:
        """Tell whether the line has room for one more call of this process."""
        return self._has_room and self._process is _process[0]

    def add(self, line: _Line, outcome: str) -> None:
        """Add a call that has ended."""
        fields = line.fields
        call = {
            "flow": None if fields["flow"] == self._flow else fields["flow"],
            "step": fields["step"],
            "call": fields["call_id"],
            "parent": fields["parent_call_id"],
            "sent_at": fields.get("sent_at"),
            "start_ms": self._start_ms(line),
            "duration_ms": elapsed_ms(line.began),
            "first_item_ms": line.first_item_ms,
            "outcome": outcome,
        }
        self._calls.append({k: v for k, v in call.items() if v is not None})
        self._has_room = self._has_room and len(self._calls) < MAX_CALLS

    def time_of(self, line: _Line) -> float:
        """Return when a call began, by the clock that the calls in the line have."""
        return self.started_at + self._start_ms(line) / 1000

    def _start_ms(self, line: _Line) -> float:
        return round(((line.began or self._began) - self._began) * 1000, 3)

    def close(self) -> list[LineFields]:
        """Return the calls; the run has ended."""
        self._has_room = False
        return self._calls


def _change_process() -> None:
    _process[0] = object()


on_fork(_change_process)


def _line_of(call: Call) -> _Line:
    fields = step_fields(call)
    if spans := trace_fields():
        fields.update(spans)
    return _Line(fields, call[1].source)


def _run_of(call: Call) -> _Run | None:
    """Return the run of *call*, None if no entrypoint began one here."""
    context, step, number = call[:3]
    if number == 0 and context.entry is step:
        context.logged = _Run(step.flow)
    run: _Run | None = context.logged
    return run


def _write(
    level: int,
    template: str,
    args: tuple[object, ...],
    line: _Line,
    exc: BaseException | None = None,
) -> None:
    path, number, function = line.source
    exc_info = None if exc is None else (type(exc), exc, exc.__traceback__)
    record = LOGGER.makeRecord(
        LOGGER.name, level, path, number, template, args, exc_info, function
    )
    # Not makeRecord(extra=...): a record factory may have set one of these fields.
    attributes = record.__dict__
    attributes.update(line.fields)
    for name, read in state.record_fields.items():
        value = read()
        if value is not None:
            attributes[name] = value
    LOGGER.handle(record)
