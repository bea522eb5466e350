"""Give every request and websocket of an ASGI application one correlation ID.

``FlowMiddleware`` wraps any ASGI application; ``instrument`` puts it around a
Starlette, FastAPI, Litestar or Quart application that stays what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._context import leave, scope_var
from penstock._platform.process import DISABLED
from penstock.errors import ConfigurationError

from ._http import KEY, RequestFlow, checked_trust, scope_headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["FlowMiddleware", "instrument", "uninstrument"]

_IN_FLOW = frozenset({"http", "websocket"})
_HAVE_HEADERS = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
# Where each framework keeps its outermost layer, or what builds it.
_STARLETTE = "build_middleware_stack"
_PLACES = ("asgi_handler", "asgi_app")  # Litestar, Quart


class FlowMiddleware:
    """Run each request in a flow context, and show its ID in the response.

    The context comes from the headers of the request, or is new; entrypoints that the
    application calls adopt its ID. A websocket has one context for its whole life. If
    an application is wrapped twice, the outer middleware decides.

    >>> async def app(scope, receive, send): ...
    >>> app = FlowMiddleware(app)

    Args:
        app: An ASGI application.
        trust_inbound: What to adopt from a request: ``none``, ``id`` or ``all``; by
            default the setting of ``configure``, else ``id``.

    Raises:
        ConfigurationError: *trust_inbound* has another value.
    """

    def __init__(self, app: App, *, trust_inbound: str | None = None) -> None:
        self.app = app
        self._trust = checked_trust(trust_inbound)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in its flow; let the lifespan pass."""
        if DISABLED or scope["type"] not in _IN_FLOW:
            await self.app(scope, receive, send)
            return
        if KEY in scope:  # a middleware outside decides
            await self.app(scope, receive, send)
            return
        flow = scope[KEY] = RequestFlow(scope_headers(scope), self._trust)
        around = scope_var.get()

        async def send_with_id(message: Message) -> None:
            """Send *message*, all but its start from outside the flow.

            A server may begin the next request on the connection when the last
            message of one is sent. It writes access logs at the start of the response.
            """
            if message["type"] in _HAVE_HEADERS:
                headers = flow.added_to_raw(message.get("headers") or ())
                await send({**message, "headers": headers})
                return
            token = scope_var.set(around)
            try:
                await send(message)
            finally:
                leave(token)

        _entered = flow.scope  # read from a traceback that the server logs
        token = scope_var.set(flow.scope)
        try:
            # Not a copy: middleware outside reads what routing puts into it.
            await self.app(scope, receive, send_with_id)
        finally:
            if not leave(token) and scope_var.get() is flow.scope:
                scope_var.set(around)  # see RequestFlow.entered()
            scope.pop(KEY, None)


def instrument(app: Any, *, trust_inbound: str | None = None) -> None:
    """Put ``FlowMiddleware`` around everything in *app*, and keep the object.

    It is outside the application's own middleware, so that the responses of its error
    handling show the ID, too. Calling it again does nothing; ``uninstrument`` undoes
    it.

    Args:
        app: A Starlette, FastAPI, Litestar or Quart application.
        trust_inbound: As for ``FlowMiddleware``.

    Raises:
        ConfigurationError: *app* is another object, or *trust_inbound* is wrong.
    """
    place = _place_in(app)
    inside = getattr(app, place)
    if isinstance(inside, FlowMiddleware | _Outermost):
        return
    if place != _STARLETTE:
        setattr(app, place, FlowMiddleware(inside, trust_inbound=trust_inbound))
        return
    outermost = _Outermost(inside, checked_trust(trust_inbound))
    setattr(app, place, outermost)
    if app.middleware_stack is not None:
        app.middleware_stack = outermost.around(app.middleware_stack)


def uninstrument(app: Any) -> None:
    """Undo ``instrument``. Do nothing if *app* is not instrumented.

    If another library has wrapped the application since then, undo that first.

    Raises:
        ConfigurationError: *app* is an object that ``instrument`` does not accept.
    """
    place = _place_in(app)
    middleware = getattr(app, place)
    if not isinstance(middleware, FlowMiddleware | _Outermost):
        return
    setattr(app, place, middleware.app)
    if getattr(middleware.app, "__func__", middleware) is getattr(
        type(app), place, None
    ):
        delattr(app, place)  # the class has it
    if isinstance(getattr(app, "middleware_stack", None), FlowMiddleware):
        app.middleware_stack = app.middleware_stack.app


class _Outermost:
    """Starlette's ``build_middleware_stack``, with ``FlowMiddleware`` around it."""

    def __init__(self, build: Callable[[], App], trust: str | None) -> None:
        self.app = build
        self._trust = trust

    def __call__(self) -> FlowMiddleware:
        """Build the stack."""
        return self.around(self.app())

    def around(self, stack: App) -> FlowMiddleware:
        """Return *stack* inside ``FlowMiddleware``."""
        return FlowMiddleware(stack, trust_inbound=self._trust)


def _place_in(app: Any) -> str:
    """Return the attribute that holds, or makes, the outermost layer of *app*."""
    for place in (_STARLETTE, *_PLACES):
        if hasattr(app, place):
            return place
    msg = (
        f"instrument() takes a Starlette, FastAPI, Litestar or Quart application, not "
        f"{type(app).__name__}. Wrap it instead: app = FlowMiddleware(app)."
    )
    raise ConfigurationError(msg)
