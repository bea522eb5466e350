"""Add the flow to every structlog entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id

from ._keys import FlowKeys

if TYPE_CHECKING:
    from collections.abc import MutableMapping

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


class FlowProcessor(FlowKeys):
    """Add what you name to every structlog entry, under the keys you choose.

    >>> processor = FlowProcessor(correlation_id="cid", flow="flow", step="step")

    Args:
        **keys: What to add, by what it is: ``correlation_id``, ``flow_id`` (the
            same), ``parent_id``, ``root_id``, ``flow``, ``step``; the value is
            the key in the entry.

    Raises:
        TypeError: A name that is none of those.
    """

    def __call__(
        self, _logger: object, _method: str, event_dict: EventDict
    ) -> EventDict:
        """Add them; outside a flow, nothing. What the entry has already is kept."""
        self.fill(event_dict)
        return event_dict
