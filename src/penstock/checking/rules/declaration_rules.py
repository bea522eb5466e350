"""Findings about declarations alone: PEN001 to PEN004."""

from __future__ import annotations

import sys
from inspect import isfunction
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._project.flow_modules import declaring_modules
from penstock._steps.marked import find_marked
from penstock._steps.source import place_of
from penstock.checking.findings import Finding, Place
from penstock.errors import closest

from .declarations import written

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from penstock._graph.names import Target
    from penstock._project.source_files import Module
    from penstock._types import FlowInfo, StepInfo

    from .declarations import Declarations, Declared, Member

_MOST = 8  # names in a message


def judge_declarations(
    declarations: Declarations, known: Iterable[FlowInfo]
) -> Iterator[Finding]:
    """Yield findings about the names in ``after``, and about unreachable steps.

    *known* are all flows, including those of other services.
    """
    known = tuple(known)
    for declared in declarations:
        for member in declared.members:
            if member.target is None:
                near = _nearest(member.name, declared, declarations)
                message = f"{member.name!r} names nothing: there is no such step."
                message += (
                    _hint(near)
                    or _unbound(member.name, declared.flow)
                    or _unmarked(member.name, declared)
                )
                yield _about("PEN001", message, declared, member, near)
            elif member.target.step is None:
                yield from _elsewhere(declared, member, member.target, known)
    yield from _unreachable(declarations)


def _unmarked(name: str, declared: Declared) -> str:
    """Return that a function has the name but no marker, ``""`` if none has it."""
    module = sys.modules.get(declared.step.module)
    if not isfunction(getattr(module, name, None)):
        return ""
    return f" The function {name} of {declared.step.module} has no marker of this flow."


def unreached(
    modules: Iterable[Module], imported: Collection[str]
) -> Iterator[Finding]:
    """Yield a finding for each module that declares steps and is not *imported*."""
    for module, line in declaring_modules(modules):
        if module.path not in imported:
            is_module = all(map(str.isidentifier, module.name.split(".")))
            why = "nothing imports it" if is_module else "its name cannot be imported"
            yield Finding(
                "PEN004",
                f"{module.name} declares steps, but {why}, so diagrams and checks do "
                "not include them",
                Place(module.path, line),
                suggestion=f'import = [..., "{module.name}"]' if is_module else "",
                edge=(module.name,),
            )


def _nearest(name: str, declared: Declared, declarations: Declarations) -> str:
    """Return what *name* probably means and *declared* can come after, or ``""``.

    A step of that name in another flow, else the most similar name.
    """
    find = declarations.names.find
    flows = [one.flow for one in declarations.sharing(declared)]
    needing = _needing(declared, declarations)
    fitting = [
        known
        for known in declarations.names.known(declared.flow)
        for targets in [[find(known, flow) for flow in flows]]
        if all(t and (t.flow, t.name) not in needing for t in targets)
    ]
    same = (known for known in fitting if known.endswith(f":{name}"))
    return next(same, closest(name, fitting))


def _unbound(name: str, flow: FlowInfo) -> str:
    """Return advice if a function of that name is marked, and no flow has taken it."""
    for module in tuple(sys.modules.values()):
        marked = find_marked(getattr(module, "__dict__", {}).get(name))
        if marked is not None and marked.is_pending and not marked.steps:
            place = place_of(marked.func)
            return (
                f" The marker of {name} ({place}) belongs to no flow: put "
                f"@flow({flow.name!r}) above it."
            )
    return ""


def _about(
    code: str, message: str, declared: Declared, member: Member, meant: str
) -> Finding:
    """Return a finding about one name in an ``after``, and the name that is meant."""
    step = declared.step
    groups = [[meant if n == member.name else n for n in g] for g in step.after]
    return Finding(
        code,
        message,
        declared.place,
        *declared.key,
        declared=written(step.after),
        declared_at=declared.place,
        suggestion=written(groups) if meant else "",
        edge=(member.name, step.name),
        befores=(member.name,),
    )


def _elsewhere(
    declared: Declared, member: Member, target: Target, known: Iterable[FlowInfo]
) -> Iterator[Finding]:
    """Yield PEN003, if the other service is known and lacks the step."""
    flows = [flow for flow in known if flow.service == target.service]
    if flows:
        lack, meant = _lacking(target, flows)
        own = _service(declared.flow.service, [declared.flow])
        message = f"{own} comes after {member.name!r}, but {lack}"
        yield _about("PEN003", message, declared, member, meant)


