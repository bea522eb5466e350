"""Declare flows on functions that already exist: flow, entrypoint, step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, overload

from ._after import parse_after
from ._calls import wrap
from ._marks import MARK, Marked
from ._process import DISABLED
from ._registry import OUTSIDE_MODES, FlowOptions, registry
from ._source import caller_place, kind_of, place_of
from ._step import Spec
from ._suggest import did_you_mean
from ._taking import take_class, take_function
from .errors import FlowDefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from collections.abc import Set as AbstractSet

    from ._after import AllOf

    OneStep = str | Callable[..., object] | classmethod[Any, ..., object] | AllOf
    Markable = (
        Callable[..., object]
        | staticmethod[..., object]
        | classmethod[Any, ..., object]
    )
    After = OneStep | Sequence[OneStep] | AbstractSet[OneStep] | None

__all__ = ["Decorator", "Flow", "entrypoint", "flow", "step"]

F = TypeVar("F", bound="Markable")


class Decorator(Protocol):
    """A decorator that gives back what it was given, type and all."""

    def __call__(self, func: F, /) -> F:
        """Mark *func*."""
        ...


class Flow:
    """A flow by its handle, so that its name is written once.

    Call it to decorate a class, or a function that is marked; or decorate
    functions with its ``entrypoint`` and ``step``. Made by ``flow``.
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
    ) -> Any:
        """Declare an entrypoint of this flow; see ``penstock.entrypoint``."""
        mark = _Mark("entrypoint", name, after, tags, self)
        return mark if func is None else mark(func)

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
    ) -> Any:
        """Declare a step of this flow; see ``penstock.step``."""
        mark = _Mark("step", name, after, tags, self)
        return mark if func is None else mark(func)


def flow(
    name: str,
    *,
    owner: str = "",
    description: str = "",
    tags: Collection[str] = (),
    outside: str = "",
) -> Flow:
    """Name a flow: a decorator for classes and marked functions, and a handle.

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
        owner: Who answers for the flow.
        description: One line; a class's docstring gives it otherwise.
        tags: Free labels.
        outside: What a step does when it is called outside a flow: ``raise``,
            ``warn`` or ``run``; the global setting if empty.

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
            f"flow({name!r}, outside={outside!r}) at {caller_place()}: it takes "
            f"'raise', 'warn' or 'run'.{did_you_mean(outside, OUTSIDE_MODES)}"
        )
        raise FlowDefinitionError(msg)
    return Flow(FlowOptions(name, owner, description, _tags(tags), outside))


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
) -> Any:
    """Mark a function where runs of a flow begin.

    Each call gets a fresh correlation ID, or takes over the ID of a carried
    context, and puts back what was there before.

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

    Raises:
        FlowDefinitionError: It cannot be marked so; the message says why.
    """
    mark = _Mark("entrypoint", name, after, tags, None)
    return mark if func is None else mark(func)


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
            tuple or set of those, of which one is enough. ``"billing:invoice"``
            is a step of another flow, ``"shop/orders:publish"`` one of another
            service.
        tags: Free labels.

    Raises:
        FlowDefinitionError: It cannot be marked so; the message says why.
    """
    mark = _Mark("step", name, after, tags, None)
    return mark if func is None else mark(func)


_DESCRIPTORS = (staticmethod, classmethod)


class _Mark:
    """The decorator behind every form of entrypoint and step."""

    __slots__ = ("_after", "_flow", "_kind", "_name", "_tags")

    def __init__(
        self,
        kind: str,
        name: str | None,
        after: After,
        tags: Collection[str],
        flow: Flow | None,
    ) -> None:
        if name is not None and not _is_text(name):
            msg = (
                f"@{kind}(name={name!r}) at {caller_place()}: a step's name is a text "
                "that is not empty."
            )
            raise FlowDefinitionError(msg)
        self._kind = kind
        self._name = name
        self._after = parse_after(after, f"@{kind}" if name is None else name)
        self._tags = _tags(tags)
        self._flow = flow

    def __call__(self, func: F, /) -> F:
        if isinstance(func, _DESCRIPTORS):
            rewrap: Any = type(func)
            return cast("F", rewrap(self._mark(func.__func__)))
        return cast("F", self._mark(func))

    def _mark(self, func: Any) -> Any:
        _refuse_uncallable(func, self._kind)
        name = self._name or _own_name(func, self._kind)
        is_entrypoint = self._kind == "entrypoint"
        spec = Spec(is_entrypoint, name, self._after, self._tags, self._flow is None)
        with registry.lock:
            return self._declare(func, spec)

    def _declare(self, func: Any, spec: Spec) -> Any:
        marked = _marked(func, spec, self._kind)
        before = marked.spec, marked.is_pending, marked.wrapper
        marked.spec, marked.is_pending = spec, True
        wrapper = marked.wrapper = _wrapper(marked, func)
        if self._flow is None:
            return wrapper
        try:
            return self._flow(wrapper)
        except FlowDefinitionError:
            marked.spec, marked.is_pending, marked.wrapper = before
            raise


def _refuse_uncallable(func: object, kind: str) -> None:
    if isinstance(func, type) or not callable(func):
        what = getattr(func, "__qualname__", None) or repr(func)
        fix = "Put it on a function or method; under @property; and @flow on a class."
        if isinstance(func, str):
            fix = f"Write @{kind}(name={func!r}), or @{kind}(after={func!r})."
        msg = (
            f"@{kind} cannot mark {what}, a {type(func).__name__} ({caller_place()}). "
            f"{fix}"
        )
        raise FlowDefinitionError(msg)


def _own_name(func: object, kind: str) -> str:
    name = getattr(func, "__name__", "")
    if not name or name == "<lambda>":
        msg = (
            f"@{kind} needs name=... for {func!r}, which has no name of its own "
            f"({place_of(func)})."
        )
        raise FlowDefinitionError(msg)
    return str(name)


def _marked(func: Any, spec: Spec, kind: str) -> Marked:
    """Return the mark of *func*: a new one, or its own if a flow has taken that."""
    marked = getattr(func, MARK, None)
    if not isinstance(marked, Marked) or marked.wrapper is not func:
        return Marked(func, spec)
    if marked.is_pending:
        msg = (
            f"{marked.spec.name!r} is marked twice ({place_of(marked.func)}). Each "
            f"@{kind} needs a @flow of its own above it."
        )
        raise FlowDefinitionError(msg)
    return marked


def _wrapper(marked: Marked, func: Any) -> Any:
    is_entrypoint = marked.spec.is_entrypoint
    for step in marked.steps:
        is_entrypoint = is_entrypoint or step.is_entrypoint
    if is_entrypoint and marked.only is not None:
        marked.only = marked.only if marked.only.is_entrypoint else None
    if DISABLED:
        return _holding(func, marked)
    return wrap(marked, kind_of(marked.func), is_entrypoint=is_entrypoint)


def _holding(func: Any, marked: Marked) -> Any:
    """Return *func* itself with the mark on it, or what can hold a mark for it."""
    try:
        setattr(func, MARK, marked)
    except AttributeError:  # a builtin, or an object with slots
        return _holding(partial(func), marked)
    return func


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _tags(tags: Collection[str]) -> tuple[str, ...]:
    if not tags:  # the rule, and worth a tenth of what declaring a step costs
        return ()
    return (tags,) if isinstance(tags, str) else tuple(tags)
