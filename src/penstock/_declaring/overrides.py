"""An override in a subclass is the step that it overrides, marked again or not.

Python calls ``__init_subclass__`` for each subclass of a class with a flow. What it
finds there is marked at once, and becomes a step at its first call: only then is it
known whether the subclass has a flow of its own, because decorators come later.
"""

from __future__ import annotations

from functools import partial, update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from penstock._steps.marked import (
    Marked,
    cell_content,
    find_marked,
    owner_of,
    steps_of_class,
)
from penstock._steps.source import place_of
from penstock._steps.step import Step
from penstock.errors import FlowDefinitionError

from .after import resolve_after
from .mark import wrapper_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "UnmarkedOverride",
    "mark_overrides",
    "overridden_by",
    "says_the_same",
    "unmarked_overrides",
    "watch_subclasses",
]


class _SubclassHook:
    """The ``__init_subclass__`` of a class with a flow.

    Decorators that rebuild a class, such as ``dataclass(slots=True)``, copy it, so that
    it also tells which class has which flow.
    """

    __slots__ = ("_own",)

    def __init__(self, own: Any) -> None:
        self._own = own  # what the class itself defines under this name

    def __get__(self, _instance: object, klass: type) -> Callable[..., None]:
        return partial(self._call, klass)

    def _call(self, klass: Any, /, **options: Any) -> None:
        if self._own is not None:
            self._own.__get__(None, klass)(**options)
        else:
            holder = next(base for base in klass.__mro__ if owner_of(base) is self)
            super(holder, klass).__init_subclass__(**options)
        _move_super(klass)
        mark_overrides(klass)

    def __set_name__(self, copy: type, _name: str) -> None:
        """Hear of a copy of the class: Python calls this where it makes one."""
        _move_super(copy)


def _move_super(copy: type) -> None:
    """Let ``super()`` in the marked functions of *copy* look above *copy*.

    The compiler gives all methods of a class one cell, ``__class__``. What copies a
    class moves it, as attrs does, but looks for it in plain functions only.
    """
    for value in vars(copy).values():
        marked = find_marked(value)
        func = None if marked is None else marked.func
        for cell in getattr(func, "__closure__", None) or ():
            if _is_copied(cell_content(cell), copy):
                cell.cell_contents = copy


def _is_copied(thing: object, copy: type) -> bool:
    if not issubclass(type(thing), type):  # a lazy object must not be asked
        return False
    klass = cast("type", thing)
    of_copy = copy.__name__, copy.__module__, copy.__bases__
    return of_copy == (klass.__name__, klass.__module__, klass.__bases__)


def watch_subclasses(klass: type) -> object:
    """Mark the overrides of every subclass of *klass*; return its ``owner_of``."""
    _move_super(klass)  # it may be a copy already
    owner = owner_of(klass)
    if not isinstance(owner, _SubclassHook):
        owner = _SubclassHook(owner)
        klass.__init_subclass__ = owner  # type: ignore[assignment,method-assign]  # it is called like one
        for subclass in _subclasses(klass):
            mark_overrides(subclass)
    return owner


def _subclasses(klass: type) -> Iterator[type]:
    """Yield every class below *klass*, each once."""
    seen: set[int] = set()  # a metaclass may not let its classes be compared
    todo = [klass]
    while todo:
        below: list[type] = type.__subclasses__(todo.pop())
        for subclass in below:
            if id(subclass) not in seen:
                seen.add(id(subclass))
                todo.append(subclass)
                yield subclass


def mark_overrides(klass: type) -> None:
    """Mark what *klass* has instead of a marked function of a class above it."""
    attrs = {
        attr
        for base in klass.__mro__[1:]
        for attr, value in vars(base).items()
        if find_marked(value) is not None
    }
    for attr in attrs:
        _mark_override(klass, attr)


def _mark_override(klass: type, attr: str) -> None:
    holders = [base for base in klass.__mro__ if attr in vars(base)]
    while _is_lookup(vars(holders[0])[attr]) and holders[0] is not klass:
        del holders[0]
    found = vars(holders[0])[attr]
    marked = find_marked(found)
    others = overridden_by(klass, attr, marked)
    if not others:
        return
    if marked is None:
        func = getattr(found, "__func__", found)
        if type(func) is not FunctionType:
            return  # left alone: it may do anything
        marked = Marked(func, others[0].options)
        if holders[0] is not klass:
            marked.body = _lookup(klass, attr, marked)
        wrapper = marked.wrapper = wrapper_of(marked, marked.body)
        setattr(klass, attr, wrapper if func is found else type(found)(wrapper))
    elif holders[0] is not klass or not marked.is_pending:
        return
    marked.override = _Override(klass, attr, others)
    for other in others:
        other.allow_super()


