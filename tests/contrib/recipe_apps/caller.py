"""Send jobs of every kind: ``python -m tests.contrib.recipe_apps.caller rq``.

The label of each job is the correlation ID that it must run under. The caller logs how
many lines each job will log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from importlib import import_module
from inspect import isawaitable
from typing import Any

import penstock

log = logging.getLogger("caller")

MANY = int(os.environ.get("MANY", "200"))


async def main(framework: str) -> None:
    """Send everything; a framework on asyncio wants one event loop for it."""
    shop: Any = import_module(f"shop_{framework}")
    app: Any = import_module(f"tests.contrib.recipe_apps.{framework}_app")

    async def send(kind: str, label: str) -> None:
        sent = app.send(kind, label)
        if isawaitable(sent):
            await sent
        log.info("sent %s %s", label, app.COUNTS[kind])

    with penstock.start_flow("a3f1c2d4"):
        received = shop.receive("A-1")
        if isawaitable(received):
            await received
    await send("note", "outside1")
    for kind in app.COUNTS:
        label = f"{kind:x<8.8}"
        with penstock.start_flow(label):
            await send(kind, label)
    for n in range(MANY):
        label = f"many{n:04}"
        with penstock.start_flow(label):
            await send("note", label)
    await send("note", "outside2")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
