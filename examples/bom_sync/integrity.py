"""The flow ``integrity_check``: are a part's files and requirements in place?

Declared with a handle, so the flow's name is written once. It is asynchronous, and
hashes files in a pool of threads, which all have the ID.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from penstock import all_of, flow, get_flow_context_value

from .parts import changed_files, read_part, requirements

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .messages import Message
    from .store import Store

__all__ = ["check"]

logger = logging.getLogger(__name__)

integrity = flow(
    "integrity_check", owner="security", description="Are all files in place?"
)


@integrity.entrypoint(after="bom_sync:sync_to_database")
async def check(message: Message, store: Store, pool: Executor) -> None:
    """Check the files and the requirements of a part concurrently."""
    loop = asyncio.get_running_loop()
    (checked, changed), missing = await asyncio.gather(
        loop.run_in_executor(pool, hash_files, message.part),
        find_missing(message.part, store),
    )
    write_findings(message.part, checked, changed, missing, store)


@integrity.step(after=check, tags=("thread",))
def hash_files(name: str) -> tuple[int, list[str]]:
    """Compare the files with what was recorded when they were installed."""
    return changed_files(name)


@integrity.step(after=check)
async def find_missing(name: str, store: Store) -> list[str]:
    """List the unconditional requirements that the database lacks."""
    part = await asyncio.to_thread(read_part, name)
    always = {need.name for need in requirements(part) if not need.condition}
    return sorted(always - store.names())


@integrity.step(after=all_of(hash_files, find_missing), tags=("io",))
def write_findings(
    name: str, checked: int, changed: list[str], missing: list[str], store: Store
) -> None:
    """Store the result."""
    # Set in another flow; configure(propagate=...) let it travel with the message.
    version = get_flow_context_value("version")
    found = "as recorded" if not changed else f"changed: {', '.join(changed)}"
    logger.info("%s %s: %d files, %s", name, version, checked, found)
    store.set_findings(name, checked, len(changed), ", ".join(missing))
