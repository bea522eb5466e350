"""Mark a function as an entrypoint or a step: the decorator behind every form."""

from __future__ import annotations

from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from penstock._platform.process import DISABLED
from penstock._registry import registry
from penstock._runtime.calls import wrap
from penstock._steps.marked import MARKED_ATTR, Marked, find_marked, own_name
from penstock._steps.source import caller_place, kind_of, place_of
from penstock._steps.step import StepOptions
from penstock.errors import FlowDefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from .after import AllOf

    OneStep = str | Callable[..., object] | classmethod[Any, ..., object] | AllOf
    Markable = (
        Callable[..., object]
        | staticmethod[..., object]
        | classmethod[Any, ..., object]
    )
    After = OneStep | Sequence[OneStep] | AbstractSet[OneStep] | None

__all__ = ["mark", "wrapper_of"]

_DESCRIPTORS = (staticmethod, classmethod)
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, partial)


def mark(
    kind: str,
    name: str,
    after: tuple[tuple[object, ...], ...],
    tags: tuple[str, ...],
    flow: Callable[[Any], Any] | None,
    func: Any,
) -> Any:
    """Return *func* marked: what the decorators do when they have their function.

    Args:
        kind: ``entrypoint`` or ``step``.
        name: Name of the step; the function's own stands in for ``""``.
        after: What ``parse_after`` returned.
        tags: Free labels.
        flow: The handle whose flow takes the function, None for a ``@flow`` above.
        func: A function or method, or what stands for one.
    """
    if type(func) is not FunctionType:  # the usual case needs no checks
        if isinstance(func, _DESCRIPTORS):
            rewrap: Any = type(func)
            return rewrap(mark(kind, name, after, tags, flow, func.__func__))
        _refuse_uncallable(func, kind)
        _refuse_made(func, kind)
    name = name or _own_name(func, kind)
    options = StepOptions(name, kind == "entrypoint", after, tags, flow is None)
    with registry.lock:
        return _declare(func, options, flow)


def _declare(func: Any, options: StepOptions, flow: Callable[[Any], Any] | None) -> Any:
    marked = _marked(func, options)
    before = marked.options, marked.is_pending, marked.wrapper
    marked.options, marked.is_pending = options, True
    wrapper = marked.wrapper = wrapper_of(marked, func)
    if flow is None:
        return wrapper
    try:
        return flow(wrapper)
    except FlowDefinitionError:
        marked.options, marked.is_pending, marked.wrapper = before
        raise


def _refuse_uncallable(func: object, kind: str) -> None:
    if isinstance(func, type) or not callable(func):
        what = getattr(func, "__qualname__", None) or repr(func)
        fix = "Put it on a function or method; under @property; and @flow on a class."
        if isinstance(func, str):
            fix = (
                f"Write @flow({func!r}) above @{kind} to name the flow, or "
                f"@{kind}(name={func!r}), or @{kind}(after={func!r})."
            )
        msg = (
            f"@{kind} cannot mark {what}, a {type(func).__name__} ({caller_place()}). "
            f"{fix}"
        )
        raise FlowDefinitionError(msg)


def _own_methods(func: Any) -> list[str]:
    """Return the public methods that an object has and a function has not."""
    if type(func) in _FUNCTIONS:
        return []
    kind: type = func.__class__  # of a proxy, the class of what it stands for
    named = ((name, getattr(kind, name, None)) for name in dir(kind))
    return [name for name, value in named if name[0] != "_" and callable(value)]


def _refuse_made(func: Any, kind: str) -> None:
    """Refuse what a decorator made of a function, and calls by other methods, too."""
    methods = _own_methods(func)
    if not methods or "cache_clear" in methods:
        return
    own = getattr(func, "__dict__", {})
    held = [value for name, value in own.items() if name[0] != "_"]
    if hasattr(func, "__wrapped__") or FunctionType in map(type, held):
        method = "delay" if "delay" in methods else methods[0]
        fix = f"Put @flow and @{kind} below that decorator"
        if find_marked(func) is not None:  # by @flow_task
            fix = f"It is marked already. Put @flow above it in place of @{kind}"
        elif method == "delay":
            fix += ", or use @flow_task instead of both"
        msg = (
            f"@{kind} stands above a decorator that makes an object of the "
            f"function, {func!r} ({caller_place()}). Its methods, such as "
            f"{method}(), would not run the step. {fix}."
        )
        raise FlowDefinitionError(msg)


def _own_name(func: object, kind: str) -> str:
    name = own_name(func)
    if not name:
        msg = (
            f"@{kind} needs name=... for {func!r}, which has no name "
            f"({place_of(func)})."
        )
        raise FlowDefinitionError(msg)
    return name


def _marked(func: Any, options: StepOptions) -> Marked:
    """Return a new ``Marked``, or that of *func* if a flow has taken it."""
    marked = getattr(func, MARKED_ATTR, None)
    if not isinstance(marked, Marked) or marked.wrapper is not func:
        return Marked(func, options)
    if marked.is_pending:
        msg = (
            f"{marked.options.name!r} is marked twice ({place_of(marked.func)}). Each "
            f"@{options.kind} needs its own @flow above it."
        )
        raise FlowDefinitionError(msg)
    return marked


def wrapper_of(marked: Marked, func: Any) -> Any:
    """Return what runs *marked* in its flow; *func* itself where penstock is off."""
    is_entrypoint = marked.options.is_entrypoint
    for step in marked.steps:
        is_entrypoint = is_entrypoint or step.is_entrypoint
    if is_entrypoint and marked.only is not None:
        marked.only = marked.only if marked.only.is_entrypoint else None
    if DISABLED:
        return _holding(func, marked)
    wrapper = wrap(marked, kind_of(marked.func), is_entrypoint=is_entrypoint)
    if type(marked.func) is not FunctionType:
        for name in _own_methods(marked.func):  # such as cache_clear
            vars(wrapper).setdefault(name, getattr(marked.func, name))
    return wrapper


def _holding(func: Any, marked: Marked) -> Any:
    """Return *func* with *marked* on it, or a partial where *func* cannot hold it."""
    try:
        setattr(func, MARKED_ATTR, marked)
    except (AttributeError, TypeError):  # a builtin, or an object with slots
        return _holding(partial(func), marked)
    return func
