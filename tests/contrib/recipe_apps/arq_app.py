"""Jobs of arq, in addition to those on the page."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

arq: Any = import_module("arq")  # the type checkers' environment has none
shop: Any = import_module("shop_arq")
log = logging.getLogger("jobs")

COUNTS = {"note": 1, "fail": 1, "retry": 3, "nest": 2, "later": 1}

_pools: list[Any] = []


async def send(kind: str, label: str) -> None:
    """Send a job of that kind."""
    if not _pools:
        _pools.append(await arq.create_pool(shop.settings, **shop.hooks))
    name, delay = ("note", 0.2) if kind == "later" else (kind, None)
    await _pools[0].enqueue_job(name, label, _defer_by=delay)


async def note(ctx: dict[Any, Any], label: str) -> None:
    """Say that it ran."""
    log.info("ran %s", label)


async def fail(ctx: dict[Any, Any], label: str) -> None:
    """Fail."""
    log.info("ran %s", label)
    raise ValueError(f"broken {label}")


async def retry(ctx: dict[Any, Any], label: str) -> None:
    """Succeed at the third attempt."""
    log.info("ran %s", label)
    if ctx["job_try"] < 3:
        raise arq.Retry


async def nest(ctx: dict[Any, Any], label: str) -> None:
    """Send a job from a job."""
    log.info("ran %s", label)
    await ctx["redis"].enqueue_job("note", label)


async def after(ctx: dict[Any, Any]) -> None:
    """Log which ID the asyncio task has after a job."""
    log.info("after")


# arq reads what the class itself has, and nothing that it inherits.
WorkerSettings = type(
    "WorkerSettings",
    (),
    {
        **vars(shop.WorkerSettings),
        "functions": [note, fail, retry, nest, *shop.WorkerSettings.functions],
        "after_job_end": after,
        "poll_delay": 0.05,
    },
)
