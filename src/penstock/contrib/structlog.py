"""Add the flow to every structlog entry."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from penstock.backends.log_fields import ABSENT, checked_keys, fill, fill_late

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

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
    _fill(event_dict, _BOTH)
    return event_dict


_BOTH = {"flow_id": "flow_id", "correlation_id": "correlation_id"}


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
        _fill(event_dict, self._keys, self._metadata)
        return event_dict


def _fill(
    entry: EventDict, keys: Mapping[str, str], metadata: Iterable[str] = ()
) -> None:
    """Add fields and metadata, also to an entry that comes from ``logging``.

    The record of such an entry knows more: its exception the run that failed, and what
    Django logs after a request the ID of that.
    """
    record = entry.get("_record")
    if isinstance(record, logging.LogRecord) and not entry.get("_from_structlog"):
        fill_late(record, (*keys, *metadata), "FlowProcessor")
        known = {name: name for name in metadata} | dict(keys)
        for name, key in known.items():
            value = getattr(record, name)
            if value not in (None, ABSENT):
                entry.setdefault(key, value)
    else:
        fill(entry, keys, metadata)
