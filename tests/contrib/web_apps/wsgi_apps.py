"""One application in each WSGI framework, with the same endpoints.

Frameworks are loaded by name: each may be missing, where tests skip, and none is
needed to check types.
"""

from __future__ import annotations

import warnings
from functools import partial
from importlib import import_module
from typing import Any

from penstock.contrib.wsgi import FlowMiddleware, instrument

from .work import calls, chunks, fail, leave_open, receive, seen

PATHS = ("plain", "entry", "calls")
ENDPOINTS = {"plain": seen, "entry": receive, "calls": calls, "error": fail}
FORGED = {"X-Correlation-ID": "forged"}


def flask() -> Any:
    """Return a Flask application."""
    framework = import_module("flask")
    app = framework.Flask(__name__)
    for name, func in ENDPOINTS.items():
        app.add_url_rule(f"/{name}", name, func)

    def flows() -> Any:
        return leave_open(), FORGED

    def stream() -> Any:
        return framework.Response(chunks())

    def stream_with_context() -> Any:
        return framework.Response(framework.stream_with_context(chunks()))

    def file() -> Any:
        return framework.send_file(__file__)

    for func in (flows, stream, stream_with_context, file):
        app.add_url_rule(f"/{func.__name__}", func.__name__, func)
    return app


def pyramid() -> Any:
    """Return a Pyramid application."""
    with warnings.catch_warnings():  # of what it imports
        warnings.simplefilter("ignore")
        config = import_module("pyramid.config").Configurator()
        response = import_module("pyramid.response")

    def answered(func: Any, _request: Any) -> Any:
        return response.Response(func(), content_type="text/plain", charset="utf-8")

    def exception(_exc: Any, _request: Any) -> Any:
        return response.Response("failed", status=500)

    endpoints: dict[str, Any] = {
        name: partial(answered, func) for name, func in ENDPOINTS.items()
    }
    endpoints["flows"] = lambda _request: response.Response(
        leave_open(), headerlist=[*FORGED.items(), ("Content-Type", "text/plain")]
    )
    endpoints["stream"] = lambda _request: response.Response(app_iter=chunks())
    endpoints["file"] = lambda request: response.FileResponse(__file__, request)
    for name, func in endpoints.items():
        config.add_route(name, f"/{name}")
        config.add_view(func, route_name=name)
    config.add_exception_view(exception)
    return config.make_wsgi_app()


def bottle() -> Any:
    """Return a Bottle application."""
    framework = import_module("bottle")
    app = framework.Bottle()

    def flows() -> Any:
        framework.response.set_header("X-Correlation-ID", "forged")
        return leave_open()

    def file() -> Any:
        return framework.static_file("wsgi_apps.py", __file__.rpartition("/")[0])

    for name, func in {
        **ENDPOINTS,
        "flows": flows,
        "stream": chunks,
        "file": file,
    }.items():
        app.route(f"/{name}", callback=func)
    return app


FRAMEWORKS = {"flask": flask, "pyramid": pyramid, "bottle": bottle}


def instrumented(name: str) -> Any:
    """Return the application called *name* with penstock's middleware around it."""
    app = FRAMEWORKS[name]()
    if name != "flask":
        return FlowMiddleware(app)
    instrument(app)
    return app
