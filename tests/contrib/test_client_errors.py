"""Exceptions that a web framework answers: below 500 they are not failures."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import LoggingBackend
from penstock.contrib.wsgi import FlowMiddleware
from tests.contrib.web_apps.clients import ask, ask_wsgi

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    Lines = list[logging.LogRecord]

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


def by_name(where: str, *args: Any, **more: Any) -> Callable[[], Exception]:
    """Return what makes an exception of a package that may be missing."""

    def make() -> Exception:
        module, _, name = where.rpartition(".")
        pytest.importorskip(module.partition(".")[0], reason=f"needs {module}")
        made = getattr(import_module(module), name)(*args, **more)
        assert isinstance(made, Exception)
        return made

    return make


def of_rest_framework(status: object) -> Callable[[], Exception]:
    """Return what makes an exception that is called as Django REST framework's."""
    base = type(
        "APIException", (Exception,), {"__module__": "rest_framework.exceptions"}
    )
    return type("ValidationError", (base,), {"status_code": status})


EXCEPTIONS: dict[str, tuple[Callable[[], Exception], str]] = {
    "starlette 404": (
        by_name("starlette.exceptions.HTTPException", 404),
        "client_error",
    ),
    "starlette 302": (by_name("starlette.exceptions.HTTPException", 302), "ok"),
    "starlette 503": (by_name("starlette.exceptions.HTTPException", 503), "error"),
    "fastapi 403": (by_name("fastapi.HTTPException", 403), "client_error"),
    "fastapi validation": (
        by_name("fastapi.exceptions.RequestValidationError", []),
        "client_error",
    ),
    "fastapi response": (
        by_name("fastapi.exceptions.ResponseValidationError", []),
        "error",
    ),
    "litestar 404": (by_name("litestar.exceptions.NotFoundException"), "client_error"),
    "litestar 500": (by_name("litestar.exceptions.InternalServerException"), "error"),
    "werkzeug 404": (by_name("werkzeug.exceptions.NotFound"), "client_error"),
    "werkzeug 500": (by_name("werkzeug.exceptions.InternalServerError"), "error"),
    "werkzeug without": (by_name("werkzeug.exceptions.HTTPException"), "error"),
    "django 404": (by_name("django.http.Http404"), "client_error"),
    "django 403": (
        by_name("django.core.exceptions.PermissionDenied"),
        "client_error",
    ),
    "django 400": (by_name("django.core.exceptions.BadRequest"), "client_error"),
    "django host": (by_name("django.core.exceptions.DisallowedHost"), "client_error"),
    "django validation": (
        by_name("django.core.exceptions.ValidationError", "why"),
        "error",
    ),
    "rest framework 400": (of_rest_framework(400), "client_error"),
    "rest framework 503": (of_rest_framework(503), "error"),
    "rest framework text": (of_rest_framework("400"), "error"),
    "any other": (KeyError, "error"),
}


def request_that_raises(exc: Exception) -> None:
    """Handle a request as a framework does, in a flow with three steps."""

    @penstock.flow("shop")
    @penstock.entrypoint
    def view() -> None:
        inner_run()

    @penstock.flow("stock")
    @penstock.entrypoint
    def inner_run() -> None:
        find()

    @penstock.flow("stock")
    @penstock.step(after="inner_run")
    def find() -> None:
        raise exc

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        with pytest.raises(type(exc)):
            view()
        start_response("400 Bad Request", [("Content-Type", "text/plain")])
        return [b""]

    ask_wsgi(FlowMiddleware(app), "/")


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_the_outcome_in_a_request(lines: Lines, name: str) -> None:
    """A status below 500 ends each call at INFO, with its own outcome."""
    make, outcome = EXCEPTIONS[name]
    exc = make()

    request_that_raises(exc)

    ends = [line for line in lines if "start" not in line.msg]
    assert [vars(line)["outcome"] for line in ends] == [outcome] * 3
    assert [line.levelname for line in ends] == [
        "WARNING" if outcome == "error" else "INFO",
        "INFO",
        "INFO",
    ]
    kind = None if outcome == "ok" else type(exc).__name__
    assert [vars(line).get("error_type") for line in ends] == [kind] * 3
    word = kind if outcome == "error" else outcome
    event = "step.error" if outcome == "error" else "step.end"
    assert ends[0].getMessage().startswith(f"{event} stock/find {word} ")


