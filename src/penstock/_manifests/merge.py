"""Make one system of what several manifests declare, in whatever order they come."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._types import FlowInfo, StepInfo

__all__ = ["disagreements", "unite"]

_After = tuple[tuple[str, ...], ...]


def unite(flows: Iterable[FlowInfo]) -> tuple[FlowInfo, ...]:
    """Return each flow of each service once, sorted by name and service.

    Neither order nor repetition plays a part: where two accounts of a step differ,
    it comes after what either says.
    """
    united: dict[tuple[str, str], FlowInfo] = {}
    for flow in flows:
        key = flow.name, flow.service
        united[key] = _both(united.get(key, flow), flow)
    return tuple(united[key] for key in sorted(united))


def disagreements(declared: Iterable[tuple[str, FlowInfo]]) -> Iterator[str]:
    """Tell of each step that is declared several times and not alike.

    Args:
        declared: Flows, and where each comes from.
    """
    accounts: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for source, flow in declared:
        for step in flow.steps:
            account = f"{_said(step)} ({source})", _said(step)
            accounts.setdefault((flow.name, step.name), []).append(account)
    for (flow_name, name), told in sorted(accounts.items()):
        if any(one[1] != other[1] for one, other in pairwise(told)):
            yield (
                f"step {name!r} of flow {flow_name!r} is declared {len(told)} times "
                f"and not alike: {'; '.join(sorted(words for words, _ in told))}. "
                "What either says is taken."
            )


def _both(one: FlowInfo, other: FlowInfo) -> FlowInfo:
    if one == other:
        return one
    steps = {step.name: step for step in one.steps}
    for step in other.steps:
        steps[step.name] = _either(steps.get(step.name, step), step)
    return replace(
        one,
        steps=tuple(steps[name] for name in sorted(steps)),
        owner=_first(one.owner, other.owner),
        description=_first(one.description, other.description),
        tags=min(filter(None, (one.tags, other.tags)), default=()),
    )


def _either(one: StepInfo, other: StepInfo) -> StepInfo:
    """Return what holds by either account; the rest comes from one of them."""
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


def _rest(step: StepInfo) -> tuple[object, ...]:
    place = step.module, step.qualname, step.path, step.line
    return step.description, step.doc, step.tags, place, step.is_async


def _first(one: str, other: str) -> str:
    return min(filter(None, (one, other)), default="")


def _sorted(after: _After) -> _After:
    return tuple(sorted({tuple(sorted(set(group))) for group in after}))


def _said(step: StepInfo) -> str:
    """Say in words what a step declares about its place in the flow."""
    groups = (" and ".join(map(repr, group)) for group in _sorted(step.after))
    words = ["an entrypoint"] if step.is_entrypoint else []
    words += [f"after {' or '.join(groups)}"] if step.after else []
    words += ["by a message"] if step.crosses else []
    return ", ".join(words) or "after nothing"
