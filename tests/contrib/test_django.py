"""FlowMiddleware, through Django's own test clients, sync and async."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

pytest.importorskip("django", reason="needs django")

import asgiref.sync
import django
from django.apps import apps
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from django.test.utils import override_settings
from django.views import View

import penstock
from penstock.contrib._http import KEY, RequestFlow
from penstock.contrib.django import (
    FlowMiddleware,
    RequestFilter,
    install_request_filter,
    uninstall_request_filter,
)
from tests.contrib.web_apps.inbound import (
    Inbound,
    check_inbound,
    inbound_ids,
)
from tests.support.call_styles import run_python

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

with mock.patch.dict(
    os.environ, DJANGO_SETTINGS_MODULE="tests.contrib.django_site.settings"
):
    django.setup()

FLOW = "penstock.contrib.django.FlowMiddleware"
SYNC_ONLY = f"{__name__}.sync_only"
ASYNC_ONLY = f"{__name__}.async_only"
VIEWS = ["plain", "awaited", "mixed", "entry", "async_entry", "calls", "step", "slow"]
STREAMS = ["stream", "async_stream"]
CLIENTS = ["sync", "async"]


def get(client: str, path: str, **headers: str) -> Any:
    """Return the response to a request under WSGI, or under ASGI."""
    if client == "sync":
        return Client(raise_request_exception=False).get(path, headers=headers)

    async def ask() -> Any:
        asked = AsyncClient(raise_request_exception=False)
        return await asked.get(path, headers=headers)

    return asyncio.run(ask())


def body(response: Any) -> list[tuple[str, str | None]]:
    """Return each chunk of a streaming response, with the ID its consumer had."""

    async def take() -> list[tuple[str, str | None]]:
        return [
            (chunk.decode().strip(), penstock.current_flow_id())
            async for chunk in response.streaming_content
        ]

    if response.is_async:
        return asyncio.run(take())
    return [
        (chunk.decode().strip(), penstock.current_flow_id())
        for chunk in response.streaming_content
    ]


def sync_only(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap a request as old middleware does."""

    def middleware(request: Any) -> Any:
        return get_response(request)

    return middleware


