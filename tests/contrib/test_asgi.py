"""FlowMiddleware and instrument(), around plain ASGI and four frameworks."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from contextvars import Context
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock.contrib.asgi import FlowMiddleware, instrument, uninstrument
from tests.contrib.web_apps.asgi_apps import FRAMEWORKS, PATHS, instrumented
from tests.contrib.web_apps.clients import Heard, ask, ask_async, scope_of, talk
from tests.contrib.web_apps.inbound import (
    Inbound,
    check_inbound,
    inbound_ids,
)
from tests.contrib.web_apps.work import gathers, leave_open, seen
from tests.support.call_styles import run_python

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator

# Frameworks that other tests have not imported yet may warn of their own future.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")

FORGED = '{"parent":"p1","root":"r1","meta":{"tenant":"theirs"}}'


def answering(make: Callable[[], Awaitable[str]]) -> Any:
    """Return an application that answers with what *make* gives."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        body = (await make()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


async def plain() -> str:
    """See the ID."""
    return seen()


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    """Name each framework that is there."""
    pytest.importorskip(request.param, reason=f"needs {request.param}")
    return str(request.param)


@pytest.mark.parametrize("how", ["wrap", "instrument"])
def test_one_id_in_every_endpoint(framework: str, how: str) -> None:
    """Sync endpoints in threads, async ones, tasks and entrypoints see one ID."""
    app = instrumented(framework, how)
    given = []
    for path in PATHS:
        heard = ask(app, f"/{path}")
        assert (path, heard.status, heard.body) == (path, 200, heard.shown)
        given.append(heard.shown)

    assert len(set(given)) == len(PATHS)
    assert penstock.current_flow_id() is None


@pytest.mark.parametrize("how", ["wrap", "instrument"])
@pytest.mark.filterwarnings("ignore::Warning")
def test_errors_have_the_header(framework: str, how: str) -> None:
    """A 500, which a framework's outermost layer makes, shows the ID; so do 4xx."""
    app = instrumented(framework, how)
    failed = ask(app, "/error", ("X-Request-ID", "failing-1"))
    missing = ask(app, "/nowhere", ("X-Request-ID", "missing-1"))

    assert (failed.status, failed.shown) == (500, "failing-1")
    assert (missing.status, missing.shown) == (404, "missing-1")
    assert penstock.current_flow_id() is None


def test_a_traceback_that_the_server_logs_has_the_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The flow of the request has ended by then."""

    async def app(_scope: object, _receive: object, _send: object) -> None:
        raise KeyError

    async def main() -> None:
        scope = {"type": "http", "headers": [(b"x-request-id", b"request-1")]}
        try:
            await FlowMiddleware(app)(scope, None, None)  # type: ignore[arg-type]  # not used
        except KeyError:
            logging.getLogger("server").exception("Unhandled")

    penstock.install_log_fields()
    asyncio.run(main())
    penstock.uninstall_log_fields()

    (record,) = [record for record in caplog.records if record.name == "server"]
    assert vars(record)["correlation_id"] == "request-1"


@pytest.mark.parametrize("path", ["/stream", "/async_stream"])
def test_stream_keeps_the_id(
    framework: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each chunk is made in the flow, and the server that sends it is in none."""
    penstock.install_log_fields()
    caplog.set_level("INFO")
    heard = ask(instrumented(framework), path)
    penstock.uninstall_log_fields()

    one = heard.shown
    first, second, third, last = heard.body.split()
    assert [first, second, last] == [one, "inner", one]
    # Each step of a sync generator may have a thread, and a copied context, of its own.
    assert third in {"inner", one}
    assert set(heard.flows[1:]) == {None}
    closed = [r for r in caplog.records if r.getMessage() == "closed"]
    assert [vars(r)["correlation_id"] for r in closed] == [one]


