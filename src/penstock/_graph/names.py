"""Resolve the names in ``after`` to steps, across flows and services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from penstock._types import FlowInfo, StepInfo

_MAX_SPLITS = 64  # more take quadratic time, and no real name has as many
_Flows = dict[str, dict[str, tuple[str, "StepInfo"]]]


@dataclass(frozen=True, slots=True)
class Target:
    """The step that a name refers to.

    Attributes:
        service: The service that declares the step, ``""`` if it has no name.
        flow: The flow of the step.
        name: The name of the step in that flow.
        step: The step; None if it belongs to another service whose manifest is not
            given, or does not contain it.
    """

    service: str
    flow: str
    name: str
    step: StepInfo | None


class Names:
    """The steps of flows by name; the services of a shared flow count as one."""

    def __init__(self, flows: Iterable[FlowInfo]) -> None:
        self._flows: _Flows = {}
        self._services: dict[str, _Flows] = {}
        for flow in flows:
            steps = {step.name: (flow.service, step) for step in flow.steps}
            _add(flow.name, steps, self._flows)
            if flow.service:
                _add(flow.name, steps, self._services.setdefault(flow.service, {}))

    def find(self, name: str, flow: FlowInfo) -> Target | None:
        """Return the step that *name* refers to in the ``after`` of a step of *flow*.

        The name of a step of *flow* comes first, then ``flow:step``, then
        ``service/flow:step``, split at the first ":" that fits. None if the name
        points into this service, where no such step exists.
        """
        if name in self._flows.get(flow.name, ()):
            return _target(flow.name, name, self._flows)
        return self._of_flow(name) or self._of_service(name, flow.service)

    def known(self, flow: FlowInfo) -> Iterator[str]:
        """Yield every name that ``find`` resolves for a step of *flow*."""
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
        """Return a step of another service, unless *name* begins with a known flow."""
        if any(flow in self._flows for flow, _ in _splits(name, self._flows)):
            return None
        place, _, step = name.partition(":")
        service, _, flow = place.partition("/")
        if not (service and flow and step) or (own and name.startswith(f"{own}/")):
            return None
        return Target(service, flow, step, None)


def _add(name: str, steps: dict[str, tuple[str, StepInfo]], flows: _Flows) -> None:
    flows[name] = steps | flows.get(name, {})  # the first declaration counts


def _target(flow: str, name: str, flows: _Flows) -> Target:
    service, step = flows[flow][name]
    return Target(service, flow, name, step)


def _splits(name: str, flows: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Split *name* in two at every ":", from the left.

    If there are very many, only where the first part is one of *flows*.
    """
    if name.count(":") > _MAX_SPLITS:
        fitting = (flow for flow in flows if name.startswith(f"{flow}:"))
        yield from ((flow, name[len(flow) + 1 :]) for flow in sorted(fitting, key=len))
        return
    at = name.find(":")
    while at >= 0:
        yield name[:at], name[at + 1 :]
        at = name.find(":", at + 1)
