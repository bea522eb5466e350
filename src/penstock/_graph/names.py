"""Find the step that a name in ``after`` stands for, across flows and services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._types import FlowInfo, StepInfo

__all__ = ["Names", "Target"]

_MAX_SPLITS = 64  # more would take quadratic time, and are nobody's real name
_Flows = dict[str, dict[str, tuple[str, "StepInfo"]]]


@dataclass(frozen=True, slots=True)
class Target:
    """What a name stands for.

    Attributes:
        service: The service that declares the step, ``""`` if that has no name.
        flow: Its flow.
        name: The step's name in that flow.
        step: The step; None where another service is said to have it, and what
            is known of that service (often nothing) does not show it.
    """

    service: str
    flow: str
    name: str
    step: StepInfo | None


class Names:
    """Every step of the given flows by name; services that share a flow are one."""

    def __init__(self, flows: Iterable[FlowInfo]) -> None:
        self._flows: _Flows = {}
        self._services: dict[str, _Flows] = {}
        for flow in flows:
            steps = {step.name: (flow.service, step) for step in flow.steps}
            _add(flow.name, steps, self._flows)
            if flow.service:
                _add(flow.name, steps, self._services.setdefault(flow.service, {}))

    def find(self, name: str, flow: FlowInfo) -> Target | None:
        """Return what *name* stands for when a step of *flow* says it.

        An exact step name of the own flow wins; then ``flow:step``, then
        ``service/flow:step``, at the first ":" that fits. None where this
        service should have it and does not.
        """
        if name in self._flows.get(flow.name, ()):
            return _target(flow.name, name, self._flows)
        return self._of_flow(name) or self._of_service(name, flow.service)

    def known(self, flow: FlowInfo) -> Iterator[str]:
        """Give every name that ``find`` knows, as a step of *flow* would say it."""
        yield from self._flows.get(flow.name, ())
        for other, steps in self._flows.items():
            yield from (f"{other}:{step}" for step in steps)

    def _of_flow(self, name: str) -> Target | None:
        for flow, step in _splits(name, self._flows):
            if step in self._flows.get(flow, ()):
                return _target(flow, step, self._flows)
        return None

    def _of_service(self, name: str, own: str) -> Target | None:
        for service, flows in self._services.items():
            if name.startswith(f"{service}/"):
                for flow, step in _splits(name[len(service) + 1 :], flows):
                    if step in flows.get(flow, ()):
                        return _target(flow, step, flows)
        return self._elsewhere(name, own)

    def _elsewhere(self, name: str, own: str) -> Target | None:
        """Take *name* for another service's, unless it begins like one of ours."""
        if any(flow in self._flows for flow, _ in _splits(name, self._flows)):
            return None
        place, _, step = name.partition(":")
        service, _, flow = place.partition("/")
        if not (service and flow and step) or (own and name.startswith(f"{own}/")):
            return None
        return Target(service, flow, step, None)


def _add(name: str, steps: dict[str, tuple[str, StepInfo]], flows: _Flows) -> None:
    flows[name] = steps | flows.get(name, {})  # what came first wins


def _target(flow: str, name: str, flows: _Flows) -> Target:
    service, step = flows[flow][name]
    return Target(service, flow, name, step)


def _splits(name: str, flows: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Cut *name* in two at every ":", from the left.

    Where there are very many, only those that make the first part one of *flows*.
    """
    if name.count(":") > _MAX_SPLITS:
        fitting = (flow for flow in flows if name.startswith(f"{flow}:"))
        yield from ((flow, name[len(flow) + 1 :]) for flow in sorted(fitting, key=len))
        return
    at = name.find(":")
    while at >= 0:
        yield name[:at], name[at + 1 :]
        at = name.find(":", at + 1)
