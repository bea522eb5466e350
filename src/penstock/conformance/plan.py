"""The plan of each flow: its declared steps and edges, as bits."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, cast

from penstock._registry import registry
from penstock._runtime.state import state
from penstock._steps.step import Cell, Guide

from .rules import Plan, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._context import Done
    from penstock._steps.step import Step

__all__ = ["Edge", "FlowPlan", "Key", "Ruled"]

Key = tuple[str, str]
"""A flow, or ``service/flow``, and a step of it."""

Edge = tuple[Key, Key]

MAX_FAST = 512
"""Flows of more steps are judged without marks, of which each run has so many."""

_MAX_KNOWN = 1024
_MAX_CELLS = 128
_NEVER, _ALWAYS = 0, 1  # marks that do not change; those of cells follow
_FIRST_CELL = 2
_FIRST_STEP = _FIRST_CELL + _MAX_CELLS


class Ruled:
    """A step with its rule, its guide and its counts.

    Attributes:
        names: Its predecessors, with the names that it gives them.
        fast_mark: Which mark of a run says that a call has ended, judged by the call
            path.
        slow_mark: Which one says it of all others.
        cells: For each set of predecessors that were before a call, how often.
        more: The same for each predecessor alone, where there are too many sets.
    """

    __slots__ = (
        "cells",
        "fast_mark",
        "guide",
        "looks_at",
        "more",
        "names",
        "rule",
        "slow_mark",
        "step",
    )

    def __init__(
        self, step: Step, rule: Rule, names: dict[Key, str], number: int
    ) -> None:
        self.step: Step = step
        self.rule: Rule = rule
        self.names: dict[Key, str] = names
        self.fast_mark: int = _FIRST_STEP + 2 * number
        self.slow_mark: int = self.fast_mark + 1
        self.looks_at: tuple[int, ...] = ()
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

    def follow(self, guide: Guide, looks_at: tuple[int, ...]) -> None:
        """Be judged by another guide from now on, and keep what the old one counted."""
        guide.calls = self.guide.calls
        if looks_at == self.looks_at:
            guide.cells = self.guide.cells
        else:
            for cell in self.guide.cells.values():
                self.cells[cell.before] = self.cells.get(cell.before, 0) + cell.calls
        self.looks_at = looks_at
        self.guide = self.step.guide = guide

    def counts(self) -> tuple[int, dict[Key, int]]:
        """Return how often it was called, and how often after each predecessor."""
        found = {}
        cells = [*self.cells.items()]
        cells += [(cell.before, cell.calls) for cell in self.guide.cells.values()]
        for key, (bit, _) in zip(self.names, self.rule.edges, strict=True):
            after = sum(count for before, count in cells if before & bit)
            found[key] = after + self.more.get(bit, 0) + self.guide.calls
        return sum(count for _, count in cells) + self.guide.calls, found


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
        self._shown: list[int] = []
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

    def marks(self) -> bytearray:
        """Return the marks of a run in which nothing has happened."""
        marks = bytearray(_FIRST_STEP + 2 * len(self.every))
        marks[_ALWAYS] = 1
        return marks

    def note(self, ruled: Ruled, marks: bytearray, above: int) -> None:
        """Let the call path judge calls such as one that was just found in order.

        Args:
            ruled: The step that is called.
            marks: The marks of the run.
            above: The steps that are open above the call.
        """
        rule, guide = ruled.rule, ruled.guide
        if guide.look is None or len(self._shown) >= _MAX_CELLS:
            return
        before = above & rule.mask
        for one in (self.steps[name] for _, name in ruled.names):
            if marks[one.fast_mark] or marks[one.slow_mark]:
                before |= one.rule.bit
        may_be_elsewhere = (rule.unsure | self.messages) & rule.mask
        if not rule.broken(before) and not may_be_elsewhere & ~before:
            cell = Cell(before, _FIRST_CELL + len(self._shown))
            self._shown.append(rule.shown(before))
            guide.cells[guide.look(marks), above & guide.mask] = cell

    def folded(self, marks: bytearray) -> int:
        """Return the steps and edges that marks of the call path stand for."""
        key = bytes(marks)
        found = self._folded.get(key)
        if found is None:
            if len(self._folded) >= _MAX_KNOWN:
                self._folded.clear()
            found = 0
            for one in self.every[: (len(marks) - _FIRST_STEP) // 2]:
                if marks[one.fast_mark]:
                    only = len(one.rule.edges) == 1
                    found |= one.rule.bit | (one.rule.edges[0][1] if only else 0)
            for mark, shown in enumerate(self._shown, _FIRST_CELL):
                found |= shown if marks[mark] else 0
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
        """Tell the call path which marks to look at."""
        self.gate = object()
        for one in self.every if len(self.every) <= MAX_FAST else ():
            guide = Guide()
            guide.gate = self.gate
            guide.done, guide.bit = one.fast_mark, one.rule.bit
            marks = self._marks_of(one)
            if not one.names:
                guide.before = _ALWAYS
            elif len(marks) == 2:  # noqa: PLR2004  # one predecessor, as of most steps
                guide.before, guide.slowly = marks
            if marks:
                guide.look, guide.mask = itemgetter(*marks), one.rule.mask
            one.follow(guide, marks)

    def _marks_of(self, one: Ruled) -> tuple[int, ...]:
        """Return the marks of a step's predecessors; none where one is not ours."""
        found: list[int] = []
        for flow, name in one.names:
            before = self.steps.get(name) if flow == self.flow else None
            if before is None:
                return ()
            found += (before.fast_mark, before.slow_mark)
        return tuple(found)


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