def async_only(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap a request in a coroutine."""

    async def middleware(request: Any) -> Any:
        return await get_response(request)

    return middleware


async_only.sync_capable = False  # type: ignore[attr-defined]  # so Django asks it
async_only.async_capable = True  # type: ignore[attr-defined]  # Django's way


class Lines(logging.Handler):
    """Keeps what each record says about its flow."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append((record.name, getattr(record, "correlation_id", "absent")))


@pytest.fixture
def lines() -> Iterator[list[tuple[str, str]]]:
    """Hear every logger; give the list that fills with (logger, ID)."""
    handler = Lines()
    root, site = logging.getLogger(), logging.getLogger("site")
    root.addHandler(handler)
    site.setLevel(logging.INFO)
    yield handler.seen
    site.setLevel(logging.NOTSET)
    root.removeHandler(handler)


@pytest.fixture(params=["fields", "filter"])
def log_fields(
    request: pytest.FixtureRequest, lines: list[tuple[str, str]]
) -> Iterator[list[tuple[str, str]]]:
    """Give records their fields, by each of the two ways."""
    handler = next(h for h in logging.getLogger().handlers if isinstance(h, Lines))
    if request.param == "fields":
        penstock.install_log_fields()
    else:
        handler.addFilter(penstock.FlowFilter())
    yield lines
    penstock.uninstall_log_fields()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("view", VIEWS)
def test_header_is_what_the_view_sees(client: str, view: str) -> None:
    """The response shows the ID that is current in the view, in threads and tasks."""
    response = get(client, f"/{view}/")

    assert response.status_code == 200
    assert response.content.decode() == response["X-Correlation-ID"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    "chain",
    [
        [FLOW],
        [FLOW, SYNC_ONLY],
        [SYNC_ONLY, FLOW],
        [FLOW, ASYNC_ONLY],
        [ASYNC_ONLY, FLOW],
        [FLOW, ASYNC_ONLY, SYNC_ONLY],
        [FLOW, SYNC_ONLY, ASYNC_ONLY, FLOW],
    ],
    ids=lambda chain: "-".join(name.rpartition(".")[2] for name in chain),
)
@pytest.mark.parametrize("view", ["plain", "awaited", "mixed", *STREAMS])
def test_any_middleware_around(client: str, chain: list[str], view: str) -> None:
    """Sync and async middleware may stand before and after ours; ours twice, too."""
    with override_settings(MIDDLEWARE=chain):
        response = get(client, f"/{view}/")

    given = response["X-Correlation-ID"]
    if response.streaming:
        assert {chunk for chunk, _ in body(response)} == {given, "inner"}
    else:
        assert response.content.decode() == given
    assert penstock.current_flow_id() is None


@pytest.mark.parametrize("client", CLIENTS)
@inbound_ids
def test_inbound_id_is_adopted_or_replaced(
    client: str, inbound: Inbound, caplog: pytest.LogCaptureFixture
) -> None:
    """A well-formed ID is taken over; another is replaced, and never shown again."""
    response = get(client, "/plain/", **{inbound.header: inbound.value})

    check_inbound(inbound, response["X-Correlation-ID"], caplog)


@pytest.mark.parametrize("name", ["HTTP_X-Correlation-ID", "HTTP_x_request-id"])
def test_header_of_a_test_is_found_as_django_finds_it(name: str) -> None:
    """Also where a test writes its name into META with hyphens."""
    meta: dict[str, Any] = {name: "order-17"}
    request = RequestFactory().get("/", **meta)

    response: Any = FlowMiddleware(lambda _: HttpResponse())(request)

    assert response["X-Correlation-ID"] == "order-17"


@pytest.mark.parametrize("client", CLIENTS)
def test_forged_penstock_header_changes_nothing(client: str) -> None:
    """Who sends a penstock header from outside gets neither parent nor metadata in."""
    forged = '{"parent":"p1","root":"r1","meta":{"tenant":"theirs"}}'
    seen: list[Any] = []

    def view(_request: Any) -> HttpResponse:
        context = penstock.get_flow_context()
        assert context is not None
        seen.append((context.parent_id, context.root_id, dict(context.metadata)))
        return HttpResponse()

    for trust in (None, "id", "none", "all"):
        penstock.reset()
        penstock.configure(propagate=["tenant"], trust_inbound=trust)
        request = RequestFactory().get(
            "/", headers={"X-Correlation-ID": "c1", "penstock": forged}
        )
        FlowMiddleware(view)(request)

    fresh = seen[2][1]
    assert seen == [
        (None, "c1", {}),
        (None, "c1", {}),
        (None, fresh, {}),
        ("p1", "r1", {"tenant": "theirs"}),
    ]
    assert fresh != "c1"


@pytest.mark.parametrize("client", CLIENTS)
def test_header_is_the_middlewares_own(client: str) -> None:
    """A view that starts flows, leaves one open and sets the header changes nothing."""
    response = get(client, "/flows/", **{"X-Request-ID": "ours"})

    assert response["X-Correlation-ID"] == "ours"
    assert penstock.current_flow_id() is None


@pytest.mark.parametrize("client", CLIENTS)
def test_ambient_flow_is_not_adopted(client: str) -> None:
    """What a server left behind is ignored, and put back when the request ends."""
    with penstock.start_flow("ambient"):
        response = get(client, "/plain/")
        streamed = get(client, f"/{'async_' if client == 'async' else ''}stream/")
        chunks = body(streamed)

        assert penstock.current_flow_id() == "ambient"
    assert response.content.decode() == response["X-Correlation-ID"] != "ambient"
    assert {chunk for chunk, _ in chunks} == {streamed["X-Correlation-ID"], "inner"}
    assert {outside for _, outside in chunks} == {"ambient"}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("view", ["error", "async_error"])
@pytest.mark.parametrize(
    ("kind", "status", "logger"),
    [
        ("500", 500, "django.request"),
        ("400", 400, "django.request"),
        ("403", 403, "django.request"),
        ("suspicious", 400, "django.security.SuspiciousOperation"),
        ("nothing", 500, "django.request"),
    ],
)
def test_errors_have_header_and_line(
    client: str,
    view: str,
    kind: str,
    status: int,
    logger: str,
    log_fields: list[tuple[str, str]],
) -> None:
    """A response to an exception shows the ID, and so does Django's line about it."""
    response = get(client, f"/{view}/{kind}/")

    given = response["X-Correlation-ID"]
    assert response.status_code == status
    assert [line for line in log_fields if line[0] != "asyncio"] == [
        ("site", given),
        (logger, given),
    ]


@pytest.mark.parametrize("client", CLIENTS)
def test_line_about_not_found_has_the_id(
    client: str, log_fields: list[tuple[str, str]]
) -> None:
    """Django logs a 404 when every middleware has returned: with the ID."""
    response = get(client, "/nowhere/")

    assert response.status_code == 404
    assert ("django.request", response["X-Correlation-ID"]) in log_fields


def test_line_about_not_found_has_every_id(caplog: pytest.LogCaptureFixture) -> None:
    """One search for the operation finds it, in either form."""
    penstock.install_log_fields()
    given = get("wsgi", "/nowhere/")["X-Correlation-ID"]
    penstock.uninstall_log_fields()

    (record,) = [vars(r) for r in caplog.records if r.name == "django.request"]
    assert record["root_id"] == record["flow_id"] == given
    assert record["short_id"] == given[:8]


@contextmanager
def runserver() -> Iterator[int]:
    """Serve the site in a thread, as ``manage.py runserver`` does; give the port."""
    database = connections["default"]  # Django closes no other one that is in memory
    database.inc_thread_sharing()
    server = ThreadedWSGIServer(
        ("127.0.0.1", 0),
        WSGIRequestHandler,
        connections_override={"default": database},
    )
    site: Any = get_wsgi_application()
    server.set_app(site)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()
    database.dec_thread_sharing()


def test_lines_of_runserver_have_the_id(log_fields: list[tuple[str, str]]) -> None:
    """Each on one connection, though the response has been sent; others have none."""
    logger = logging.getLogger("django.server")
    before, logger.handlers, logger.propagate = logger.handlers, [], True
    level = logger.level
    logger.setLevel(logging.INFO)

    def close() -> None:
        logger.warning("no request")

    given = []
    with override_settings(PENSTOCK={"exclude": ["/health/"]}), runserver() as port:
        connection = HTTPConnection("127.0.0.1", port)
        for path in ("/plain/", "/error/500/", "/nowhere/", "/health/"):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            given.append(response.headers.get("X-Correlation-ID") or "-")
        connection.close()
    logger.warning("no request")
    close()
    logger.handlers, logger.propagate = before, False
    logger.setLevel(level)

    assert given[-1] != given[0] != "-"
    assert [one for one in log_fields if one[0] == "django.server"] == [
        *(("django.server", flow_id) for flow_id in given),
        *[("django.server", "-")] * 2,
    ]


def test_request_filter_leaves_other_records_alone() -> None:
    """A record that has no request of ours, or an ID of its own, stays as it is."""
    request = RequestFactory().get("/")
    meta: dict[str, Any] = request.META
    FlowMiddleware(lambda _request: HttpResponse())(request)

    def filtered(**extra: Any) -> Any:
        record = logging.makeLogRecord(extra)
        assert RequestFilter().filter(record)
        return record.__dict__.get("correlation_id")

    assert filtered() is None
    assert filtered(request=object()) is None
    assert filtered(request=RequestFactory().get("/")) is None
    assert filtered(request=request) == meta[KEY].correlation_id
    assert filtered(request=request, correlation_id="mine") == "mine"
    with meta[KEY].entered(), penstock.start_flow("within"):
        assert filtered(request=request, correlation_id="within") == "within"
    with penstock.start_flow("left-behind"):
        shown = meta[KEY].correlation_id
        assert filtered(request=request, correlation_id="left-behind") == shown
        assert filtered(request=request, correlation_id="mine") == "mine"


def test_request_filter_is_installed_once() -> None:
    """However many middlewares are made, the logger has one filter, which goes."""
    logger = logging.getLogger("django.request")
    uninstall_request_filter()
    before = list(logger.filters)
    install_request_filter()
    FlowMiddleware(lambda _request: HttpResponse())

    assert len(logger.filters) == len(before) + 1
    uninstall_request_filter()
    uninstall_request_filter()
    assert logger.filters == before


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("view", STREAMS)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_streaming_body_keeps_the_id(
    client: str, view: str, lines: list[tuple[str, str]]
) -> None:
    """Each chunk is made in the flow, and its consumer is in none."""
    penstock.install_log_fields()
    response = get(client, f"/{view}/")
    given = response["X-Correlation-ID"]

    chunks = body(response)
    penstock.uninstall_log_fields()

    assert chunks == [(i, None) for i in (given, "inner", "inner", given, given)]
    assert lines[-1] == ("site", given)


def answered(chunks: Any) -> Any:
    """Return a response that streams *chunks*, in the flow r1."""
    request = RequestFactory().get("/", headers={"X-Request-ID": "r1"})
    return FlowMiddleware(lambda _: StreamingHttpResponse(chunks))(request)


def ending(ended: list[Any]) -> Generator[str]:
    """Yield two chunks; note the ID at the end."""
    try:
        yield "a"
        yield "b"
    finally:
        ended.append(penstock.current_flow_id())


async def async_ending(ended: list[Any]) -> AsyncGenerator[str]:
    """Yield two chunks; note the ID at the end, after a pause."""
    try:
        yield "a"
        yield "b"
    finally:
        await asyncio.sleep(0)
        ended.append(penstock.current_flow_id())


@pytest.mark.parametrize(
    "consume",
    [
        list,
        lambda response: (next(iter(response)), response.close()),
        lambda response: next(iter(response)),
    ],
    ids=["exhausted", "closed", "dropped"],
)
def test_streaming_body_ends_in_the_flow(consume: Callable[[Any], Any]) -> None:
    """A body that is closed early, or dropped, cleans up in its flow."""
    ended: list[Any] = []
    consume(answered(ending(ended)))
    gc.collect()

    assert ended == ["r1"]
    assert penstock.current_flow_id() is None


@pytest.mark.parametrize("how", ["exhausted", "dropped", "cancelled"])
def test_async_streaming_body_ends_in_the_flow(how: str) -> None:
    """The same for an async body, also when the client has gone."""

    async def use(response: Any) -> None:
        if how == "exhausted":
            assert [chunk async for chunk in response] == [b"a", b"b"]
        elif how == "dropped":
            assert await anext(aiter(response)) == b"a"
        else:
            task = asyncio.create_task(forever(response))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def forever(response: Any) -> None:
        async for _ in response:
            await asyncio.Event().wait()

    async def main() -> None:
        await use(answered(async_ending(ended)))
        gc.collect()
        await asyncio.sleep(0.01)
        assert penstock.current_flow_id() is None

    ended: list[Any] = []
    asyncio.run(main())

    assert ended == ["r1"]


def test_file_response_is_left_alone() -> None:
    """A file is the server's to send: its response gets the header and nothing else."""
    made = FileResponse(io.BytesIO(b"abc"), filename="abc.txt")
    before = dict(made.__dict__)
    closers = list(before["_resource_closers"])

    response: Any = FlowMiddleware(lambda _: made)(RequestFactory().get("/"))

    assert response is made
    assert response.__dict__ == before
    assert response.__dict__["_resource_closers"] == closers
    assert response["X-Correlation-ID"]
    assert response.getvalue() == b"abc"


def test_file_that_is_made_up_is_a_stream() -> None:
    """A FileResponse of a generator runs code, so its chunks are in the flow."""

    def chunks() -> Generator[bytes]:
        yield (penstock.current_flow_id() or "-").encode()

    request = RequestFactory().get("/", headers={"X-Request-ID": "r1"})
    response: Any = FlowMiddleware(lambda _: FileResponse(chunks()))(request)

    assert list(response) == [b"r1"]


@pytest.mark.parametrize("headers", [[], ["X-Correlation-ID", "X-Request-ID"]])
def test_headers_out_are_configured(headers: list[str]) -> None:
    """The response has the headers that are configured, and no other of ours."""
    with override_settings(PENSTOCK={"headers": headers}):
        response = get("sync", "/plain/")

    sent = [name for name in response.headers if name.startswith("X-")]
    assert sent == headers
    assert {response[name] for name in sent} <= {response.content.decode()}


def test_views_find_the_id_on_the_request() -> None:
    """Like the ID that the response shows."""
    request: Any = RequestFactory().get("/", headers={"X-Request-ID": "r1"})
    response: Any = FlowMiddleware(lambda _: HttpResponse())(request)

    assert request.correlation_id == response["X-Correlation-ID"] == "r1"


def test_options_of_the_middleware_are_settings() -> None:
    """Paths to leave alone, and another header, which scripts may read."""

    def answer(_request: object) -> HttpResponse:
        return HttpResponse(headers={"Access-Control-Expose-Headers": "ETag"})

    options = {
        "exclude": ["/health"],
        "response_headers": ["X-Trace"],
        "expose_headers": True,
        "transform_id": f"{__name__}.first_letter",
    }
    with override_settings(PENSTOCK=options):
        middleware: Any = FlowMiddleware(answer)
    sent = {"X-Request-ID": "r1"}
    shown = middleware(RequestFactory().get("/", headers=sent))
    alone = middleware(RequestFactory().get("/health", headers=sent))

    assert shown["X-Trace"] == "r"
    assert shown["Access-Control-Expose-Headers"] == "ETag, X-Trace"
    assert "X-Trace" not in alone


def first_letter(value: str) -> str:
    """Shorten an ID, as a setting may name it."""
    return value[0]


@contextmanager
def asked(**penstock_settings: Any) -> Generator[Any]:
    """Give the response to a request of a site with these settings."""
    with override_settings(PENSTOCK=penstock_settings):
        yield get("sync", "/plain/", **{"X-Request-ID": "sent-1"})


def made_id() -> str:
    """Make an ID, as a setting may name it."""
    return "made-1"


def test_settings_configure_penstock() -> None:
    """The names of configure() are those of the setting; functions may be paths."""
    with asked(
        backends="logging",
        service="shop",
        new_id=f"{__name__}.made_id",
        trust_inbound="none",
        propagate=["tenant"],
    ) as response:
        assert response.content == b"made-1"
        assert penstock.inject() == {}
    with asked(backends=["logging"], is_valid_id=str.isascii, new_id=made_id):
        pass
    with asked() as response:
        assert response.content == b"made-1"  # what is not named stays


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"servce": "shop"}, r"PENSTOCK.*'servce'.*Did you mean 'service'"),
        ({"trust_inbound": "alll"}, r"PENSTOCK: trust_inbound='alll'.*'all'"),
        ({"backends": "loging"}, r"PENSTOCK.*'loging'.*Did you mean 'logging'"),
        ({"new_id": "no.such"}, r"PENSTOCK: new_id='no.such' cannot be imported"),
        ({"new_id": 3}, r"PENSTOCK: new_id=3: expected a function"),
        (["service"], r"PENSTOCK: expected a dict, not list"),
    ],
)
def test_wrong_settings_stop_the_start(given: Any, told: str) -> None:
    """A site with a setting that cannot be does not start, and says which."""
    config: Any = apps.get_app_config("penstock")
    with override_settings(PENSTOCK=given):
        with pytest.raises(penstock.ConfigurationError, match=told):
            FlowMiddleware(lambda _request: HttpResponse())
        with pytest.raises(penstock.ConfigurationError, match=told):
            config.ready()


