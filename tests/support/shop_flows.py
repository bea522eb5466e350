"""The flows of the shop whose logs ``benchmarks.stored_runs`` writes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from benchmarks import stored_runs
from penstock._registry import declared_flows

if TYPE_CHECKING:
    from penstock._types import FlowInfo


def shop_flows() -> tuple[FlowInfo, ...]:
    """Return the flows that the shop declares."""
    importlib.reload(stored_runs)  # other tests forget what is declared
    return tuple(declared_flows())
