"""What a decorator leaves on a function, before and after a flow takes it."""

from __future__ import annotations

from functools import cached_property
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NoReturn

from penstock.errors import FlowDefinitionError

from .source import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .step import Step, StepOptions

__all__ = ["MARKED_ATTR", "Marked", "find_marked", "step_name_of"]

MARKED_ATTR = "__penstock__"
"""Attribute of a wrapper that holds its ``Marked``."""


class Marked:
    """One marked function, and the steps that it is in the flows that took it.

    Attributes:
        func: The user's function.
        target: What the wrapper calls: *func* once a flow has taken it; before
            that, a method that says that none has.
        options: What the decorator says that the next ``@flow`` takes.
        is_pending: Whether no flow has taken *options* yet.
        only: The step, if there is exactly one and nothing overrides it, so that
            the call path need not choose.
        steps: Every step that the function is.
        wrapper: What the decorator returned.
    """

    __slots__ = ("func", "is_pending", "only", "options", "steps", "target", "wrapper")

    def __init__(self, func: Callable[..., Any], options: StepOptions) -> None:
        self.func = func
        self.options = options
        self.is_pending = True
        self.steps: tuple[Step, ...] = ()
        self.only: Step | None = None
        self.target: Callable[..., Any] = self.refuse
        self.wrapper: Callable[..., Any] | None = None

    def refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        """Raise an error: no flow has taken the function."""
        name, kind = self.options.name, self.options.kind
        msg = (
            f"@{kind} {name!r} belongs to no flow ({place_of(self.func)}). "
            f'Put @flow("...") above @{kind}, or on its class.'
        )
        raise FlowDefinitionError(msg)

    def attach(self, step: Step) -> None:
        """Add *step*; it replaces the one of the same flow and class."""
        if not self.steps and self.target != self.func:
            self.only = step
            self.steps = (step,)
        else:
            kept = [
                other
                for other in self.steps
                if (other.flow, other.owner) != (step.flow, step.owner)
            ]
            self.steps = (*kept, step)
            self.only = step if not kept and self.only is not None else None
        self.target = self.func
        self.is_pending = False

    def set_crossing(self) -> None:
        """Note that a message brings each call, as it does to a task."""
        self.options = self.options._replace(crosses=True)
        for step in self.steps:
            step.options = step.options._replace(crosses=True)
            vars(step).pop("info", None)  # it may have been drawn already

    def allow_super(self) -> None:
        """Let an override call this function as a plain one, by ``super()``."""
        self.target = self.func
        self.only = None

    def step_in(self, flow: str) -> Step | None:
        """Return what this function is in *flow*, or None."""
        for step in self.steps:
            if step.flow == flow:
                return step
        return None

    def first(self, args: tuple[Any, ...]) -> Step:
        """Return the step of the class that *args* belong to, else the first one.

        Raises:
            FlowDefinitionError: No flow has taken the function.
        """
        if len(self.steps) > 1 and args:
            klass = args[0] if isinstance(args[0], type) else type(args[0])
            for base in klass.__mro__:
                for step in self.steps:
                    if step.owner is base:
                        return step
        return self.steps[0] if self.steps else self.refuse()


def find_marked(thing: object) -> Marked | None:
    """Return what marks a function, a method, or a descriptor of one, or None."""
    if type(thing) is FunctionType:
        marked = thing.__dict__.get(MARKED_ATTR)
    else:
        try:
            # Neither getattr nor its __dict__: nothing may ask a lazy object, such as
            # Flask's current_app or a Celery task, while modules are imported.
            marked = object.__getattribute__(_function_in(thing), MARKED_ATTR)
        except Exception:  # noqa: BLE001  # slots, builtins and proxies raise anything
            return None
    return marked if isinstance(marked, Marked) else None


def _function_in(thing: Any) -> object:
    kind = type(thing)  # isinstance would ask a lazy object for its __class__
    if issubclass(kind, staticmethod | classmethod | MethodType):
        return thing.__func__
    if issubclass(kind, property):
        return thing.fget
    return thing.func if issubclass(kind, cached_property) else thing


def step_name_of(thing: object) -> str:
    """Return the name that *thing* would have as a step, ``""`` if it has none."""
    marked = find_marked(thing)
    if marked is not None:
        return marked.options.name
    name = getattr(thing, "__name__", "")
    return "" if name == "<lambda>" or not isinstance(name, str) else name
