"""The flow ``licence_report``: which licence does a part have?

Declared on functions, each with ``@flow`` above. It starts inside a run of
``bom_sync``, so each of its runs has its own ID and knows which run started it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from penstock import all_of, entrypoint, flow, get_flow_context, step

if TYPE_CHECKING:
    from .parts import Part
    from .store import Store

__all__ = ["examine"]

logger = logging.getLogger(__name__)

LONGEST = 60
"""Some packages put the whole licence text into the field for its name."""


@flow("licence_report", owner="legal", description="Which licence each part has.")
@entrypoint(after="bom_sync:sync_to_database")
def examine(part: Part, store: Store) -> None:
    """Find the licence of a part that was just synced."""
    if context := get_flow_context():  # none under PENSTOCK_DISABLED=1
        logger.info("started by run %.8s", context.parent_id)
    declared = read_declared(part)
    classified = read_classifiers(part)
    write_licence(part, declared, classified, store)


@flow("licence_report")
@step(after="examine")
def read_declared(part: Part) -> str:
    """Read the licence field."""
    first, *more = part.licence.strip().splitlines() or [""]
    return "" if more or len(first) > LONGEST else first


@flow("licence_report")
@step(after="examine")
def read_classifiers(part: Part) -> str:
    """Read the licence from the classifiers."""
    found = [text for text in part.classifiers if text.startswith("License :: ")]
    return ", ".join(text.rpartition(" :: ")[2] for text in found)


@flow("licence_report")
@step(after=all_of("read_declared", "read_classifiers"), tags=("io",))
def write_licence(part: Part, declared: str, classified: str, store: Store) -> None:
    """Store the better of the two answers."""
    licence = declared or classified or "unknown"
    if licence == "unknown":
        logger.info("%s does not say; its files: %s", part.name, part.licence_files)
    store.set_licence(part.name, licence)
