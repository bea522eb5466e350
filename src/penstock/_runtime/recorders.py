"""Call the recorders, and keep their failures from the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._context import scope_var

from .state import LOGGER, state

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from penstock._context import Call, Scope

    from .state import Recorder

    Captured = Sequence[tuple[Recorder, Callable[[], object]]]
    Chain = tuple[object, ...]

Started = list[tuple["Recorder", object]]
"""Recorders that were asked, each with what its start returned."""

_QUIET = object()
_CHAIN = ("__traceback__", "__context__", "__cause__", "__suppress_context__")
_reported: set[tuple[object, ...]] = set()


def judge_call(call: Call, outer: Scope | None) -> tuple[Scope, Started]:
    """Return the scope of a call, and its recording so far: the judge's.

    Raises:
        FlowOrderError: The call breaks the declared order, which is an error.
    """
    judge = state.judge
    if judge is None:
        return call[:3], []
    scope, token = judge.judge(call, outer)
    return scope, [(judge, token)]


def hold_open(call: Call) -> Started:
    """Let a call that was judged by flags go on: what it returned runs later."""
    judge = state.judge
    return [] if judge is None else [(judge, judge.hold_open(call))]


def settle(progress: object) -> None:
    """Have a run judged whose entrypoint has ended: this end may be its last."""
    if state.judge is not None:
        state.judge.settle(progress)


def start_recording(call: Call, started: Started, *, paused: bool = False) -> Started:
    """Start a recording with every recorder that wants one.

    Args:
        call: What is called.
        started: What ``judge_call`` returned; it grows.
        paused: Whether the recording is not current yet, for a generator.
    """
    for recorder in state.recorders:
        try:
            token: object
            if not recorder.enabled():
                token = _QUIET
            elif paused:
                token = recorder.start_paused(call)
            else:
                token = recorder.start(call)
            started.append((recorder, token))
        except Exception as exc:  # noqa: BLE001  # the application goes on
            _report(recorder, "start", exc)
        except BaseException as exc:
            end_recording(call, started, exc)
            raise
    return started


def wanted(started: Started) -> Started:
    """Return those of *started* that are really recorded."""
    return [pair for pair in started if pair[1] is not _QUIET]


def end_recording(
    call: Call, started: Started, exc: BaseException | None, *, inner: bool = False
) -> None:
    """End what ``start_recording`` started, the last one first.

    *inner* says that no step below has reported *exc* already.
    """
    before: Chain = () if exc is None else _chain(exc)
    for recorder, token in reversed(started):
        try:
            if token is not _QUIET:
                recorder.finish(call, token, exc, inner=inner)
            elif exc is not None:
                recorder.missed(call, exc, inner=inner)
        except Exception as error:  # noqa: BLE001  # the application goes on
            if error is not exc:
                _report(recorder, "finish", error)
    if exc is not None:
        _restore(exc, before)


def _chain(exc: BaseException) -> Chain:
    return exc.__traceback__, exc.__context__, exc.__cause__, exc.__suppress_context__


def _restore(exc: BaseException, before: Chain) -> None:
    """Undo what a backend did to *exc*, also where its class forbids attributes."""
    for name, now, value in zip(_CHAIN, _chain(exc), before, strict=True):
        if now is not value:  # never by ==, which an exception may define
            getattr(BaseException, name).__set__(exc, value)


def record_missed(call: Call, exc: BaseException, *, inner: bool) -> None:
    """Record the failure of a step whose start no recorder wanted."""
    token = scope_var.set(call[:3])
    try:
        end_recording(call, [(r, _QUIET) for r in state.recorders], exc, inner=inner)
    finally:
        scope_var.reset(token)


def resume_recording(current: Started) -> None:
    """Make what is ``wanted`` current: a generator's body runs again."""
    for recorder, token in current:
        try:
            recorder.resume(token)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            _report(recorder, "resume", exc)


def pause_recording(current: Started) -> None:
    """Make it not current: the generator's consumer runs."""
    for recorder, token in reversed(current):
        try:
            recorder.pause(token)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            _report(recorder, "pause", exc)


def captured_spans() -> Captured:
    """Return how to make a current span current elsewhere, for each recorder with one.

    Each function returns a recording for ``resume_recording`` and ``pause_recording``.
    """
    captured = []
    for recorder in state.recorders:
        capture = getattr(recorder, "captured", None)  # most have none
        if capture is None:
            continue
        try:
            make = capture()
        except Exception as exc:  # noqa: BLE001  # the application goes on
            _report(recorder, "captured", exc)
        else:
            if make is not None:
                captured.append((recorder, make))
    return captured


def inject_trace(headers: MutableMapping[str, str]) -> None:
    """Let each recorder write headers that name the current span."""
    for recorder in state.recorders:
        write = getattr(recorder, "inject", None)  # most have none
        if write is None:
            continue
        try:
            write(headers)
        except Exception as exc:  # noqa: BLE001  # the application goes on
            _report(recorder, "inject", exc)


def _report(recorder: Recorder, when: str, exc: Exception) -> None:
    """Log once per cause that a recorder failed, perhaps by a broken log handler."""
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = trace and (trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    try:  # importing contextlib would cost 1 ms
        cause = (repr(recorder), when, type(exc), place)
        if cause not in _reported:
            _reported.add(cause)
            LOGGER.warning(
                "Backend %s failed at %s; the step ran all the same. "
                "Logged once per cause.",
                recorder,
                when,
                exc_info=exc,
            )
    except Exception:  # noqa: BLE001, S110  # the log handler, or repr, is broken
        pass
