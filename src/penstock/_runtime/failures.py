"""Record how a call failed: once as news, above that as a mere end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import recorders as recording
from .run_of import step_call

if TYPE_CHECKING:
    from penstock._context import Call, Scope
    from penstock._steps.marked import Marked

    from .run_of import Args

__all__ = ["failed", "missed", "missed_step"]


def failed(call: Call, started: recording.Started, exc: BaseException) -> str:
    """Finish what was started; return what the caller's frame is to remember.

    Each wrapper keeps it as ``_reported`` while the exception passes, so that the
    next one above finds it in the traceback. The exception itself stays untouched.
    """
    root_id = call[0].root_id
    recording.finish(call, started, exc, inner=_is_inner(exc, root_id))
    return root_id


def missed(call: Call, exc: BaseException) -> str:
    """Record the failure of a call whose start nobody wanted; return as ``failed``."""
    root_id = call[0].root_id
    recording.missed(call, exc, inner=_is_inner(exc, root_id))
    return root_id


def missed_step(marked: Marked, outer: Scope, args: Args, exc: BaseException) -> str:
    """Do the same for a step, of which only now is asked which one it is."""
    if not marked.steps:  # no flow has taken it: that is what exc says
        return ""
    call = step_call(marked, outer, args)
    return "" if call is None else missed(call, exc)


def _is_inner(exc: BaseException, root_id: str) -> bool:
    """Tell whether no step below has reported *exc*: its frame would say so.

    What another operation has reported is news again: an application may raise
    one exception object many times.
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
