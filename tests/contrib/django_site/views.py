"""Views of every kind; each answers with the ID that it saw."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

import penstock
from penstock import flow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from django.http import HttpRequest

log = logging.getLogger("site")
site = flow("site")
shop = flow("shop")
CHUNKS = 5
ERRORS = {
    "400": BadRequest,
    "403": PermissionDenied,
    "suspicious": SuspiciousOperation,
    "500": ZeroDivisionError,
}


def seen() -> str:
    """Return the ID that is current, and log a line."""
    log.info("seen")
    return penstock.current_flow_id() or "-"


def answer(text: str) -> HttpResponse:
    """Return the response that holds *text*."""
    return HttpResponse(text.encode())


@shop.entrypoint
def receive() -> str:
    """Take an order."""
    return seen()


@shop.step(after=receive)
def charge() -> str:
    """Charge for an order."""
    return seen()


def plain(_request: HttpRequest) -> HttpResponse:
    """See the ID in a sync view."""
    return answer(seen())


async def awaited(_request: HttpRequest) -> HttpResponse:
    """See the ID in an async view, before and after a pause."""
    before = seen()
    await asyncio.sleep(0)
    return answer(before if seen() == before else "lost")


async def mixed(_request: HttpRequest) -> HttpResponse:
    """See the ID in a thread, in a task, and in a loop that a thread starts."""

    async def inner() -> str:
        return seen()

    seen_in = {
        await sync_to_async(seen)(),
        await sync_to_async(seen, thread_sensitive=False)(),
        await asyncio.to_thread(seen),
        await asyncio.create_task(inner()),
        await sync_to_async(async_to_sync(inner))(),
        seen(),
    }
    return answer(",".join(seen_in))


@site.entrypoint
def entry(_request: HttpRequest) -> HttpResponse:
    """Be an entrypoint."""
    return answer(seen())


@site.entrypoint
async def async_entry(_request: HttpRequest) -> HttpResponse:
    """Be an async entrypoint."""
    await asyncio.sleep(0)
    return answer(seen())


def calls(_request: HttpRequest) -> HttpResponse:
    """Call an entrypoint, again, and then a step."""
    return answer(",".join({seen(), receive(), receive(), charge()}))


def step(_request: HttpRequest) -> HttpResponse:
    """Call a step with no entrypoint around it."""
    return answer(charge())


def flows(_request: HttpRequest) -> HttpResponse:
    """Start flows of its own, leave one open, and set the header."""
    with penstock.start_flow("theirs"):
        penstock.start_flow("left-open").__enter__()
    response = answer(seen())
    response["x-correlation-id"] = "forged"
    return response


def error(_request: HttpRequest, kind: str) -> HttpResponse:
    """Raise."""
    seen()
    raise ERRORS[kind]


async def async_error(_request: HttpRequest, kind: str) -> HttpResponse:
    """Raise in an async view."""
    await asyncio.sleep(0)
    seen()
    raise ERRORS[kind]


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    """Stream IDs."""

    def chunks() -> Generator[str]:
        try:
            yield f"{seen()}\n"
            with penstock.start_flow("inner"):
                yield f"{seen()}\n"
                yield f"{seen()}\n"
            yield from (f"{charge()}\n" for _ in range(CHUNKS - 3))
        finally:
            log.info("closed")

    return StreamingHttpResponse(chunks())


async def async_stream(_request: HttpRequest) -> StreamingHttpResponse:
    """Stream IDs asynchronously."""

    async def chunks() -> AsyncGenerator[str]:
        try:
            yield f"{seen()}\n"
            with penstock.start_flow("inner"):
                await asyncio.sleep(0)
                yield f"{seen()}\n"
                yield f"{seen()}\n"
            for _ in range(CHUNKS - 3):
                await asyncio.sleep(0)
                yield f"{charge()}\n"
        finally:
            await asyncio.sleep(0)
            log.info("closed")

    return StreamingHttpResponse(chunks())


def file(_request: HttpRequest) -> FileResponse:
    """Send this file."""
    return FileResponse(Path(__file__).open("rb"))


def slow(_request: HttpRequest) -> HttpResponse:
    """See the ID before and after a query, while others are served."""
    before = seen()
    sleep(0.001)
    return answer(before if seen() == before else "lost")
