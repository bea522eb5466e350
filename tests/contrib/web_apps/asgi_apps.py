"""One application in each ASGI framework, with the same endpoints.

Frameworks are loaded by name: each may be missing, where tests skip, and none is
needed to check types.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from penstock.contrib.asgi import FlowMiddleware, instrument

from .work import (
    after,
    async_chunks,
    calls,
    chunks,
    fail,
    gathers,
    leave_open,
    receive_async,
    seen,
)

PATHS = ("plain", "entry", "calls", "gathers")
SYNC = ("plain", "calls", "flows", "error")
FORGED = {"x-correlation-id": "forged"}


def starlette() -> Any:
    """Return a Starlette application."""
    applications = import_module("starlette.applications")
    responses = import_module("starlette.responses")
    routing = import_module("starlette.routing")
    background = import_module("starlette.background")
    base = import_module("starlette.middleware.base")
    text, streaming = responses.PlainTextResponse, responses.StreamingResponse

    def flows(_request: Any) -> Any:
        return text(leave_open(), headers=FORGED)

    async def entry(_request: Any) -> Any:
        return text(await receive_async())

    async def gathering(_request: Any) -> Any:
        return text(await gathers())

    async def later(_request: Any) -> Any:
        return text(seen(), background=background.BackgroundTask(after))

    async def dispatch(request: Any, call_next: Any) -> Any:
        seen()
        return await call_next(request)

    async def echo(websocket: Any) -> None:
        await websocket.accept()
        async for _ in websocket.iter_text():
            await websocket.send_text(f"{seen()},{await receive_async()}")

    endpoints = {
        "plain": lambda _: text(seen()),
        "calls": lambda _: text(calls()),
        "error": lambda _: fail(),
        "stream": lambda _: streaming(chunks()),
        "async_stream": lambda _: streaming(async_chunks()),
        "flows": flows,
        "entry": entry,
        "gathers": gathering,
        "background": later,
    }
    routes = [routing.Route(f"/{name}", func) for name, func in endpoints.items()]
    app = applications.Starlette(routes=[*routes, routing.WebSocketRoute("/ws", echo)])
    app.add_middleware(base.BaseHTTPMiddleware, dispatch=dispatch)
    return app


def fastapi() -> Any:
    """Return a FastAPI application."""
    responses = import_module("fastapi.responses")
    framework = import_module("fastapi")
    app = framework.FastAPI(default_response_class=responses.PlainTextResponse)

    async def dependency() -> Any:
        found = seen()
        yield found
        seen()

    def flows() -> Any:
        return responses.PlainTextResponse(leave_open(), headers=FORGED)

    def plain(found: str = framework.Depends(dependency)) -> str:
        return found if found == seen() else "lost"

    def later() -> Any:
        task = framework.background.BackgroundTasks()
        task.add_task(after)
        return responses.PlainTextResponse(seen(), background=task)

    def stream() -> Any:
        return responses.StreamingResponse(chunks())

    def async_stream() -> Any:
        return responses.StreamingResponse(async_chunks())

    app.get("/plain")(plain)
    app.get("/calls")(calls)
    app.get("/error")(fail)
    app.get("/entry")(receive_async)
    app.get("/gathers")(gathers)
    app.get("/flows", response_model=None)(flows)
    app.get("/background", response_model=None)(later)
    app.get("/stream", response_model=None)(stream)
    app.get("/async_stream", response_model=None)(async_stream)

    async def echo(websocket: Any) -> None:
        await websocket.accept()
        async for _ in websocket.iter_text():
            await websocket.send_text(f"{seen()},{await receive_async()}")

    app.router.add_websocket_route("/ws", echo)
    return app


def litestar() -> Any:  # noqa: C901  # one endpoint after another
    """Return a Litestar application."""
    framework = import_module("litestar")
    response = import_module("litestar.response")
    background = import_module("litestar.background_tasks")

    def route(path: str, func: Any, kind: Any = str) -> Any:
        func.__annotations__ = {"return": kind}
        sync = {"sync_to_thread": True} if path in SYNC else {}
        return framework.get(f"/{path}", media_type="text/plain", **sync)(func)

    def plain() -> Any:
        return seen()

    def calling() -> Any:
        return calls()

    def failing() -> Any:
        fail()

    def flows() -> Any:
        return framework.Response(leave_open(), headers=FORGED)

    async def entry() -> Any:
        return await receive_async()

    async def gathering() -> Any:
        return await gathers()

    async def later() -> Any:
        return framework.Response(seen(), background=background.BackgroundTask(after))

    async def stream() -> Any:
        return response.Stream(chunks())

    async def async_stream() -> Any:
        return response.Stream(async_chunks())

    async def echo(socket: Any) -> None:
        await socket.accept()
        while True:
            await socket.receive_text()
            await socket.send_text(f"{seen()},{await receive_async()}")

    echo.__annotations__ = {"socket": framework.WebSocket, "return": None}
    return framework.Litestar(
        [
            route("plain", plain),
            route("calls", calling),
            route("error", failing),
            route("flows", flows, framework.Response),
            route("entry", entry),
            route("gathers", gathering),
            route("background", later, framework.Response),
            route("stream", stream, response.Stream),
            route("async_stream", async_stream, response.Stream),
            framework.websocket("/ws")(echo),
        ],
        logging_config=None,
    )


def quart() -> Any:
    """Return a Quart application."""
    framework = import_module("quart")
    app = framework.Quart(__name__)

    async def entry() -> Any:
        return await receive_async()

    async def gathering() -> Any:
        return await gathers()

    async def flows() -> Any:
        return leave_open(), FORGED

    async def later() -> Any:
        app.add_background_task(after)
        return seen()

    async def stream() -> Any:
        return chunks()

    async def async_stream() -> Any:
        return async_chunks()

    async def echo() -> None:
        while True:
            await framework.websocket.receive()
            await framework.websocket.send(f"{seen()},{await receive_async()}")

    endpoints = {
        "plain": seen,
        "calls": calls,
        "error": fail,
        "flows": flows,
        "entry": entry,
        "gathers": gathering,
        "background": later,
        "stream": stream,
        "async_stream": async_stream,
    }
    for name, func in endpoints.items():
        app.add_url_rule(f"/{name}", name, func)
    app.add_websocket("/ws", "ws", echo)
    return app


FRAMEWORKS = {
    "starlette": starlette,
    "fastapi": fastapi,
    "litestar": litestar,
    "quart": quart,
}


def instrumented(name: str, how: str = "instrument") -> Any:
    """Return the application called *name* with penstock's middleware around it."""
    app = FRAMEWORKS[name]()
    if how == "wrap":
        return FlowMiddleware(app)
    instrument(app)
    return app
