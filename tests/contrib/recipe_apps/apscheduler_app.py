"""Ticks that fail, and ticks on asyncio, in addition to those on the page."""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler

import penstock

flow_apscheduler: Any = import_module("flow_apscheduler")
import_module("logs")
log = logging.getLogger("jobs")

THREADS = BackgroundScheduler(executors={"default": flow_apscheduler.FlowThreads()})
LOOP = AsyncIOScheduler(executors={"default": flow_apscheduler.FlowAsyncIO()})


@THREADS.scheduled_job("interval", seconds=0.1)  # type: ignore[untyped-decorator]  # no types
def fail() -> None:
    """Fail."""
    log.info("ran fail")
    raise ValueError("broken")


@LOOP.scheduled_job("interval", seconds=0.1)  # type: ignore[untyped-decorator]  # no types
async def tick() -> None:
    """Say that it ran."""
    await asyncio.sleep(0)
    log.info("ran tick")


async def main() -> None:
    """Start both inside a flow, which is not that of the ticks."""
    with penstock.start_flow("started1"):
        THREADS.start()
        LOOP.start()
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main())
