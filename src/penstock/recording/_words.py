"""What a finding says: the step, what it is declared to come after, and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ._book import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Called", "broken_edge", "broken_step"]


class Called(NamedTuple):
    """The step that a finding is about."""

    flow: str
    name: str
    place: str
    after: Sequence[Sequence[str]]


def broken_step(step: Called, code: str, missing: list[str], caller: str) -> Finding:
    """Return the finding about one call.

    Args:
        step: The step that was called.
        code: ``R1`` or ``R3``.
        missing: Its predecessors that were not before it.
        caller: The step that called it, ``""`` where none did.
    """
    names = " and ".join(map(repr, missing))
    verb = "had" if code == "R1" and len(missing) > 1 else "had not"
    if code == "R1" and len(missing) > 1:
        names = f"none of {', '.join(map(repr, missing))}"
    others = dict.fromkeys(name for group in step.after for name in group)
    suggested = ", ".join(
        repr(name) for name in dict.fromkeys([*others, caller]) if name
    )
    by = f", called by {caller!r}" if caller else ""
    fix = "call what is missing first, and wait for it"
    if caller not in others and caller:
        fix += f", or declare after=[{suggested}]"
    elif code == "R3":
        fix += f", or declare that one is enough: after=[{suggested}]"
    label = f"{step.flow}/{step.name}"
    message = f"{label} ({step.place}) ran{by}, when {names} {verb} ended. Fix: {fix}."
    return Finding(step.flow, step.name, code, message, caller)


def broken_edge(flow: str, before: str, after: str, others: list[str]) -> Finding:
    """Return the finding about an edge, of two steps that both ran.

    Args:
        flow: Their flow.
        before: The predecessor.
        after: The step that names it.
        others: What it would come after without this edge.
    """
    left = f"after=[{', '.join(map(repr, others))}]" if others else "no after="
    message = (
        f"{flow}/{after} is declared after {before!r}; both ran, and {before!r} had "
        f"never ended when {after!r} began. Fix: run {before!r} first, or take away "
        f"the edge {before} -> {after}: {left}."
    )
    return Finding(flow, after, "R2", message)
