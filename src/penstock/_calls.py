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
from ._context import FlowContext, Scope, scope_var
from ._generators import BoundAsyncGenerator, BoundGenerator
from ._marks import MARK
from ._runs import entry_scope, step_scope
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
    resolve: Resolve = entry_scope if is_entrypoint else step_scope
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
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
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
                token = _enter((outer[0], step, outer[1]))
                try:
                    return marked.target(*args, **kwargs)
                except BaseException as exc:
                    _reported = _missed((outer[0], step, outer[1]), exc)
                    raise
                finally:
                    _reset(token)
        scope = step_scope(marked, outer, args)
        if scope is None:
            return marked.target(*args, **kwargs)
        return _recorded(scope, marked.target, args, kwargs)

    return call


def _entry(marked: Marked) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        outer = _scope()
        step = marked.only
        if (
            outer is None
            and step is not None
            and state.answers.get(state.level) is False
        ):
            scope: Scope | None
            scope = (FlowContext(state.new_id(), step.flow, step), step, None)
            token = _enter(scope)
            try:
                return marked.target(*args, **kwargs)
            except BaseException as exc:
                _reported = _missed(scope, exc)
                raise
            finally:
                _reset(token)
        scope = entry_scope(marked, outer, args)
        if scope is None:
            return marked.target(*args, **kwargs)
        return _recorded(scope, marked.target, args, kwargs)

    return call


def _recorded(
    scope: Scope, target: Callable[..., Any], args: Args, kwargs: Kwargs
) -> Any:
    __tracebackhide__ = True
    token = _enter(scope)
    try:
        started = recording.start(scope)
        try:
            result = target(*args, **kwargs)
        except BaseException as exc:
            _reported = _failed(scope, started, exc)
            raise
        recording.finish(scope, started, None)
        return result
    finally:
        _reset(token)


def _async_step(marked: Marked) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
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
        scope = step_scope(marked, outer, args)
        if scope is None:
            return await marked.target(*args, **kwargs)
        return await _recorded_async(scope, outer, marked.target, args, kwargs)

    return call


def _async_entry(marked: Marked) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        outer = _scope()
        step = marked.only
        if (
            outer is None
            and step is not None
            and state.answers.get(state.level) is False
        ):
            scope: Scope | None
            scope = (FlowContext(state.new_id(), step.flow, step), step, None)
            _enter(scope)
            try:
                return await marked.target(*args, **kwargs)
            except BaseException as exc:
                _reported = _missed(scope, exc)
                raise
            finally:
                if _scope() is scope:  # another context may close a coroutine
                    _enter(None)
        scope = entry_scope(marked, outer, args)
        if scope is None:
            return await marked.target(*args, **kwargs)
        return await _recorded_async(scope, outer, marked.target, args, kwargs)

    return call


async def _recorded_async(
    scope: Scope,
    outer: Scope | None,
    target: Callable[..., Any],
    args: Args,
    kwargs: Kwargs,
) -> Any:
    __tracebackhide__ = True
    _enter(scope)
    try:
        started = recording.start(scope)
        try:
            result = await target(*args, **kwargs)
        except BaseException as exc:
            _reported = _failed(scope, started, exc)
            raise
        recording.finish(scope, started, None)
        return result
    finally:
        if _scope() is scope:  # another context may close a coroutine
            _enter(outer)


def _generator(marked: Marked, resolve: Resolve) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        scope = resolve(marked, _scope(), args)
        body = marked.target(*args, **kwargs)
        if scope is None:
            return (yield from body)
        started = _start_paused(scope)
        try:
            result = yield from BoundGenerator(body, scope, started)
        except BaseException as exc:
            _reported = _failed_paused(scope, started, exc)
            raise
        _finish_paused(scope, started)
        return result

    return call


def _async_generator(marked: Marked, resolve: Resolve) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        __tracebackhide__ = True
        scope = resolve(marked, _scope(), args)
        body = marked.target(*args, **kwargs)
        started: recording.Started = []
        if scope is not None:
            started = _start_paused(scope)
            body = BoundAsyncGenerator(body, scope, started)
        move, sent = body.asend, None
        try:
            while True:
                try:
                    item = await move(sent)
                except StopAsyncIteration:
                    break
                finally:
                    sent = None  # no exception stays alive in this frame
                try:
                    sent = yield item
                except BaseException as exc:  # noqa: BLE001  # passed on, not handled
                    move, sent = body.athrow, exc
                else:
                    move = body.asend
        except BaseException as exc:
            _reported = _failed_paused(scope, started, exc)
            raise
        _finish_paused(scope, started)

    return call


def _start_paused(scope: Scope) -> recording.Started:
    token = _enter(scope)
    try:
        return recording.start(scope, paused=True)
    finally:
        _reset(token)


def _finish_paused(scope: Scope | None, started: recording.Started) -> None:
    if scope is not None:
        token = _enter(scope)
        try:
            recording.finish(scope, started, None)
        finally:
            _reset(token)


def _failed_paused(
    scope: Scope | None, started: recording.Started, exc: BaseException
) -> bool:
    if scope is None:
        return False
    token = _enter(scope)
    try:
        return _failed(scope, started, exc)
    finally:
        _reset(token)


def _failed(scope: Scope, started: recording.Started, exc: BaseException) -> bool:
    return recording.finish(scope, started, exc, inner=_is_inner(exc))


def _missed(scope: Scope, exc: BaseException) -> bool:
    return recording.missed(scope, exc, inner=_is_inner(exc))


def _missed_step(marked: Marked, outer: Scope, args: Args, exc: BaseException) -> bool:
    if not marked.steps:  # no flow has taken it: that is what exc says
        return False
    scope = step_scope(marked, outer, args)
    return scope is not None and _missed(scope, exc)


def _is_inner(exc: BaseException) -> bool:
    """Tell whether no step below has reported *exc*: its frame would say so."""
    trace = exc.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals is _GLOBALS and frame.f_locals.get("_reported"):
            return False
        trace = trace.tb_next
    return True


_GLOBALS = globals()
