"""The only place that wraps a call.

Each wrapper asks one cached question, "does anyone want this recorded?". If the
answer is a known no, it calls the function directly; else ``_runs`` decides what
the call is and ``_recording`` tells the backends. The wrappers repeat a few lines
of each other: one Python call fewer is a fifth of the cost of a step.
"""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any

from . import _recording as recording
from ._context import Call, FlowContext, Scope, leave, scope_var
from ._generators import Body, begin_unseen
from ._marks import MARK
from ._runs import entry_call, step_call
from ._source import Kind
from ._state import state

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ._marks import Marked
    from ._runs import Args, Resolve

    Kwargs = dict[str, Any]

__all__ = ["wrap"]

_scope = scope_var.get
_enter = scope_var.set
_reset = scope_var.reset


def wrap(marked: Marked, kind: str, *, is_entrypoint: bool) -> Callable[..., Any]:
    """Return a function that runs *marked* in its flow and looks just like it.

    Args:
        marked: The user's function and the steps that it is.
        kind: How it runs, one of ``Kind``.
        is_entrypoint: Whether it begins a run in any flow.
    """
    resolve: Resolve = entry_call if is_entrypoint else step_call
    if kind == Kind.PLAIN:
        wrapper = _entry(marked) if is_entrypoint else _step(marked)
    elif kind == Kind.ASYNC:
        wrapper = _async_entry(marked) if is_entrypoint else _async_step(marked)
    elif kind == Kind.GENERATOR:
        wrapper = _generator(marked, resolve)
    else:
        wrapper = _async_generator(marked, resolve)
    update_wrapper(wrapper, marked.func)
    setattr(wrapper, MARK, marked)
    return wrapper


def _step(marked: Marked) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = _scope()
        if outer is not None and state.answers.get(state.level) is False:
            if not state.is_watched:
                try:
                    return marked.target(*args, **kwargs)
                except BaseException as exc:
                    _reported = _missed_step(marked, outer, args, exc)
                    raise
            step = marked.only
            if step is not None:
                token = _enter((outer[0], step))
                try:
                    return marked.target(*args, **kwargs)
                except BaseException as exc:
                    _reported = _missed((outer[0], step, outer[1]), exc)
                    raise
                finally:
                    _reset(token)
        call = step_call(marked, outer, args)
        if call is None:
            return marked.target(*args, **kwargs)
        return _recorded(call, marked.target, args, kwargs)

    return wrapper


def _entry(marked: Marked) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = _scope()
        step = marked.only
        if (
            outer is None
            and step is not None
            and state.answers.get(state.level) is False
        ):
            try:
                correlation_id = state.pool.pop()
            except IndexError:
                correlation_id = state.new_id()
            context = FlowContext(correlation_id, step)
            token = _enter((context, step))
            try:
                return marked.target(*args, **kwargs)
            except BaseException as exc:
                _reported = _missed((context, step, None), exc)
                raise
            finally:
                _reset(token)
        call = entry_call(marked, outer, args)
        if call is None:
            return marked.target(*args, **kwargs)
        return _recorded(call, marked.target, args, kwargs)

    return wrapper


def _recorded(
    call: Call, target: Callable[..., Any], args: Args, kwargs: Kwargs
) -> Any:
    token = _enter(call[:2])
    try:
        started = recording.start(call)
        try:
            result = target(*args, **kwargs)
        except BaseException as exc:
            _reported = _failed(call, started, exc)
            raise
        recording.finish(call, started, None)
        return result
    finally:
        _reset(token)


def _async_step(marked: Marked) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = _scope()
        if (
            outer is not None
            and not state.is_watched
            and state.answers.get(state.level) is False
        ):
            try:
                return await marked.target(*args, **kwargs)
            except BaseException as exc:
                _reported = _missed_step(marked, outer, args, exc)
                raise
        call = step_call(marked, outer, args)
        if call is None:
            return await marked.target(*args, **kwargs)
        return await _recorded_async(call, marked.target, args, kwargs)

    return wrapper