def test_background_task_is_in_the_flow(
    framework: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What runs after the response, and what it calls, has the request's ID."""
    caplog.set_level("INFO", "site")
    heard = ask(instrumented(framework), "/background")

    if framework != "quart":  # it hands tasks to a loop that goes on, as servers have
        assert f"after {heard.shown}" in caplog.messages
    assert heard.body == heard.shown


def test_header_is_the_middlewares_own(framework: str) -> None:
    """An endpoint that leaves a flow open and sets the header changes nothing."""
    heard = ask(instrumented(framework), "/flows", ("X-Request-ID", "ours"))

    assert heard.shown == "ours"
    assert penstock.current_flow_id() is None


def test_websocket_has_one_id(framework: str) -> None:
    """Every message on a websocket has the ID that its handshake shows."""
    heard = talk(instrumented(framework), "/ws", "one", "two")

    said = [m["text"] for m in heard.messages if m["type"] == "websocket.send"]
    assert said == [f"{heard.shown},{heard.shown}"] * 2


def test_instrument_and_back(framework: str) -> None:
    """It keeps the type, does nothing twice, and goes without a trace, at any time."""
    app = FRAMEWORKS[framework]()
    before = dict(getattr(app, "__dict__", {}))
    uninstrument(app)
    instrument(app)
    instrument(app)
    assert ask(app, "/plain").shown
    uninstrument(app)
    uninstrument(app)

    bare = ask(app, "/plain")
    assert bare.body == "-"
    assert b"x-correlation-id" not in dict(bare.headers)
    instrument(app)
    assert ask(app, "/plain").shown
    uninstrument(app)
    assert before.keys() == getattr(app, "__dict__", {}).keys()


def test_a_route_to_what_is_below_a_marker(caplog: pytest.LogCaptureFixture) -> None:
    """The first request warns of a route's decorator that stands below the marker."""
    fastapi = pytest.importorskip("fastapi", reason="needs fastapi")
    app = fastapi.FastAPI()
    instrument(app)
    orders = penstock.flow("orders")

    async def right() -> None: ...

    async def wrong() -> None: ...

    app.get("/right")(orders.entrypoint(right))
    orders.entrypoint(app.get("/wrong")(wrong))

    ask(app, "/right")

    assert "The route /wrong calls orders/wrong without its marker" in caplog.text
    assert "/right" not in caplog.text
    assert "Put the decorator of the route above @entrypoint." in caplog.text


def test_instrument_says_what_it_takes() -> None:
    """Another application is refused with what to do; a wrong trust, before it acts."""
    with pytest.raises(penstock.ConfigurationError, match=r"not function.*FlowMiddl"):
        instrument(answering(plain))
    with pytest.raises(penstock.ConfigurationError, match="'none', 'id', 'all'"):
        FlowMiddleware(answering(plain), trust_inbound="some")


@inbound_ids
def test_inbound_id_is_adopted_or_replaced(
    inbound: Inbound, caplog: pytest.LogCaptureFixture
) -> None:
    """A well-formed ID is accepted; a malformed one is replaced, and never echoed."""
    app = FlowMiddleware(answering(plain))
    heard = ask(app, "/", (inbound.header, inbound.value))

    assert heard.body == heard.shown
    check_inbound(inbound, heard.shown, caplog)


def test_request_that_ends_in_another_context_leaves_its_flow() -> None:
    """A server may resume a request in a copy of the context in which it began."""

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()

    class Pause:
        def __await__(self) -> Generator[None]:
            yield

    async def receive() -> None:
        await Pause()

    middleware: Any = FlowMiddleware(app)
    request = middleware(scope_of("/"), receive, None)
    begun = Context()
    begun.run(request.send, None)
    resumed = begun.copy()
    assert resumed.run(penstock.current_flow_id)
    with pytest.raises(StopIteration):
        resumed.run(request.send, None)

    assert resumed.run(penstock.current_flow_id) is None


def test_of_two_headers_the_first_counts() -> None:
    """As under WSGI, where a server joins the two."""
    two = ("X-Correlation-ID", "first"), ("X-Correlation-ID", "second")

    assert ask(FlowMiddleware(answering(plain)), "/", *two).shown == "first"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("x-request-id", "text")], "text"),
        ([(b"x-request-id", memoryview(b"view"))], "view"),
        ([(b"one",), 17, (b"x-request-id", b"r1")], "r1"),
        (17, None),
    ],
)
def test_headers_that_are_not_as_asgi_has_them(headers: Any, expected: str) -> None:
    """What can be read is read; nothing fails the request."""
    scope = {**scope_of("/"), "headers": headers}

    shown = asyncio.run(ask_async(FlowMiddleware(answering(plain)), scope)).shown

    assert shown == expected if expected else len(shown) == 32


