"""The flow ``bom_sync``: one message in, one part in the database.

Declared on a class: ``@flow`` takes every marker in it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from penstock import entrypoint, flow, set_flow_context_value, step

from .licences import examine
from .parts import Requirement, read_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .messages import Message, Queue
    from .parts import Part
    from .store import Store

__all__ = ["BomSync"]

logger = logging.getLogger(__name__)


@flow("bom_sync", owner="platform")
class BomSync:
    """Keep the database in step with what is installed."""

    def __init__(self, store: Store, checks: Queue) -> None:
        self.store = store
        self.checks = checks

    @entrypoint
    def handle_message(self, message: Message) -> None:
        """Take one message from the queue."""
        set_flow_context_value("part", message.part)
        part = self.fetch_details(message.part)
        needed = list(self.resolve_requirements(part))
        self.sync_to_database(part, needed)

    @step(after="handle_message")
    def fetch_details(self, name: str) -> Part:
        """Read the metadata of the part."""
        return read_part(name)

    @step(after="fetch_details")
    def resolve_requirements(self, part: Part) -> Iterator[Requirement]:
        """Yield what the part needs, one by one."""
        for text in part.requires:
            try:
                yield Requirement.parse(text)
            except ValueError as exc:
                logger.warning("%s has a requirement that is %s", part.name, exc)

    @step(after="resolve_requirements", tags=("io",))
    def sync_to_database(self, part: Part, needed: list[Requirement]) -> None:
        """Upsert the part, then start what follows from it."""
        self.store.upsert(part, needed)
        examine(part, self.store)
        self.checks.put(part.name)
