"""Give every request of a WSGI application one correlation ID, up to its last chunk.

``FlowMiddleware`` wraps any WSGI application: ``app.wsgi_app`` of Flask, what
Pyramid's ``make_wsgi_app()`` returns, a Bottle application.
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock._platform.process import DISABLED
from penstock.errors import ConfigurationError

from ._http import KEY, RequestFlow, StreamedBody, checked_trust, environ_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType]
    OptExcInfo = ExcInfo | tuple[None, None, None]

__all__ = ["FlowMiddleware", "instrument", "uninstrument"]


class FlowMiddleware:
    """Run each request in a flow context, and show its ID in the response.

    The context comes from the headers of the request, or is new; entrypoints that the
    application calls adopt its ID. Every chunk of a streaming body is generated in it,
    and ``close()`` runs in it, too. Files that the server sends itself
    (``wsgi.file_wrapper``) are left alone. If an application is wrapped twice, the
    outer middleware decides.

    >>> def app(environ, start_response): ...
    >>> app = FlowMiddleware(app)

    Args:
        app: A WSGI application.
        trust_inbound: What to adopt from a request: ``none``, ``id`` or ``all``; by
            default the setting of ``configure``, else ``id``.

    Raises:
        ConfigurationError: *trust_inbound* has another value.
    """

    def __init__(
        self, app: WSGIApplication, *, trust_inbound: str | None = None
    ) -> None:
        self.app = app
        self._trust = checked_trust(trust_inbound)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request in its flow."""
        if DISABLED:
            return self.app(environ, start_response)
        flow = environ.get(KEY)
        if not isinstance(flow, RequestFlow):  # else a middleware outside decides
            flow = environ[KEY] = RequestFlow(environ_headers(environ), self._trust)
        _entered = flow.scope  # read from a traceback that the server logs
        with flow.entered():
            body = self.app(environ, partial(_start, start_response, flow))
        return body if _is_file(body, environ) else StreamedBody.of(body, flow)


def _start(
    start_response: StartResponse,
    flow: RequestFlow,
    status: str,
    headers: list[tuple[str, str]],
    exc_info: OptExcInfo | None = None,
) -> Callable[[bytes], object]:
    """Start the response with the header added; return the server's ``write``."""
    headers = flow.added_to(headers)
    if exc_info is None:
        return start_response(status, headers)
    try:
        return start_response(status, headers, exc_info)
    finally:
        del exc_info  # PEP 3333: it would keep the traceback's frames


def _is_file(body: object, environ: WSGIEnvironment) -> bool:
    """Tell whether the server may send *body* without iterating over it."""
    wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(wrapper, type) and isinstance(body, wrapper):
        return True
    return isinstance(body, io.IOBase)  # uWSGI's wrapper returns the file


def instrument(app: Any, *, trust_inbound: str | None = None) -> None:
    """Wrap a Flask application in ``FlowMiddleware``, and keep the application object.

    Like ``app.wsgi_app = FlowMiddleware(app.wsgi_app)``, but calling it again does
    nothing, and ``uninstrument`` undoes it.

    Args:
        app: A Flask application, or another that has a ``wsgi_app``.
        trust_inbound: As for ``FlowMiddleware``.

    Raises:
        ConfigurationError: *app* has no ``wsgi_app``, or *trust_inbound* is wrong.
    """
    inside = _wsgi_app(app)
    if not isinstance(inside, FlowMiddleware):
        app.wsgi_app = FlowMiddleware(inside, trust_inbound=trust_inbound)


def uninstrument(app: Any) -> None:
    """Undo ``instrument``. Do nothing if *app* is not instrumented.

    If another library has wrapped the application since then, undo that first.

    Raises:
        ConfigurationError: *app* is of a kind that ``instrument`` does not take.
    """
    middleware = _wsgi_app(app)
    if not isinstance(middleware, FlowMiddleware):
        return
    app.wsgi_app = middleware.app
    if getattr(middleware.app, "__func__", middleware) is getattr(
        type(app), "wsgi_app", None
    ):
        del app.wsgi_app  # the class has it


def _wsgi_app(app: Any) -> WSGIApplication:
    """Return what *app* calls for each request."""
    try:
        inside: WSGIApplication = app.wsgi_app
    except AttributeError:
        msg = (
            f"instrument() takes a Flask application, not {type(app).__name__}. "
            "Wrap it instead: app = FlowMiddleware(app)."
        )
        raise ConfigurationError(msg) from None
    return inside
