"""A graph in the making: steps by number, and which come before which."""

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

__all__ = ["Draft", "Kind"]

Kind = Literal["step", "outside", "external", "flow"]

_MAX_COMPARED = 5_000  # names to look for a likeness among; 0.1 s at most


class Draft:
    """What a drawing will show, as numbers: 100,000 steps are drawn in half a second.

    Attributes:
        steps: What was declared, for each number.
        labels: What each is called in the drawing.
        services: Who declares each.
        kinds: ``step`` of a drawn flow; ``outside``: a step of another flow;
            ``external``: another service's, unseen.
        befores: The predecessor in each link; some links are there twice.
        afters: The step that comes after it.
        joins: The ``all_of`` of the steps that have any.
    """

    def __init__(self, drawn: tuple[FlowInfo, ...], known: Iterable[FlowInfo]) -> None:
        self.steps: list[StepInfo] = []
        self.labels: list[str] = []
        self.services: list[tuple[str, ...]] = []
        self.kinds: list[Kind] = []
        self.befores: list[int] = []
        self.afters: list[int] = []
        self.joins: dict[int, list[frozenset[int]]] = {}
        self._numbers: dict[str, dict[str, int]] = {}
        self._outside: dict[tuple[str, ...], int] = {}
        self._names: Names | None = None
        self._flows = list({id(flow): flow for flow in (*drawn, *known)}.values())
        for flow in drawn:
            self._declare(flow)
        for flow in drawn:
            self._link(flow)

    def by_label(self) -> list[int]:
        """Return the numbers, sorted by label."""
        order = sorted(range(len(self.labels)), key=self.labels.__getitem__)
        if self._outside:  # they were found in any order, and two may have one label
            order.sort(key=lambda one: (self.labels[one], self.steps[one].flow))
        return order

    def _declare(self, flow: FlowInfo) -> None:
        numbers = self._numbers.setdefault(flow.name, {})
        services = (flow.service,) if flow.service else ()
        new = {step.name: step for step in flow.steps if step.name not in numbers}
        for step in flow.steps if len(new) < len(flow.steps) else ():
            if step.name not in new:
                self._share(numbers[step.name], step, services)
        numbers.update(zip(new, count(len(self.steps)), strict=False))
        self._add(new.values(), new, services, "step")

    def _share(self, number: int, step: StepInfo, services: tuple[str, ...]) -> None:
        """Let one more service declare a step; what either says holds."""
        begins = self.steps[number].is_entrypoint or step.is_entrypoint
        self.steps[number] = replace(self.steps[number], is_entrypoint=begins)
        self.services[number] += services

    def _add(
        self,
        steps: Collection[StepInfo],
        labels: Iterable[str],
        services: tuple[str, ...],
        kind: Kind,
    ) -> None:
        self.steps.extend(steps)
        self.labels.extend(labels)
        self.services.extend([services] * len(steps))
        self.kinds.extend(kind for _ in steps)

    def _link(self, flow: FlowInfo) -> None:
        numbers = self._numbers[flow.name]
        for step in flow.steps:
            number = numbers[step.name]
            for group in step.after:
                for name in group:
                    before = numbers.get(name)
                    if before is None:
                        before = self._find(name, step, flow)
                    self.befores.append(before)
                    self.afters.append(number)
                if len(group) > 1:
                    self._join(number, len(group))

    def _join(self, number: int, size: int) -> None:
        """Note that the last *size* links of a step belong together."""
        whole = frozenset(self.befores[-size:])
        groups = self.joins.setdefault(number, [])
        if len(whole) > 1 and whole not in groups:
            groups.append(whole)
            groups.sort(key=lambda group: sorted(self.labels[one] for one in group))

    def _find(self, name: str, step: StepInfo, flow: FlowInfo) -> int:
        """Return the number of a predecessor that is not a plain name of the flow."""
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
        number = self._outside.setdefault(key, len(self.steps))
        if number == len(self.steps):
            step = target.step or StepInfo(target.name, target.flow)
            services = (target.service,) if target.service else ()
            kind: Kind = "outside" if target.step else "external"
            self._add([step], [label], services, kind)
        return number


def _unknown(name: str, step: StepInfo, flow: FlowInfo, names: Names) -> str:
    near = did_you_mean(name, list(names.known(flow))[:_MAX_COMPARED])
    place = f" ({step.path}:{step.line})" if step.path else ""
    return (
        f"step {step.name!r} of flow {flow.name!r}{place} comes after {name!r}, and "
        f"there is no such step.{near} Another flow's step is 'flow:step', another "
        "service's 'service/flow:step'."
    )
