"""Declare flows on functions that already exist: flow, entrypoint, step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar, cast, overload

from ._declaring.after import parse_after
from ._declaring.binding import take_class, take_function
from ._declaring.mark import mark
from ._registry import OUTSIDE_MODES, FlowOptions
from ._steps.source import caller_place
from .errors import FlowDefinitionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ._declaring.mark import After, Markable

__all__ = ["Decorator", "Flow", "entrypoint", "flow", "step"]

F = TypeVar("F", bound="Markable")


class Decorator(Protocol):
    """A decorator that returns what it was given, with the same type."""

    def __call__(self, func: F, /) -> F:
        """Mark *func*."""
        ...


class Flow:
    """A handle of a flow, so that its name is written once. Made by ``flow``.

    Call it to decorate a class or a marked function, or decorate functions with
    its ``entrypoint`` and ``step``.
    """

    __slots__ = ("_options",)

    def __init__(self, options: FlowOptions) -> None:
        self._options = options

    def __repr__(self) -> str:
        """Show the call that made it."""
        return f"flow({self.name!r})"

    @property
    def name(self) -> str:
        """The flow's name."""
        return self._options.name

    def _repr_mimebundle_(self, **_wanted: object) -> dict[str, str]:
        """Show the flow's diagram in a notebook."""
        from ._documents.notebook import mime_bundle  # noqa: PLC0415  # +25 ms, in notebooks only

        return mime_bundle(self.name, repr(self))

    def __call__(self, target: F, /) -> F:
        """Take every marked function of a class, or one marked function.

        Raises:
            FlowDefinitionError: Nothing is marked, or a name is taken.
        """
        taken: object = target
        if issubclass(type(taken), type):  # isinstance would ask a lazy object
            take_class(self._options, cast("type", taken))
        else:
            take_function(self._options, taken)
        return target

    @overload
    def entrypoint(self, func: F, /) -> F: ...
    @overload
    def entrypoint(
        self,
        /,
        *,
        name: str | None = ...,
        after: After = ...,
        tags: Collection[str] = ...,
    ) -> Decorator: ...
    def entrypoint(
        self,
        func: Any = None,
        /,
        *,
        name: str | None = None,
        after: After = None,
        tags: Collection[str] = (),
        **unknown: object,
    ) -> Any:
        """Declare an entrypoint of this flow; see ``penstock.entrypoint``."""
        return _mark(func, self, "entrypoint", name, after, tags, unknown)

    @overload
    def step(self, func: F, /) -> F: ...
    @overload
    def step(
        self,
        /,
        *,
        name: str | None = ...,
        after: After = ...,
        tags: Collection[str] = ...,
    ) -> Decorator: ...
    def step(
        self,
        func: Any = None,
        /,
        *,
        name: str | None = None,
        after: After = None,
        tags: Collection[str] = (),
        **unknown: object,
    ) -> Any:
        """Declare a step of this flow; see ``penstock.step``."""
        return _mark(func, self, "step", name, after, tags, unknown)


def flow(
    name: str,
    *,
    owner: str = "",
    description: str = "",
    tags: Collection[str] = (),
    outside: str = "",
) -> Flow:
    """Name a flow; use it as a decorator or as a handle.

    >>> from penstock import entrypoint, flow, step
    >>> @flow("orders", owner="payments")
    ... class OrderFlow:
    ...     @entrypoint
    ...     def receive(self, order_id):
    ...         return self.charge(order_id)
    ...
    ...     @step(after="receive")
    ...     def charge(self, order_id):
    ...         return f"charged {order_id}"
    >>> OrderFlow().receive(17)
    'charged 17'
    >>> orders = flow("orders")
    >>> @orders.step(after="charge", tags=("io",))
    ... def ship(order_id): ...

    Args:
        name: The flow's name; several decorators and modules may share it.
        owner: Who is responsible for the flow.
        description: One line; the first line of a class's docstring by default.
        tags: Free labels.
        outside: What a step does when it is called outside a flow: ``raise``,
            ``warn`` or ``run``; the global setting by default.

    Raises:
        FlowDefinitionError: The name is empty or *outside* is unknown.
    """
    if not _is_text(name):
        msg = (
            f"flow() was given {name!r} ({caller_place()}). It needs a name, such as "
            'flow("orders").'
        )
        raise FlowDefinitionError(msg)
    if outside and outside not in OUTSIDE_MODES:
        msg = (
            f"flow({name!r}, outside={outside!r}) at {caller_place()}: expected "
            f"'raise', 'warn' or 'run'.{did_you_mean(outside, OUTSIDE_MODES)}"
        )
        raise FlowDefinitionError(msg)
    return Flow(FlowOptions(name, owner, description, _clean_tags(tags), outside))


