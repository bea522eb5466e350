"""Actors of dramatiq, in addition to those on the page."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

import dramatiq
from dramatiq import pipeline
from dramatiq.middleware import AsyncIO, CurrentMessage

shop: Any = import_module("shop_dramatiq")
flow_dramatiq: Any = import_module("flow_dramatiq")
log = logging.getLogger("jobs")

COUNTS = {
    "note": 1, "fail": 1, "retry": 3, "nest": 2, "later": 1, "coroutine": 1, "pipe": 2
}  # fmt: skip


class Probe(dramatiq.Middleware):
    """Log which ID the thread has after a message."""

    def after_process_message(self, *_: object, **__: object) -> None:
        """Say it."""
        log.info("after")


shop.broker.add_middleware(Probe(), before=flow_dramatiq.FlowMiddleware)
shop.broker.add_middleware(CurrentMessage())
shop.broker.add_middleware(AsyncIO())


def send(kind: str, label: str) -> None:
    """Send a message of that kind."""
    if kind == "later":
        note.send_with_options(args=(label,), delay=200)
    elif kind == "pipe":
        both: Any = note.message(label), after.message_with_options(args=(label,))
        piped: Any = pipeline(both)
        piped.run()
    else:
        actors: dict[str, Any] = {
            "note": note, "fail": fail, "retry": retry, "nest": nest, "coroutine": wait
        }  # fmt: skip
        actors[kind].send(label)


@dramatiq.actor
def note(label: str) -> str:
    """Say that it ran."""
    log.info("ran %s", label)
    return label


@dramatiq.actor
def after(label: str, before: str) -> None:
    """Go on with the result of another."""
    log.info("ran %s", label)


@dramatiq.actor
async def wait(label: str) -> None:
    """Say that it ran, in the event loop's thread."""
    log.info("ran %s", label)


@dramatiq.actor(max_retries=0)
def fail(label: str) -> None:
    """Fail."""
    log.info("ran %s", label)
    raise ValueError(f"broken {label}")


@dramatiq.actor(max_retries=2, min_backoff=10, max_backoff=10)
def retry(label: str) -> None:
    """Succeed at the third attempt."""
    log.info("ran %s", label)
    message = CurrentMessage.get_current_message()
    assert message is not None
    if message.options.get("retries", 0) < 2:
        raise OSError(label)


@dramatiq.actor
def nest(label: str) -> None:
    """Send a message from an actor."""
    log.info("ran %s", label)
    note.send(label)
