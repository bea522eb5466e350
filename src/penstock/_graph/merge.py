"""Merge several declarations of the same flows, independent of their order."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from penstock._types import StepInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._types import FlowInfo

_MERGED = ("is_entrypoint", "after", "crosses")
_rest = attrgetter(*(one.name for one in fields(StepInfo) if one.name not in _MERGED))


def merge_flows(
    flows: Iterable[FlowInfo], *, prefer_first: bool = False
) -> tuple[FlowInfo, ...]:
    """Return each flow of each service once, sorted by name and service.

    Args:
        flows: The declarations; the same one may occur several times.
        prefer_first: Whether the first declaration of a step counts alone. By default
            the order is irrelevant, and a step is declared after everything that any
            of its declarations names.
    """
    merge = _fill_in if prefer_first else _merge
    merged: dict[tuple[str, str], FlowInfo] = {}
    for flow in flows:
        key = flow.name, flow.service
        old = merged.setdefault(key, flow)
        if old is not flow and old != flow:
            merged[key] = merge(old, flow)
    return tuple(merged[key] for key in sorted(merged))


def disagreements(declared: Iterable[tuple[str, FlowInfo]]) -> Iterator[str]:
    """Yield a message for each step whose declarations differ between sources."""
    places: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for source, flow in declared:
        for step in flow.steps:
            place = _place_in_flow(step)
            found = places.setdefault((flow.name, step.name), [])
            found.append((place, f"{place} ({source})"))
    for (flow_name, name), found in sorted(places.items()):
        if any(one[0] != other[0] for one, other in pairwise(found)):
            yield (
                f"step {name!r} of flow {flow_name!r} is declared {len(found)} times, "
                f"with differences: {'; '.join(sorted(said for _, said in found))}. "
                "All of these are drawn."
            )


def _fill_in(first: FlowInfo, other: FlowInfo) -> FlowInfo:
    steps = {step.name: step for step in (*other.steps, *first.steps)}
    return replace(first, steps=tuple(steps.values()))


def _merge(one: FlowInfo, other: FlowInfo) -> FlowInfo:
    steps = {step.name: step for step in one.steps}
    for step in other.steps:
        steps[step.name] = _merge_steps(steps.get(step.name, step), step)
    return replace(
        one,
        steps=tuple(steps[name] for name in sorted(steps)),
        owner=_least(one.owner, other.owner),
        description=_least(one.description, other.description),
        tags=min(filter(None, (one.tags, other.tags)), default=()),
        source_url=_least(one.source_url, other.source_url),
    )


def _merge_steps(one: StepInfo, other: StepInfo) -> StepInfo:
    """Return the union of what decides the order; the rest comes from one of them."""
    if one == other:
        return one
    after = one.after
    if after != other.after:
        after = tuple(sorted({*_sorted(one.after), *_sorted(other.after)}))
    return replace(
        min(one, other, key=_rest),
        after=after,
        is_entrypoint=one.is_entrypoint or other.is_entrypoint,
        crosses=one.crosses or other.crosses,
    )


def _least(one: str, other: str) -> str:
    return min(filter(None, (one, other)), default="")


def _sorted(after: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted({tuple(sorted(set(group))) for group in after}))


def _place_in_flow(step: StepInfo) -> str:
    groups = (" and ".join(map(repr, group)) for group in _sorted(step.after))
    words = ["an entrypoint"] if step.is_entrypoint else []
    words += [f"after {' or '.join(groups)}"] if step.after else []
    words += ["called by a message"] if step.crosses else []
    return ", ".join(words) or "after nothing"
