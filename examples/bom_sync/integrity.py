"""The flow ``integrity_check``: are a part's files, and what it needs, in place?

Declared by a handle, so that the flow's name is written once. It is asynchronous, and
its hashing runs in a pool of threads; the ID is there in each of them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from penstock import all_of, flow

from .parts import Requirement, changed_files, installed, missing_from, read_part

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
        find_missing(message.part),
    )
    write_findings(message.part, checked, changed, missing, store)


@integrity.step(after=check, tags=("thread",))
def hash_files(name: str) -> tuple[int, list[str]]:
    """Compare the files with what was recorded when they were installed."""
    return changed_files(name)


@integrity.step(after=check)
async def find_missing(name: str) -> list[str]:
    """List what the part needs and this environment lacks."""
    part = await asyncio.to_thread(read_part, name)
    needed = [Requirement.parse(text) for text in part.requires]
    return list(missing_from(needed, installed()))


@integrity.step(after=all_of(hash_files, find_missing), tags=("io",))
def write_findings(
    name: str, checked: int, changed: list[str], missing: list[str], store: Store
) -> None:
    """Write down what was found."""
    if changed or missing:
        logger.info("changed: %s; missing: %s", changed, missing)
    store.set_findings(name, checked, len(changed), ", ".join(missing))
