"""Random flows and interleavings, and the verdicts that the definitions give."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from hypothesis import strategies as st

__all__ = ["Activation", "Flow", "events_of", "expected", "flows", "runs"]

Flow = dict[str, tuple[tuple[str, ...], ...]]
STEPS = "abcdef"


@dataclass(eq=False)
class Activation:
    """One call of a step, with the moments of its start and its end."""

    step: str
    parent: Activation | None
    start: int
    end: int | None = None

    def is_below(self, other: Activation) -> bool:
        """Return whether *other* is an ancestor."""
        return self.parent is not None and (
            self.parent is other or self.parent.is_below(other)
        )

    def is_before(self, other: Activation) -> bool:
        """Apply the definition of "before" to two activations, word for word."""
        if self.end is not None and self.end < other.start:
            return True
        is_open = self.end is None or self.end > other.start
        return self.start < other.start and is_open and other.is_below(self)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Draw a flow, cycles included; "a" is its entrypoint."""
    names = STEPS[: draw(st.integers(2, len(STEPS)))]
    group = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    groups = st.lists(group.map(tuple), max_size=3).map(tuple)
    return {"a": (), **{name: draw(groups) for name in names[1:]}}


@st.composite
def runs(
    draw: st.DrawFn, *, begins_once: bool = False
) -> tuple[Flow, list[Activation]]:
    """Draw a flow and a run of it, in which anything may interleave."""
    flow = draw(flows())
    names = sorted(flow)[begins_once:]
    everything = [Activation("a", None, 0)]
    opened = list(everything)
    for moment in range(1, draw(st.integers(1, 14))):
        ended = draw(st.sampled_from([None, *opened]))
        if ended is not None and len(opened) > 1:
            ended.end = moment
            opened.remove(ended)
        else:
            parent = draw(st.sampled_from([*opened, *everything]))
            step = draw(st.sampled_from(names))
            opened.append(Activation(step, parent, moment))
            everything.append(opened[-1])
    for moment, each in enumerate(draw(st.permutations(opened)), 100):
        each.end = moment
    return flow, everything


def expected(flow: Flow, ran: list[Activation]) -> tuple[list[str], set[str], set[str]]:
    """Return rules broken per activation, edges witnessed and edges contradicted."""
    codes = []
    for each in ran:
        before = {other.step for other in ran if other.is_before(each)}
        groups = flow[each.step]
        if not groups or any(before.issuperset(group) for group in groups):
            codes.append("")
        else:
            named = {name for group in groups for name in group}
            codes.append("R3" if before & named else "R1")
    pairs = {
        (one.step, other.step)
        for one, other in product(ran, ran)
        if one.is_before(other)
    }
    edges = {(b, a) for a, groups in flow.items() for group in groups for b in group}
    happened = {each.step for each in ran}
    contradicted = {
        (before, after)
        for before, after in edges - pairs
        if {before, after} <= happened and not leads(edges, after, before)
    }
    return codes, named_edges(edges & pairs), named_edges(contradicted)


def leads(edges: set[tuple[str, str]], first: str, last: str) -> bool:
    """Return whether edges lead from *first* to *last*."""
    reached = {first}
    for _ in STEPS:
        reached |= {after for before, after in edges if before in reached}
    return last in reached


def named_edges(edges: set[tuple[str, str]]) -> set[str]:
    """Return edges as words."""
    return {f"{before}->{after}" for before, after in edges}


def events_of(ran: list[Activation]) -> list[tuple[Activation, bool]]:
    """Return each start and each end in order; true for a start."""
    events = [(each.start, each, True) for each in ran]
    events += [(each.end or 0, each, False) for each in ran]
    events.sort(key=lambda event: event[0])
    return [(each, is_start) for _, each, is_start in events]
