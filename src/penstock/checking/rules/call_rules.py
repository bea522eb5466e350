"""Compare what may run before each call with what is declared: PEN101 to PEN301."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from penstock.checking.findings import CODES, Finding, Place
from penstock.checking.interpreter.effects import ANYTHING

from .declarations import written
from .run_paths import FlowPaths, Visit

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from penstock.checking.interpreter.interpreter import Interpreter
    from penstock.checking.interpreter.name_references import Mentions
    from penstock.checking.project.functions_and_classes import Function
    from penstock.checking.project.steps import Steps

    from .declarations import Declarations, Declared

_Edge = tuple[str, str, str]
_Key = tuple[str, str]  # flow and step


@dataclass
class CallVerdicts:
    """What all runs together show.

    Attributes:
        wrong: Calls before which no predecessor can have run.
        sent: Steps with a call before which a predecessor is sent, but may not have
            ended.
        unsure: Steps with a call that some path may reach too early.
        unknown: Steps with a call that cannot be judged.
        exercised: Edges that some path takes.
        reached: Steps that some entrypoint of their flow leads to.
    """

    wrong: dict[tuple[str, str, str, int], Visit] = field(default_factory=dict)
    sent: dict[_Key, Visit] = field(default_factory=dict)
    unsure: dict[_Key, Visit] = field(default_factory=dict)
    unknown: dict[_Key, Visit] = field(default_factory=dict)
    exercised: set[_Edge] = field(default_factory=set)
    reached: set[_Key] = field(default_factory=set)

    @property
    def undecided(self) -> set[_Key]:
        """Steps with a call that may be right or wrong."""
        return {*self.sent, *self.unsure, *self.unknown}


def follow_runs(
    interpreter: Interpreter, steps: Steps, declarations: Declarations
) -> CallVerdicts:
    """Follow a run from each entrypoint; return what all of them show.

    So is the part of a run that another service's message starts. What has run before
    it is not known, so nothing in it is wrong.
    """
    verdicts = CallVerdicts()
    flows: dict[str, FlowPaths] = {}
    for declared in declarations:
        starts = declared.step.is_entrypoint or declared.is_after_others
        if starts and declared.function is not None:
            flow = declared.flow.name
            if flow not in flows:
                flows[flow] = FlowPaths(interpreter, steps, declarations, flow)
            for visit in flows[flow].follow(declared):
                is_own = _judge(visit, flow, verdicts)
                if is_own and declared.step.is_entrypoint:
                    verdicts.reached.add(visit.declared.key)
    return verdicts


def judge_calls(
    verdicts: CallVerdicts, declarations: Declarations, mentions: Mentions
) -> Iterator[Finding]:
    """Yield a finding for each difference between the code and the declared order."""
    mentioned = mentions.steps
    _doubt(verdicts, declarations, mentioned)
    yield from _wrong(verdicts, declarations)
    yield from _uncalled(declarations, mentioned)
    yield from _unexercised(declarations, mentions, verdicts)
    yield from _unsure(verdicts)


def _judge(visit: Visit, flow: str, verdicts: CallVerdicts) -> bool:
    """Judge one call of a step; return whether it belongs to the flow."""
    declared, context = visit.declared, visit.context
    key = (declared.flow.name, declared.step.name)
    for member in declared.members:
        if member.bit & (context.may | visit.sent):
            verdicts.exercised.add((*key, member.name))
    if declared.flow.name != flow or declared.step.is_entrypoint:
        return False
    may = _any_group(declared, context.may)
    if not declared.groups or _any_group(declared, context.must):
        return True
    if may:
        verdicts.unsure.setdefault(key, visit)
    elif any(member.target is None for member in declared.members):
        return True  # PEN001 reports it
    elif _any_group(declared, context.may | visit.sent):
        verdicts.sent.setdefault(key, visit)
    elif may is None or _is_open(visit):
        verdicts.unknown.setdefault(key, visit)
    else:
        at = (*key, visit.site.path, visit.site.line)
        old = verdicts.wrong.get(at)
        if old is None or len(visit.way) < len(old.way):
            verdicts.wrong[at] = visit
    return True


def _any_group(declared: Declared, mask: int) -> bool | None:
    """Return whether one group of ``after`` is in *mask*; None if it is not known."""
    found: bool | None = False
    for group in declared.groups:
        missing = [member for member in group if not member.bit & mask]
        if not missing:
            return True
        if not any(member.is_local and member.bit for member in missing):
            found = None
    return found


def _is_open(visit: Visit) -> bool:
    """Return whether a step that the check cannot see may have run first."""
    return (
        visit.site.kind == "possible"
        or bool(visit.context.may & ANYTHING)
        or _any_group(
            visit.declared,
            visit.context.may | visit.sent | visit.siblings | _operators(visit),
        )
        is not False
    )


def _operators(visit: Visit) -> int:
    """Return the predecessors that Python itself calls, such as ``__lt__``."""
    mask = 0
    for member in visit.declared.members:
        if member.target is not None and member.target.step is not None:
            name = member.target.step.qualname.rpartition(".")[2]
            mask |= member.bit if name.startswith("__") and name.endswith("__") else 0
    return mask


def _doubt(
    verdicts: CallVerdicts, declarations: Declarations, mentioned: Container[Function]
) -> None:
    """Report nothing as wrong if calls that the check cannot see may make it right."""
    for at, visit in list(verdicts.wrong.items()):
        for member in visit.declared.members:
            before = member.target.step if member.target else None
            if before is None or not member.bit or before.is_entrypoint:
                continue
            is_reached = (visit.declared.flow.name, before.name) in verdicts.reached
            if not is_reached and declarations.functions[member.bit] in mentioned:
                verdicts.unknown.setdefault(visit.declared.key, visit)
                del verdicts.wrong[at]
                break


def _wrong(verdicts: CallVerdicts, declarations: Declarations) -> Iterator[Finding]:
    for visit in verdicts.wrong.values():
        step = visit.declared.step
        missing = _missing_of_join(visit)
        has = "has" if len(missing) == 1 else "have"
        if missing:
            what = f"called before {' and '.join(map(repr, missing))} {has} run"
            yield _at_call("PEN101", what, visit)
        else:
            what = CODES["PEN101"].meaning
            fix = written([*step.after, (_caller(visit, declarations),)])
            yield _at_call("PEN101", what, visit, suggestion=fix)


def _caller(visit: Visit, declarations: Declarations) -> str:
    """Return the nearest caller of the same flow, under a name that all flows know."""
    flow, find = visit.declared.flow, declarations.names.find
    own = (name for name in visit.way[-2::-1] if declarations.of(flow.name, name))
    name = next(own)
    flows = [one.flow for one in declarations.sharing(visit.declared)]
    is_same = len({find(name, other) for other in flows}) == 1
    return name if is_same else f"{flow.name}:{name}"


def _missing_of_join(visit: Visit) -> list[str]:
    """Return what the most complete ``all_of`` lacks, ``[]`` if there is none."""
    may = visit.context.may
    joins = [group for group in visit.declared.groups if len(group) > 1]
    lacking = [[one.name for one in group if not one.bit & may] for group in joins]
    return min(lacking, key=len, default=[])


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
    declarations: Declarations, mentions: Mentions, verdicts: CallVerdicts
) -> Iterator[Finding]:
    mentioned = mentions.steps
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
                continue  # PEN201 reports it
            is_certain = (
                member.is_local
                and key in verdicts.reached
                and key not in verdicts.unknown
                and not one.step.crosses
                and (called or function not in mentioned)
                and mentions.unseen.isdisjoint({one.function, function})
            )
            is_silent = function not in mentioned and not called
            if is_certain:
                found = _edge(
                    one, member.name, "PEN202", "no code path runs {} before it"
                )
                yield replace(found, suggestion=_without(one, member.name))
            elif key not in verdicts.undecided and not is_silent:
                what = "the code does not show how {} leads to it"
                yield _edge(one, member.name, "PEN301", what)


def _without(one: Declared, name: str) -> str:
    """Return ``after`` as code without *name*, ``""`` if that would change a join."""
    left = [group for group in one.step.after if group != (name,)]
    return "" if any(name in group for group in left) else written(left)


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


def _unsure(verdicts: CallVerdicts) -> Iterator[Finding]:
    reported = {(flow, step) for flow, step, _, _ in verdicts.wrong}
    kinds = {
        "some path may skip {}": verdicts.unsure,
        "{} has been sent, but may not have ended: use a chain to keep the order": (
            verdicts.sent
        ),
        "the code does not show whether {} has run here": verdicts.unknown,
    }
    for what, visits in kinds.items():
        for key, visit in visits.items():
            if key not in reported:
                reported.add(key)
                members = visit.declared.members
                sent = [one.name for one in members if one.bit & visit.sent]
                names = sent if visits is verdicts.sent else [m.name for m in members]
                said = what.format(" or ".join(map(repr, names)))
                yield _at_call("PEN301", said, visit)


def _at_call(code: str, what: str, visit: Visit, *, suggestion: str = "") -> Finding:
    step = visit.declared.step
    return Finding(
        code,
        what,
        Place(visit.site.path, visit.site.line),
        visit.declared.flow.name,
        step.name,
        declared=written(step.after),
        declared_at=visit.declared.place,
        found=" → ".join(visit.way),
        suggestion=suggestion,
        edge=(visit.way[-2], step.name),
        befores=step.predecessors,
    )
