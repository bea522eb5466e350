"""Parse ``after=``, and resolve it to names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._steps.marked import find_marked, step_name_of
from penstock._steps.source import caller_place
from penstock.errors import FlowDefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from penstock._steps.marked import Marked
    from penstock._steps.step import Alternatives

__all__ = ["AllOf", "all_of", "parse_after", "resolve_after"]


class AllOf:
    """A join: every one of these must have run. Made by ``all_of``."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[object, ...]) -> None:
        self.parts: tuple[object, ...] = parts

    def __repr__(self) -> str:
        """Show the call that makes it."""
        return f"all_of({', '.join(repr(step_name_of(p) or p) for p in self.parts)})"


def all_of(
    *steps: str | Callable[..., object] | classmethod[Any, ..., object],
) -> AllOf:
    """Join steps: all of them must have run before; in a list, one is enough.

    >>> from penstock import all_of, flow, step
    >>> @flow("orders")
    ... @step(after=all_of("charge", "reserve"))
    ... def send(order): ...

    Raises:
        FlowDefinitionError: Something is neither a name nor a function.
    """
    if not steps:
        msg = (
            f"all_of() needs at least one step ({caller_place()}): "
            "all_of('charge', 'reserve')."
        )
        raise FlowDefinitionError(msg)
    return AllOf(tuple(_checked(step, "all_of(...)") for step in steps))


def parse_after(after: object, where: str) -> tuple[tuple[object, ...], ...]:
    """Turn every form of ``after=`` into alternatives of names and functions.

    Args:
        after: A name, a function, ``all_of(...)``, a list, tuple or set of
            those, or None.
        where: What is declared, for error messages.
    """
    if after is None:
        return ()
    if type(after) is str and after.strip():
        return ((after,),)
    if find_marked(after):  # before isinstance, which would wake a lazy object
        return ((_checked(after, where),),)
    if isinstance(after, list | tuple):
        items: Iterable[object] = after
    elif isinstance(after, set | frozenset):
        items = sorted(after, key=lambda item: step_name_of(item) or str(item))
    else:
        items = (after,)
    return tuple(
        item.parts if type(item) is AllOf else (_checked(item, where),)
        for item in items
    )


def _checked(item: object, where: str) -> object:
    if find_marked(item):
        return item
    if isinstance(item, str):
        if item.strip():
            return item
        problem = "an empty name"
    elif callable(item) and not isinstance(item, type):
        if step_name_of(item):
            return item
        problem = f"{item!r}, which has no name; give the step's name instead"
    else:
        problem = f"{item!r} ({type(item).__name__})"
    msg = (
        f"after= of {where} holds {problem} ({caller_place()}). It takes a step's "
        "name, a decorated function, all_of(...), or a list of those."
    )
    raise FlowDefinitionError(msg)


def resolve_after(
    after: tuple[tuple[object, ...], ...], flow: str, siblings: Mapping[Marked, str]
) -> Alternatives:
    """Replace functions by names as *flow* sees them.

    Args:
        after: What ``parse_after`` returned.
        flow: The flow that takes the step.
        siblings: What *flow* takes at the same time, with its name.
    """
    for group in after:
        for item in group:
            if type(item) is not str:  # rare, and a tenth of what declaring costs
                return _all_resolved(after, flow, siblings)
    return after  # type: ignore[return-value]  # every item is a str


def _all_resolved(
    after: tuple[tuple[object, ...], ...], flow: str, siblings: Mapping[Marked, str]
) -> Alternatives:
    return tuple(
        tuple(_resolved(item, flow, siblings) for item in group) for group in after
    )


def _resolved(item: object, flow: str, siblings: Mapping[Marked, str]) -> str:
    marked = find_marked(item)
    if marked is None:
        return item if isinstance(item, str) else step_name_of(item)
    if marked in siblings or not marked.steps:
        return siblings.get(marked, marked.options.name)
    step = marked.step_in(flow)
    return step.name if step else f"{marked.steps[0].flow}:{marked.steps[0].name}"
