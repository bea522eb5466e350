"""The declared order of flows, as rules for stored calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock._graph.names import Names
from penstock._registry import registry
from penstock._steps.source import kind_of
from penstock.conformance.plan import GENERATORS, find_key
from penstock.conformance.rules import Plan
from penstock.conformance.violations import is_behind_cache

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from penstock._types import FlowInfo, StepInfo
    from penstock.conformance.plan import Key
    from penstock.conformance.rules import Rule

    from .operation import StoredCall

__all__ = ["DeclaredOrder", "declared_orders", "rules_of"]


@dataclass(slots=True)
class DeclaredOrder:
    """What one flow declares, in all services that share it.

    Attributes:
        flow: Its name.
        plan: Its rules; a step is a pair of the flow and its name.
        steps: Its steps.
        services: The service that declares each of them.
        names_others: Whether a step comes after one of another flow.
    """

    flow: str
    plan: Plan = field(default_factory=Plan)
    steps: dict[str, StepInfo] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    names_others: bool = False
    _untold: int | None = None
    _labels: dict[tuple[Key, Key], str] = field(default_factory=dict)

    def add(self, flow: FlowInfo, names: Names) -> None:
        """Add what one service declares; the first declaration of a step counts."""
        for step in flow.steps:
            if step.name not in self.steps:
                self.steps[step.name] = step
                self.services[step.name] = flow.service
                keys = {n: find_key(n, flow, names) for n in step.predecessors}
                after = [[keys[n] for n in each] for each in step.after]
                others = [key for key in keys.values() if key[0] != flow.name]
                own = flow.name, step.name
                self.plan.rule(own, after, unsure=others)
                self._labels |= {(key, own): n for n, key in keys.items()}
                self.names_others |= bool(others)

    def rule(self, step: str) -> Rule | None:
        """Return the rule of a step, None if no such step is declared."""
        return self.plan.rules.get((self.flow, step))

    def bit(self, step: str) -> int:
        """Return the bit of a step, 0 if nothing names it."""
        return self.plan.known_bits([(self.flow, step)])

    def labels(self, steps: int) -> list[str]:
        """Return the names of steps, those of other flows with their flow."""
        keys: list[Key] = self.plan.names(steps)
        return [name if at == self.flow else f"{at}:{name}" for at, name in keys]

    def outside_bit(self, call: StoredCall) -> int:
        """Return the bit of a call if it is another flow's and named here, else 0."""
        if call.flow == self.flow:
            return 0
        places = call.flow, f"{call.service}/{call.flow}"
        return self.plan.known_bits([(place, call.step) for place in places])

    def edge_counts(self, taken: Mapping[int, int]) -> dict[tuple[str, str], int]:
        """Return how often each edge was taken, given how often sets of edges were."""
        counts: dict[tuple[str, str], int] = {}
        for edges, number in taken.items():
            for key, own in self.plan.edges(edges):
                edge = self._labels[key, own], own[1]
                counts[edge] = counts.get(edge, 0) + number
        return counts

    def is_generator(self, step: str) -> bool | None:
        """Tell whether a step is a generator, None if its code is not loaded."""
        found = registry.find(self.flow, step)
        return None if found is None else kind_of(found.func) in GENERATORS

    def unseen(self, called: Collection[str], services: Collection[str]) -> int:
        """Return the steps that may have run though no line says so.

        *called* are the steps of a run, *services* those that have written its lines.
        Something else may have answered for a step behind a cache. A step that a
        message brings may have run in a process whose lines are missing, and then so
        may all that come after it.
        """
        if any(step not in self.steps for step in called):  # renamed since, perhaps
            return -1
        away = [
            name
            for name, step in self.steps.items()
            if (step.crosses and name not in called)
            or self.services[name] not in {"", *services}
        ]
        if self._untold is None:
            self._untold = self._find_untold()
        return self._untold | self.plan.reached(sum(map(self.bit, away)))

    def _find_untold(self) -> int:
        """Return the steps that leave no line: cached, or not declared at all."""
        found = named = 0
        for rule in self.plan.rules.values():
            named |= rule.mask
        for flow, name in self.plan.names(named):
            if flow == self.flow:
                step = registry.find(flow, name)
                is_cached = step is not None and is_behind_cache(step)
                if is_cached or name not in self.steps:
                    found |= self.bit(name)
        return found


def rules_of(flows: Iterable[FlowInfo]) -> Iterator[tuple[str, str, int, str, Key]]:
    """Yield each predecessor of each step.

    It is the flow, the step, the number of the alternative, the predecessor as it is
    named, and which step that is. Where several services declare a step, the first
    declaration counts.
    """
    known = tuple(flows)
    names = Names(known)
    found: set[Key] = set()
    for flow in known:
        for step in flow.steps:
            if (flow.name, step.name) in found:
                continue
            found.add((flow.name, step.name))
            for number, alternative in enumerate(step.after):
                for name in alternative:
                    key = find_key(name, flow, names)
                    yield flow.name, step.name, number, name, key


def declared_orders(
    flows: Iterable[FlowInfo], wanted: Collection[str]
) -> dict[str, DeclaredOrder]:
    """Return the order of each wanted flow that is declared."""
    known = tuple(flows)
    names = Names(known)
    found: dict[str, DeclaredOrder] = {}
    for flow in known:
        if flow.name in wanted:
            found.setdefault(flow.name, DeclaredOrder(flow.name)).add(flow, names)
    return found
