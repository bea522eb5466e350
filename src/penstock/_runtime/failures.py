"""Record how a call failed: as a failure where it happened, as an end above that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .recorders import Started, end_recording, record_missed
from .run_of import step_call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from penstock._context import Call, Scope
    from penstock._steps.marked import Marked

    from .run_of import Args

_PACKAGES = frozenset((__package__, "penstock.contrib", "penstock.contrib.django"))


def end_failed(call: Call, started: Started, exc: BaseException) -> Call:
    """End a recording with *exc*; return what the caller's frame has to remember.

    Each wrapper keeps it as ``_reported`` while the exception passes, so that the
    next one above finds it in the traceback. The exception itself stays untouched.
    """
    end_recording(call, started, exc, inner=not _is_reported(exc, call[0].root_id))
    return call


def record_failure(call: Call, exc: BaseException) -> Call:
    """Record the failure of a call whose start no backend wanted.

    Return what ``end_failed`` does.
    """
    record_missed(call, exc, inner=not _is_reported(exc, call[0].root_id))
    return call


def record_unwatched_failure(
    marked: Marked, outer: Scope, args: Args, exc: BaseException
) -> Call | None:
    """Like ``record_failure``, but look the step up first."""
    if not marked.steps:  # no flow has taken it, as exc says
        return None
    call = step_call(marked, outer, args)
    return None if call is None else record_failure(call, exc)


def scope_of_failure(exc: BaseException | None) -> Scope | None:
    """Return the innermost scope that *exc* has passed through, if that is known.

    A server logs a traceback when the run that failed has ended. The frames of the
    wrappers remember their calls, those of the middlewares the request's scope.
    """
    scope: Scope | None = None
    for frame in _frames(exc):
        reported = frame.f_locals.get("_reported")
        scope = reported[:3] if reported else frame.f_locals.get("_entered", scope)
    return scope


def _is_reported(
    exc: BaseException, root_id: str, seen: frozenset[int] = frozenset()
) -> bool:
    """Tell whether a step below has reported *exc*, its cause or all of its group.

    A report in another operation does not count: an application may raise one
    exception object many times.
    """
    while id(exc) not in seen:
        seen |= {id(exc)}
        for frame in _frames(exc):
            reported = frame.f_locals.get("_reported")
            if reported and reported[0].root_id == root_id:
                return True
        if isinstance(exc, BaseExceptionGroup):
            return all(_is_reported(one, root_id, seen) for one in exc.exceptions)
        exc = exc.__cause__ or exc
    return False


def _frames(exc: BaseException | None) -> Iterator[FrameType]:
    """Yield penstock's own frames in a traceback, the outermost first."""
    trace = None if exc is None else exc.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals.get("__package__") in _PACKAGES:
            yield frame
        trace = trace.tb_next
