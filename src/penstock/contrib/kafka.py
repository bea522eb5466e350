"""Carry the flow with Kafka messages, whichever client sends and receives them.

No client is imported. A message is any object with ``headers``: a method in
confluent-kafka, an attribute in aiokafka and kafka-python.
"""

from __future__ import annotations

from contextlib import nullcontext
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar, overload

from penstock._context import current_flow_id, scope_var
from penstock._platform.process import DISABLED
from penstock._platform.wrapper import imitate
from penstock._propagation.bind import bind_flow
from penstock._propagation.carrier import FIELD, continue_flow, inject
from penstock._runtime.state import state
from penstock._steps.marked import find_marked
from penstock._steps.source import FunctionKind, kind_of, place_of
from penstock.errors import FlowDefinitionError, did_you_mean

from ._kafka_batches import flow_from_batch
from ._kafka_headers import received, sendable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from penstock._declaring.mark import Markable
    from penstock._decorators import Decorator
    from penstock._runtime.scopes import EnteredFlow
    from penstock._steps.step import Step

    from ._kafka_headers import Headers

    Args = tuple[Any, ...]
    Kwargs = dict[str, Any]
    Enter = Callable[[Any, str | None], EnteredFlow]

__all__ = ["flow_consumer", "flow_from_batch", "flow_from_message", "flow_headers"]

__tracebackhide__ = True  # read by pytest in globals too, where it costs nothing

F = TypeVar("F", bound="Markable")


# Each value is bytes. confluent-kafka's types want a list whose values may be more, and
# to a type checker a list of pairs with bytes is not one.
def flow_headers(existing: Headers | None = None) -> list[tuple[str, Any]]:
    """Return the headers to send with a message: *existing* ones and the flow's.

    They are a list of ``(str, bytes)``, which every client accepts. The current flow
    replaces the one in *existing*, so that a consumer may pass on the headers that it
    received; outside a flow they stay.

    >>> import penstock
    >>> with penstock.start_flow("order-17"):
    ...     flow_headers([("tenant", b"acme")])[:2]
    [('tenant', b'acme'), ('X-Correlation-ID', b'order-17')]

    Args:
        existing: Pairs or a mapping, which is not changed. Text becomes UTF-8, and
            None, which kafka-python cannot send, ``b""``. Values that are neither
            text nor bytes are dropped with one warning.
    """
    sent = inject()
    replaced: set[str] = set()
    if current_flow_id() is not None:
        replaced = {name.lower() for name in (*state.headers, FIELD, *sent)}
    if "traceparent" in replaced:
        replaced.add("tracestate")  # it belongs to the span that is named there
    kept = [
        header for header in sendable(existing) if header[0].lower() not in replaced
    ]
    return [*kept, *((name, value.encode()) for name, value in sent.items())]


def flow_from_message(message: object, trust: str | None = None) -> EnteredFlow:
    """Open the flow context that *message* brings, or a fresh one.

    Use it in a ``with`` statement, also in async code. The current flow is ignored. Of
    headers with the same name the last one counts, as with Kafka's ``lastHeader``.

    >>> import penstock
    >>> def handle(message):
    ...     with flow_from_message(message) as context:
    ...         return penstock.current_flow_id() == context.correlation_id

    Args:
        message: A message of any client; its ``headers`` may be missing, None, wrong
            or raise. A tombstone, which has no value, is a message as well.
        trust: As for ``penstock.continue_flow``: ``all`` unless that is configured.

    Raises:
        ConfigurationError: *trust* is not ``none``, ``id`` or ``all``.
    """
    return continue_flow(received(message), trust=trust)


