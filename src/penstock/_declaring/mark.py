"""Mark a function as an entrypoint or a step: the decorator behind every form."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from penstock._platform.process import DISABLED
from penstock._registry import registry
from penstock._runtime.calls import wrap
from penstock._steps.marked import MARK, Marked
from penstock._steps.source import caller_place, kind_of, place_of
from penstock._steps.step import Spec
from penstock.errors import FlowDefinitionError

from .after import parse_after

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from collections.abc import Set as AbstractSet

    from .after import AllOf

    OneStep = str | Callable[..., object] | classmethod[Any, ..., object] | AllOf
    Markable = (
        Callable[..., object]
        | staticmethod[..., object]
        | classmethod[Any, ..., object]
    )
    After = OneStep | Sequence[OneStep] | AbstractSet[OneStep] | None

__all__ = ["Mark", "clean_tags", "is_text"]

F = TypeVar("F", bound="Markable")

_DESCRIPTORS = (staticmethod, classmethod)


class Mark:
    """The decorator behind every form of entrypoint and step."""

    __slots__ = ("_after", "_flow", "_kind", "_name", "_tags")

    def __init__(
        self,
        kind: str,
        name: str | None,
        after: After,
        tags: Collection[str],
        flow: Callable[[Any], Any] | None,
    ) -> None:
        if name is not None and not is_text(name):
            msg = (
                f"@{kind}(name={name!r}) at {caller_place()}: a step's name is a text "
                "that is not empty."
            )
            raise FlowDefinitionError(msg)
        self._kind = kind
        self._name = name
        self._after = parse_after(after, f"@{kind}" if name is None else name)
        self._tags = clean_tags(tags)
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


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def clean_tags(tags: Collection[str]) -> tuple[str, ...]:
    if not tags:  # the rule, and worth a tenth of what declaring a step costs
        return ()
    return (tags,) if isinstance(tags, str) else tuple(tags)
