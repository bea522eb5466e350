"""Violations of the order; messages name the step, its predecessors and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from penstock._registry import registry
from penstock.errors import did_you_mean

from .cached_step import is_behind_cache

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._steps.step import Step

    from .plan import Edge, FlowPlan, Key, StepRule
    from .rules import Rule


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


class CalledStep(NamedTuple):
    """The step that a violation is about, and how it was called.

    Attributes:
        step: The step.
        verb: ``ran``, or ``was sent`` if a message will run it.
        caller: The step that called it, ``""`` if none did.
    """

    step: Step
    verb: str = "ran"
    caller: str = ""

    def __str__(self) -> str:
        """Return the step, and where it is defined."""
        return f"{self.step.label} ({self.step.place})"

    @property
    def predecessors(self) -> list[str]:
        """The names in its ``after``, each once."""
        return list(dict.fromkeys(name for group in self.step.after for name in group))

    def violation(self, code: str, message: str) -> Violation:
        """Return what is wrong with it."""
        step = self.step
        return Violation(step.flow, step.name, code, message, self.caller)


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

    Args:
        plan: The plan of the run.
        step_rule: The step that is called.
        caller: The step that calls it.
        before: The steps that are before it.
        unsure: Predecessors that may have run unseen.
        is_sent: Whether a message makes the call.
    """
    rule, step = step_rule.rule, step_rule.step
    code = rule.broken(before, unsure | _cached(plan, rule.mask & ~before))
    if not code:
        return None
    verb = "was sent" if is_sent else "ran"
    called = CalledStep(step, verb, _name_of(caller, step))
    missing = _missing(plan, rule, before, code)
    unknown = [
        key for key in missing if key[0] == plan.flow and registry.find(*key) is None
    ]
    if unknown:
        known = [one.step.name for one in plan.every]
        return _no_such_step(called, code, step_rule.names[unknown[0]], known)
    return _broken(called, code, [step_rule.names[key] for key in missing])


def edge_violation(plan: FlowPlan, edge: Edge) -> Violation:
    """Return what is wrong with an edge that a run contradicts."""
    key, (_, after) = edge
    step_rule = plan.steps[after]
    before = step_rule.names[key]
    others = [name for name in step_rule.names.values() if name != before]
    fix = f"remove the edge {before} -> {after}: after=[{_listed(others)}]"
    if not others:
        fix = f"name what does come before {after!r} in its after="
    called = CalledStep(step_rule.step)
    message = (
        f"{called} is declared after {before!r}; both ran, and {before!r} had never "
        f"ended when {after!r} began. Fix: run {before!r} first, or {fix}."
    )
    return called.violation("R2", message)


def _broken(called: CalledStep, code: str, missing: list[str]) -> Violation:
    """Return the violation of a call that came before its predecessors *missing*."""
    names = " and ".join(map(repr, missing))
    verb = "had not"
    if code == "R1" and len(missing) > 1:
        names, verb = f"none of {', '.join(map(repr, missing))}", "had"
    known, caller = called.predecessors, called.caller
    by = f", called by {caller!r}" if caller else ""
    fix = "call what is missing first, and wait for it"
    if caller and caller not in known:
        fix += f", or declare after=[{_listed([*known, caller])}]"
    elif code == "R3":
        fix += f", or declare that one is enough: after=[{_listed(known)}]"
    message = f"{called} {called.verb}{by}, when {names} {verb} ended. Fix: {fix}."
    return called.violation(code, message)


def _no_such_step(
    called: CalledStep, code: str, name: str, known: Iterable[str]
) -> Violation:
    """Return the violation of a call that is declared after an unknown step."""
    message = (
        f"{called} {called.verb}, and is declared after {name!r}, but no such step is "
        f"declared.{did_you_mean(name, known)} Fix: name one that is."
    )
    return called.violation(code, message)


def _cached(plan: FlowPlan, missing: int) -> int:
    """Return the steps among *missing* that a cache may have answered for."""
    found = 0
    for key in plan.keys(missing):
        step_rule = plan.steps.get(key[1]) if key[0] == plan.flow else None
        if step_rule is not None and is_behind_cache(step_rule.step):
            found |= step_rule.rule.bit
    return found


def _name_of(caller: Step | None, step: Step) -> str:
    """Return how *step* names its *caller*."""
    if caller is None:
        return ""
    return caller.name if caller.flow == step.flow else f"{caller.flow}:{caller.name}"


def _missing(plan: FlowPlan, rule: Rule, before: int, code: str) -> list[Key]:
    """Return what must run first: for R3 what the most complete join lacks."""
    if code == "R1":
        return plan.keys(rule.mask & ~before)
    lacks = [group & ~before for group in rule.groups]
    begun = [one for one, group in zip(lacks, rule.groups, strict=True) if one != group]
    return plan.keys(min(begun, key=int.bit_count))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
