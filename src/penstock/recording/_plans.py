"""The plan of each flow: its declared steps and edges, as bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from penstock._order import Plan, Rule
from penstock._registry import registry
from penstock._state import state
from penstock._step import Guide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._context import Done
    from penstock._step import Step

__all__ = ["Edge", "FlowPlan", "Key", "Ruled"]

Key = tuple[str, str]
"""A flow, or ``service/flow``, and a step of it."""

Edge = tuple[Key, Key]

MAX_FAST = 512
"""Flows of more steps are judged without marks, of which each run has so many."""

_MAX_KNOWN = 1024
_NEVER = 0  # a mark that is never set


class Ruled:
    """A step with its rule, its guide and its counts.

    Attributes:
        names: Its predecessors, with the names that it gives them.
        cells: For each set of predecessors that were before a call, how often.
        more: The same for each predecessor alone, where there are too many sets.
    """

    __slots__ = ("cells", "guide", "more", "names", "number", "rule", "step")

    def __init__(
        self, step: Step, rule: Rule, names: dict[Key, str], number: int
    ) -> None:
        self.step: Step = step
        self.rule: Rule = rule
        self.names: dict[Key, str] = names
        self.number: int = number
        self.guide: Guide = Guide()
        self.cells: dict[int, int] = {}
        self.more: dict[int, int] = {}

    def add(self, before: int) -> None:
        """Count a call that came after the steps *before*."""
        if before in self.cells or len(self.cells) < _MAX_KNOWN:
            self.cells[before] = self.cells.get(before, 0) + 1
            return
        self.cells[0] = self.cells.get(0, 0) + 1
        for bit, _ in self.rule.edges:
            if bit & before:  # no longer together, but as many
                self.more[bit] = self.more.get(bit, 0) + 1

    def counts(self) -> tuple[int, dict[Key, int]]:
        """Return how often it was called, and how often after each predecessor."""
        found = {}
        for key, (bit, _) in zip(self.names, self.rule.edges, strict=True):
            after = sum(count for before, count in self.cells.items() if before & bit)
            found[key] = after + self.more.get(bit, 0) + self.guide.calls
        return sum(self.cells.values()) + self.guide.calls, found


class FlowPlan(Plan):
    """The order that one flow declares.

    Attributes:
        flow: Its name.
        steps: Each step as it is declared now.
        every: Each that was ever called, older versions of a step too.
        messages: The bits of steps that a message brings.
        own: The bits of its steps.
        outside: The bits of steps of other flows that it names.
        gate: Changes with each step that is declared later than the rest.
    """

    def __init__(self, flow: str) -> None:
        super().__init__()
        self.flow = flow
        self.steps: dict[str, Ruled] = {}
        self.every: list[Ruled] = []
        self.messages: int = 0
        self.own: int = 0
        self.outside: dict[Key, int] = {}
        self.gate: object = object()
        self._by_step: dict[Step, Ruled] = {}
        self._strangers: dict[Key, Rule] = {}
        self._folded: dict[bytes, int] = {}
        self.learn(registry.steps(flow))

    def learn(self, steps: Iterable[Step]) -> None:
        """Bind those of *steps* that are new here."""
        new = [step for step in steps if step not in self._by_step]
        for step in new:
            self._bind(step)
        if new:
            self.guide()

    def ruled(self, step: Step) -> Ruled:
        """Return a step of this flow with its rule."""
        if step not in self._by_step:
            self.learn([step])
        return self._by_step[step]

    def stranger(self, step: Step) -> Rule:
        """Return a rule for a step of another flow, which comes after nothing here."""
        key = step.flow, step.name
        return self._strangers.setdefault(key, Rule(self, key, (), 0))

    def keys(self, bits: int) -> list[Key]:
        """Return the steps that *bits* stand for."""
        return cast("list[Key]", self.names(bits))

    def labels(self, bits: int) -> Iterator[tuple[str, str]]:
        """Yield the edges that *bits* stand for, as the steps name them."""
        for before, after in cast("list[Edge]", self.edges(bits)):
            names = self.steps[after[1]].names
            if before in names:  # else it was declared anew, without it
                yield names[before], after[1]

    def marks(self) -> bytearray:
        """Return the marks of a run in which nothing has happened."""
        return bytearray(1 + 2 * len(self.every))

    def folded(self, marks: bytearray) -> int:
        """Return the steps and edges that marks of the call path stand for."""
        key = bytes(marks)
        found = self._folded.get(key)
        if found is None:
            if len(self._folded) >= _MAX_KNOWN:
                self._folded.clear()
            found = 0
            for one in self.every[: len(marks) // 2]:
                if marks[1 + 2 * one.number]:
                    found |= one.rule.bit | one.rule.shown(one.rule.mask)
            self._folded[key] = found
        return found

    def given(self, done: Done) -> int:
        """Return the bits of those steps of this flow that were done elsewhere."""
        if self.flow != done.flow:
            return 0
        return self.bits([(self.flow, name) for name in done.steps])

    def given_outside(self, done: Done) -> int:
        """Return the same of other flows' steps, as far as this one names them."""
        found = 0
        for place in (done.flow, f"{done.service}/{done.flow}"):
            for name in done.steps:
                found |= self.outside.get((place, name), 0)
        return found

    def _bind(self, step: Step) -> None:
        names = dict.fromkeys(name for group in step.after for name in group)
        keys = {name: _key(name, self.flow) for name in names}
        declared = {key: name for name, key in keys.items()}
        after = [[keys[name] for name in group] for group in step.after]
        others = [key for key in declared if key[0] != self.flow]
        unsure = list(declared) if step.crosses else others
        rule = self.rule((self.flow, step.name), after, unsure)
        ruled = Ruled(step, rule, declared, len(self.every))
        self.every.append(ruled)
        self.steps[step.name] = self._by_step[step] = ruled
        self.messages |= rule.bit if step.crosses else 0
        self.own |= rule.bit
        self.outside.update({key: self.bit(key) for key in others})

    def guide(self) -> None:
        """Tell the call path which mark to look at, for steps of one predecessor."""
        self.gate = object()
        for one in self.every if len(self.every) <= MAX_FAST else ():
            old, guide = one.guide, Guide()
            guide.calls, guide.gate = old.calls, self.gate
            guide.done, guide.bit = 1 + 2 * one.number, one.rule.bit
            before = self._alone(one)
            guide.before = _NEVER if before is None else 1 + 2 * before.number
            guide.slowly = _NEVER if before is None else 2 + 2 * before.number
            one.guide = one.step.guide = guide

    def _alone(self, one: Ruled) -> Ruled | None:
        """Return the one predecessor of a step, None where there are more or none."""
        keys = list(one.names)
        if len(keys) != 1 or keys[0][0] != self.flow:
            return None
        return self.steps.get(keys[0][1])


def _key(name: str, flow: str) -> Key:
    """Return what *name* stands for when a step of *flow* says it."""
    if ":" not in name or registry.has(flow, name):
        return flow, name
    at = name.find(":")
    while at >= 0:
        if registry.has(name[:at], name[at + 1 :]):
            return name[:at], name[at + 1 :]
        at = name.find(":", at + 1)
    place, _, step = name.partition(":")
    return place.removeprefix(f"{state.service}/") if state.service else place, step
