"""Add the flow to every structlog entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id, scope_var
from penstock._state import state

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    EventDict = MutableMapping[str, Any]

__all__ = ["FlowProcessor", "flow_processor"]


def flow_processor(_logger: object, _method: str, event_dict: EventDict) -> EventDict:
    """Add ``flow_id``, the correlation ID, to an entry; outside a flow, nothing.

    A ``flow_id`` that the entry has already is kept.

    >>> import structlog
    >>> structlog.configure(
    ...     processors=[flow_processor, structlog.processors.KeyValueRenderer()]
    ... )
    >>> structlog.reset_defaults()
    """
    flow_id = current_flow_id()
    if flow_id is not None:
        event_dict.setdefault("flow_id", flow_id)
    return event_dict


class FlowProcessor:
    """Add what you name to every structlog entry, under the keys you choose.

    >>> processor = FlowProcessor(correlation_id="cid", flow="flow", step="step")

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
            state.watch("structlog")

    def __call__(
        self, _logger: object, _method: str, event_dict: EventDict
    ) -> EventDict:
        """Add them; outside a flow, nothing. What the entry has already is kept."""
        scope = scope_var.get()
        if scope is None:
            return event_dict
        context, step = scope
        if step is not None and self._step:
            event_dict.setdefault(self._step, step.name)
        if step is not None and self._flow:
            event_dict.setdefault(self._flow, step.flow)
        for key, attribute in self._from_context.items():
            value = getattr(context, attribute)
            if value:
                event_dict.setdefault(key, value)
        return event_dict
