"""Hold what may run before each call against what is declared: PEN101 to PEN301."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from penstock.checking.findings import Finding, Place
from penstock.checking.interpreter.effects import ANYTHING

from .declarations import written
from .run_paths import Visit, follow

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from penstock.checking.interpreter.interpreter import Interpreter
    from penstock.checking.project.definitions import Function
    from penstock.checking.project.steps import Steps

    from .declarations import Declarations, Declared

__all__ = ["Verdicts", "follow_runs", "judge_calls"]

_Edge = tuple[str, str, str]


@dataclass
class Verdicts:
    """What all runs together show.

    Attributes:
        wrong: Calls before which no predecessor can have run.
        unsure: Steps, with a call that some path may reach too early.
        unknown: Steps of which some call cannot be judged.
        exercised: Edges that some path takes.
        reached: Steps that some entrypoint of their flow leads to.
    """

    wrong: dict[tuple[str, str, str, int], Visit] = field(
        default_factory=dict[tuple[str, str, str, int], Visit]
    )
    unsure: dict[tuple[str, str], Visit] = field(
        default_factory=dict[tuple[str, str], Visit]
    )
    unknown: dict[tuple[str, str], Visit] = field(
        default_factory=dict[tuple[str, str], Visit]
    )
    exercised: set[_Edge] = field(default_factory=set[_Edge])
    reached: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])


def follow_runs(
    interpreter: Interpreter, steps: Steps, declarations: Declarations
) -> Verdicts:
    """Follow a run from each entrypoint; return what all of them show.

    Args:
        interpreter: Who tells what each step does.
        steps: Which functions are steps.
        declarations: What is declared.
    """
    verdicts = Verdicts()
    for declared in declarations:
        if declared.step.is_entrypoint and declared.function is not None:
            for visit in follow(interpreter, steps, declarations, declared):
                _judge(visit, declared.flow.name, verdicts)
    return verdicts


def judge_calls(
    verdicts: Verdicts, declarations: Declarations, mentioned: Container[Function]
) -> Iterator[Finding]:
    """Yield what the code does otherwise than declared.

    Args:
        verdicts: What runs show.
        declarations: What is declared.
        mentioned: Functions that something in the project refers to, if only by name.
    """
    yield from _wrong(verdicts)
    yield from _uncalled(declarations, mentioned)
    yield from _unexercised(declarations, mentioned, verdicts)
    yield from _unsure(verdicts)


def _judge(visit: Visit, flow: str, verdicts: Verdicts) -> None:
    declared, context = visit.declared, visit.context
    key = (declared.flow.name, declared.step.name)
    for member in declared.members:
        if member.bit & context.may:
            verdicts.exercised.add((*key, member.name))
    if declared.flow.name != flow or declared.step.is_entrypoint:
        return
    verdicts.reached.add(key)
    may = [_all_in(group, context.may) for group in declared.groups]
    must = [_all_in(group, context.must) for group in declared.groups]
    if True in must or not declared.groups:
        return
    if True in may:
        verdicts.unsure.setdefault(key, visit)
    elif any(member.target is None for member in declared.members):
        return  # that is said already
    elif None in may or _is_open(visit):
        verdicts.unknown.setdefault(key, visit)
    else:
        at = (*key, visit.site.path, visit.site.line)
        old = verdicts.wrong.get(at)
        if old is None or len(visit.way) < len(old.way):
            verdicts.wrong[at] = visit


def _all_in(group: tuple[object, ...], mask: int) -> bool | None:
    """Tell whether all of *group* are in *mask*; None where that cannot be known."""
    found: bool | None = True
    for member in group:
        bit: int = getattr(member, "bit", 0)
        is_local: bool = getattr(member, "is_local", False)
        if bit & mask:
            continue
        if is_local and bit:
            return False
        found = None
    return found


def _is_open(visit: Visit) -> bool:
    """Tell whether something unseen may come before: a message, or an odd call."""
    return (
        visit.declared.step.crosses
        or visit.site.kind == "possible"
        or bool(visit.context.may & ANYTHING)
    )


def _wrong(verdicts: Verdicts) -> Iterator[Finding]:
    for visit in verdicts.wrong.values():
        step = visit.declared.step
        caller = visit.way[-2]
        yield Finding(
            "PEN101",
            "no declared predecessor can have run here",
            Place(visit.site.path, visit.site.line),
            visit.declared.flow.name,
            step.name,
            declared=written(step.after),
            declared_at=visit.declared.place,
            found=" → ".join(visit.way),
            suggestion=written([*step.after, (caller,)]),
            edge=(caller, step.name),
            befores=step.predecessors,
        )


def _uncalled(
    declarations: Declarations, mentioned: Container[Function]
) -> Iterator[Finding]:
    for one in declarations:
        if one.function is None or one.step.is_entrypoint or one.step.crosses:
            continue
        if one.function not in mentioned:
            yield Finding(
                "PEN201",
                "nothing calls this step",
                Place(one.step.path, one.step.line),
                one.flow.name,
                one.step.name,
                edge=(one.step.name,),
                befores=one.step.predecessors,
            )


def _unexercised(
    declarations: Declarations, mentioned: Container[Function], verdicts: Verdicts
) -> Iterator[Finding]:
    wrong = {(flow, step) for flow, step, _, _ in verdicts.wrong}
    for one in declarations:
        key = (one.flow.name, one.step.name)
        if one.function is None or key in wrong:
            continue
        for member in one.members:
            if not member.bit or (*key, member.name) in verdicts.exercised:
                continue
            before = member.target.step if member.target else None
            called = before is not None and (
                before.is_entrypoint or (one.flow.name, before.name) in verdicts.reached
            )
            function = declarations.functions[member.bit]
            if one.function not in mentioned and not one.step.is_entrypoint:
                continue  # nothing calls it: that is said
            is_told = (
                member.is_local
                and key in verdicts.reached
                and key not in verdicts.unknown
                and not one.step.crosses
                and (called or function not in mentioned)
            )
            is_silent = function not in mentioned and not called
            if is_told:
                found = _edge(
                    one, member.name, "PEN202", "no code path runs {} before it"
                )
                yield replace(found, suggestion=_without(one, member.name))
            elif key not in {*verdicts.unknown, *verdicts.unsure} and not is_silent:
                what = "the code does not show how {} leads to it"
                yield _edge(one, member.name, "PEN301", what)


def _without(one: Declared, name: str) -> str:
    """Return how ``after`` reads without *name*, ``""`` if nothing is left of it."""
    groups = [[other for other in group if other != name] for group in one.step.after]
    left = [group for group in groups if group]
    return written(left) if left else ""


def _edge(one: Declared, name: str, code: str, what: str) -> Finding:
    return Finding(
        code,
        what.format(repr(name)),
        one.place,
        one.flow.name,
        one.step.name,
        declared=written(one.step.after),
        declared_at=one.place,
        edge=(name, one.step.name),
        befores=(name,),
    )


def _unsure(verdicts: Verdicts) -> Iterator[Finding]:
    told = {(flow, step) for flow, step, _, _ in verdicts.wrong}
    for key, visit in (*verdicts.unsure.items(), *verdicts.unknown.items()):
        if key in told:
            continue
        told.add(key)
        names = " or ".join(map(repr, visit.declared.step.predecessors))
        what = f"some path may skip {names}"
        if key not in verdicts.unsure:
            what = f"the code does not show whether {names} has run here"
        yield Finding(
            "PEN301",
            what,
            Place(visit.site.path, visit.site.line),
            *key,
            declared=written(visit.declared.step.after),
            declared_at=visit.declared.place,
            found=" → ".join(visit.way),
            edge=(visit.way[-2], visit.declared.step.name),
            befores=visit.declared.step.predecessors,
        )
