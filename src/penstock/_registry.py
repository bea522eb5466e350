"""Every declared flow of this process, by name."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from ._platform.process import on_fork
from ._runtime.state import state
from .errors import FlowDefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ._steps.source import Origin
    from ._steps.step import Step
    from ._types import FlowInfo

__all__ = ["OUTSIDE_MODES", "FlowOptions", "Registry", "declared_flows", "registry"]

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
    """First line of a class's docstring, for want of a description."""


class _Record:
    """One flow and its steps, as declared so far."""

    __slots__ = ("options", "steps")

    def __init__(self, name: str) -> None:
        self.options = FlowOptions(name)
        self.steps: dict[str, Step] = {}

    def learn(self, options: FlowOptions, steps: Iterable[Step]) -> None:
        """Take over what *options* says; what it leaves empty stays as it was."""
        old = self.options
        if options != old:
            self.options = FlowOptions(
                old.name,
                options.owner or old.owner,
                options.description or old.description,
                options.tags or old.tags,
                options.outside or old.outside,
                options.doc or old.doc,
            )
        if self.options.outside != old.outside:
            steps = self.steps.values()
        if self.options.outside:
            for step in steps:
                step.outside = self.options.outside


class Registry:
    """A thread-safe mapping from names to flows.

    Attributes:
        lock: Held while something is declared, so that what a function's mark and
            the registry say of it changes at once.
    """

    def __init__(self) -> None:
        self._flows: dict[str, _Record] = {}
        self.lock = threading.RLock()

    def add(
        self,
        options: FlowOptions,
        steps: Sequence[Step],
        *,
        klass: Origin | None = None,
    ) -> None:
        """Add *steps* to the flow of *options*, all of them or none.

        Args:
            options: The flow's name, and what is said about it.
            steps: What one decorator or class declares.
            klass: The class they come from; what it declared before goes.

        Raises:
            FlowDefinitionError: Another function has a step's name already.
        """
        with self.lock:
            record = self._flows.get(options.name) or _Record(options.name)
            stale = () if klass is None else _declared_by(klass, record)
            added: dict[str, Step] = {}
            for step in steps:
                old = added.get(step.name)
                if old is None and step.name not in stale:
                    old = record.steps.get(step.name)
                if old is not None:
                    _refuse_clash(old, step)
                added[step.name] = step
            for name in stale:
                del record.steps[name]
            record.steps.update(added)
            record.learn(options, steps)
            self._flows[options.name] = record

    def __contains__(self, name: str) -> bool:
        """Tell whether this process declares a flow of that name."""
        return name in self._flows

    def has(self, flow: str, step: str) -> bool:
        """Tell whether this process declares a step of that name in that flow."""
        record = self._flows.get(flow)
        return record is not None and step in record.steps

    def steps(self, flow: str) -> list[Step]:
        """Return the steps of a flow, in the order in which they were declared."""
        with self.lock:
            record = self._flows.get(flow)
            return [] if record is None else list(record.steps.values())

    def swap(self, flows: dict[str, _Record]) -> dict[str, _Record]:
        """Replace all flows by others, for a while; return those that were there."""
        with self.lock:
            before, self._flows = self._flows, flows
        return before

    def names(self) -> list[str]:
        """Return the names of all flows, sorted."""
        with self.lock:
            return sorted(self._flows)

    def clear(self) -> None:
        """Forget every flow."""
        with self.lock:
            self._flows.clear()

    def infos(self) -> tuple[FlowInfo, ...]:
        """Return every flow as a value, sorted by name."""
        from ._types import FlowInfo  # noqa: PLC0415  # dataclasses: +6 ms on import

        with self.lock:
            records = [
                (r.options, list(r.steps.values())) for r in self._flows.values()
            ]
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
            for options, steps in sorted(records, key=lambda pair: pair[0].name)
        )

    def unlock(self) -> None:
        """Replace the lock: another thread of a parent process may have held it."""
        self.lock = threading.RLock()


def _declared_by(klass: Origin, record: _Record) -> tuple[str, ...]:
    return tuple(
        name
        for name, step in record.steps.items()
        if step.klass is not None and step.klass.is_same(klass)
    )


def _refuse_clash(old: Step, new: Step) -> None:
    if old.origin.is_same(new.origin):
        return
    msg = (
        f"two different functions are step {new.name!r} of flow {new.flow!r}: "
        f"{old.origin.qualname} ({old.place}) and {new.origin.qualname} "
        f"({new.place}). Give one of them another name with name=..."
    )
    raise FlowDefinitionError(msg)


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
