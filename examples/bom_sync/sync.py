"""The flow ``bom_sync``: one message in, one part in the database.

Declared on a class: ``@flow`` takes every marker in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock import entrypoint, flow, set_flow_context_value, step

from .licences import examine
from .parts import read_part, requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .messages import Message, Queue
    from .parts import Part, Requirement
    from .store import Store

__all__ = ["BomSync"]


@flow("bom_sync", owner="platform")
class BomSync:
    """Keep the database in sync with what is installed."""

    def __init__(self, store: Store, checks: Queue) -> None:
        self.store = store
        self.checks = checks

    @entrypoint
    def handle_message(self, message: Message) -> None:
        """Take one message from the queue."""
        part = self.fetch_details(message.part)
        needed = list(self.resolve_requirements(part))
        self.sync_to_database(part, needed)

    @step(after="handle_message")
    def fetch_details(self, name: str) -> Part:
        """Read the metadata of the part."""
        part = read_part(name)
        set_flow_context_value("version", part.version)
        return part

    @step(after="fetch_details")
    def resolve_requirements(self, part: Part) -> Iterator[Requirement]:
        """Yield what the part needs, one by one."""
        yield from requirements(part)

    @step(after="resolve_requirements", tags=("io",))
    def sync_to_database(self, part: Part, needed: list[Requirement]) -> None:
        """Upsert the part, then start what follows from it."""
        self.store.upsert(part, needed)
        examine(part, self.store)
        self.checks.put(part.name)
