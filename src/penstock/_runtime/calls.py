"""Wrap marked functions; ``generator_calls`` wraps generators.

Each wrapper asks one cached question, "does anyone want this recorded?". If the
answer is a known no, it calls the function directly; else ``run_of`` decides what
the call is and ``recorders`` calls the backends. If conformance is on, a step with one
predecessor is judged by one flag of the run. A step with several is judged by all their
flags, once a call in the same order has been found valid. ``conformance`` judges
everything else. Wrappers repeat a few lines of each other: one Python call fewer is a
fifth of a step's cost.

A plain function enters its scope inside ``try``: an interrupt, such as Ctrl-C, may come
after any call, even before the token of the scope is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import UNKNOWN_ANCESTORS, Call, FlowContext, leave, scope_var
from penstock._platform.wrapper import imitate
from penstock._steps.marked import MARKED_ATTR
from penstock._steps.source import FunctionKind

from .failures import end_failed, record_failure, record_unwatched_failure
from .generator_calls import async_generator_call, generator_call
from .recorders import end_recording, hold_open, judge_call, settle, start_recording
from .returned_bodies import BODY_TYPES, own_codes, run_body, stays_open
from .run_of import entry_call, step_call
from .state import state

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._context import Scope
    from penstock._steps.fast_path import SeenOrder
    from penstock._steps.marked import Marked
    from penstock._steps.step import Step

    from .run_of import Args, Resolve

    Kwargs = dict[str, Any]

__all__ = ["wrap"]

_scope = scope_var.get
_enter = scope_var.set
_reset = scope_var.reset


def wrap(marked: Marked, kind: str, *, is_entrypoint: bool) -> Callable[..., Any]:
    """Return a function that runs *marked* in its flow and looks just like it.

    Args:
        marked: The user's function and its steps.
        kind: How it runs, one of ``FunctionKind``.
        is_entrypoint: Whether it begins a run in any flow.
    """
    resolve: Resolve = entry_call if is_entrypoint else step_call
    if kind == FunctionKind.PLAIN:
        wrapper = _entry(marked) if is_entrypoint else _step(marked)
    elif kind == FunctionKind.ASYNC:
        wrapper = _async_entry(marked) if is_entrypoint else _async_step(marked)
    elif kind == FunctionKind.GENERATOR:
        wrapper = generator_call(marked, resolve)
    else:
        wrapper = async_generator_call(marked, resolve)
    if kind != FunctionKind.PLAIN:
        own_codes.add(wrapper.__code__)  # hashing it costs 3 us since Python 3.12
    imitate(wrapper, marked.func)
    setattr(wrapper, MARKED_ATTR, marked)
    return wrapper


def _step(marked: Marked) -> Callable[..., Any]:  # noqa: C901, PLR0915  # see the top
    def wrapper(  # noqa: C901, PLR0911, PLR0912, PLR0915  # the same
        *args: Any, **kwargs: Any
    ) -> Any:
        outer = _scope()
        if outer is not None and state.answers.get(state.level) is False:
            if not state.is_watched:
                try:
                    if kwargs:
                        result = marked.target(*args, **kwargs)
                    else:
                        result = marked.target(*args)
                except BaseException as exc:
                    try:
                        _reported = record_unwatched_failure(marked, outer, args, exc)
                    except RecursionError:  # no room: a caller above records it
                        _reported = None
                    raise
                if result is None or type(result) not in BODY_TYPES:
                    return result
                call = step_call(marked, outer, args) if marked.steps else None
                return result if call is None else run_body(call, call[:3], [], result)
            step = marked.only
            if step is not None:
                if state.judge is None:
                    token = None
                    number = next(state.call_numbers)
                    try:
                        token = _enter((outer[0], step, number))
                        if kwargs:
                            result = marked.target(*args, **kwargs)
                        else:
                            result = marked.target(*args)
                    except BaseException as exc:
                        try:
                            call = outer[0], step, number, outer
                            _reported = record_failure(call, exc)
                        except RecursionError:  # no room: a caller above records it
                            _reported = None
                        raise
                    finally:
                        if token is None:
                            try:  # noqa: SIM105  # no room for the call of suppress()
                                _enter(outer)
                            except RecursionError:  # no room
                                pass
                        else:
                            _reset(token)
                    if result is not None and type(result) in BODY_TYPES:
                        call = outer[0], step, number, outer
                        return run_body(call, call[:3], [], result)
                    return result
                context, fast_path = outer[0], step.fast_path
                progress = context.progress
                if progress is not None and progress.epoch is fast_path.epoch:
                    flags = progress.flags
                    if flags[fast_path.flag] or flags[fast_path.slow_flag]:
                        fast_path.calls += 1
                        try:
                            open_bits: Any = outer[3]  # type: ignore[misc]  # may be absent
                            above = open_bits | fast_path.bit
                        except IndexError:
                            above = UNKNOWN_ANCESTORS
                        number = next(state.call_numbers) if state.is_numbered else 0
                        body, is_open = None, False
                        token = None
                        try:
                            token = _enter((context, step, number, above))
                            if kwargs:
                                result = marked.target(*args, **kwargs)
                            else:
                                result = marked.target(*args)
                            if result is not None and type(result) in BODY_TYPES:
                                body, is_open = result, stays_open(result)
                        except BaseException as exc:
                            try:
                                call = context, step, number, outer
                                _reported = record_failure(call, exc)
                            except RecursionError:  # no room: a caller above records it
                                _reported = None
                            raise
                        finally:
                            try:
                                if not is_open:
                                    flags[fast_path.done_flag] = 1
                                    if progress.is_over:
                                        settle(progress)
                            finally:
                                if token is None:
                                    try:  # noqa: SIM105  # no room for the call of suppress()
                                        _enter(outer)
                                    except RecursionError:  # no room
                                        pass
                                else:
                                    _reset(token)
                        if body is None:
                            return result
                        call = context, step, number, outer
                        return _judged_body(call, above, body, is_open)
                    if fast_path.read_flags is not None:
                        try:
                            open_bits = outer[3]  # type: ignore[misc]  # the same
                            above = (
                                UNKNOWN_ANCESTORS
                                if open_bits < 0
                                else open_bits & fast_path.mask
                            )
                            seen_order = fast_path.seen[
                                fast_path.read_flags(flags), above
                            ]
                        except (IndexError, KeyError):
                            seen_order = None
                        if seen_order is not None:
                            return _counted(
                                marked.target, step, outer, seen_order, args, kwargs
                            )
        call = step_call(marked, outer, args)
        if call is None:
            return marked.target(*args, **kwargs)
        return _recorded(call, marked.target, args, kwargs)

    return wrapper


def _counted(
    target: Callable[..., Any],
    step: Step,
    outer: Scope,
    seen_order: SeenOrder,
    args: Args,
    kwargs: Kwargs,
) -> Any:
    """Call a step whose order was judged before, as *seen_order*."""
    fast_path = step.fast_path
    progress = outer[0].progress
    flags = progress.flags
    open_bits: Any = outer[3]  # type: ignore[misc]  # it is there: an order was found
    above = open_bits | fast_path.bit
    seen_order.calls += 1
    number = next(state.call_numbers) if state.is_numbered else 0
    body, is_open = None, False
    token = None
    try:
        token = _enter((outer[0], step, number, above))
        result = target(*args, **kwargs) if kwargs else target(*args)
        if result is not None and type(result) in BODY_TYPES:
            body, is_open = result, stays_open(result)
    except BaseException as exc:
        try:
            _reported = record_failure((outer[0], step, number, outer), exc)
        except RecursionError:  # no room: a caller above records it
            _reported = None
        raise
    finally:
        try:
            flags[seen_order.flag] = 1
            if not is_open:
                flags[fast_path.done_flag] = 1
                if progress.is_over:
                    settle(progress)
        finally:
            if token is None:
                try:  # noqa: SIM105  # no room for the call of suppress()
                    _enter(outer)
                except RecursionError:  # no room
                    pass
            else:
                _reset(token)
    if body is None:
        return result
    return _judged_body((outer[0], step, number, outer), above, body, is_open)


def _judged_body(
    call: Call,
    above: int,
    body: object,
    is_open: bool,  # noqa: FBT001  # private
) -> Any:
    """Return *body*, whose call the flags of its run have judged."""
    started = hold_open(call) if is_open else []
    return run_body(call, (*call[:3], above), started, body)


def _entry(marked: Marked) -> Callable[..., Any]:  # noqa: C901  # the same
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        outer = _scope()
        step = marked.only
        if (
            outer is None
            and step is not None
            and state.unjudged.get(state.level) is False
        ):
            try:
                correlation_id = state.pool.pop()
            except IndexError:
                correlation_id = state.new_id()
            context = FlowContext(correlation_id, step)
            token = None
            try:
                token = _enter((context, step, 0))
                if kwargs:
                    result = marked.target(*args, **kwargs)
                else:
                    result = marked.target(*args)
            except BaseException as exc:
                try:
                    _reported = record_failure((context, step, 0, None), exc)
                except RecursionError:  # no room: a caller above records it
                    _reported = None
                raise
            finally:
                if token is None:
                    try:  # noqa: SIM105  # no room for the call of suppress()
                        _enter(None)
                    except RecursionError:  # no room
                        pass
                else:
                    _reset(token)
            if result is not None and type(result) in BODY_TYPES:
                run: Call = context, step, 0, None
                return run_body(run, run[:3], [], result)
            return result
        call = entry_call(marked, outer, args)
        if call is None:
            return marked.target(*args, **kwargs)
        return _recorded(call, marked.target, args, kwargs)

    return wrapper


def _recorded(
    call: Call, target: Callable[..., Any], args: Args, kwargs: Kwargs
) -> Any:
    outer = call[3]
    scope, started = judge_call(call, outer)
    token = None
    try:
        token = _enter(scope)
        start_recording(call, started)
        try:
            result = target(*args, **kwargs) if kwargs else target(*args)
        except BaseException as exc:
            try:
                _reported = end_failed(call, started, exc)
            except RecursionError:  # no room: a caller above records it
                _reported = None
            raise
        if result is not None and type(result) in BODY_TYPES:
            return run_body(call, scope, started, result)
        end_recording(call, started, None)
        return result
    finally:
        if token is None:
            try:  # noqa: SIM105  # no room for the call of suppress()
                _enter(outer)
            except RecursionError:  # no room
                pass
        else:
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
                if kwargs:
                    return await marked.target(*args, **kwargs)
                return await marked.target(*args)
            except BaseException as exc:
                try:
                    _reported = record_unwatched_failure(marked, outer, args, exc)
                except RecursionError:  # no room: a caller above records it
                    _reported = None
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
            and state.unjudged.get(state.level) is False
        ):
            try:
                correlation_id = state.pool.pop()
            except IndexError:
                correlation_id = state.new_id()
            context = FlowContext(correlation_id, step)
            token = _enter((context, step, 0))
            try:
                if kwargs:
                    return await marked.target(*args, **kwargs)
                return await marked.target(*args)
            except BaseException as exc:
                try:
                    _reported = record_failure((context, step, 0, None), exc)
                except RecursionError:  # no room: a caller above records it
                    _reported = None
                raise
            finally:
                try:  # noqa: SIM105  # leave(), without a call: a tenth of the cost
                    _reset(token)
                except ValueError:
                    pass
        call = entry_call(marked, outer, args)
        if call is None:
            return await marked.target(*args, **kwargs)
        return await _recorded_async(call, marked.target, args, kwargs)

    return wrapper


async def _recorded_async(
    call: Call, target: Callable[..., Any], args: Args, kwargs: Kwargs
) -> Any:
    scope, started = judge_call(call, _scope())
    token = _enter(scope)
    try:
        start_recording(call, started)
        try:
            result = await target(*args, **kwargs)
        except BaseException as exc:
            try:
                _reported = end_failed(call, started, exc)
            except RecursionError:  # no room: a caller above records it
                _reported = None
            raise
        end_recording(call, started, None)
        return result
    finally:
        leave(token)


__tracebackhide__ = True  # read by pytest in globals too, where it costs nothing
