"""Add the flow to every loguru record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import current_flow_id

from ._keys import FlowKeys

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FlowPatcher", "flow_patcher"]

_ABSENT = "-"


def flow_patcher(record: Mapping[str, Any]) -> None:
    """Add ``extra[flow_id]``, the correlation ID, to a record; ``-`` outside a flow.

    One format string therefore does for all records. A ``flow_id`` that was bound
    is kept.

    >>> from loguru import logger
    >>> _ = logger.configure(patcher=flow_patcher)
    """
    record["extra"].setdefault("flow_id", current_flow_id() or _ABSENT)


class FlowPatcher(FlowKeys):
    """Add what you name to every loguru record's ``extra``, under the keys you choose.

    >>> from loguru import logger
    >>> patcher = FlowPatcher(correlation_id="cid", flow="flow", step="step")
    >>> _ = logger.configure(patcher=patcher)

    Args:
        **keys: What to add, by what it is: ``correlation_id``, ``flow_id`` (the
            same), ``parent_id``, ``root_id``, ``flow``, ``step``; the value is
            the key in ``extra``.

    Raises:
        TypeError: A name that is none of those.
    """

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Add them, ``-`` for what is not known. What was bound is kept."""
        self.fill(record["extra"], absent=_ABSENT)
