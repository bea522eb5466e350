"""The declared order as a server counts runs by it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .declared_order import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from penstock._types import FlowInfo, StepInfo
    from penstock.conformance.plan import Key

    from .order_counts import OrderCounts

__all__ = ["OrderRules"]


class OrderRules:
    """What each step comes after, and which steps begin runs.

    Args:
        flows: The flows as they are declared.

    Attributes:
        own: What each step comes after, all alternatives. A step that comes after one
            of another flow is not there.
        entrypoints: The steps that are entrypoints.
        flows: The names of the flows.
    """

    def __init__(self, flows: Iterable[FlowInfo]) -> None:
        known = tuple(flows)
        steps: dict[Key, StepInfo] = {}
        for flow in known:
            for step in flow.steps:
                steps.setdefault((flow.name, step.name), step)
        alternatives: dict[Key, dict[int, list[Key]]] = {key: {} for key in steps}
        self._labels: dict[Key, dict[Key, str]] = {key: {} for key in steps}
        for of, name, number, label, before in rules_of(known):
            alternatives[of, name].setdefault(number, []).append(before)
            self._labels[of, name][before] = label
        self.own: dict[Key, list[list[Key]]] = {
            key: list(found.values())
            for key, found in alternatives.items()
            if all(before[0] == key[0] for one in found.values() for before in one)
        }
        self.flows: frozenset[str] = frozenset(flow.name for flow in known)
        self.entrypoints: list[Key] = [
            key for key, step in steps.items() if step.is_entrypoint
        ]

    def count_run(
        self, counts: OrderCounts, flow: str, steps: Iterable[Key], runs: int
    ) -> None:
        """Count runs of a flow, all with these calls.

        They clearly kept the order, if the flow is declared.
        """
        calls = Counter(steps)
        is_declared = flow in self.flows
        counts.flow(flow).runs += runs if is_declared else 0
        counts.count_verdict(flow, "in order" if is_declared else "unknown", runs)
        for (of, name), number in calls.items():
            counts.count_calls(flow, of, name, number * runs)
            for before, label in self._labels.get((of, name), {}).items():
                if of == flow and before in calls:
                    edge = label, name
                    counts.flow(flow).count_edge(edge, witnessed=number * runs)