@pytest.mark.parametrize(
    ("configured", "given", "seen_there"),
    [
        (None, None, ("c1", None, {})),
        ("none", "id", ("c1", None, {})),
        ("all", "id", ("c1", None, {})),
        (None, "all", ("c1", "p1", {"tenant": "theirs"})),
        ("all", None, ("c1", "p1", {"tenant": "theirs"})),
        ("all", "none", (None, None, {})),
    ],
)
def test_trust_is_the_middlewares_or_the_settings(
    configured: str | None, given: str | None, seen_there: tuple[Any, ...]
) -> None:
    """A penstock header from outside is accepted only with ``trust_inbound``."""
    penstock.configure(propagate=["tenant"], trust_inbound=configured)
    found: list[Any] = []

    async def look() -> str:
        context = penstock.get_flow_context()
        assert context is not None
        found.append((context.parent_id, dict(context.metadata)))
        return seen()

    app = FlowMiddleware(answering(look), trust_inbound=given)
    heard = ask(app, "/", ("X-Correlation-ID", "c1"), ("penstock", FORGED))

    one, *rest = seen_there
    assert found == [tuple(rest)]
    assert (heard.shown == "c1") is (one == "c1")


def test_ambient_flow_is_not_adopted() -> None:
    """What a server left behind is ignored, is there while it sends, and comes back."""

    async def ask_in_flow() -> Heard:
        with penstock.start_flow("ambient"):
            app = FlowMiddleware(answering(gathers))
            heard = await ask_async(app, scope_of())
            assert penstock.current_flow_id() == "ambient"
        return heard

    heard = asyncio.run(ask_in_flow())
    assert heard.body == heard.shown != "ambient"
    assert heard.flows == [heard.shown, "ambient"]


def test_start_is_sent_in_the_flow_and_the_rest_is_not() -> None:
    """Access logs have the ID; a request that begins when this one ends has none."""
    heard = ask(FlowMiddleware(answering(leave_open_async)), "/")

    assert heard.flows == ["left-open", None]
    assert heard.body == "left-open"


async def leave_open_async() -> str:
    """Leave a flow open."""
    return leave_open()


