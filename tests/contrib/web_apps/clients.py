"""Call applications as servers do, in this process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import penstock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Scope = dict[str, Any]
    Message = dict[str, Any]

__all__ = ["Heard", "ask", "ask_async", "ask_wsgi", "scope_of", "talk"]

PAUSE_S = 0.1


@dataclass
class Heard:
    """What a server heard from the application, and in which flow."""

    messages: list[Any] = field(default_factory=list)
    flows: list[str | None] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the response, in lower case."""
        start = next(m for m in self.messages if "headers" in m)
        return [(name.lower(), value) for name, value in start["headers"]]

    @property
    def shown(self) -> str:
        """The one ID that the response shows."""
        (shown,) = [v for name, v in self.headers if name == b"x-correlation-id"]
        return shown.decode()

    @property
    def status(self) -> int:
        """The status of the response."""
        return next(int(m["status"]) for m in self.messages if "status" in m)

    @property
    def body(self) -> str:
        """The whole body."""
        return b"".join(m.get("body", b"") for m in self.messages).decode()


def scope_of(path: str = "/", *headers: tuple[str, str], kind: str = "http") -> Scope:
    """Return the scope of a GET, or of a websocket."""
    scope: Scope = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"site"),
            *((n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("site", 80),
    }
    if kind == "http":
        return scope | {"method": "GET", "scheme": "http"}
    return scope | {"scheme": "ws", "subprotocols": []}


async def ask_async(
    app: Callable[..., Awaitable[None]],
    scope: Scope,
    *received: Message,
) -> Heard:
    """Call *app* with *scope*; give it what is *received*, then nothing more."""
    heard = Heard()
    done = asyncio.Event()
    waiting = list(received) or [{"type": "http.request", "body": b""}]

    async def receive() -> Message:
        if len(waiting) == 1 and waiting[0]["type"] == "websocket.disconnect":
            await asyncio.sleep(PAUSE_S)  # for messages that are still to come
        if waiting:
            return waiting.pop(0)
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        heard.flows.append(penstock.current_flow_id())
        heard.messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()
        await asyncio.sleep(0)

    try:
        await app(scope, receive, send)
    except Exception as exc:  # noqa: BLE001  # a server goes on
        heard.error = exc
    return heard


def ask(app: Any, path: str = "/", *headers: tuple[str, str]) -> Heard:
    """Return what *app* answers to a GET."""
    return asyncio.run(ask_async(app, scope_of(path, *headers)))


def talk(app: Any, path: str, *texts: str) -> Heard:
    """Return what *app* says to a websocket that sends *texts*, and then goes."""
    received: list[Message] = [
        {"type": "websocket.connect"},
        *({"type": "websocket.receive", "text": text} for text in texts),
        {"type": "websocket.disconnect", "code": 1000},
    ]
    return asyncio.run(ask_async(app, scope_of(path, kind="websocket"), *received))


def ask_wsgi(app: Any, path: str = "/", **environ: Any) -> Heard:
    """Return what *app* answers to a GET, with the flow around each chunk."""
    heard = Heard()

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info and heard.messages:
            raise exc_info[1].with_traceback(exc_info[2])
        assert type(headers) is list
        raw = [(name.encode(), value.encode()) for name, value in headers]
        heard.messages.append({"status": status[:3], "headers": raw})
        return written

    def written(data: bytes) -> None:
        heard.flows.append(penstock.current_flow_id())
        heard.messages.append({"body": data})

    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "site",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": None,
        "wsgi.errors": None,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    } | environ
    body = app(environ, start_response)
    try:
        for chunk in body:
            written(chunk)
    finally:
        if hasattr(body, "close"):
            body.close()
    return heard
