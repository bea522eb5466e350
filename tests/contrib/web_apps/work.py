"""What the endpoints of every application do."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import penstock
from penstock import flow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

log = logging.getLogger("site")
shop = flow("shop")


def seen() -> str:
    """Return the ID that is current, and log a line."""
    log.info("seen")
    return penstock.current_flow_id() or "-"


@shop.entrypoint
def receive() -> str:
    """Take an order."""
    return seen()


@shop.entrypoint
async def receive_async() -> str:
    """Take an order, and pause."""
    await asyncio.sleep(0)
    return seen()


@shop.step(after=receive)
def charge() -> str:
    """Charge for an order."""
    return seen()


def calls() -> str:
    """Call an entrypoint, again, and then a step; return the IDs they saw."""
    return ",".join({seen(), receive(), receive(), charge()})


async def gathers() -> str:
    """Call entrypoints at once, in tasks and a thread; return the IDs they saw."""
    tasks = (receive_async(), receive_async(), asyncio.to_thread(receive))
    return ",".join({seen(), *await asyncio.gather(*tasks)})


def leave_open() -> str:
    """Start flows of its own, and leave one open."""
    with penstock.start_flow("theirs"):
        penstock.start_flow("left-open").__enter__()
    return seen()


def fail() -> None:
    """Raise."""
    seen()
    raise ZeroDivisionError


def after() -> None:
    """Work when the response has been sent."""
    log.info("after %s", receive())


def chunks() -> Generator[bytes]:
    """Stream IDs."""
    try:
        yield f"{seen()}\n".encode()
        with penstock.start_flow("inner"):
            yield f"{seen()}\n".encode()
            yield f"{seen()}\n".encode()
        yield f"{charge()}\n".encode()
    finally:
        log.info("closed")


async def async_chunks() -> AsyncGenerator[bytes]:
    """Stream IDs, with pauses."""
    try:
        yield f"{seen()}\n".encode()
        with penstock.start_flow("inner"):
            await asyncio.sleep(0)
            yield f"{seen()}\n".encode()
            yield f"{seen()}\n".encode()
        yield f"{charge()}\n".encode()
    finally:
        await asyncio.sleep(0)
        log.info("closed")
