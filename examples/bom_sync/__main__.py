"""Sync the bill of materials of this environment: ``python -m examples.bom_sync``.

The optional argument is the folder for the database and the log; the default is a new
temporary folder.
"""

from __future__ import annotations

import asyncio
import io
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import penstock
from penstock.contrib.threads import FlowThreadPoolExecutor

from .integrity import check
from .messages import Queue, consume, consume_together
from .parts import installed
from .store import Store
from .story import tell
from .sync import BomSync

if TYPE_CHECKING:
    from .messages import Message

NO_SUCH_PART = "no-such-part"


def main() -> None:
    """Put every installed part on a queue, handle the messages, print the result."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # an old terminal cannot show boxes
    folder = Path(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp(prefix="bom_sync-"))
    database, log = folder / "bom_sync.db", folder / "bom_sync.jsonl"
    set_up_logging(log)
    store = Store(database)

    messages, checks = Queue(), Queue()
    for name in [*installed(), NO_SUCH_PART]:
        messages.put(name)
    consume(messages, BomSync(store, checks).handle_message)
    asyncio.run(check_all(checks, store))

    tell(store, database, log)
    store.close()


def set_up_logging(path: Path) -> None:
    """Write the lines of all loggers into one file, as JSON with their IDs."""
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(penstock.JSONFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    penstock.configure("logging", service="bom-demo", propagate=["version"])
    penstock.install_log_fields()


async def check_all(checks: Queue, store: Store) -> None:
    """Check all synced parts concurrently, with four threads."""
    with FlowThreadPoolExecutor(max_workers=4) as pool:

        async def handle(message: Message) -> None:
            await check(message, store, pool)

        await consume_together(checks, handle)


if __name__ == "__main__":
    main()
