"""Bind a function or a generator to the flow that runs now."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from functools import update_wrapper
from sys import modules
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from penstock._context import FlowContext, scope_var
from penstock._platform.wrapper import imitate
from penstock._runtime.bound_generators import (
    BoundAsyncGenerator,
    BoundGenerator,
    GeneratorScope,
)
from penstock._runtime.recorders import (
    captured_spans,
    inject_trace,
    pause_recording,
    resume_recording,
)
from penstock._runtime.state import state
from penstock._steps.source import FunctionKind, kind_of

from .carrier import received
from .wire import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock._context import Scope
    from penstock._runtime.recorders import Captured, Started

__all__ = ["BoundFunction", "bind_flow"]

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")
S = TypeVar("S")


class BoundFunction(Generic[P, R]):
    """A function that runs in the flow it was bound in. Made by ``bind_flow``.

    Unlike a ``contextvars.Context``, one of these can run in many threads at
    once, and it leaves all other context variables alone, but for the span.
    """

    def __init__(
        self, func: Callable[P, R], scope: Scope | None, spans: Captured = ()
    ) -> None:
        self._func = func
        self._scope = scope
        self._spans = spans
        update_wrapper(self, func)

    def __getattr__(self, name: str) -> Any:
        """Return annotations, which ``update_wrapper`` copies until Python 3.13."""
        if name == "__annotations__":
            return self._func.__annotations__
        return super().__getattribute__(name)  # raises the usual error

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function in its flow, and restore what was there."""
        place = self._place()
        token = place.enter()
        try:
            return self._func(*args, **kwargs)
        finally:
            place.leave(token)

    def _place(self) -> GeneratorScope:
        return GeneratorScope(self._scope, _recordings(self._spans))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the ID and what may travel: a process pool continues the flow."""
        if self._scope is None:
            return type(self), (self._func, None)
        correlation_id = self._scope[0].correlation_id
        field, trace = pack(self._scope), self._trace()
        if state.judge is not None:
            state.judge.note_pool(self._scope[0])
        return _continued, (type(self), self._func, correlation_id, field, trace)

    def _trace(self) -> dict[str, str]:
        """Return headers that name the caller's span. Executors pickle in a thread."""
        headers: dict[str, str] = {}
        recordings = _recordings(self._spans)
        resume_recording(recordings)
        inject_trace(headers)
        pause_recording(recordings)
        return headers


class _BoundAsyncFunction(BoundFunction[P, Any]):
    """The same for an async function: the flow is current while it is awaited."""

    # How asyncio and, from Python 3.12, inspect know objects that are called like one.
    # Frameworks ask them; where they are not imported, no one asks.

    @property
    def _is_coroutine(self) -> object:
        return getattr(modules.get("asyncio.coroutines"), "_is_coroutine", None)

    @property  # pragma: no cover  # asked from Python 3.12
    def _is_coroutine_marker(self) -> object:
        inspect = modules.get("inspect")
        of_3_12 = getattr(inspect, "_is_coroutine_marker", None)
        return getattr(inspect, "_is_coroutine_mark", of_3_12)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Await the function in its flow, and restore what was there."""
        place = self._place()
        token = place.enter()
        try:
            return await self._func(*args, **kwargs)
        finally:
            place.leave(token)


def _recordings(spans: Captured) -> Started:
    """Return recordings of the caller's spans, which can be current in one thread."""
    return [(recorder, make()) for recorder, make in spans]


def _continued(
    klass: type[BoundFunction[P, R]],
    func: Callable[P, R],
    correlation_id: str,
    field: str,
    trace: dict[str, str],
) -> BoundFunction[P, R]:
    context = received(correlation_id, unpack(field))
    context.sent_trace, context.is_awaited = trace, True
    return klass(func, (context, None, 0))


@overload
def bind_flow(
    target: Generator[Y, S, R], context: FlowContext | None = None
) -> Generator[Y, S, R]: ...
@overload
def bind_flow(
    target: AsyncGenerator[Y, S], context: FlowContext | None = None
) -> AsyncGenerator[Y, S]: ...
@overload
def bind_flow(
    target: Callable[P, R], context: FlowContext | None = None
) -> Callable[P, R]: ...
def bind_flow(target: Any, context: FlowContext | None = None) -> Any:
    """Bind a function or generator to the flow of the caller.

    Threads, executors and callbacks do not inherit context variables. What this
    returns runs in the current flow wherever it is called: in many threads at once,
    or, pickled, in a process pool (with the metadata that may leave the process).
    A marked generator binds itself when it is first resumed; binding it here does so
    now. Outside a flow, it is bound to no flow.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import penstock
    >>> with penstock.start_flow("order-17"):
    ...     read = penstock.bind_flow(penstock.current_flow_id)
    >>> with ThreadPoolExecutor() as pool:
    ...     pool.submit(read).result()
    'order-17'

    Args:
        target: A function, sync or async, or a generator object of either kind.
        context: Bind to this context instead, such as ``FlowContext.fork()``.
    """
    scope = scope_var.get()
    if context is not None:
        scope = _scope_in(context, scope)
    spans: Captured = () if scope is None else captured_spans()
    if isinstance(target, Generator):
        return BoundGenerator(target, scope, _recordings(spans))
    if isinstance(target, AsyncGenerator):
        return BoundAsyncGenerator(target, scope, _recordings(spans))
    kind = kind_of(target)
    if kind == FunctionKind.ASYNC:
        return _BoundAsyncFunction(target, scope, spans)
    if kind == FunctionKind.PLAIN:
        return BoundFunction(target, scope, spans)
    return _bound_generator_function(target, scope, spans, kind)


def _scope_in(context: FlowContext, around: Scope | None) -> Scope:
    """Return a scope in *context*; in a fork of the current one the caller is known."""
    if around is not None and around[0].run_id == context.run_id:
        return context, around[1], around[2]
    return context, None, 0


def _bound_generator_function(
    func: Callable[..., Any], scope: Scope | None, spans: Captured, kind: str
) -> Callable[..., Any]:
    klass: Any = (
        BoundGenerator if kind == FunctionKind.GENERATOR else BoundAsyncGenerator
    )

    def call(*args: Any, **kwargs: Any) -> Any:
        return klass(func(*args, **kwargs), scope, _recordings(spans))

    return imitate(call, func)
