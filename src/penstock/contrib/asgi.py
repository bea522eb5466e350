"""Give every request and websocket of an ASGI application one correlation ID.

``FlowMiddleware`` wraps any ASGI application; ``instrument`` puts it around a
Starlette, FastAPI, Litestar or Quart application that stays what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from penstock._context import leave, scope_var
from penstock._platform.process import DISABLED
from penstock._registry import registry
from penstock._runtime.state import say
from penstock.errors import ConfigurationError

from ._http import KEY, RequestFlow, http_options, scope_headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    from ._http import MiddlewareOptions

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
        **options: What this middleware does otherwise than ``configure`` says:
            ``trust_inbound``: what it adopts from a request: ``none``, ``id`` or
            ``all``.
            ``headers``: what may bring an ID, the best first, and shows it in the
            response.
            ``response_headers``: what shows it if these are others; ``()`` for none.
            ``expose_headers=True``: name them in ``Access-Control-Expose-Headers``.
            ``exclude``: paths to leave alone, such as ``/health`` or ``/static/*``.
            ``transform_id``: a function that makes an ID of what a header brings.

    Raises:
        ConfigurationError: An option has a wrong value.
    """

    def __init__(self, app: App, **options: Unpack[MiddlewareOptions]) -> None:
        self.app = app
        self._options = http_options(**options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in its flow; let the lifespan pass."""
        if DISABLED or scope["type"] not in _IN_FLOW:
            await self.app(scope, receive, send)
            return
        options = self._options
        # If there is a flow, a middleware outside decides.
        if KEY in scope or (
            options.exclude and options.leaves_alone(scope.get("path"))
        ):
            await self.app(scope, receive, send)
            return
        headers = scope_headers(scope, options.names)
        flow = scope[KEY] = RequestFlow(headers, options)
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


def instrument(app: Any, **options: Unpack[MiddlewareOptions]) -> None:
    """Put ``FlowMiddleware`` around everything in *app*, and keep the object.

    It is outside the application's own middleware, so that the responses of its error
    handling show the ID, too. Calling it again does nothing; ``uninstrument`` undoes
    it.

    Args:
        app: A Starlette, FastAPI, Litestar or Quart application.
        **options: As for ``FlowMiddleware``.

    Raises:
        ConfigurationError: *app* is another object, or an option is wrong.
    """
    place = _place_in(app)
    inside = getattr(app, place)
    if isinstance(inside, FlowMiddleware | _Outermost):
        return
    if place != _STARLETTE:
        setattr(app, place, FlowMiddleware(inside, **options))
        return
    outermost = _Outermost(app, inside, options)
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

    def __init__(
        self, framework: Any, build: Callable[[], App], options: MiddlewareOptions
    ) -> None:
        http_options(**options)  # wrong ones raise here, not in a server
        self.app = build
        self._framework = framework
        self._options = options

    def __call__(self) -> FlowMiddleware:
        """Build the stack, when the first request or the lifespan comes."""
        if not DISABLED:
            _warn_of_unmarked_endpoints(getattr(self._framework, "routes", ()))
        return self.around(self.app())

    def around(self, stack: App) -> FlowMiddleware:
        """Return *stack* inside ``FlowMiddleware``."""
        return FlowMiddleware(stack, **self._options)


def _warn_of_unmarked_endpoints(routes: Iterable[Any]) -> None:
    """Warn of routes to the function below a marker, which pass the flow by."""
    steps = [step for name in registry.names() for step in registry.steps(name)]
    below = {id(step.func): step for step in steps}
    for route in routes:
        step = below.get(id(getattr(route, "endpoint", None)))
        if step is not None:
            say(
                "The route %s calls %s without its marker (%s). Put the decorator of "
                "the route above @%s.",
                getattr(route, "path", route),
                step.label,
                step.place,
                "entrypoint" if step.is_entrypoint else "step",
            )


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
