"""Tasks of taskiq, in addition to those on the page."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Annotated, Any

from taskiq import Context, SimpleRetryMiddleware, TaskiqDepends, TaskiqMiddleware

shop: Any = import_module("shop_taskiq")
log = logging.getLogger("jobs")

COUNTS = {"note": 1, "fail": 1, "retry": 3, "nest": 2, "thread": 1}


class Probe(TaskiqMiddleware):
    """Log which ID the asyncio task has after a message."""

    def post_save(self, message: object, result: object) -> None:
        """Say it."""
        log.info("after")


shop.broker.add_middlewares(SimpleRetryMiddleware(), Probe())


async def send(kind: str, label: str) -> None:
    """Send a task of that kind."""
    tasks = {"note": note, "fail": fail, "retry": retry, "nest": nest, "thread": thread}
    await tasks[kind].kiq(label)


@shop.broker.task  # type: ignore[untyped-decorator]  # the page's code is Any
async def note(label: str) -> None:
    """Say that it ran."""
    log.info("ran %s", label)


@shop.broker.task  # type: ignore[untyped-decorator]  # the page's code is Any
def thread(label: str) -> None:
    """Say that it ran, in a thread of taskiq's."""
    log.info("ran %s", label)


@shop.broker.task  # type: ignore[untyped-decorator]  # the page's code is Any
async def fail(label: str) -> None:
    """Fail."""
    log.info("ran %s", label)
    raise ValueError(f"broken {label}")


@shop.broker.task(retry_on_error=True, max_retries=3)  # type: ignore[untyped-decorator]  # the page's code is Any
async def retry(label: str, context: Annotated[Context, TaskiqDepends()]) -> None:
    """Succeed at the third attempt."""
    log.info("ran %s", label)
    if int(context.message.labels.get("_retries", 0)) < 2:
        raise OSError(label)


@shop.broker.task  # type: ignore[untyped-decorator]  # the page's code is Any
async def nest(label: str) -> None:
    """Send a task from a task."""
    log.info("ran %s", label)
    await note.kiq(label)
