"""What a log entry is told about the flow, under keys that the user chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import scope_var
from penstock._runtime.state import state

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from penstock._context import FlowContext
    from penstock._steps.step import Step

__all__ = ["FlowKeys"]


class FlowKeys:
    """Fills in what was named, where the entry does not have it already.

    Args:
        **keys: What to add, by what it is: ``correlation_id``, ``flow_id`` (the
            same), ``parent_id``, ``root_id``, ``flow``, ``step``; the value is
            the key in the entry.

    Raises:
        TypeError: A name that is none of those.
    """

    def __init__(
        self,
        *,
        correlation_id: str = "",
        flow_id: str = "",
        parent_id: str = "",
        root_id: str = "",
        flow: str = "",
        step: str = "",
    ) -> None:
        self._from_context: Mapping[str, str] = {
            key: attribute
            for key, attribute in (
                (correlation_id, "correlation_id"),
                (flow_id, "correlation_id"),
                (parent_id, "parent_id"),
                (root_id, "root_id"),
                (flow, "flow"),
            )
            if key
        }
        self._flow = flow
        self._step = step
        if step or flow:
            state.watch("log keys")

    def fill(self, entry: MutableMapping[str, Any], *, absent: str = "") -> None:
        """Set what is missing; what is not known is *absent*, or left out if empty."""
        scope = scope_var.get()
        if scope is not None:
            self._fill_from(scope[0], scope[1], entry)
        if absent:
            for key in (*self._from_context, self._step):
                if key:
                    entry.setdefault(key, absent)

    def _fill_from(
        self, context: FlowContext, step: Step | None, entry: MutableMapping[str, Any]
    ) -> None:
        if step is not None and self._step:
            entry.setdefault(self._step, step.name)
        if step is not None and self._flow:
            entry.setdefault(self._flow, step.flow)
        for key, attribute in self._from_context.items():
            value = getattr(context, attribute)
            if value:
                entry.setdefault(key, value)