def _lacking(target: Target, known: Sequence[FlowInfo]) -> tuple[str, str]:
    """Return what is missing in the flows *known* of a service, and the name meant."""
    flows = [flow for flow in known if flow.name == target.flow]
    service = _service(target.service, [*flows, *known])
    if not flows:
        names = sorted({flow.name for flow in known})
        near = closest(target.flow, names)
        lack = f"{service} has no flow {target.flow!r}."
        flow_name, step_name = near, target.name
    else:
        steps = sorted(
            (step for flow in flows for step in flow.steps),
            key=lambda step: (step.path, step.line),
        )
        names = [step.name for step in steps]
        near = closest(target.name, names)
        lack = f"{service} has no step {target.name!r} in its flow {target.flow!r}"
        lack += f"{_begin(steps)}."
        flow_name, step_name = target.flow, near
    exists = any(
        (flow.name, step.name) == (flow_name, step_name)
        for flow in known
        for step in flow.steps
    )
    return (
        lack + (_hint(near) or f" It has {_listed(names)}."),
        f"{target.service}/{flow_name}:{step_name}" if exists else "",
    )


def _begin(steps: Sequence[StepInfo]) -> str:
    """Return the place of a flow's first step, as in its manifest."""
    first = steps[0] if steps else None
    if first is None or not first.path or Path(first.path).is_absolute():
        return ""
    return f" ({first.path}:{first.line})"


def _service(name: str, flows: Iterable[FlowInfo]) -> str:
    owner = next((flow.owner for flow in flows if flow.owner), "")
    return (f"service {name!r}" if name else "this service") + (
        f" (owner {owner})" if owner else ""
    )


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    shown = ", ".join(map(repr, names[:_MOST])) or "none"
    return f"{shown} and {more} more" if more > 0 else shown


def _hint(near: str) -> str:
    return f" Did you mean {near!r}?" if near else ""


def _unreachable(declarations: Declarations) -> Iterator[Finding]:
    reached = _reached(declarations)
    for declared in declarations:
        step = declared.step
        if declared.key in reached:
            continue
        cycle = _cycle(declared, declarations)
        why = "no path from an entrypoint leads here"
        if cycle:
            why += f"; it only follows itself: {' → '.join(cycle)}"
        elif not step.after:
            why += "; it has no after="
        yield Finding(
            "PEN002",
            f"{why}.",
            declared.place,
            *declared.key,
            declared=written(step.after) if step.after else "",
            declared_at=declared.place if step.after else None,
            edge=(step.name,),
        )


def _needing(declared: Declared, declarations: Declarations) -> set[tuple[str, str]]:
    """Return *declared*, and the steps that are only reached through it."""
    if declared.step.is_entrypoint:
        return {declared.key}
    with_it, without = _reached(declarations), _reached(declarations, leave=declared)
    return {declared.key, *(with_it - without)}


def _reached(
    declarations: Declarations, leave: Declared | None = None
) -> set[tuple[str, str]]:
    """Return the steps that a path leads to; an unknown predecessor counts as one.

    No path goes through *leave*.
    """
    reached = {one.key for one in declarations if one.step.is_entrypoint}
    has_grown = True
    while has_grown:
        has_grown = False
        for one in declarations:
            if (
                one is not leave
                and one.key not in reached
                and any(
                    all(_is_reached(m, reached, declarations) for m in group)
                    for group in one.groups
                )
            ):
                reached.add(one.key)
                has_grown = True
    return reached


def _is_reached(
    member: Member, reached: set[tuple[str, str]], declarations: Declarations
) -> bool:
    target = member.target
    if target is None or declarations.of(target.flow, target.name) is None:
        return True
    return (target.flow, target.name) in reached


def _cycle(start: Declared, declarations: Declarations) -> list[str]:
    """Return the steps of a cycle through *start*, ``[]`` if there is none."""
    ways = [[start]]
    seen = {start.step.name}
    while ways:
        way = ways.pop(0)
        for member in way[-1].members:
            target = member.target
            if target is None or not member.is_local:
                continue
            if target.name == start.step.name:
                names = [one.step.name for one in reversed(way)]
                return [start.step.name, *names] if len(way) > 1 else names * 2
            other = declarations.of(target.flow, target.name)
            if other is not None and target.name not in seen:
                seen.add(target.name)
                ways.append([*way, other])
    return []
