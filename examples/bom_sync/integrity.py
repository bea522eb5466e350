"""The flow ``integrity_check``: are a part's files, and what it needs, in place?

Declared by a handle, so that the flow's name is written once. It is asynchronous, and
its hashing runs in a pool of threads; the ID is there in each of them.
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
    """Look at the files and at the requirements of a part, both at once."""
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
    """List what the part always needs and the database does not have."""
    part = await asyncio.to_thread(read_part, name)
    always = {need.name for need in requirements(part) if not need.condition}
    return sorted(always - store.names())


@integrity.step(after=all_of(hash_files, find_missing), tags=("io",))
def write_findings(
    name: str, checked: int, changed: list[str], missing: list[str], store: Store
) -> None:
    """Write down what was found."""
    # Set in another flow; configure(propagate=...) let it travel with the message.
    version = get_flow_context_value("version")
    found = "as recorded" if not changed else f"changed: {', '.join(changed)}"
    logger.info("%s %s: %d files, %s", name, version, checked, found)
    store.set_findings(name, checked, len(changed), ", ".join(missing))
