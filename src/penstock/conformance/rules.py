"""When a declared order holds: three rules, and the status of an edge.

An *activation* is one call of a step. It is **before** another if it is still open and
an ancestor of it, or if it had ended before the other started. A predecessor that is
still running in another task or thread is not before anything.

- R1: some predecessor is before each activation of a step.
- R2: if an edge connects two steps that both ran in one run, some activation of the
  first is before some activation of the second. It is judged when nothing is open, and
  a later activation may change the verdict. An edge of a cycle is exempt: a loop may
  end on either side of it.
- R3: if only an ``all_of`` could hold, every name in it is before the activation.

Steps and edges are bits of one int, so that what has happened in a run is one number.
The bits depend on the order of declarations, and never leave the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

_MAX_VERDICTS = 1024
"""How many different ends of runs are cached with their verdict."""

EdgeStatus = Literal["witnessed", "contradicted", "unexercised"]


def edge_status(witnessed: int, contradicted: int) -> EdgeStatus:
    """Return the status of an edge from its counts; one contradiction is enough."""
    if contradicted:
        return "contradicted"
    return "witnessed" if witnessed else "unexercised"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What must run before one step; created by ``Plan.rule``.

    Attributes:
        bit: The step's bit.
        mask: The bits of all predecessors.
        groups: The alternatives, each as the bits that must all be before.
        unsure: Predecessors that may run unseen, in another process.
        edges: For each predecessor its bit and that of the edge.
    """

    bit: int
    mask: int = 0
    groups: tuple[int, ...] = ()
    unsure: int = 0
    edges: tuple[tuple[int, int], ...] = ()

    def broken(self, before: int, unsure: int = 0) -> Literal["", "R1", "R3"]:
        """Return the rule that an activation breaks, or ``""``.

        *before* are the steps before it, *unsure* more steps that may have run unseen.
        """
        possible = before | self.unsure | unsure
        if not self.groups or any(not group & ~possible for group in self.groups):
            return ""
        return "R3" if before & self.mask else "R1"

    def edges_from(self, before: int) -> int:
        """Return the edges that lead here from the steps *before*."""
        found = 0
        for predecessor, edge in self.edges:
            if predecessor & before:
                found |= edge
        return found


class Plan:
    """The steps and edges of one flow, each with a bit; grows as steps are declared.

    Attributes:
        rules: What was declared of each step.
    """

    def __init__(self) -> None:
        self.rules: dict[Hashable, Rule] = {}
        self._bits: dict[Hashable, int] = {}
        self._edges: dict[tuple[Hashable, Hashable], int] = {}
        self._verdicts: dict[int, int] = {}

    def bit(self, name: Hashable) -> int:
        """Return the bit of a step, a new one for a new name."""
        return self._bits.setdefault(name, self._next_bit())

    def known_bits(self, names: Collection[Hashable]) -> int:
        """Return the bits of the steps that a declaration or an ``after`` names."""
        found = 0
        for name in names:
            found |= self._bits.get(name, 0)
        return found

    def rule(
        self,
        name: Hashable,
        after: Sequence[Sequence[Hashable]],
        unsure: Collection[Hashable] = (),
    ) -> Rule:
        """Declare a step; a second declaration replaces the first.

        In each alternative of *after* all names must be before the step. Predecessors
        in *unsure* may run unseen.
        """
        befores = dict.fromkeys(one for group in after for one in group)
        mask = self.bits(befores)
        possible = self.bits(unsure) & mask
        bit = self.bit(name)
        edges = tuple(
            (self.bit(before), self._edges.setdefault((before, name), self._next_bit()))
            for before in befores
        )
        groups = tuple(self.bits(group) for group in after)
        rule = Rule(bit, mask, groups, possible, edges)
        self.rules[name] = rule
        self._verdicts.clear()
        return rule

    def bits(self, names: Collection[Hashable]) -> int:
        """Return the bits of several steps, new ones for new names."""
        found = 0
        for name in names:
            found |= self.bit(name)
        return found

    def names(self, bits: int) -> list[Any]:
        """Return the steps that *bits* stand for, in the order of their numbers."""
        return [name for name, bit in self._bits.items() if bit & bits]

    def edges(self, bits: int) -> list[Any]:
        """Return the edges that *bits* stand for."""
        return [edge for edge, bit in self._edges.items() if bit & bits]

    def contradicted(self, happened: int) -> int:
        """Return the edges that break R2, given the steps and edges that *happened*."""
        found = self._verdicts.get(happened)
        if found is None:
            if len(self._verdicts) >= _MAX_VERDICTS:
                self._verdicts.clear()
            found = self._verdicts[happened] = self._judged(happened)
        return found

    def reached(self, steps: int) -> int:
        """Return *steps* and all to which declared edges lead from them."""
        frontier = steps
        while frontier:
            after = {rule.bit for rule in self.rules.values() if rule.mask & frontier}
            frontier = sum(after) & ~steps
            steps |= frontier
        return steps

    def _next_bit(self) -> int:
        return 1 << (len(self._bits) + len(self._edges))

    def _judged(self, happened: int) -> int:
        found = 0
        for rule in self.rules.values():
            if rule.bit & happened:
                for before, edge in rule.edges:
                    if before & happened & ~rule.unsure and not edge & happened:
                        found |= 0 if self.reached(rule.bit) & before else edge
        return found
