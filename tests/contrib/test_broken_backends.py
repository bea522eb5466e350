"""A failing backend changes no result, in any integration."""

from __future__ import annotations

import asyncio
import importlib
import os
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock
from wsgiref.util import setup_testing_defaults

import pytest

import penstock
from penstock import current_flow_id, entrypoint, flow
from penstock.contrib import asgi, kafka, wsgi
from penstock.contrib.threads import FlowThreadPoolExecutor
from tests.contrib.http_clients.kinds import KINDS, opened
from tests.contrib.http_clients.site import site
from tests.contrib.web_apps.clients import ask_async, scope_of
from tests.support.broken_backends import ALWAYS, ON_ERROR, SILENT, Failing
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], str]
    Integration = Callable[[Work], object]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def by_wsgi(work: Work) -> object:
    """Call it in a WSGI application."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        body = work().encode()
        start_response("200 OK", [])
        return [body]

    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    return b"".join(wsgi.FlowMiddleware(app)(environ, lambda *_args: lambda _: None))


def by_asgi(work: Work) -> object:
    """Call it in an ASGI application."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        body = work().encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    heard = asyncio.run(ask_async(asgi.FlowMiddleware(app), scope_of()))
    if heard.error:
        raise heard.error
    return heard.body.encode()


def by_django(work: Work) -> object:
    """Call it in a view."""
    django = needed("penstock.contrib.django", "django")
    http = importlib.import_module("django.http")
    test = importlib.import_module("django.test")
    middleware = django.FlowMiddleware(lambda _request: http.HttpResponse(work()))
    return middleware(test.RequestFactory().get("/")).content


def by_django_async(work: Work) -> object:
    """Call it in an async view."""
    django = needed("penstock.contrib.django", "django")
    http = importlib.import_module("django.http")
    test = importlib.import_module("django.test")

    async def view(_request: Any) -> Any:
        return http.HttpResponse(work())

    async def main() -> Any:
        request = test.AsyncRequestFactory().get("/")
        return await django.FlowMiddleware(view)(request)

    return asyncio.run(main()).content


def by_celery(work: Work) -> object:
    """Call it in a task that runs eagerly, as in a worker."""
    celery = needed("penstock.contrib.celery", "celery")
    app = importlib.import_module("celery").Celery(unique("app"), set_as_current=False)
    task = app.task(name=unique("task"))(work)
    celery.install_celery_signals()
    try:
        with penstock.start_flow():
            return task.apply(throw=True).get().encode()
    finally:
        celery.uninstall_celery_signals()


def by_threads(work: Work) -> object:
    """Call it in a thread of a pool."""
    with penstock.start_flow(), FlowThreadPoolExecutor(1) as pool:
        return pool.submit(work).result().encode()


def by_structlog(work: Work) -> object:
    """Log with it in the flow."""
    structlog = pytest.importorskip("structlog", reason="needs structlog")
    ours = importlib.import_module("penstock.contrib.structlog")
    entries = structlog.testing.LogCapture()
    log = structlog.wrap_logger(None, processors=[ours.flow_processor, entries])

    with penstock.start_flow("order-17"):
        result = flow(unique("logs"))(entrypoint(name="log")(lambda: log.info("x")))()
        assert result is None
        assert entries.entries[0]["flow_id"] == "order-17"
        return work().encode()


def by_loguru(work: Work) -> object:
    """Log with it in the flow."""
    loguru = pytest.importorskip("loguru", reason="needs loguru")
    ours = importlib.import_module("penstock.contrib.loguru")
    lines: list[str] = []
    logger = loguru.logger.patch(ours.flow_patcher)
    handler = loguru.logger.add(lines.append, format="{extra[flow_id]}")
    try:
        with penstock.start_flow("order-17"):
            flow(unique("logs"))(entrypoint(name="log")(lambda: logger.info("x")))()
            assert lines == ["order-17\n"]
            return work().encode()
    finally:
        loguru.logger.remove(handler)


def by_kafka(work: Work) -> object:
    """Call it in the flow of a message."""

    class Message:
        headers: Any = None

    with penstock.start_flow("order-17"):
        Message.headers = kafka.flow_headers()
    with kafka.flow_from_message(Message()) as context:
        assert context.correlation_id == "order-17"
        return work().encode()


def by_clients(work: Work) -> object:
    """Send a request from a flow with each client before it is called."""
    for package in ("aiohttp", "httpx", "requests"):
        pytest.importorskip(package, reason=f"needs {package}")
    with site() as here:
        for kind in KINDS:
            with opened(kind) as client, penstock.start_flow("order-17"):
                client.instrument(here.host)
                send = partial(client.get, here.url())
                flow(unique("requests"))(entrypoint(name="send")(send))()
            assert here.shown == ["order-17"]
    with penstock.start_flow():
        return work().encode()


INTEGRATIONS: list[Integration] = [
    by_wsgi,
    by_asgi,
    by_django,
    by_django_async,
    by_celery,
    by_threads,
    by_structlog,
    by_loguru,
    by_kafka,
    by_clients,
]


def needed(module: str, package: str) -> Any:
    """Return a module of penstock; skip if the package it needs is missing."""
    pytest.importorskip(package, reason=f"needs {package}")
    if package == "django":
        settings = "tests.contrib.django_site.settings"
        with mock.patch.dict(os.environ, DJANGO_SETTINGS_MODULE=settings):
            importlib.import_module(package).setup()
    return importlib.import_module(module)


@pytest.mark.parametrize("way", sorted(ALWAYS | ON_ERROR | SILENT))
@pytest.mark.parametrize("fails", [False, True], ids=["success", "error"])
@pytest.mark.parametrize(
    "integration", INTEGRATIONS, ids=lambda each: each.__name__[3:]
)
def test_a_broken_backend_changes_no_result(
    integration: Integration, way: str, *, fails: bool
) -> None:
    """The function runs once, in a flow, and its own outcome comes out."""
    penstock.configure(Failing(way))
    ran: list[str | None] = []
    exc = KeyError("own")

    @flow(unique("orders"))
    @entrypoint
    def receive() -> str:
        ran.append(current_flow_id())
        if fails:
            raise exc
        return "result"

    try:
        outcome = integration(receive)
    except KeyError as error:
        outcome = error

    assert outcome == (exc if fails else b"result")
    assert len(ran) == 1
    assert ran[0]
    assert current_flow_id() is None
    assert (exc.__context__, exc.__cause__) == (None, None)
