"""Bind to a flow what is marked: one function, or every marker of a class."""

from __future__ import annotations

from functools import singledispatchmethod
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from penstock._registry import registry
from penstock._steps.marked import cell_content, find_marked, held_by
from penstock._steps.source import (
    Origin,
    caller_frame,
    caller_place,
    first_line,
    place_of,
)
from penstock._steps.step import Step
from penstock.errors import FlowDefinitionError

from .after import resolve_after
from .overrides import mark_overrides, overridden_by, says_the_same, watch_subclasses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._registry import FlowOptions
    from penstock._steps.marked import Marked

__all__ = ["take_class", "take_function"]


def take_function(options: FlowOptions, target: object) -> None:
    """Register the function *target* as a step of the flow.

    Raises:
        FlowDefinitionError: *target* is not marked, or another step has its name.
    """
    marked = find_marked(target)
    if marked is None:
        _refuse_unmarked(options.name, target)
    with registry.lock:
        after = resolve_after(marked.options.after, options.name, {})
        step = Step(marked.func, marked.options, options.name, after)
        body = _class_body_of(marked.func)
        if body is None:
            _take(options, marked, step)
        else:
            body.setdefault(_METHODS, _TakenMethods()).take(options, marked, step)


def _take(options: FlowOptions, marked: Marked, step: Step) -> None:
    registry.add(options, [step])
    marked.attach(step)


_METHODS = "__penstock_methods__"


def _class_body_of(func: object) -> dict[str, Any] | None:
    """Return the names of the class whose body runs now, if it defines *func*."""
    qualname = str(getattr(func, "__qualname__", ""))
    outer = qualname.rpartition(".")[0]
    if not outer or outer.endswith("<locals>"):
        return None
    frame = caller_frame()
    names = {} if frame is None else frame.f_locals
    return names if names.get("__qualname__") == outer else None


class _TakenMethods:
    """What flows took in the body of a class that has no ``@flow`` of its own.

    It stands in the body until Python has made the class, which is when overrides in
    it, and in its subclasses, can be told from other functions of one name.
    """

    def __init__(self) -> None:
        self._taken: list[tuple[FlowOptions, Marked, Step]] = []

    def take(self, options: FlowOptions, marked: Marked, step: Step) -> None:
        """Register *step*, or later if it may be the override of a step."""
        old = registry.find(step.flow, step.name)
        if old is None or not old.attr:
            _take(options, marked, step)
        self._taken.append((options, marked, step))

    def __set_name__(self, klass: type, name: str) -> None:
        """Hear of the class."""
        delattr(klass, name)
        mark_overrides(klass)
        attrs = {find_marked(value): attr for attr, value in vars(klass).items()}
        with registry.lock:
            owner = watch_subclasses(klass)
            for options, marked, step in self._taken:
                if marked.override is None and marked.is_pending:
                    _take(options, marked, step)
                if marked not in attrs:
                    continue  # hidden by a decorator, or defined again
                step.attr = attr = attrs[marked]
                others = overridden_by(klass, attr, marked)
                step.overrides = frozenset(others)
                step.owner = None if _is_static(klass, attr) else owner
                for other in others:
                    other.allow_super()


def take_class(options: FlowOptions, klass: type) -> None:
    """Register every marked function of *klass*, inherited ones too.

    Raises:
        FlowDefinitionError: Nothing in it is marked, or a name is taken.
    """
    mark_overrides(klass)
    found = _markers(klass)
    if not found:
        _refuse_unmarked(options.name, klass)
    origin = _origin(klass)
    overridden = {attr: overridden_by(klass, attr, m) for attr, m in found.items()}
    siblings = _siblings(found, overridden)
    steps: dict[Marked, Step] = {}
    for attr, marked in found.items():
        if _is_declared_above(marked, overridden[attr], options.name):
            continue
        after = resolve_after(marked.options.after, options.name, siblings)
        step = steps[marked] = Step(marked.func, marked.options, options.name, after)
        step.attr = attr
        step.klass = origin
        step.overrides = frozenset(overridden[attr])
    options = options._replace(doc=first_line(klass.__doc__))
    with registry.lock:
        registry.add(options, list(steps.values()), klass=origin)
        owner = watch_subclasses(klass)
        for marked, step in steps.items():
            for earlier in marked.steps:  # of a handle: those of the class come first
                if earlier.klass is None and earlier.owner is owner:
                    earlier.owner = None
            step.owner = None if _is_static(klass, step.attr) else owner
            marked.attach(step)
        for others in overridden.values():
            for other in others:
                other.allow_super()


def _markers(klass: type) -> dict[str, Marked]:
    """Return the marker of each attribute, as instances see it."""
    found: dict[str, Marked] = {}
    for base in reversed(klass.__mro__):
        for attr, value in vars(base).items():
            marked = find_marked(value)
            if marked is None:
                _refuse_hidden(base, attr, value)
            elif type(value) is singledispatchmethod:
                _refuse_dispatch(base, attr)
            if marked is not None and marked.options.is_for_any_flow:
                found[attr] = marked
            else:
                found.pop(attr, None)
    return found


def _refuse_hidden(klass: type, attr: str, value: object) -> None:
    """Refuse a decorator that hides a marker which no flow has taken."""
    if type(value) is FunctionType:
        held: Iterable[object] = map(cell_content, value.__closure__ or ())
    else:
        held = held_by(value)
    for one in held if callable(value) else ():
        marked = find_marked(one) if type(one) is FunctionType else None
        own = f"{klass.__qualname__}.{attr}"
        if marked and marked.is_pending and Origin.of(marked.func).qualname == own:
            msg = (
                f"{own} has a decorator above @{marked.options.kind} that hides it "
                f"({place_of(marked.func)}). Use functools.wraps in the decorator, or "
                f"put @{marked.options.kind} above it."
            )
            raise FlowDefinitionError(msg)


def _refuse_dispatch(klass: type, attr: str) -> NoReturn:
    msg = (
        f"{klass.__qualname__}.{attr} is a singledispatchmethod above a marker: what "
        "is registered with it would run outside the step. Mark a method that calls "
        "it instead."
    )
    raise FlowDefinitionError(msg)


def _is_declared_above(marked: Marked, others: list[Marked], flow: str) -> bool:
    """Tell whether *marked* overrides a step of the same flow, which it stays."""
    bases = (step for other in others for step in other.steps if step.flow == flow)
    return any(says_the_same(marked, base) for base in bases)


def _is_static(klass: type, attr: str) -> bool:
    """Tell whether calls of *attr* pass neither an instance nor the class."""
    holders = (vars(base) for base in klass.__mro__)
    return isinstance(next(h[attr] for h in holders if attr in h), staticmethod)


def _siblings(
    found: dict[str, Marked], overridden: dict[str, list[Marked]]
) -> dict[Marked, str]:
    """Return the name of each marker of a class, and of those it overrides."""
    names = {
        other: found[attr].options.name
        for attr, others in overridden.items()
        for other in others
    }
    return names | {marked: marked.options.name for marked in found.values()}


def _origin(klass: type) -> Origin:
    own = (find_marked(value) for value in vars(klass).values())
    path = next((Origin.of(m.func).path for m in own if m is not None), "")
    return Origin(klass.__qualname__, klass.__module__, path)


def _refuse_unmarked(flow: str, target: object) -> NoReturn:
    name = getattr(target, "__qualname__", None) or repr(target)
    msg = (
        f"@flow({flow!r}) found nothing to take in {name} ({caller_place()}). Put "
        '@entrypoint or @step(after="...") below it, or on methods of the class.'
    )
    raise FlowDefinitionError(msg)
