"""Measure a request with a correlation ID, and compare it with similar middleware.

An application answers with JSON, through its framework's whole stack, called as a
server does, but without a socket, which would cost ten times as much and hide the
difference.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from penstock.contrib.asgi import FlowMiddleware

from .report import markdown
from .timing import Case, best

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["requests"]

INBOUND = "0af7651916cd43dd8448eb211c80319c"
_BARE = "bare"


def requests(seconds: float) -> str:
    """Measure each framework for *seconds*; return the table."""
    lines: list[Sequence[str]] = []
    for framework, cases in _FRAMEWORKS.items():
        try:
            took = best(list(cases()), seconds=seconds)
        except ImportError as exc:
            lines.append((framework, f"needs {exc.name}", "", "", ""))
            continue
        for name, second in took.items():
            ratio = f"{second / took[_BARE]:.2f}"
            us, adds = second * 1e6, (second - took[_BARE]) * 1e6
            lines.append((framework, _named(name), f"{us:.1f}", f"{adds:.1f}", ratio))
    return markdown(("framework", "with", "us per request", "adds", "x bare"), lines)


def _named(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return name


def _starlette() -> Iterator[Case]:
    others = import_module("asgi_correlation_id")
    contexts = import_module("starlette_context.middleware")
    plugins = import_module("starlette_context.plugins")
    applications = import_module("starlette.applications")
    responses = import_module("starlette.responses")
    routing = import_module("starlette.routing")

    async def order(_request: Any) -> Any:
        return responses.JSONResponse({"number": "A-1"})

    def app() -> Any:
        return applications.Starlette(routes=[routing.Route("/orders", order)])

    yield Case(_BARE, _asked(app()), kind="await")
    yield Case("penstock", _asked(FlowMiddleware(app())), kind="await")
    # It would tag Sentry's scope with each ID, which the others do not.
    with patch.dict(sys.modules, {"sentry_sdk": None}):
        other = others.CorrelationIdMiddleware(app())
    yield Case("asgi-correlation-id", _asked(other), kind="await")
    other = contexts.RawContextMiddleware(app(), plugins=[plugins.RequestIdPlugin()])
    yield Case("starlette-context", _asked(other), kind="await")


def _asked(app: Any) -> Callable[[int], Any]:
    """Return a coroutine function that sends *app* one request."""
    headers = [(b"host", b"shop"), (b"x-request-id", INBOUND.encode())]

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Any) -> None: ...

    async def ask(_number: int) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/orders",
            "raw_path": b"/orders",
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("shop", 80),
        }
        await app(scope, receive, send)

    return ask


def _django() -> Iterator[Case]:
    http = import_module("django.http")
    urls = import_module("django.urls")

    def order(_request: Any) -> Any:
        return http.JsonResponse({"number": "A-1"})

    import_module("django.conf").settings.configure(
        ALLOWED_HOSTS=["*"],
        DJANGO_GUID={"INTEGRATIONS": []},
        INSTALLED_APPS=["django_guid"],
        LOGGING_CONFIG=None,
        ROOT_URLCONF=(urls.path("orders", order),),
        SECRET_KEY="no secret",  # noqa: S106  # nothing is signed
    )
    import_module("django").setup()
    logging.getLogger("django_guid").setLevel(
        logging.WARNING
    )  # otherwise it logs twice
    yield Case(_BARE, _handled())
    ours = "penstock.contrib.django.FlowMiddleware"
    yield Case("penstock", _handled(ours))
    yield Case("django-guid", _handled("django_guid.middleware.guid_middleware"))


def _handled(*middleware: str) -> Callable[[int], Any]:
    """Return a function that sends Django one request through *middleware*."""
    test = import_module("django.test")
    handler = import_module("django.core.handlers.base").BaseHandler()
    with test.override_settings(MIDDLEWARE=list(middleware)):
        handler.load_middleware()
    factory = test.RequestFactory(headers={"Correlation-ID": INBOUND})

    def handle(_number: int) -> None:
        handler.get_response(factory.get("/orders"))

    return handle


_FRAMEWORKS: dict[str, Callable[[], Iterator[Case]]] = {
    "Starlette": _starlette,
    "Django": _django,
}