def overridden_by(klass: type, attr: str, marked: Marked | None) -> list[Marked]:
    """Return the other marked functions that classes above have as *attr*."""
    found = (find_marked(vars(base).get(attr)) for base in klass.__mro__)
    others = dict.fromkeys(other for other in found if other is not None)
    return [other for other in others if other is not marked]


class UnmarkedOverride(NamedTuple):
    """What a class has in the place of a step, without being that step.

    Attributes:
        klass: The class.
        attr: The name of the attribute.
        value: What the class has there.
        steps: What it would be if it were marked.
        silenced_by: The class above whose ``__init_subclass__`` keeps penstock from
            marking it, if there is one.
    """

    klass: type
    attr: str
    value: object
    steps: tuple[Step, ...]
    silenced_by: type | None


def unmarked_overrides() -> Iterator[UnmarkedOverride]:
    """Yield the overrides of all classes that are left alone."""
    for watched in _subclasses(object):
        if isinstance(owner_of(watched), _SubclassHook):
            for klass in _subclasses(watched):
                yield from _unmarked_in(klass, watched)


def _unmarked_in(klass: type, watched: type) -> Iterator[UnmarkedOverride]:
    attrs = {attr: None for base in watched.__mro__ for attr in vars(base)}
    for attr in attrs:
        holder = _holder(klass, attr)
        value = vars(holder)[attr]
        above = [base for base in klass.__bases__ if watched in base.__mro__]
        is_inherited = any(_holder(base, attr) is holder for base in above)
        if not is_inherited and find_marked(value) is None:
            marks = [m for m in overridden_by(klass, attr, None) if m.steps]
            for marked in marks[:1]:
                steps = steps_of_class(marked.steps, klass)
                blocker = _blocker(klass, watched)
                yield UnmarkedOverride(klass, attr, value, steps, blocker)


def _holder(klass: type, attr: str) -> type:
    return next(base for base in klass.__mro__ if attr in vars(base))


def _blocker(klass: type, watched: type) -> type | None:
    """Return the class between the two that has an ``__init_subclass__`` of its own."""
    between = klass.__mro__[1 : klass.__mro__.index(watched)]
    return next((base for base in between if owner_of(base) is not None), None)


def _lookup(klass: type, attr: str, marked: Marked) -> Callable[..., Any]:
    """Return a function that calls what *klass* inherits, by Python's own rules.

    It stands in a class whose mixin overrides a step: the mixin stays as it is.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        holder, owner = klass, klass
        if not isinstance(vars(klass)[attr], staticmethod):
            owner, *args = args  # type: ignore[assignment]  # the instance or class
            mro = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
            holder = next(k for k in mro if find_marked(vars(k).get(attr)) is marked)
        return getattr(super(holder, owner), attr)(*args, **kwargs)

    return update_wrapper(call, marked.func)


def _is_lookup(value: object) -> bool:
    marked = find_marked(value)
    return marked is not None and marked.body is not marked.func


class _Override:
    """Makes a marked function the step that it overrides in its class."""

    def __init__(self, klass: type, attr: str, others: list[Marked]) -> None:
        self._klass = klass
        self._attr = attr
        self._others = others

    def __call__(self, marked: Marked) -> None:
        for base in steps_of_class(self._others[0].settle(), self._klass):
            if not says_the_same(marked, base):
                _refuse_another(marked, base, self._klass)
            step = Step(marked.func, base.options, base.flow, base.after)
            step.owner, step.attr, step.klass = base.owner, self._attr, base.klass
            step.overrides = frozenset(self._others)
            step.overridden = base.overridden or base
            marked.attach(step)


def says_the_same(marked: Marked, base: Step) -> bool:
    """Tell whether a repeated marker says nothing else than that of *base*."""
    options = marked.options
    after = resolve_after(options.after, base.flow, {})
    return (
        options.is_entrypoint == base.is_entrypoint
        and options.name in {base.name, getattr(marked.func, "__name__", "")}
        and (not after or {*map(frozenset, after)} == {*map(frozenset, base.after)})
    )


def _refuse_another(marked: Marked, base: Step, klass: type) -> NoReturn:
    msg = (
        f"@{marked.options.kind} {marked.options.name!r} ({place_of(marked.func)}) "
        f"overrides {base.label} ({base.place}) with another kind, name or after=. "
        "Repeat the marker as it is, or leave it out; or put @flow(...) on class "
        f"{klass.__qualname__} for a flow of its own."
    )
    raise FlowDefinitionError(msg)