@overload
def flow_consumer(func: F, /) -> F: ...
@overload
def flow_consumer(
    *, message: str | None = ..., batch: bool = ..., trust: str | None = ...
) -> Decorator: ...
def flow_consumer(
    func: Any = None,
    /,
    *,
    message: str | None = None,
    batch: bool = False,
    trust: str | None = None,
) -> Any:
    """Run each call of a function in the flow that its message brings.

    Put it above the marker. The run adopts the ID of the message, and in diagrams the
    edges to the step cross from one process to another.

    >>> from penstock import entrypoint, flow
    >>> @flow_consumer
    ... @flow("shipping")
    ... @entrypoint(after="shop/orders:publish")
    ... def ship(message): ...

    Args:
        func: The function, sync or async, where the decorator is used bare. The body
            of a generator runs in the flow at every resumption.
        message: Name of the parameter that takes the message; by default the first
            one, after ``self`` or ``cls``.
        batch: Whether it takes many messages, as for ``flow_from_batch``.
        trust: As for ``flow_from_message``.

    Raises:
        FlowDefinitionError: The function has no such parameter; or it is called, and
            the decorator stands below ``@entrypoint``.
        ConfigurationError: *trust* is not ``none``, ``id`` or ``all``.
    """
    continue_flow(None, trust=trust)  # raises if *trust* is wrong
    enter: Enter = flow_from_batch if batch else flow_from_message

    def wrap(func: Any) -> Any:
        if isinstance(func, staticmethod | classmethod):
            rewrap: Any = type(func)
            return rewrap(wrap(func.__func__))
        _refuse_uncallable(func)
        find = _Argument(func, message)
        _mark_crossing(func)
        return func if DISABLED else _consuming(func, find, enter, trust)

    return wrap if func is None else wrap(func)


def _consuming(func: Any, find: _Argument, enter: Enter, trust: str | None) -> Any:
    """Return *func* with each call in the flow that its message brings."""
    mark = find_marked(func)

    def entered(args: Args, kwargs: Kwargs) -> AbstractContextManager[Any]:
        scope = scope_var.get()
        if scope is not None and scope[0].entry is not None:
            _refuse_below_entrypoint(consume, scope[0].entry)
            around = scope[1] or scope[0].entry
            if mark in around.overrides:  # super() in an override: the same message
                return nullcontext()
        return enter(find(args, kwargs), trust)

    def call(*args: Any, **kwargs: Any) -> Any:
        with entered(args, kwargs):
            return func(*args, **kwargs)

    async def call_async(*args: Any, **kwargs: Any) -> Any:
        with entered(args, kwargs):
            return await func(*args, **kwargs)

    def call_items(*args: Any, **kwargs: Any) -> Any:
        with entered(args, kwargs) as context:
            return bind_flow(func(*args, **kwargs), context)

    kinds = {FunctionKind.PLAIN: call, FunctionKind.ASYNC: call_async}
    consume = imitate(kinds.get(kind_of(func), call_items), func)
    return consume


class _Argument:
    """Finds the message among the arguments of a call."""

    __slots__ = ("_name", "_position")

    def __init__(self, func: Any, name: str | None) -> None:
        names = list(signature(func).parameters)
        if name is None:
            name = next((name for name in names if name not in {"self", "cls"}), "")
        if name not in names:
            raise FlowDefinitionError(_no_parameter(func, name, names))
        self._name = name
        self._position = names.index(name)

    def __call__(self, args: Args, kwargs: Kwargs) -> Any:
        """Return the message; None if it is missing, as *func* will complain."""
        if self._name in kwargs:
            return kwargs[self._name]
        return args[self._position] if self._position < len(args) else None


def _no_parameter(func: Any, name: str, names: list[str]) -> str:
    place = f"{getattr(func, '__qualname__', repr(func))} ({place_of(func)})"
    if not name:
        return f"@flow_consumer stands on {place}, which takes no message."
    return (
        f"@flow_consumer(message={name!r}) stands on {place}, which has no such "
        f"parameter. It takes {', '.join(names)}.{did_you_mean(name, names)}"
    )


def _refuse_uncallable(func: object) -> None:
    if not callable(func):
        msg = (
            f"@flow_consumer was put on {func!r}, which cannot be called. Write "
            "@flow_consumer, or @flow_consumer(message=...), above a function."
        )
        raise FlowDefinitionError(msg)


def _refuse_below_entrypoint(consume: object, entry: Step) -> None:
    """Refuse a run that began, with an ID of its own, before its message was read."""
    if entry.func is consume:
        msg = (
            f"@flow_consumer stands below @entrypoint on {entry.label} "
            f"({entry.place}), so the run has an ID before its message is read. Put "
            "@flow_consumer above @entrypoint."
        )
        raise FlowDefinitionError(msg)


def _mark_crossing(func: Any) -> None:
    """Let diagrams show that a message brings each call."""
    mark = find_marked(func)
    if mark is not None:
        mark.set_crossing()
