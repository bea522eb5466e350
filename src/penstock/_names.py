"""Find the step that a name in ``after`` stands for, across flows and services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._types import FlowInfo, StepInfo

__all__ = ["Names", "Target"]

_MAX_SPLITS = 64  # names with more ":" than that are an attack on quadratic loops


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
        self._flows: dict[str, dict[str, Target]] = {}
        self._services: dict[str, dict[str, dict[str, Target]]] = {}
        for flow in flows:
            steps = {
                step.name: Target(flow.service, flow.name, step.name, step)
                for step in flow.steps
            }
            self._flows.setdefault(flow.name, {}).update(steps)
            if flow.service:
                mine = self._services.setdefault(flow.service, {})
                mine.setdefault(flow.name, {}).update(steps)

    def find(self, name: str, flow: FlowInfo) -> Target | None:
        """Return what *name* stands for when a step of *flow* says it.

        An exact step name of the own flow wins; then ``flow:step``, then
        ``service/flow:step``, at the first ":" that fits. None where this
        service should have it and does not.
        """
        own = self._flows.get(flow.name, {}).get(name)
        return own or self._of_flow(name) or self._of_service(name, flow.service)

    def known(self, flow: FlowInfo) -> Iterator[str]:
        """Give every name that ``find`` knows, as a step of *flow* would say it."""
        yield from self._flows.get(flow.name, ())
        for other, steps in self._flows.items():
            yield from (f"{other}:{step}" for step in steps)

    def _of_flow(self, name: str) -> Target | None:
        for flow, step in _splits(name):
            if target := self._flows.get(flow, {}).get(step):
                return target
        return None

    def _of_service(self, name: str, own: str) -> Target | None:
        for service, flows in self._services.items():
            if name.startswith(f"{service}/"):
                for flow, step in _splits(name[len(service) + 1 :]):
                    if target := flows.get(flow, {}).get(step):
                        return target
        return self._elsewhere(name, own)

    def _elsewhere(self, name: str, own: str) -> Target | None:
        """Take *name* for another service's, unless it begins like one of ours."""
        if any(flow in self._flows for flow, _ in _splits(name)):
            return None
        place, _, step = name.partition(":")
        service, _, flow = place.partition("/")
        if not (service and flow and step) or (own and name.startswith(f"{own}/")):
            return None
        return Target(service, flow, step, None)


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Cut *name* in two at every ":", from the left."""
    at = -1
    for _ in range(min(name.count(":"), _MAX_SPLITS)):
        at = name.index(":", at + 1)
        yield name[:at], name[at + 1 :]
