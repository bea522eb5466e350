"""Add the flow to every structlog entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id
from penstock.backends.log_fields import checked_keys, fill

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    EventDict = MutableMapping[str, Any]

__all__ = ["FlowProcessor", "flow_processor"]


def flow_processor(_logger: object, _method: str, event_dict: EventDict) -> EventDict:
    """Add the correlation ID to an entry, as ``flow_id`` and ``correlation_id``.

    Outside a flow nothing is added. What the entry already has is kept.

    >>> import structlog
    >>> structlog.configure(
    ...     processors=[flow_processor, structlog.processors.KeyValueRenderer()]
    ... )
    >>> structlog.reset_defaults()
    """
    flow_id = current_flow_id()
    if flow_id is not None:
        event_dict.setdefault("flow_id", flow_id)
        event_dict.setdefault("correlation_id", flow_id)
    return event_dict


class FlowProcessor:
    """Add the fields you name to every structlog entry, under the keys you choose.

    >>> processor = FlowProcessor(correlation_id="cid", flow="flow", step="step")

    Args:
        *metadata: Keys of metadata, such as ``order_id``; they keep their names.
        **keys: Field to key. Fields are ``correlation_id``, ``flow_id`` (the same),
            ``root_id``, ``short_id``, ``parent_id``, ``run_id``, ``call_id``, ``flow``,
            ``step``, ``service``, ``trace_id`` and ``span_id``.

    Raises:
        TypeError: There is no field of that name.
    """

    def __init__(self, *metadata: str, **keys: str) -> None:
        self._keys = checked_keys(keys)
        self._metadata = metadata

    def __call__(
        self, _logger: object, _method: str, event_dict: EventDict
    ) -> EventDict:
        """Add what is known; keep what the entry has. Outside a flow, add nothing."""
        fill(event_dict, self._keys, self._metadata)
        return event_dict
