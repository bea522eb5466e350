"""Wrap generators: their body runs in the flow, their consumer in its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import Call, Scope, scope_var

from .bound_generators import GeneratorScope, start_unseen
from .failures import end_failed
from .recorders import (
    Started,
    end_recording,
    judge_call,
    pause_recording,
    resume_recording,
    start_recording,
    wanted,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from penstock._steps.marked import Marked

    from .run_of import Resolve

__tracebackhide__ = True  # read by pytest in globals too, where it costs nothing

_scope = scope_var.get
_enter = scope_var.set
_reset = scope_var.reset


def generator_call(  # noqa: C901  # one loop; a helper would cost each item a call
    marked: Marked, resolve: Resolve
) -> Callable[..., Any]:
    """Return a generator function whose body runs in its flow at every resumption."""

    # Not `yield from`: that closes the body where GeneratorExit is thrown into it.
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = resolve(marked, _scope(), args)
        body = marked.target(*args, **kwargs)
        if call is None:
            return (yield from body)
        place, started = judge_call(call, _scope())
        _start_paused(call, place, started)
        current = wanted(started)
        scope: Scope | None = place
        move, sent, result = body.send, None, None
        try:
            while True:
                outer = _scope()
                try:
                    _enter(scope)
                    if current:
                        resume_recording(current)
                    item = move(sent)
                except StopIteration as stop:
                    result = stop.value
                    break
                finally:
                    try:
                        if current:
                            pause_recording(current)
                        scope = _scope()
                    finally:
                        _enter(outer)
                    sent = None  # no exception stays alive in this frame
                try:
                    sent = yield item
                except BaseException as exc:  # noqa: BLE001  # passed on, not handled
                    move, sent = body.throw, exc
                else:
                    move = body.send
        except BaseException as exc:
            try:
                _reported = _failed_paused(call, started, exc)
            except RecursionError:  # no room: a caller above records it
                _reported = None
            raise
        _finish_paused(call, started)
        return result

    return wrapper


def async_generator_call(marked: Marked, resolve: Resolve) -> Callable[..., Any]:
    """Like ``generator_call``, for an async generator function."""

    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = resolve(marked, _scope(), args)
        body = marked.target(*args, **kwargs)
        started: Started = []
        place = None
        if call is not None:
            inner, started = judge_call(call, _scope())
            _start_paused(call, inner, started)
            place = GeneratorScope(inner, wanted(started))
        move: Any = start_unseen(body)
        try:
            while True:
                token = None if place is None else place.enter()
                try:
                    item = await move
                except StopAsyncIteration:
                    break
                finally:
                    if place is not None and token is not None:
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
                _reported = _failed_paused(call, started, exc)
            except RecursionError:  # no room: a caller above records it
                _reported = None
            raise
        _finish_paused(call, started)

    return wrapper


def _start_paused(call: Call, scope: Scope, started: Started) -> None:
    token = _enter(scope)
    try:
        start_recording(call, started, paused=True)
    finally:
        _reset(token)


def _finish_paused(call: Call | None, started: Started) -> None:
    if call is not None:
        token = _enter(call[:3])
        try:
            end_recording(call, started, None)
        finally:
            _reset(token)


def _failed_paused(
    call: Call | None, started: Started, exc: BaseException
) -> Call | None:
    if call is None:
        return None
    token = _enter(call[:3])
    try:
        return end_failed(call, started, exc)
    finally:
        _reset(token)
