"""What is wrong with a call, or with an edge, where that is known at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._registry import registry

from .messages import Called, broken_edge, broken_step, no_such_step

if TYPE_CHECKING:
    from penstock._steps.step import Step

    from .call_place import Place
    from .counters import Finding
    from .plan import Edge, Key, Ruled
    from .rules import Rule
    from .run_track import RunTrack

__all__ = ["call_finding", "edge_finding"]


def call_finding(
    place: Place, ruled: Ruled, unsure: int, caller: Step | None
) -> Finding | None:
    """Return what is wrong with a call, or None."""
    rule, step = ruled.rule, ruled.step
    before = place.track.done | place.above
    code = rule.broken(before, unsure)
    if not code:
        return None
    missing = _missing(place.track, rule, before, code)
    called, by = _called(step), _named(caller, step)
    home = place.track.home
    lost = [key for key in missing if key[0] == home.flow and not registry.has(*key)]
    if lost:
        known = [one.step.name for one in home.every]
        return no_such_step(called, code, ruled.names[lost[0]], known, by)
    return broken_step(called, code, [ruled.names[key] for key in missing], by)


def edge_finding(track: RunTrack, edge: Edge) -> Finding:
    """Return what is wrong with an edge that a run contradicts."""
    before, (_, after) = edge
    ruled = track.home.steps[after]
    others = [name for key, name in ruled.names.items() if key != before]
    return broken_edge(_called(ruled.step), ruled.names[before], others)


def _called(step: Step) -> Called:
    return Called(step.flow, step.name, step.place, step.after)


def _named(caller: Step | None, step: Step) -> str:
    """Return how *step* names the one that calls it."""
    if caller is None:
        return ""
    return caller.name if caller.flow == step.flow else f"{caller.flow}:{caller.name}"


def _missing(track: RunTrack, rule: Rule, before: int, code: str) -> list[Key]:
    """Return what has to come first: of joins, that which lacks the least."""
    lacks = [group & ~before for group in rule.groups]
    if code == "R1":
        return track.home.keys(rule.mask & ~before)
    begun = [one for one, group in zip(lacks, rule.groups, strict=True) if one != group]
    return track.home.keys(min(begun, key=int.bit_count))
