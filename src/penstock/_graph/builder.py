"""Number the steps of declared flows, and resolve their predecessors."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Literal

from penstock._types import StepInfo
from penstock.errors import FlowDefinitionError, did_you_mean

from .names import Names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from penstock._types import FlowInfo

    from .names import Target

NodeKind = Literal["step", "outside", "external", "flow"]

_MAX_COMPARED = 5_000  # names to search for a similar one; 0.1 s at most


class Columns:
    """The nodes and links of a graph, still unsorted, with one list per attribute.

    Lists of numbers instead of objects: 100,000 steps are drawn in half a second.

    Attributes:
        steps: The declaration of each node.
        labels: The name of each node in the drawing.
        services: The services that declare each node.
        kinds: The kind of each node, as in ``Node``.
        befores: The predecessor in each link; a link may occur twice.
        afters: The step that comes after it.
        joins: The ``all_of`` groups of the steps that have any.
    """

    def __init__(self) -> None:
        self.steps: list[StepInfo] = []
        self.labels: list[str] = []
        self.services: list[tuple[str, ...]] = []
        self.kinds: list[NodeKind] = []
        self.befores: list[int] = []
        self.afters: list[int] = []
        self.joins: dict[int, list[frozenset[int]]] = {}

    def add(
        self,
        kind: NodeKind,
        labels: Iterable[str],
        steps: Collection[StepInfo],
        services: tuple[str, ...],
    ) -> int:
        """Add nodes of one kind; return the number of the first."""
        first = len(self.labels)
        self.steps.extend(steps)
        self.labels.extend(labels)
        self.services.extend([services] * len(steps))
        self.kinds.extend(kind for _ in steps)
        return first

    def by_label(self) -> list[int]:
        """Return the numbers of the nodes, sorted by label."""
        order = sorted(range(len(self.labels)), key=self.labels.__getitem__)
        if "outside" in self.kinds:  # found in any order; two may share a label
            order.sort(key=lambda one: (self.labels[one], self.steps[one].flow))
        return order


class GraphBuilder:
    """Fills the columns of a graph from declared flows.

    Attributes:
        columns: The columns.
    """

    def __init__(self, drawn: tuple[FlowInfo, ...], known: Iterable[FlowInfo]) -> None:
        self.columns = Columns()
        self._numbers: dict[str, dict[str, int]] = {}
        self._outside: dict[tuple[str, ...], int] = {}
        self._names: Names | None = None
        self._flows = list({id(flow): flow for flow in (*drawn, *known)}.values())
        for flow in drawn:
            self._declare(flow)
        for flow in drawn:
            self._link(flow)

    def _declare(self, flow: FlowInfo) -> None:
        numbers = self._numbers.setdefault(flow.name, {})
        services = (flow.service,) if flow.service else ()
        new = {step.name: step for step in flow.steps if step.name not in numbers}
        for step in flow.steps if len(new) < len(flow.steps) else ():
            if step.name not in new:
                self._share(numbers[step.name], step, services)
        first = self.columns.add("step", new, new.values(), services)
        numbers.update(zip(new, count(first), strict=False))

    def _share(self, number: int, step: StepInfo, services: tuple[str, ...]) -> None:
        """Add another service's declaration of a step."""
        steps = self.columns.steps
        is_entrypoint = steps[number].is_entrypoint or step.is_entrypoint
        steps[number] = replace(steps[number], is_entrypoint=is_entrypoint)
        self.columns.services[number] += services

    def _link(self, flow: FlowInfo) -> None:
        numbers = self._numbers[flow.name]
        befores, afters = self.columns.befores, self.columns.afters
        for step in flow.steps:
            number = numbers[step.name]
            for group in step.after:
                for name in group:
                    before = numbers.get(name)
                    if before is None:
                        before = self._find(name, step, flow)
                    befores.append(before)
                    afters.append(number)
                if len(group) > 1:
                    self._join(number, len(group))

    def _join(self, number: int, size: int) -> None:
        """Record that the last *size* links of a step belong together."""
        whole = frozenset(self.columns.befores[-size:])
        groups = self.columns.joins.setdefault(number, [])
        if len(whole) > 1 and whole not in groups:
            labels = self.columns.labels
            groups.append(whole)
            groups.sort(key=lambda group: sorted(labels[one] for one in group))

    def _find(self, name: str, step: StepInfo, flow: FlowInfo) -> int:
        """Return the number of a predecessor that is not a step name of this flow."""
        self._names = self._names or Names(self._flows)
        target = self._names.find(name, flow)
        if target is None:
            raise FlowDefinitionError(_unknown(name, step, flow, self._names))
        number = self._numbers.get(target.flow, {}).get(target.name)
        if target.step and number is not None:
            return number
        return self._outside_number(target)

    def _outside_number(self, target: Target) -> int:
        label = f"{target.flow}:{target.name}"
        if target.step is None:
            label = f"{target.service}/{label}"
        key = (label, target.flow, target.name)
        if key not in self._outside:
            kind: NodeKind = "outside" if target.step else "external"
            step = target.step or StepInfo(target.name, target.flow)
            services = (target.service,) if target.service else ()
            self._outside[key] = self.columns.add(kind, [label], [step], services)
        return self._outside[key]


def _unknown(name: str, step: StepInfo, flow: FlowInfo, names: Names) -> str:
    near = did_you_mean(name, list(names.known(flow))[:_MAX_COMPARED])
    place = f" ({step.path}:{step.line})" if step.path else ""
    return (
        f"step {step.name!r} of flow {flow.name!r}{place} is declared after {name!r}, "
        f"which does not exist.{near} A step of another flow is written 'flow:step', "
        "one of another service 'service/flow:step'."
    )