def test_headers_replace_in_any_form() -> None:
    """The application's header of the name goes, whatever its case; others stay."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = ([b"X-Correlation-ID", b"theirs"], [b"X-Other", b"1"])
        await send(
            {"type": "http.response.start", "status": 204, "headers": iter(headers)}
        )
        await send({"type": "http.response.body"})

    penstock.configure(headers=["X-Correlation-ID", "X-Request-ID"])
    heard = ask(FlowMiddleware(app))

    one = heard.shown.encode()
    assert sorted((name, value) for name, value in heard.headers) == [
        (b"x-correlation-id", one),
        (b"x-other", b"1"),
        (b"x-request-id", one),
    ]


def test_two_middlewares_agree() -> None:
    """The outer one decides; an application in an application has the same ID."""
    inner = FlowMiddleware(answering(plain), trust_inbound="all")
    heard = ask(FlowMiddleware(inner, trust_inbound="none"), "/", ("X-Request-ID", "r"))

    assert heard.body == heard.shown != "r"


def test_scope_is_the_servers_own() -> None:
    """The application gets the same dict, and penstock leaves nothing in it."""
    scope = scope_of()
    before = dict(scope)
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope)
        scope["route"] = "/orders"

    asyncio.run(ask_async(FlowMiddleware(app), scope))
    assert found[0] is scope
    assert scope == before | {"route": "/orders"}
    assert "penstock.flow" not in scope


@pytest.mark.parametrize("kind", ["lifespan", "something.else"])
def test_other_scopes_pass_through(kind: str) -> None:
    """The lifespan, and what ASGI may bring one day, is left alone."""
    passed: list[Any] = []

    async def app(*args: Any) -> None:
        passed.append((args, penstock.current_flow_id()))

    asyncio.run(FlowMiddleware(app)({"type": kind}, "r", "s"))  # type: ignore[arg-type]  # only passed on

    assert passed == [(({"type": kind}, "r", "s"), None)]


def test_exception_is_the_same() -> None:
    """It passes through with nothing added, and the flow from before is back."""
    error = ZeroDivisionError()

    async def app(*_args: Any) -> None:
        raise error

    heard = ask(FlowMiddleware(app))

    assert heard.error is error
    assert (error.__cause__, error.__context__) == (None, None)


def test_cancelled_request_leaves_nothing() -> None:
    """When a client leaves, the cancelled request ends in its own flow."""
    ended: list[Any] = []

    async def endless() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(penstock.current_flow_id())
        return ""

    async def cancel() -> None:
        app = FlowMiddleware(answering(endless))
        scope = scope_of("/", ("X-Request-ID", "gone-1"))
        task = asyncio.create_task(ask_async(app, scope))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ended.append(penstock.current_flow_id())

    asyncio.run(cancel())
    assert ended == ["gone-1", None]


def test_closed_from_another_context() -> None:
    """A request that is thrown away halfway changes nothing where that happens."""

    async def start_and_drop() -> None:
        async def chunks() -> AsyncGenerator[str]:
            yield "a"
            await asyncio.sleep(0)
            yield "b"

        async def stream() -> str:
            return "".join([chunk async for chunk in chunks()])

        call = FlowMiddleware(answering(stream))(scope_of(), dead, dead)
        coroutine: Any = call
        await asyncio.create_task(first_move(coroutine))
        with penstock.start_flow("elsewhere"):
            coroutine.close()
            del call, coroutine
            gc.collect()
            assert penstock.current_flow_id() == "elsewhere"

    async def first_move(coroutine: Any) -> None:
        coroutine.send(None)

    async def dead(*_args: Any) -> Any: ...

    asyncio.run(start_and_drop())
    assert penstock.current_flow_id() is None


def test_many_at_once_are_apart() -> None:
    """2,000 requests, 50 at a time, in one loop: each has the ID that it sent."""
    app = FlowMiddleware(answering(gathers))
    limit = asyncio.Semaphore(50)

    async def one(number: int) -> tuple[str, Heard]:
        async with limit:
            sent = f"sent-{number}"
            return sent, await ask_async(app, scope_of("/", ("X-Request-ID", sent)))

    async def every() -> list[tuple[str, Heard]]:
        return await asyncio.gather(*map(one, range(2000)))

    crossed = [
        sent
        for sent, heard in asyncio.run(every())
        if {heard.shown, heard.body} != {sent}
    ]
    assert not crossed


@pytest.mark.parametrize("broken", ["new_id", "is_valid_id", "backend"])
def test_broken_settings_change_no_result(broken: str) -> None:
    """What fails in penstock's surroundings costs an ID at most, never a response."""

    def fail(*_args: object) -> Any:
        raise ZeroDivisionError

    if broken == "backend":
        penstock.configure(Broken())
    else:
        penstock.configure(**{broken: fail})  # type: ignore[arg-type]  # one of two
    heard = ask(FlowMiddleware(answering(gathers)), "/", ("X-Request-ID", "r1"))

    assert heard.status == 200
    assert heard.body == heard.shown


class Broken(penstock.TracingBackend):
    """A backend that fails."""

    def span(self, step_name: str, flow_name: str, **attrs: object) -> Any:
        raise ZeroDivisionError

    def get_correlation_id(self) -> str:
        raise ZeroDivisionError


def test_disabled_middleware_does_nothing() -> None:
    """Under PENSTOCK_DISABLED there is no flow and no header."""
    program = """
        from tests.contrib.test_asgi import *
        heard = ask(FlowMiddleware(answering(plain)))
        print(heard.body, heard.headers)
    """
    assert run_python(program, PENSTOCK_DISABLED="1") == ("- []\n", "")


STRING_ANNOTATIONS = """
from __future__ import annotations

from typing import Annotated, Iterator

from fastapi import Depends, FastAPI, Request
from penstock import current_flow_id, flow

app = FastAPI()
orders = flow("orders")


@orders.entrypoint
def rows(request: Request) -> Iterator[str]:
    yield request.url.path


Rows = Annotated[str, Depends(rows)]


@app.get("/{kind}")
@orders.step(after=rows)
async def receive(request: Request, kind: Kind, found: Rows) -> list[str]:
    return [kind, found, request.url.path, current_flow_id() or ""]
"""


def test_string_annotations_of_marked_fastapi_functions_are_found() -> None:
    """FastAPI finds the names in the user's module, from 0.123.5 on."""
    pytest.importorskip("fastapi", reason="needs fastapi")
    space: dict[str, Any] = {"Kind": str}
    exec(STRING_ANNOTATIONS, space)  # noqa: S102  # our own module

    heard = ask(FlowMiddleware(space["app"]), "/new")

    assert json.loads(heard.body) == ["new", "/new", "/new", heard.shown]
