"""What is wrong with a call, or with an edge, where that is known at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._words import Called, broken_edge, broken_step

if TYPE_CHECKING:
    from penstock._order import Rule
    from penstock._step import Step

    from ._book import Finding
    from ._places import Place
    from ._plans import Edge, Key, Ruled
    from ._tracks import RunTrack

__all__ = ["call_finding", "edge_finding", "named"]


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
    called = Called(step.flow, step.name, step.place, step.after)
    names = [ruled.names[key] for key in missing]
    return broken_step(called, code, names, named(caller, step))


def edge_finding(track: RunTrack, edge: Edge) -> Finding:
    """Return what is wrong with an edge that a run contradicts."""
    before, (flow, after) = edge
    declared = track.home.steps[after].names
    others = [name for key, name in declared.items() if key != before]
    return broken_edge(flow, declared[before], after, others)


def named(caller: Step | None, step: Step) -> str:
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
