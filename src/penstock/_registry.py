"""Every declared flow of this process, by name."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

from ._platform.process import on_fork
from ._runtime.state import state
from .errors import FlowDefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from ._steps.source import Origin
    from ._steps.step import Step
    from ._types import FlowInfo

__all__ = [
    "OUTSIDE_MODES",
    "FlowOptions",
    "Registry",
    "declared_flows",
    "forget_flow",
    "registry",
]

OUTSIDE_MODES = ("raise", "warn", "run")
"""What a step can do when it is called outside a flow."""


class FlowOptions(NamedTuple):
    """What one ``flow(...)`` says about its flow."""

    name: str
    owner: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    outside: str = ""
    doc: str = ""
    """First line of a class's docstring, used if there is no description."""


class _DeclaredFlow:
    """One flow and its steps, as declared so far."""

    __slots__ = ("options", "steps")

    def __init__(self, name: str) -> None:
        self.options = FlowOptions(name)
        self.steps: dict[str, Step] = {}

    def update(self, options: FlowOptions, added: Mapping[str, Step]) -> None:
        """Add steps, and what *options* says; empty options change nothing."""
        self.steps.update(added)
        before = self.options
        if options != before:
            said = {key: value for key, value in options._asdict().items() if value}
            self.options = before._replace(**said)
        if self.options.outside != before.outside:
            added = self.steps
        if self.options.outside:
            for step in added.values():
                step.outside = self.options.outside


class Registry:
    """A thread-safe mapping from names to flows.

    Attributes:
        lock: Held while a function is declared, so that its ``Marked`` and the
            registry never disagree.
    """

    def __init__(self) -> None:
        self._flows: dict[str, _DeclaredFlow] = {}
        self._imports: dict[str, object] = {}
        self.lock = threading.RLock()

    def add(
        self,
        options: FlowOptions,
        steps: Sequence[Step],
        *,
        klass: Origin | None = None,
    ) -> None:
        """Add *steps* to the flow of *options*, all of them or none.

        The caller holds the lock.

        Args:
            options: The flow's name, and what is said about it.
            steps: What one decorator or class declares.
            klass: The class they come from; its earlier steps are removed.

        Raises:
            FlowDefinitionError: Another function already has a step's name.
        """
        new: dict[str, object] = {}  # imported modules, each with its spec
        for step in steps:
            module = step.func.__module__
            spec = getattr(sys.modules.get(module), "__spec__", None)
            if self._imports.get(module, self) is not spec:
                new[module] = spec
        again = new.keys() & self._imports if new else frozenset()  # reloaded ones
        declared = self._flows.get(options.name) or _DeclaredFlow(options.name)
        kept = declared.steps if klass is None else _without(klass, declared.steps)
        if again:
            kept = _outside(again, kept)
        added: dict[str, Step] = {}
        for step in steps:
            old = added.get(step.name) or kept.get(step.name)
            if old is not None:
                _refuse_clash(old, step)
            added[step.name] = step
        declared.steps = kept
        declared.update(options, added)
        self._flows[options.name] = declared
        self._imports.update(new)
        for other in self._flows.values() if again else ():
            if other is not declared:
                other.steps = _outside(again, other.steps)

    def __contains__(self, name: str) -> bool:
        """Tell whether this process declares a flow with that name."""
        return name in self._flows and bool(self._flows[name].steps)

    def find(self, flow: str, step: str) -> Step | None:
        """Return one step as this process declares it, or None."""
        declared = self._flows.get(flow)
        return None if declared is None else declared.steps.get(step)

    def steps(self, flow: str) -> list[Step]:
        """Return the steps of a flow, in the order in which they were declared."""
        with self.lock:
            declared = self._flows.get(flow)
            return [] if declared is None else list(declared.steps.values())

    def swap(self, flows: dict[str, _DeclaredFlow]) -> dict[str, _DeclaredFlow]:
        """Replace all flows; return the ones before, so that they can come back."""
        with self.lock:
            before, self._flows = self._flows, flows
        return before

    def names(self) -> list[str]:
        """Return the names of all flows, sorted."""
        with self.lock:
            return sorted(name for name, flow in self._flows.items() if flow.steps)

    def forget(self, name: str | None = None) -> None:
        """Forget one flow, or every flow."""
        with self.lock:
            if name is None:
                self._flows.clear()
            else:
                self._flows.pop(name, None)

    def infos(self) -> tuple[FlowInfo, ...]:
        """Return every flow as a value, sorted by name."""
        from ._types import FlowInfo  # noqa: PLC0415  # dataclasses: +6 ms on import

        with self.lock:
            declared = [flow for flow in self._flows.values() if flow.steps]
            flows = [(flow.options, list(flow.steps.values())) for flow in declared]
        return tuple(
            FlowInfo(
                name=options.name,
                steps=tuple([step.info for step in steps]),
                owner=options.owner,
                description=options.description or options.doc,
                tags=options.tags,
                service=state.service,
                source_url=state.source_url,
            )
            for options, steps in sorted(flows, key=lambda pair: pair[0].name)
        )

    def unlock(self) -> None:
        """Replace the lock, which another thread of the parent may have held."""
        self.lock = threading.RLock()


def _outside(modules: AbstractSet[str], steps: Mapping[str, Step]) -> dict[str, Step]:
    return {n: step for n, step in steps.items() if step.origin.module not in modules}


def _without(klass: Origin, steps: Mapping[str, Step]) -> dict[str, Step]:
    return {
        name: step
        for name, step in steps.items()
        if step.klass is None or not step.klass.is_same(klass)
    }


def _refuse_clash(old: Step, new: Step) -> None:
    if old.origin.is_same(new.origin):
        return
    msg = (
        f"two different functions are step {new.name!r} of flow {new.flow!r}: "
        f"{old.origin.qualname} ({old.place}) and {new.origin.qualname} "
        f"({new.place}). Give one of them another name with name=..."
    )
    raise FlowDefinitionError(msg)


def forget_flow(name: str | None = None) -> None:
    """Remove a flow, or every flow, from what this process declares.

    Use it where functions are declared again and again: in a notebook, or in a test.
    A flow that does not exist is no error. The functions stay as they are, and run in
    their flow if they are called.

    >>> import penstock
    >>> @penstock.flow("orders")
    ... @penstock.entrypoint
    ... def receive(order): ...
    >>> penstock.forget_flow("orders")
    >>> penstock.declared_flows()
    ()

    Args:
        name: The flow; without it, all of them.
    """
    registry.forget(name)


registry = Registry()
on_fork(registry.unlock)


def declared_flows() -> tuple[FlowInfo, ...]:
    """Return every flow that the imported modules declare, sorted by name.

    >>> import penstock
    >>> @penstock.flow("orders", owner="payments")
    ... @penstock.entrypoint
    ... def receive(order): ...
    >>> {flow.name: flow.owner for flow in penstock.declared_flows()}
    {'orders': 'payments'}
    """
    return registry.infos()