def test_a_quiet_log_has_no_client_errors(warnings: Lines) -> None:
    """At WARNING a request that was refused is not logged."""
    request_that_raises(of_rest_framework(404)())

    assert warnings == []


def test_one_line_for_a_run(lines: Lines) -> None:
    """A client error gets no line beside that of its run."""
    penstock.configure(LoggingBackend(lines="run"))

    request_that_raises(of_rest_framework(404)())

    assert [line.levelname for line in lines] == ["INFO", "INFO"]
    (call,) = vars(lines[0])["calls"]
    assert call["outcome"] == vars(lines[1])["outcome"] == "client_error"


def test_outside_a_request_it_is_a_failure(lines: Lines) -> None:
    """Nothing answers it in a script, a command or a task."""

    @penstock.flow("shop")
    @penstock.entrypoint
    def command() -> None:
        raise of_rest_framework(404)()  # noqa: RSE102  # it is a function

    for flow_id in "order-17", None:
        with penstock.start_flow(flow_id), pytest.raises(Exception, match=r"^$"):
            command()

    assert [vars(line).get("outcome") for line in lines] == [None, "error"] * 2


def test_in_a_task_of_a_request_it_is_a_failure(lines: Lines) -> None:
    """The task is not answered, even if it runs eagerly."""
    celery = pytest.importorskip("celery", reason="needs celery")
    from penstock.contrib.celery import flow_task  # noqa: PLC0415  # needs celery

    app = celery.Celery("shop", broker="memory://")
    app.conf.task_always_eager = True

    @penstock.flow("shop")
    @flow_task(app=app)
    def charge() -> None:
        raise of_rest_framework(404)()  # noqa: RSE102  # it is a function

    def view(_environ: Any, start_response: Any) -> list[bytes]:
        charge.delay()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    ask_wsgi(FlowMiddleware(view), "/")

    assert vars(lines[-1])["outcome"] == "error"


def test_fastapi(lines: Lines) -> None:
    """A sync and an async endpoint, and what runs in a thread."""
    fastapi = pytest.importorskip("fastapi", reason="needs fastapi")
    from penstock.contrib.asgi import instrument  # noqa: PLC0415  # needs fastapi

    app = fastapi.FastAPI()
    orders = penstock.flow("orders")

    @app.get("/sync")  # type: ignore[untyped-decorator]  # importorskip
    @orders.entrypoint
    def in_thread() -> None:
        raise fastapi.HTTPException(404)

    @app.get("/async")  # type: ignore[untyped-decorator]  # the same
    @orders.entrypoint
    async def in_loop() -> None:
        raise fastapi.HTTPException(422)

    instrument(app)
    statuses = [ask(app, path).status for path in ("/sync", "/async")]

    assert statuses == [404, 422]
    assert [vars(line).get("outcome") for line in lines] == [None, "client_error"] * 2


def test_a_span_is_no_error() -> None:
    """As OpenTelemetry says of 4xx on a server."""
    pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk")
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # the same
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415  # the same
        SimpleSpanProcessor,
    )
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: PLC0415  # the same
        InMemorySpanExporter,
    )

    from penstock.backends.otel import OTelBackend  # noqa: PLC0415  # the same

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    penstock.configure(OTelBackend(provider))

    for status in 404, 500:
        request_that_raises(of_rest_framework(status)())

    spans = exporter.get_finished_spans()
    assert [one.status.is_ok for one in spans] == [True] * 3 + [False] * 3
    assert [len(one.events) for one in spans] == [0, 0, 0, 1, 0, 0]
