"""What a decorator leaves on a function, before and after a flow takes it."""

from __future__ import annotations

import gc
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.errors import FlowDefinitionError

from .source import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CellType

    from .step import Step, StepOptions

__all__ = [
    "MARKED_ATTR",
    "Marked",
    "cell_content",
    "find_marked",
    "held_by",
    "own_name",
    "owner_of",
    "step_name_of",
    "steps_of_class",
]

MARKED_ATTR = "__penstock__"
"""Attribute of a wrapper that holds its ``Marked``."""


class Marked:
    """One marked function, and the steps that it is in the flows that took it.

    Attributes:
        func: The user's function.
        body: What runs it: *func*, or a lookup where a class inherits *func*.
        target: What the wrapper calls: *body* once a flow has taken it; before
            that, a method that settles it or says that no flow has.
        options: What the decorator says that the next ``@flow`` takes.
        is_pending: Whether no flow has taken *options* yet.
        only: The step, if there is exactly one and nothing overrides it, so that
            the call path need not choose.
        override: Makes it the step that it overrides, where it overrides one.
        is_overridden: Whether an override may call it by ``super()``.
        steps: Every step that the function is.
        wrapper: What the decorator returned.
    """

    __slots__ = (
        "body",
        "func",
        "is_overridden",
        "is_pending",
        "only",
        "options",
        "override",
        "steps",
        "target",
        "wrapper",
    )

    def __init__(self, func: Callable[..., Any], options: StepOptions) -> None:
        self.func = self.body = func
        self.options = options
        self.is_pending = True
        self.steps: tuple[Step, ...] = ()
        self.only: Step | None = None
        self.override: Callable[[Marked], None] | None = None
        self.is_overridden = False
        self.target: Callable[..., Any] = self._call_first
        self.wrapper: Callable[..., Any] | None = None

    def _call_first(self, *args: Any, **kwargs: Any) -> Any:
        self.settle()
        return self.body(*args, **kwargs)

    def settle(self) -> tuple[Step, ...]:
        """Return its steps; an override becomes the step that it overrides.

        Raises:
            FlowDefinitionError: No flow has taken the function.
        """
        if not self.steps:
            if self.override is None:
                self._refuse()
            self.override(self)
        return self.steps

    def _refuse(self) -> NoReturn:
        name, kind = self.options.name, self.options.kind
        msg = (
            f"@{kind} {name!r} belongs to no flow ({place_of(self.func)}). "
            f'Put @flow("...") above @{kind}, or on its class.'
        )
        raise FlowDefinitionError(msg)

    def attach(self, step: Step) -> None:
        """Add *step*; it replaces the one of the same flow and class."""
        if self.steps:
            kept = [
                other
                for other in self.steps
                if (other.flow, other.owner) != (step.flow, step.owner)
                and (other.overridden is None) == (step.overridden is None)
            ]
            self.steps = (*kept, step)
            self.only = step if not kept and self.only is not None else None
        else:
            self.steps = (step,)
            self.only = None if self.is_overridden else step
        self.target = self.body
        self.is_pending = False

    def set_crossing(self) -> None:
        """Note that a message brings each call, as it does to a task."""
        self.options = self.options._replace(crosses=True)
        for step in self.steps:
            step.options = step.options._replace(crosses=True)
            vars(step).pop("info", None)  # it may have been drawn already

    def allow_super(self) -> None:
        """Let an override call this function as a plain one, by ``super()``."""
        self.is_overridden = True
        self.only = None
        if self.override is None:  # else it is a step at the first call
            self.target = self.body

    def step_in(self, flow: str) -> Step | None:
        """Return what this function is in *flow*, or None.

        Raises:
            FlowDefinitionError: No flow has taken the function.
        """
        for step in self.settle():
            if step.flow == flow:
                return step
        return None

    def first(self, args: tuple[Any, ...]) -> Step:
        """Return the step of the class that *args* belong to, else the first one.

        Raises:
            FlowDefinitionError: No flow has taken the function.
        """
        steps = self.settle()
        if self.only is None and args:
            klass = args[0] if isinstance(args[0], type) else type(args[0])
            steps = steps_of_class(steps, klass)
        return steps[0]


def steps_of_class(steps: tuple[Step, ...], klass: type) -> tuple[Step, ...]:
    """Return those of *steps* that the nearest class above *klass* declares, or all."""
    for base in klass.__mro__:
        owner = owner_of(base)
        found = tuple([step for step in steps if step.owner is owner])
        if found and owner is not None:
            return found
    return steps


def owner_of(klass: type) -> object:
    """Return what a class with a flow shares with copies of it, None for others."""
    return vars(klass).get("__init_subclass__")


def find_marked(thing: object, depth: int = 3) -> Marked | None:
    """Return what marks a function, or the one in a method, descriptor or proxy.

    Nothing asks *thing*: it may be a lazy object, such as Flask's ``current_app`` or a
    Celery task, which must not wake while modules are imported.

    Args:
        thing: Any object.
        depth: How many objects to look into, one in the other.
    """
    if type(thing) is FunctionType:
        marked = thing.__dict__.get(MARKED_ATTR)
        return marked if isinstance(marked, Marked) else None
    try:
        marked = object.__getattribute__(thing, MARKED_ATTR)
    except Exception:  # noqa: BLE001  # slots, builtins and proxies raise anything
        marked = None
    if isinstance(marked, Marked):
        return marked
    for held in held_by(thing) if depth and _is_around(thing) else ():
        marked = find_marked(held, depth - 1)
        if marked is not None:
            return marked
    return None


def _is_around(thing: object) -> bool:
    """Tell whether it is a descriptor, such as a property, or a proxy."""
    bases = [vars(base) for base in type(thing).__mro__]
    return any("__get__" in names or "__wrapped__" in names for names in bases)


def held_by(thing: object) -> Iterator[object]:
    """Yield the objects that *thing* refers to, without asking it."""
    for one in gc.get_referents(thing):
        if type(one) is dict:
            yield from one.values()
        else:
            yield one


def cell_content(cell: CellType) -> object:
    """Return what a closure's *cell* holds, None if it is empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def step_name_of(thing: object) -> str:
    """Return the name that *thing* would have as a step, ``""`` if it has none."""
    marked = find_marked(thing)
    if marked is not None:
        return marked.options.name
    return own_name(thing)


def own_name(thing: object) -> str:
    """Return the name of a function, ``""`` if it has none."""
    name = getattr(thing, "__name__", "")
    if name == "view":  # as Django's as_view() and REST framework's @api_view name all
        name = getattr(getattr(thing, "view_class", thing), "__name__", "")
    return "" if name == "<lambda>" or not isinstance(name, str) else name