def _async_entry(marked: Marked) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = _scope()
        step = marked.only
        if (
            outer is None
            and step is not None
            and state.answers.get(state.level) is False
        ):
            try:
                correlation_id = state.pool.pop()
            except IndexError:
                correlation_id = state.new_id()
            context = FlowContext(correlation_id, step)
            token = _enter((context, step))
            try:
                return await marked.target(*args, **kwargs)
            except BaseException as exc:
                _reported = _missed((context, step, None), exc)
                raise
            finally:
                leave(token)
        call = entry_call(marked, outer, args)
        if call is None:
            return await marked.target(*args, **kwargs)
        return await _recorded_async(call, marked.target, args, kwargs)

    return wrapper


async def _recorded_async(
    call: Call, target: Callable[..., Any], args: Args, kwargs: Kwargs
) -> Any:
    token = _enter(call[:2])
    try:
        started = recording.start(call)
        try:
            result = await target(*args, **kwargs)
        except BaseException as exc:
            _reported = _failed(call, started, exc)
            raise
        recording.finish(call, started, None)
        return result
    finally:
        leave(token)


def _generator(marked: Marked, resolve: Resolve) -> Callable[..., Any]:
    # Not `yield from`: that closes the body where GeneratorExit is thrown into it.
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = resolve(marked, _scope(), args)
        body = marked.target(*args, **kwargs)
        if call is None:
            return (yield from body)
        started = _start_paused(call)
        place = Body(call[:2], started)
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
            _reported = _failed_paused(call, started, exc)
            raise
        _finish_paused(call, started)
        return result

    return wrapper


def _async_generator(marked: Marked, resolve: Resolve) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = resolve(marked, _scope(), args)
        body = marked.target(*args, **kwargs)
        started = _start_paused(call)
        place = None if call is None else Body(call[:2], started)
        move: Any = begin_unseen(body)
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
            _reported = _failed_paused(call, started, exc)
            raise
        _finish_paused(call, started)

    return wrapper


def _start_paused(call: Call | None) -> recording.Started:
    if call is None:
        return []
    token = _enter(call[:2])
    try:
        return recording.start(call, paused=True)
    finally:
        _reset(token)


def _finish_paused(call: Call | None, started: recording.Started) -> None:
    if call is not None:
        token = _enter(call[:2])
        try:
            recording.finish(call, started, None)
        finally:
            _reset(token)


def _failed_paused(
    call: Call | None, started: recording.Started, exc: BaseException
) -> str:
    if call is None:
        return ""
    token = _enter(call[:2])
    try:
        return _failed(call, started, exc)
    finally:
        _reset(token)


def _failed(call: Call, started: recording.Started, exc: BaseException) -> str:
    root_id = call[0].root_id
    recording.finish(call, started, exc, inner=_is_inner(exc, root_id))
    return root_id


def _missed(call: Call, exc: BaseException) -> str:
    root_id = call[0].root_id
    recording.missed(call, exc, inner=_is_inner(exc, root_id))
    return root_id


def _missed_step(marked: Marked, outer: Scope, args: Args, exc: BaseException) -> str:
    if not marked.steps:  # no flow has taken it: that is what exc says
        return ""
    call = step_call(marked, outer, args)
    return "" if call is None else _missed(call, exc)


def _is_inner(exc: BaseException, root_id: str) -> bool:
    """Tell whether no step below has reported *exc*: its frame would say so.

    What another operation has reported is news again: an application may raise
    one exception object many times.
    """
    trace = exc.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals is _GLOBALS and frame.f_locals.get("_reported") == root_id:
            return False
        trace = trace.tb_next
    return True


_GLOBALS = globals()
__tracebackhide__ = (
    True  # pytest leaves these frames out of tracebacks; here it is free
)
