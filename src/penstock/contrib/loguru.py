"""Add the flow to every loguru record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id
from penstock.backends.log_fields import ABSENT, checked_keys, fill

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FlowPatcher", "flow_patcher"]


def flow_patcher(record: Mapping[str, Any]) -> None:
    """Add ``extra[flow_id]``, the correlation ID, to a record; ``-`` outside a flow.

    So one format string works for all records. A ``flow_id`` that was bound is kept.

    >>> from loguru import logger
    >>> _ = logger.configure(patcher=flow_patcher)
    """
    record["extra"].setdefault("flow_id", current_flow_id() or ABSENT)


class FlowPatcher:
    """Add the fields you name to every loguru record, under the keys you choose.

    >>> from loguru import logger
    >>> patcher = FlowPatcher(correlation_id="cid", flow="flow", step="step")
    >>> _ = logger.configure(patcher=patcher)

    Args:
        *metadata: Keys of metadata, such as ``order_id``; they keep their names.
        **keys: Field to key in ``extra``. Fields are ``correlation_id``, ``flow_id``
            (the same), ``root_id``, ``short_id``, ``parent_id``, ``run_id``,
            ``call_id``, ``flow``, ``step``, ``service``, ``trace_id`` and ``span_id``.

    Raises:
        TypeError: There is no field of that name.
    """

    def __init__(self, *metadata: str, **keys: str) -> None:
        self._keys = checked_keys(keys)
        self._metadata = metadata

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Add them, ``-`` for what is not known. What was bound is kept."""
        fill(record["extra"], self._keys, self._metadata, ABSENT)
