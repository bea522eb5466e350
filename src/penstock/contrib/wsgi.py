"""Give every request of a WSGI application one correlation ID, up to its last chunk.

``FlowMiddleware`` wraps any WSGI application: ``app.wsgi_app`` of Flask, what
Pyramid's ``make_wsgi_app()`` returns, a Bottle application.
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from penstock._platform.process import DISABLED
from penstock.errors import ConfigurationError

from ._http import KEY, RequestFlow, StreamedBody, environ_headers, http_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ._http import MiddlewareOptions

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

    def __init__(
        self, app: WSGIApplication, **options: Unpack[MiddlewareOptions]
    ) -> None:
        self.app = app
        self._options = http_options(**options)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request in its flow."""
        options = self._options
        if DISABLED or options.leaves_alone(environ.get("PATH_INFO", "")):
            return self.app(environ, start_response)
        flow = environ.get(KEY)
        if not isinstance(flow, RequestFlow):  # else a middleware outside decides
            headers = environ_headers(environ, options.names)
            flow = environ[KEY] = RequestFlow(headers, options)
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


def instrument(app: Any, **options: Unpack[MiddlewareOptions]) -> None:
    """Wrap a Flask application in ``FlowMiddleware``, and keep the application object.

    Like ``app.wsgi_app = FlowMiddleware(app.wsgi_app)``, but calling it again does
    nothing, and ``uninstrument`` undoes it.

    Args:
        app: A Flask application, or another that has a ``wsgi_app``.
        **options: As for ``FlowMiddleware``.

    Raises:
        ConfigurationError: *app* has no ``wsgi_app``, or an option is wrong.
    """
    inside = _wsgi_app(app)
    if not isinstance(inside, FlowMiddleware):
        app.wsgi_app = FlowMiddleware(inside, **options)


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
