"""Merge several declarations of the same flows, independent of their order."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from penstock._types import StepInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    found: dict[tuple[str, str], list[FlowInfo]] = {}
    for flow in flows:
        found.setdefault((flow.name, flow.service), []).append(flow)
    return tuple(merge(_unique(found[key])) for key in sorted(found))


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


def _unique(flows: list[FlowInfo]) -> list[FlowInfo]:
    # Hashing a flow hashes all its steps: not for the many that occur once.
    return flows if len(flows) == 1 else list(dict.fromkeys(flows))


def _fill_in(flows: Sequence[FlowInfo]) -> FlowInfo:
    steps = {step.name: step for flow in reversed(flows) for step in flow.steps}
    if len(flows) == 1 and len(steps) == len(flows[0].steps):
        return flows[0]
    return replace(flows[0], steps=tuple(steps.values()))


def _merge(flows: Sequence[FlowInfo]) -> FlowInfo:
    if len(flows) == 1:
        return flows[0]
    steps: dict[str, list[StepInfo]] = {}
    for flow in flows:
        for step in flow.steps:
            steps.setdefault(step.name, []).append(step)
    return replace(
        flows[0],
        steps=tuple(_merge_steps(steps[name]) for name in sorted(steps)),
        owner=_least(flow.owner for flow in flows),
        description=_least(flow.description for flow in flows),
        tags=min(filter(None, (flow.tags for flow in flows)), default=()),
        source_url=_least(flow.source_url for flow in flows),
    )


def _merge_steps(steps: Sequence[StepInfo]) -> StepInfo:
    """Return the union of what decides the order; the rest comes from one of them."""
    after = steps[0].after
    if any(step.after != after for step in steps):
        groups = {group for step in steps for group in _sorted(step.after)}
        after = tuple(sorted(groups))
    return replace(
        min(steps, key=_rest),
        after=after,
        is_entrypoint=any(step.is_entrypoint for step in steps),
        crosses=any(step.crosses for step in steps),
    )


def _least(texts: Iterable[str]) -> str:
    return min(filter(None, texts), default="")


def _sorted(after: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted({tuple(sorted(set(group))) for group in after}))


def _place_in_flow(step: StepInfo) -> str:
    groups = (" and ".join(map(repr, group)) for group in _sorted(step.after))
    words = ["an entrypoint"] if step.is_entrypoint else []
    words += [f"after {' or '.join(groups)}"] if step.after else []
    words += ["called by a message"] if step.crosses else []
    return ", ".join(words) or "after nothing"