def test_disabled_middleware_is_not_there() -> None:
    """Under PENSTOCK_DISABLED there is no middleware, and no header."""
    program = """
        import django; django.setup()
        from django.test import Client
        r = Client().get("/plain/")
        print(r.status_code, r.content, "X-Correlation-ID" in r)
    """
    settings = "tests.contrib.django_site.settings"
    printed, _ = run_python(
        program, DJANGO_SETTINGS_MODULE=settings, PENSTOCK_DISABLED="1"
    )

    assert printed.split() == ["200", "b'-'", "False"]


@pytest.mark.parametrize("factory", [RequestFactory, AsyncRequestFactory])
def test_agrees_with_a_server_middleware(factory: Any) -> None:
    """Inside penstock's WSGI or ASGI middleware the request has its ID already."""
    outer = RequestFlow({"x-request-id": "outer"})
    request = factory().get("/")
    getattr(request, "scope", request.META)[KEY] = outer

    response: Any = FlowMiddleware(lambda _: HttpResponse())(request)

    assert response["X-Correlation-ID"] == "outer"
    assert repr(request.META[KEY]) == "<RequestFlow outer>"


def test_capabilities_are_declared() -> None:
    """Django is told that the middleware works both ways, and which way this one is."""

    async def get_response(_request: Any) -> HttpResponse:
        return HttpResponse()

    is_async: Callable[[object], bool] = vars(asgiref.sync)["iscoroutinefunction"]

    def sync_get_response(_request: Any) -> HttpResponse:
        return HttpResponse()

    assert FlowMiddleware.sync_capable
    assert FlowMiddleware.async_capable
    assert is_async(FlowMiddleware(get_response))
    assert not is_async(FlowMiddleware(sync_get_response))


def test_after_a_view_that_a_decorator_has_made() -> None:
    """`after=` a view made of a class, as by `@api_view`, has the name of the class."""
    orders = penstock.flow("views-made-of-classes")

    @orders.entrypoint
    def receive(request: object) -> HttpResponse:
        return HttpResponse(repr(request).encode())

    made: Any = type("receive", (View,), {"get": receive})  # as @api_view does
    view = made.as_view()

    @orders.step(after=view)
    def charge() -> None: ...

    assert "receive --> charge" in penstock.generate_dag("views-made-of-classes")


def test_a_marker_above_a_view_that_a_decorator_has_made() -> None:
    """The step has the name of the class, not the 'view' of every such function."""
    orders = penstock.flow("marked-views")
    made: Any = type("receive", (View,), {})  # as @api_view does
    orders.entrypoint(made.as_view())

    assert penstock.generate_dag("marked-views") == "graph TD\n    receive"
