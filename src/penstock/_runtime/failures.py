"""Record how a call failed: as a failure where it happened, as an end above that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .recorders import Started, end_recording, record_missed
from .run_of import step_call

if TYPE_CHECKING:
    from penstock._context import Call, Scope
    from penstock._steps.marked import Marked

    from .run_of import Args

__all__ = ["end_failed", "record_failure", "record_unwatched_failure"]


def end_failed(call: Call, started: Started, exc: BaseException) -> str:
    """End a recording with *exc*; return what the caller's frame has to remember.

    Each wrapper keeps it as ``_reported`` while the exception passes, so that the
    next one above finds it in the traceback. The exception itself stays untouched.
    """
    root_id = call[0].root_id
    end_recording(call, started, exc, inner=_is_inner(exc, root_id))
    return root_id


def record_failure(call: Call, exc: BaseException) -> str:
    """Record the failure of a call whose start no backend wanted.

    Return what ``end_failed`` does.
    """
    root_id = call[0].root_id
    record_missed(call, exc, inner=_is_inner(exc, root_id))
    return root_id


def record_unwatched_failure(
    marked: Marked, outer: Scope, args: Args, exc: BaseException
) -> str:
    """Like ``record_failure``, but look the step up first."""
    if not marked.steps:  # no flow has taken it, as exc says
        return ""
    call = step_call(marked, outer, args)
    return "" if call is None else record_failure(call, exc)


def _is_inner(exc: BaseException, root_id: str) -> bool:
    """Tell whether no step below has reported *exc*: its frame would say so.

    A report in another operation does not count: an application may raise one
    exception object many times.
    """
    trace = exc.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if (
            frame.f_globals.get("__package__") == __package__
            and frame.f_locals.get("_reported") == root_id
        ):
            return False
        trace = trace.tb_next
    return True
