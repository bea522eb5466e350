"""Compare flows with what they were: what was added, removed, changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from penstock._graph.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock._types import FlowInfo, StepInfo

__all__ = [
    "EdgeChange",
    "FieldChange",
    "FlowChange",
    "Status",
    "StepChange",
    "compare",
]

Status = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One thing that is said about a flow or step, and was said otherwise."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step that is new or gone, or about which something else is said."""

    name: str
    status: Status
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """An edge that is new or gone.

    Attributes:
        before: The predecessor, as a step of the flow would name it.
        after: The step.
        status: Whether the edge was added or removed.
    """

    before: str
    after: str
    status: Status


@dataclass(frozen=True, slots=True)
class FlowChange:
    """A flow that is new or gone, or in which something differs."""

    name: str
    status: Status
    fields: tuple[FieldChange, ...] = ()
    steps: tuple[StepChange, ...] = ()
    edges: tuple[EdgeChange, ...] = ()


def compare(
    old: Iterable[FlowInfo],
    new: Iterable[FlowInfo],
    *,
    old_known: Iterable[FlowInfo] = (),
    new_known: Iterable[FlowInfo] = (),
) -> tuple[FlowChange, ...]:
    """Return what differs between *old* and *new*, by the names of flows.

    Flows of one name are one, whichever services declare them. Where a function
    is, and everything else that no diagram shows, is not compared.

    Args:
        old: The flows as they were.
        new: The flows as they are.
        old_known: Whatever else there was, so that predecessors are found.
        new_known: Whatever else there is.
    """
    before = _summaries(old, old_known)
    after = _summaries(new, new_known)
    changes = (
        _flow_change(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
    )
    return tuple(change for change in changes if change is not None)


@dataclass(slots=True)
class _Summary:
    """What is compared of one flow: words by field, for it and for each step.

    Attributes:
        fields: What is said of the flow.
        steps: What is said of each step.
        edges: Each predecessor and step.
        joined: The steps that need several predecessors together.
    """

    fields: dict[str, str]
    steps: dict[str, dict[str, str]]
    edges: set[tuple[str, str]]
    joined: set[str]


def _summaries(
    flows: Iterable[FlowInfo], known: Iterable[FlowInfo]
) -> dict[str, _Summary]:
    flows = tuple(flows)
    names = Names((*flows, *known))
    by_name: dict[str, list[FlowInfo]] = {}
    for flow in flows:
        by_name.setdefault(flow.name, []).append(flow)
    return {name: _summary(same, names) for name, same in by_name.items()}


def _summary(same: list[FlowInfo], names: Names) -> _Summary:
    """Sum up the declarations of one flow by one or more services."""
    declared: dict[str, list[tuple[StepInfo, FlowInfo]]] = {}
    for flow in same:
        for step in flow.steps:
            declared.setdefault(step.name, []).append((step, flow))
    steps: dict[str, dict[str, str]] = {}
    edges: set[tuple[str, str]] = set()
    joined: set[str] = set()
    for name, ways in declared.items():
        groups = {
            frozenset(_label(before, flow, names) for before in group)
            for step, flow in ways
            for group in step.after
        }
        steps[name] = _step_fields([step for step, _ in ways], groups)
        edges |= {(before, name) for group in groups for before in group}
        joined |= {name for group in groups if len(group) > 1}
    first = same[0]
    fields = {
        "owner": first.owner,
        "description": first.description,
        "tags": ", ".join(sorted(first.tags)),
    }
    return _Summary(fields, steps, edges, joined)


def _step_fields(ways: list[StepInfo], groups: set[frozenset[str]]) -> dict[str, str]:
    return {
        "kind": "entrypoint" if any(s.is_entrypoint for s in ways) else "step",
        "after": " or ".join(sorted(" and ".join(sorted(g)) for g in groups)),
        "description": ways[0].description,
        "tags": ", ".join(sorted(ways[0].tags)),
        "crosses": "yes" if any(step.crosses for step in ways) else "no",
    }


def _label(name: str, flow: FlowInfo, names: Names) -> str:
    """Return one spelling for a predecessor, however its name was written."""
    target = names.find(name, flow)
    if target is None:
        return name
    if target.step is None:
        return f"{target.service}/{target.flow}:{target.name}"
    if target.flow == flow.name:
        return target.name
    return f"{target.flow}:{target.name}"


_NOTHING = _Summary({}, {}, set(), set())


def _flow_change(
    name: str, old: _Summary | None, new: _Summary | None
) -> FlowChange | None:
    was, now = old or _NOTHING, new or _NOTHING
    edges = _edge_changes(was.edges, now.edges)
    steps = tuple(
        change
        for step in sorted({*was.steps, *now.steps})
        if (change := _step_change(step, was, now))
    )
    fields = _field_changes(was.fields, now.fields) if old and new else ()
    if old and new and not (edges or steps or fields):
        return None
    return FlowChange(name, _status(old, new), fields, steps, edges)


def _edge_changes(
    old: set[tuple[str, str]], new: set[tuple[str, str]]
) -> tuple[EdgeChange, ...]:
    return tuple(
        EdgeChange(*edge, "added" if edge in new else "removed")
        for edge in sorted(old ^ new)
    )


def _step_change(name: str, was: _Summary, now: _Summary) -> StepChange | None:
    old, new = was.steps.get(name), now.steps.get(name)
    if old is None or new is None:
        return StepChange(name, _status(old, new))
    fields = _field_changes(old, new)
    if name not in was.joined | now.joined:
        # Then the edges say it all.
        fields = tuple(change for change in fields if change.field != "after")
    return StepChange(name, "changed", fields) if fields else None


def _field_changes(
    old: Mapping[str, str], new: Mapping[str, str]
) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(field, old[field], new[field])
        for field in old
        if old[field] != new[field]
    )


def _status(old: object, new: object) -> Status:
    if old is None:
        return "added"
    return "removed" if new is None else "changed"
