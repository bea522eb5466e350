"""What a finding says: the step, what it is declared to come after, and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock.errors import did_you_mean

from .counters import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Called", "broken_edge", "broken_step", "no_such_step"]


class Called(NamedTuple):
    """The step that a finding is about."""

    flow: str
    name: str
    place: str
    after: Sequence[Sequence[str]]

    @property
    def label(self) -> str:
        """The flow and the step, as people write them."""
        return f"{self.flow}/{self.name}"


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
    suggested = _listed(name for name in dict.fromkeys([*others, caller]) if name)
    by = f", called by {caller!r}" if caller else ""
    fix = "call what is missing first, and wait for it"
    if caller not in others and caller:
        fix += f", or declare after=[{suggested}]"
    elif code == "R3":
        fix += f", or declare that one is enough: after=[{suggested}]"
    message = (
        f"{step.label} ({step.place}) ran{by}, when {names} {verb} ended. Fix: {fix}."
    )
    return Finding(step.flow, step.name, code, message, caller)


def broken_edge(step: Called, before: str, others: list[str]) -> Finding:
    """Return the finding about an edge, of two steps that both ran.

    Args:
        step: The step that names the other.
        before: The predecessor.
        others: What it would come after without this edge.
    """
    after = step.name
    fix = f"take away the edge {before} -> {after}: after=[{_listed(others)}]"
    if not others:
        fix = f"name what does come before {after!r} in its after="
    message = (
        f"{step.label} ({step.place}) is declared after {before!r}; both ran, and "
        f"{before!r} had never ended when {after!r} began. "
        f"Fix: run {before!r} first, or {fix}."
    )
    return Finding(step.flow, after, "R2", message)


def no_such_step(
    step: Called, code: str, name: str, known: Iterable[str], caller: str
) -> Finding:
    """Return the finding about a call, before which nothing can ever be.

    Args:
        step: The step that was called.
        code: ``R1`` or ``R3``.
        name: What its ``after`` names.
        known: The steps of its flow.
        caller: The step that called it, ``""`` where none did.
    """
    message = (
        f"{step.label} ({step.place}) ran, and is declared after {name!r}, but no such "
        f"step is declared.{did_you_mean(name, known)} Fix: name one that is."
    )
    return Finding(step.flow, step.name, code, message, caller)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
