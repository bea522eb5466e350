"""The flows of one handle, class or function: the target ``module:attr``."""

from __future__ import annotations

import inspect

from penstock._decorators import Flow
from penstock._steps.marked import find_marked, owner_of
from penstock.errors import did_you_mean

from .imports import MissingTargetError, TargetError, import_module


def flows_of(module: str, attribute: str) -> set[str]:
    """Return the names of the flows of *attribute* of *module*.

    Raises:
        TargetError: It does not exist, or has no flow.
    """
    thing: object = import_module(module)
    for name in attribute.split("."):
        if not hasattr(thing, name):
            hint = did_you_mean(name, vars(thing) if hasattr(thing, "__dict__") else ())
            msg = f"{module!r} has no {attribute!r}.{hint}"
            raise MissingTargetError(msg)
        thing = getattr(thing, name)
    flows = _declared_by(thing)
    if not flows:
        msg = f"'{module}:{attribute}' is neither a flow nor a part of one."
        raise TargetError(msg)
    return flows


def _declared_by(thing: object) -> set[str]:
    if isinstance(thing, type):
        return _declared_by_class(thing)
    mark = find_marked(thing)
    if mark is not None:
        steps = mark.steps if mark.override is None else mark.settle()
        return {step.flow for step in steps}
    return {thing.name} if isinstance(thing, Flow) else set()


def _declared_by_class(klass: type) -> set[str]:
    marks = [find_marked(inspect.getattr_static(klass, name)) for name in dir(klass)]
    steps = [step for mark in marks if mark is not None for step in mark.steps]
    own = {step.flow for step in steps if step.owner is owner_of(klass) is not None}
    return own or {step.flow for step in steps}