@overload
def entrypoint(func: F, /) -> F: ...
@overload
def entrypoint(
    *, name: str | None = ..., after: After = ..., tags: Collection[str] = ...
) -> Decorator: ...
def entrypoint(
    func: Any = None,
    /,
    *,
    name: str | None = None,
    after: After = None,
    tags: Collection[str] = (),
    **unknown: object,
) -> Any:
    """Mark a function as the beginning of a flow's runs.

    Each call gets a fresh correlation ID, or the ID of a carried context. When it
    ends, the previous context is current again.

    >>> from penstock import current_flow_id, entrypoint, flow
    >>> @flow("orders")
    ... @entrypoint
    ... def receive(order_id):
    ...     return len(current_flow_id())
    >>> receive(17)
    32

    Args:
        func: The function, where the decorator is used bare.
        name: Name of the step; the function's own by default.
        after: Steps of other flows that lead here; see ``step``.
        tags: Free labels.
        **unknown: Refused; for ``flow=``, the error says how to name the flow.

    Raises:
        FlowDefinitionError: It cannot be marked; the message says why.
    """
    return _mark(func, None, "entrypoint", name, after, tags, unknown)


@overload
def step(func: F, /) -> F: ...
@overload
def step(
    *, name: str | None = ..., after: After = ..., tags: Collection[str] = ...
) -> Decorator: ...
def step(
    func: Any = None,
    /,
    *,
    name: str | None = None,
    after: After = None,
    tags: Collection[str] = (),
    **unknown: object,
) -> Any:
    """Mark a function that runs after others, in the run that calls it.

    >>> from penstock import flow, step
    >>> @flow("orders")
    ... @step(after=["receive", "shop/web:retry"], tags=("io",))
    ... def charge(order): ...

    Args:
        func: The function, where the decorator is used bare.
        name: Name of the step; the function's own by default.
        after: What runs before: a name, a function, ``all_of(...)``, or a list,
            tuple or set of those, where one is enough. ``"billing:invoice"`` is a
            step of another flow, ``"shop/orders:publish"`` one of another service.
        tags: Free labels.
        **unknown: Refused; for ``flow=``, the error says how to name the flow.

    Raises:
        FlowDefinitionError: It cannot be marked; the message says why.
    """
    return _mark(func, None, "step", name, after, tags, unknown)


def _mark(
    func: Any,
    flow: Flow | None,
    kind: str,
    name: str | None,
    after: After,
    tags: Collection[str],
    unknown: Mapping[str, object],
) -> Any:
    """Return the decorator for what the user says, or *func* decorated."""
    if unknown:
        _refuse_arguments(kind, unknown)
    if name is not None and not _is_text(name):
        msg = (
            f"@{kind}(name={name!r}) at {caller_place()}: expected a string that is "
            "not empty."
        )
        raise FlowDefinitionError(msg)
    groups = parse_after(after, name or f"@{kind}")
    decorate = partial(mark, kind, name or "", groups, _clean_tags(tags), flow)
    return decorate if func is None else decorate(func)


def _refuse_arguments(kind: str, unknown: Mapping[str, object]) -> NoReturn:
    if "flow" in unknown:
        msg = (
            f"@{kind} takes no flow= ({caller_place()}). Write "
            f"@flow({unknown['flow']!r}) above @{kind}, or above the class."
        )
        raise FlowDefinitionError(msg)
    name = next(iter(unknown))
    hint = did_you_mean(name, ("name", "after", "tags"))
    msg = f"{kind}() got an unexpected keyword argument {name!r}.{hint}"
    raise TypeError(msg)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _clean_tags(tags: Collection[str]) -> tuple[str, ...]:
    if not tags:  # the usual case; saves a tenth of what declaring a step costs
        return ()
    return (tags,) if isinstance(tags, str) else tuple(tags)
