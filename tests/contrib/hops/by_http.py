"""The depot as a web service, and the shop that asks it: ``by_http.py URL COUNT``."""

from __future__ import annotations

import sys
from typing import Any

import penstock
from penstock.contrib.asgi import FlowMiddleware
from tests.contrib.hops import declared


async def _depot(scope: Any, receive: Any, send: Any) -> None:
    """Handle an order, by the path that it came to."""
    if scope["path"] == "/hasty":
        declared.hurry(None)
    else:
        declared.ship(declared.pick(None))
        declared.book(None)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


app = FlowMiddleware(_depot, trust_inbound="all")


def main(url: str, count: str) -> None:
    """Order, each time by a request."""
    import httpx  # noqa: PLC0415  # the server needs none

    from penstock.contrib.httpx import instrument  # noqa: PLC0415  # the same

    penstock.configure(service="shop")
    with httpx.Client() as client:
        instrument(client, hosts="127.0.0.1")
        for number in range(int(count)):
            declared.receive(number, lambda _: client.post(url).raise_for_status())


if __name__ == "__main__":
    main(*sys.argv[1:])
