"""Calls of every kind: ``python -m tests.contrib.recipe_apps.grpc_app serve-aio``."""

from __future__ import annotations

import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

import penstock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

shop: Any = import_module("shop_grpc")
flow_grpc: Any = import_module("flow_grpc")
flow_aio: Any = import_module("flow_grpc_aio")
log = logging.getLogger("jobs")
jobs = penstock.flow("jobs")

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
SERVICE = "jobs.Jobs"


def told(request: bytes) -> bytes:
    """Log the request; fail if it asks for a failure."""
    log.info("ran %s", request.decode())
    if request.startswith(b"fail"):
        fail()
    return request


@jobs.step
def fail() -> None:
    """Fail, as a step."""
    raise ValueError("broken")


def unary_unary(request: bytes, _: object) -> bytes:
    """Answer once."""
    return told(request)


def unary_stream(request: bytes, _: object) -> Iterator[bytes]:
    """Answer twice."""
    yield told(request)
    yield told(request)


def stream_unary(requests: Iterator[bytes], _: object) -> bytes:
    """Read many, answer once."""
    return b"".join([told(request) for request in requests])


def stream_stream(requests: Iterator[bytes], _: object) -> Iterator[bytes]:
    """Answer each."""
    for request in requests:
        yield told(request)


async def unary_unary_aio(request: bytes, _: object) -> bytes:
    """Answer once, after others had a turn."""
    await asyncio.sleep(0)
    return told(request)


async def unary_stream_aio(request: bytes, _: object) -> AsyncIterator[bytes]:
    """Answer twice."""
    for _nothing in range(2):
        await asyncio.sleep(0)
        yield told(request)


async def stream_unary_aio(requests: AsyncIterator[bytes], _: object) -> bytes:
    """Read many, answer once."""
    return b"".join([told(request) async for request in requests])


async def stream_stream_aio(
    requests: AsyncIterator[bytes], _: object
) -> AsyncIterator[bytes]:
    """Answer each."""
    async for request in requests:
        yield told(request)


def handlers(suffix: str) -> Any:
    """Return the service, with a method of each kind."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            kind: getattr(grpc, f"{kind}_rpc_method_handler")(globals()[kind + suffix])
            for kind in KINDS
        },
    )


def serve() -> None:
    """Serve with threads."""
    server = shop.server(handlers(""))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    log.info("listens at %s", port)
    server.wait_for_termination()


async def serve_aio() -> None:
    """Serve on asyncio."""
    server = grpc.aio.server(interceptors=[flow_aio.FlowServer()])
    server.add_generic_rpc_handlers((handlers("_aio"),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    log.info("listens at %s", port)
    await server.wait_for_termination()


def call(address: str) -> None:
    """Call everything, from threads."""
    with penstock.start_flow("a3f1c2d4"):
        shop.receive("A-1", address)
    with (
        grpc.insecure_channel(address) as plain,
        ThreadPoolExecutor(16) as pool,
    ):
        channel = grpc.intercept_channel(plain, flow_grpc.FlowClient())

        def one(label: str, kind: str) -> None:
            method = getattr(channel, kind)(f"/{SERVICE}/{kind}")
            sent: Any = label.encode()
            sent = iter([sent, sent]) if kind.startswith("stream") else sent
            with penstock.start_flow(label):
                answer = method(sent)
                list(answer) if kind.endswith("stream") else None

        list(pool.map(one, *zip(*calls(), strict=True)))
        plain.unary_unary(f"/{SERVICE}/unary_unary")(b"outside1")
        channel.unary_unary(f"/{SERVICE}/unary_unary")(b"outside2")
        try:
            one("failxxxx", "unary_unary")
        except grpc.RpcError:
            log.info("failed")


async def call_aio(address: str) -> None:
    """Call everything, from tasks."""
    async with grpc.aio.insecure_channel(
        address, interceptors=flow_aio.CLIENT
    ) as channel:

        async def one(label: str, kind: str) -> None:
            method = getattr(channel, kind)(f"/{SERVICE}/{kind}")
            sent: Any = label.encode()
            sent = iter([sent, sent]) if kind.startswith("stream") else sent
            with penstock.start_flow(label):
                answer = method(sent)
                if kind.endswith("stream"):
                    assert [part async for part in answer]
                else:
                    await answer

        await asyncio.gather(*[one(*each) for each in calls()])
        await channel.unary_unary(f"/{SERVICE}/unary_unary")(b"outside1")
        await channel.unary_unary(f"/{SERVICE}/unary_unary")(b"outside2")
        try:
            await one("failxxxx", "unary_unary")
        except grpc.aio.AioRpcError:
            log.info("failed")


def calls() -> Iterator[tuple[str, str]]:
    """Yield 200 calls: a label, which is the ID, and a kind."""
    for n in range(50):
        for index, kind in enumerate(KINDS):
            yield f"call{n:03}{index}", kind


if __name__ == "__main__":
    what, *addresses = sys.argv[1:]
    done = {"serve": serve, "serve-aio": serve_aio, "call": call, "call-aio": call_aio}
    running: Any = done[what](*addresses)  # type: ignore[operator]  # two take none
    if running is not None:
        asyncio.run(running)
