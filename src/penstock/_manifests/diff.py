"""Compare flows with an earlier version: what was added, removed and changed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from penstock._graph.names import Names
from penstock._types import StepInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock._types import FlowInfo

ChangeStatus = Literal["added", "removed", "changed"]

# Not shown in any diagram, or compared in another way.
_SKIPPED = frozenset((
    "name", "flow", "is_entrypoint", "after", "doc", "module", "qualname", "path",
    "line", "is_async", "signature", "is_generator",
))  # fmt: skip
_COMPARED = [each.name for each in fields(StepInfo) if each.name not in _SKIPPED]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a flow or step whose value differs."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step that was added or removed, or whose fields differ."""

    name: str
    status: ChangeStatus
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """An edge that was added or removed.

    Attributes:
        before: The predecessor, as the flow names it.
        after: The step.
        status: Whether the edge was added or removed.
    """

    before: str
    after: str
    status: ChangeStatus


@dataclass(frozen=True, slots=True)
class FlowChange:
    """A flow that was added or removed, or in which something differs."""

    name: str
    status: ChangeStatus
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
    """Return what differs between *old* and *new*, sorted by the names of flows.

    Flows of the same name are compared as one, whichever services declare them. The
    location of functions, and anything else that no diagram shows, is ignored. Other
    known flows may contain predecessors.
    """
    before = _summaries(old, old_known)
    after = _summaries(new, new_known)
    changes = (
        _flow_change(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
    )
    return tuple(change for change in changes if change is not None)


@dataclass(slots=True)
class _FlowSummary:
    """The part of one flow that is compared, as text by field.

    Attributes:
        fields: The fields of the flow.
        steps: The fields of each step.
        edges: Each predecessor with its step.
        joined: The steps with an ``all_of``.
    """

    fields: dict[str, str]
    steps: dict[str, dict[str, str]]
    edges: set[tuple[str, str]]
    joined: set[str]


def _summaries(
    flows: Iterable[FlowInfo], known: Iterable[FlowInfo]
) -> dict[str, _FlowSummary]:
    flows = tuple(flows)
    names = Names((*flows, *known))
    by_name: dict[str, list[FlowInfo]] = {}
    for flow in flows:
        by_name.setdefault(flow.name, []).append(flow)
    return {name: _summary(same, names) for name, same in by_name.items()}


def _summary(same: list[FlowInfo], names: Names) -> _FlowSummary:
    """Summarize the declarations of one flow by one or more services."""
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
    own = {
        "owner": first.owner,
        "description": first.description,
        "tags": ", ".join(sorted(first.tags)),
    }
    return _FlowSummary(own, steps, edges, joined)


def _step_fields(ways: list[StepInfo], groups: set[frozenset[str]]) -> dict[str, str]:
    is_entrypoint = any(step.is_entrypoint for step in ways)
    return {
        "kind": "entrypoint" if is_entrypoint else "step",
        "after": " or ".join(sorted(" and ".join(sorted(group)) for group in groups)),
        **{name: _text([getattr(step, name) for step in ways]) for name in _COMPARED},
    }


def _text(values: list[Any]) -> str:
    """Return the first service's value; a flag is set if any service sets it."""
    first = values[0]
    if isinstance(first, bool):
        return "yes" if any(values) else "no"
    return ", ".join(sorted(first)) if isinstance(first, tuple) else str(first)


def _label(name: str, flow: FlowInfo, names: Names) -> str:
    """Return the same spelling for a predecessor, however a step names it."""
    target = names.find(name, flow)
    if target is None:
        return name
    if target.step is None:
        return f"{target.service}/{target.flow}:{target.name}"
    if target.flow == flow.name:
        return target.name
    return f"{target.flow}:{target.name}"


_NOTHING = _FlowSummary({}, {}, set(), set())


def _flow_change(
    name: str, old: _FlowSummary | None, new: _FlowSummary | None
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


def _step_change(name: str, was: _FlowSummary, now: _FlowSummary) -> StepChange | None:
    old, new = was.steps.get(name), now.steps.get(name)
    if old is None or new is None:
        return StepChange(name, _status(old, new))
    fields = _field_changes(old, new)
    if name not in was.joined | now.joined:
        # Without a join the edges show the same change.
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


def _status(old: object, new: object) -> ChangeStatus:
    if old is None:
        return "added"
    return "removed" if new is None else "changed"
