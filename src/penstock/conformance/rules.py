"""When a declared order holds: what is before a call, three rules, an edge's status.

An *activation* is one call of a step. It is **before** another if it is still open and
an ancestor of it, or if it had ended before the other started. A predecessor that is
still running in another task or thread is not before anything.

- R1: some predecessor is before each activation of a step.
- R2: of two steps that an edge connects and that both ran in one run, some activation
  of the first is before some activation of the second. It is judged when nothing is
  open, and a later activation may amend it. An edge of a cycle is exempt: a loop may
  end on either side of it.
- R3: where only an ``all_of`` could hold, every name in it is before the activation.

Steps and edges are bits of one int: what has happened in a run is one number. Bits
depend on what was declared first, and never leave the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

__all__ = ["Plan", "Rule", "Track", "edge_status"]

_MAX_KNOWN = 1024
"""How many different endings of runs are remembered with their verdict."""

Status = Literal["witnessed", "contradicted", "unexercised"]


def edge_status(witnessed: int, contradicted: int) -> Status:
    """Return what a number of runs say of an edge; one contradiction is enough."""
    if contradicted:
        return "contradicted"
    return "witnessed" if witnessed else "unexercised"


class Rule:
    """What has to be before one step; made by ``Plan.rule``.

    Attributes:
        plan: The plan that the bits belong to.
        name: The step's name.
        bit: The step's bit.
        mask: The bits of all predecessors.
        unsure: Those whose absence proves nothing: they may have run elsewhere.
    """

    __slots__ = ("bit", "edges", "groups", "mask", "name", "plan", "unsure")

    def __init__(
        self, plan: Plan, name: Hashable, groups: Sequence[int], unsure: int
    ) -> None:
        self.plan: Plan = plan
        self.name: Hashable = name
        self.bit: int = plan.bit(name)
        self.groups: tuple[int, ...] = tuple(groups)
        self.mask: int = 0
        for group in groups:
            self.mask |= group
        self.unsure: int = unsure & self.mask
        self.edges: tuple[tuple[int, int], ...] = ()

    def broken(self, before: int, unsure: int = 0) -> Literal["", "R1", "R3"]:
        """Return the rule that an activation breaks, or ``""``.

        Args:
            before: The steps that are before it.
            unsure: More steps whose absence proves nothing.
        """
        possible = before | self.unsure | unsure
        if not self.groups or any(not group & ~possible for group in self.groups):
            return ""
        return "R3" if before & self.mask else "R1"

    def shown(self, before: int) -> int:
        """Return the edges that an activation witnesses."""
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
        self._known: dict[int, int] = {}

    def bit(self, name: Hashable) -> int:
        """Return the bit of a step, a new one for a new name."""
        return self._bits.setdefault(name, self._next_bit())

    def known_bit(self, name: Hashable) -> int:
        """Return the bit of a step, 0 if nothing has named it."""
        return self._bits.get(name, 0)

    def rule(
        self,
        name: Hashable,
        after: Sequence[Sequence[Hashable]],
        unsure: Collection[Hashable] = (),
    ) -> Rule:
        """Declare a step, or declare it anew.

        Args:
            name: The step.
            after: Alternatives, each of names that must all be before.
            unsure: Predecessors whose absence proves nothing.
        """
        groups = [self.bits(group) for group in after]
        rule = Rule(self, name, groups, self.bits(unsure))
        rule.edges = tuple(
            (self.bit(before), self._edges.setdefault((before, name), self._next_bit()))
            for before in dict.fromkeys(one for group in after for one in group)
        )
        self.rules[name] = rule
        self._known.clear()
        return rule

    def bits(self, names: Collection[Hashable]) -> int:
        """Return the bits of several steps."""
        found = 0
        for name in names:
            found |= self.bit(name)
        return found

    def names(self, bits: int) -> list[Hashable]:
        """Return the steps that *bits* stand for, in the order of their numbers."""
        return [name for name, bit in self._bits.items() if bit & bits]

    def edges(self, bits: int) -> list[tuple[Hashable, Hashable]]:
        """Return the edges that *bits* stand for."""
        return [edge for edge, bit in self._edges.items() if bit & bits]

    def contradicted(self, done: int) -> int:
        """Return the edges that break R2, of the steps and edges that are *done*."""
        found = self._known.get(done)
        if found is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            found = self._known[done] = self._judged(done)
        return found

    def _next_bit(self) -> int:
        return 1 << (len(self._bits) + len(self._edges))

    def _judged(self, done: int) -> int:
        found = 0
        for rule in self.rules.values():
            if rule.bit & done:
                for before, edge in rule.edges:
                    if before & done & ~rule.unsure and not edge & done:
                        found |= 0 if self._leads(rule, before) else edge
        return found

    def _leads(self, first: Rule, bit: int) -> bool:
        """Tell whether declared edges lead from one step to another, or it is one."""
        reached, frontier = first.bit, first.bit
        while frontier:
            frontier = self._next(frontier) & ~reached
            reached |= frontier
        return bool(reached & bit)

    def _next(self, bits: int) -> int:
        rules = (rule for rule in self.rules.values() if rule.mask & bits)
        return sum({rule.bit for rule in rules})


class Track:
    """One run of a flow, as far as it has come.

    Attributes:
        done: The steps of which an activation has ended, and the edges that were
            witnessed, or may have been.
        given: The steps that had ended before the run came here.
        open: How many activations have not ended.
    """

    __slots__ = ("done", "given", "open")

    def __init__(self, given: int = 0) -> None:
        self.done: int = given
        self.given: int = given
        self.open: int = 0

    def start(self, rule: Rule, above: int, unsure: int = 0) -> int:
        """Start an activation below the open ones *above*; return what is before.

        *unsure* are predecessors whose absence proves nothing, this time.
        """
        before = self.done | above
        self.done |= rule.shown(before | unsure)
        self.open += 1
        return before

    def end(self, rule: Rule) -> None:
        """End an activation: it returned, raised, was cancelled, or yields at first."""
        self.done |= rule.bit
        self.open -= 1

    def contradicted(self, plan: Plan) -> Iterator[tuple[Hashable, Hashable]]:
        """Yield the edges that break R2, now that nothing is open."""
        broken = plan.contradicted(self.done & ~self.given)
        if broken:
            yield from plan.edges(broken)
