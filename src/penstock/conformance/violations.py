"""Violations of the order; messages name the step, its predecessors and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock._registry import registry
from penstock._steps.marked import find_marked
from penstock.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._steps.step import Step

    from .plan import Edge, FlowPlan, Key, StepRule
    from .rules import Plan, Rule


class Violation(NamedTuple):
    """One way in which runs of a flow broke what it declares.

    Attributes:
        flow: The flow.
        step: The step that was called.
        code: ``R1``, ``R2`` or ``R3``.
        message: What happened, and how to fix it.
        caller: The step that called it, as ``after`` would name it; ``""`` if none
            did, and for an edge.
    """

    flow: str
    step: str
    code: str
    message: str
    caller: str = ""


def call_violation(
    plan: FlowPlan,
    step_rule: StepRule,
    caller: Step | None,
    *,
    before: int,
    unsure: int,
    is_sent: bool,
) -> Violation | None:
    """Return how a call breaks its rule; None if caches may have answered.

    *before* are the steps before it, *unsure* the predecessors that may have run
    unseen.
    """
    rule, step = step_rule.rule, step_rule.step
    code = rule.broken(before, unsure | _cached(plan, rule.mask & ~before))
    if not code:
        return None
    by = _name_of(caller, step)
    called = f"{_described(step)} {'was sent' if is_sent else 'ran'}"
    missing = missing_before(plan, rule, before, code)
    unknown = [
        key for key in missing if key[0] == plan.flow and registry.find(*key) is None
    ]
    if unknown:
        name = step_rule.names[unknown[0]]
        others = [one.step.name for one in plan.every if one is not step_rule]
        near = did_you_mean(name, others)
        message = (
            f"{called}, and is declared after {name!r}, but no such step is declared."
            f"{near} Fix: name one that is."
        )
    else:
        names = [step_rule.names[key] for key in missing]
        message = called + _too_early(step, code, names, by)
    return Violation(step.flow, step.name, code, message, by)


def edge_violation(plan: FlowPlan, edge: Edge) -> Violation:
    """Return what is wrong with an edge that a run contradicts."""
    key, (_, after) = edge
    step_rule = plan.steps[after]
    before = step_rule.names[key]
    step = step_rule.step
    left = [group for group in step.after if group != (before,)]
    fix = ""
    if not left:
        fix = f", or name what does come before {after!r} in its after="
    elif not any(before in group for group in left):
        fix = f", or remove the edge {before} -> {after}: after={_written(left)}"
    message = (
        f"{_described(step)} is declared after {before!r}; both ran, and {before!r} "
        f"had never ended when {after!r} began. Fix: run {before!r} first{fix}."
    )
    return Violation(step.flow, step.name, "R2", message)


def _described(step: Step) -> str:
    return f"{step.label} ({step.place})"


def _too_early(step: Step, code: str, missing: list[str], caller: str) -> str:
    """Return how a call came before its predecessors *missing*, and the fix."""
    names, verb = " and ".join(map(repr, missing)), "had not"
    if code == "R1" and len(missing) > 1:
        names, verb = f"none of {', '.join(map(repr, missing))}", "had"
    known = {name for group in step.after for name in group}
    by = f", called by {caller!r}" if caller else ""
    fix = "call what is missing first, and wait for it"
    if code == "R1" and caller and caller not in known:
        fix += f", or declare after={_written([*step.after, (caller,)])}"
    return f"{by}, when {names} {verb} ended. Fix: {fix}."


def _cached(plan: FlowPlan, missing: int) -> int:
    """Return the steps among *missing* that a cache may have answered for."""
    found = 0
    for key in plan.names(missing):
        step_rule = plan.steps.get(key[1]) if key[0] == plan.flow else None
        if step_rule is not None and is_behind_cache(step_rule.step):
            found |= step_rule.rule.bit
    return found


def is_behind_cache(step: Step) -> bool:
    """Return whether a cache may answer in place of a step in later runs.

    It may if its module or class holds an object other than the marked function: a
    ``functools.cache`` or ``cached_property``, or any decorator, which may cache as
    well. Tasks and consumers are such objects, but never cache.
    """
    held: Any = step.origin.held
    mark = find_marked(held)
    if mark is None or mark.func is not step.func or step.crosses:
        return False
    inside = getattr(held, "__func__", getattr(held, "fget", held))
    return held is not mark.wrapper and inside is not mark.wrapper


def _name_of(caller: Step | None, step: Step) -> str:
    """Return how *step* names its *caller*."""
    if caller is None:
        return ""
    return caller.name if caller.flow == step.flow else f"{caller.flow}:{caller.name}"


def missing_before(plan: Plan, rule: Rule, before: int, code: str) -> list[Key]:
    """Return what must run first: for R3 what the most complete join lacks."""
    if code == "R1":
        return plan.names(rule.mask & ~before)
    lacks = [group & ~before for group in rule.groups]
    begun = [one for one, group in zip(lacks, rule.groups, strict=True) if one != group]
    return plan.names(min(begun, key=int.bit_count))


def _written(after: Iterable[tuple[str, ...]]) -> str:
    """Return ``after`` as it is written in code."""
    groups = [f"all_of({_listed(g)})" if g[1:] else repr(g[0]) for g in after]
    return f"[{', '.join(groups)}]"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
