"""Run the coroutine or generator that a plain function returned, in its flow.

A plain function under a marker may be a ``functools.wraps`` wrapper or a factory: its
call begins when it is called, but the work is in what it returns. Only the exact types
of coroutines and generators count; every other object is a value and comes back as it
is.
"""

from __future__ import annotations

from types import AsyncGeneratorType, CodeType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from penstock._context import leave, scope_var

from .bound_generators import GeneratorScope, start_unseen
from .failures import end_failed, record_failure
from .recorders import end_recording, pause_recording, resume_recording, wanted
from .state import state

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from penstock._context import Call, Scope

    from .recorders import Started

__all__ = ["BODY_TYPES", "own_codes", "run_body", "stays_open"]

__tracebackhide__ = True  # read by pytest in globals too, where it costs nothing

BODY_TYPES: Final = frozenset((AsyncGeneratorType, CoroutineType, GeneratorType))

own_codes: Final[set[CodeType]] = set()
"""Code of the wrappers that are bodies themselves: these run in their flow already."""


def stays_open(body: object) -> bool:
    """Tell whether a call that returned *body* ends only when *body* does.

    A generator counts as ended when it is returned, as one ends at its first yield.
    """
    return type(body) is CoroutineType and body.cr_code not in own_codes


def run_body(call: Call, scope: Scope, started: Started, body: Any) -> Any:
    """Return *body* as one that runs in *scope*, and ends the recording *started*.

    A step hands on the body of another marked function as it is: that has its own call.
    In an entrypoint it needs the run, which would have ended.
    """
    is_entry = call[0].entry is call[1]
    if not is_entry and getattr(body, _CODE[type(body)]) in own_codes:
        end_recording(call, started, None)
        return body
    # Of the judge, a pause is the end of a generator's call; a coroutine's goes on.
    judge = state.judge if type(body) is CoroutineType else None
    pause_recording([pair for pair in wanted(started) if pair[0] is not judge])
    return _RUN[type(body)](call, scope, started, body)


def _end(
    call: Call, scope: Scope, started: Started, exc: BaseException | None
) -> Call | None:
    """Record the end of a body; return what its frame has to remember."""
    token = scope_var.set(scope)
    try:
        if exc is None:
            end_recording(call, started, None)
            return None
        return end_failed(call, started, exc) if started else record_failure(call, exc)
    finally:
        scope_var.reset(token)


async def _coroutine(call: Call, scope: Scope, started: Started, body: Any) -> Any:
    current = wanted(started)
    token = scope_var.set(scope)
    resume_recording(current)
    try:
        result = await body
    except BaseException as exc:
        try:
            _reported = _end(call, scope, started, exc)
        except RecursionError:  # no room: a caller above records it
            _reported = None
        raise
    else:
        _end(call, scope, started, None)
        return result
    finally:
        leave(token)


def _generator(
    call: Call, scope: Scope, started: Started, body: Any
) -> Generator[Any, Any, Any]:
    place = GeneratorScope(scope, wanted(started))
    move, sent, result = body.send, None, None
    try:
        while True:
            token = place.enter()
            try:
                item = move(sent)
            except StopIteration as stop:
                result = stop.value
                break
            finally:
                place.leave(token)
                sent = None  # no exception stays alive in this frame
            try:
                sent = yield item
            except BaseException as exc:  # noqa: BLE001  # passed on, not handled
                move, sent = body.throw, exc
            else:
                move = body.send
    except BaseException as exc:
        try:
            _reported = _end(call, scope, started, exc)
        except RecursionError:  # no room: a caller above records it
            _reported = None
        raise
    _end(call, scope, started, None)
    return result


async def _async_generator(
    call: Call, scope: Scope, started: Started, body: Any
) -> AsyncGenerator[Any, Any]:
    place = GeneratorScope(scope, wanted(started))
    move: Any = start_unseen(body)
    try:
        while True:
            token = place.enter()
            try:
                item = await move
            except StopAsyncIteration:
                break
            finally:
                place.leave(token)
                move = None  # no exception stays alive in this frame
            try:
                sent = yield item
            except BaseException as exc:  # noqa: BLE001  # passed on, not handled
                move = body.athrow(exc)
            else:
                move = body.asend(sent)
    except BaseException as exc:
        try:
            _reported = _end(call, scope, started, exc)
        except RecursionError:  # no room: a caller above records it
            _reported = None
        raise
    _end(call, scope, started, None)


_CODE: Final[dict[type, str]] = {
    AsyncGeneratorType: "ag_code",
    CoroutineType: "cr_code",
    GeneratorType: "gi_code",
}
_RUN: Final[dict[type, Any]] = {
    AsyncGeneratorType: _async_generator,
    CoroutineType: _coroutine,
    GeneratorType: _generator,
}
own_codes.update(run.__code__ for run in _RUN.values())
