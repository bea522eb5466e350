"""FlowMiddleware and instrument(), around plain WSGI and three frameworks."""

from __future__ import annotations

import gc
import importlib
import io
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest

import penstock
from penstock.contrib.wsgi import FlowMiddleware, instrument, uninstrument
from tests.contrib.web_apps.clients import Heard, ask_wsgi
from tests.contrib.web_apps.inbound import (
    TRACEPARENT,
    Inbound,
    check_inbound,
    inbound_ids,
)
from tests.contrib.web_apps.work import calls, chunks, leave_open, seen
from tests.contrib.web_apps.wsgi_apps import FRAMEWORKS, PATHS, instrumented
from tests.support.call_styles import run_python

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")

FORGED = '{"parent":"p1","root":"r1","meta":{"tenant":"theirs"}}'


def answering(make: Callable[[], str] = seen) -> Any:
    """Return an application that answers with what *make* gives."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [make().encode()]

    return app


def streaming(body: Any) -> Any:
    """Return an application that answers with *body*."""

    def app(_environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    return app


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    """Name each framework that is there."""
    pytest.importorskip(request.param, reason=f"needs {request.param}")
    return str(request.param)


def test_one_id_in_every_endpoint(framework: str) -> None:
    """Views, entrypoints and steps see the one ID that the response shows."""
    app = instrumented(framework)
    given = []
    for path in PATHS:
        heard = ask_wsgi(app, f"/{path}")
        assert (path, heard.status, heard.body) == (path, 200, heard.shown)
        given.append(heard.shown)

    assert len(set(given)) == len(PATHS)
    assert penstock.current_flow_id() is None


def test_errors_have_the_header(framework: str) -> None:
    """A 500 that the framework makes shows the ID; so does a 404."""
    app = instrumented(framework)
    errors = io.StringIO()
    environ = {"wsgi.errors": errors, "HTTP_X_REQUEST_ID": "failing-1"}
    failed = ask_wsgi(app, "/error", **environ)
    missing = ask_wsgi(app, "/nowhere", HTTP_X_REQUEST_ID="missing-1")

    assert (failed.status, failed.shown) == (500, "failing-1")
    assert (missing.status, missing.shown) == (404, "missing-1")
    assert penstock.current_flow_id() is None


def test_a_traceback_that_the_server_logs_has_the_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of a view, and of a body that fails while it is sent."""

    def view(_environ: object, _start: object) -> Iterable[bytes]:
        raise KeyError

    def body() -> Iterator[bytes]:
        yield b"first"
        raise KeyError

    def streaming(_environ: object, start: Any) -> Iterable[bytes]:
        start("200 OK", [])
        return body()

    penstock.install_log_fields()
    for app in (view, streaming):
        server = logging.getLogger("server")
        try:
            environ = {"HTTP_X_REQUEST_ID": "request-1"}
            list(FlowMiddleware(app)(environ, lambda *_: print))
        except KeyError:
            server.exception("Unhandled")
    penstock.uninstall_log_fields()

    ids = [vars(record)["correlation_id"] for record in caplog.records]
    assert ids == ["request-1", "request-1"]


def test_stream_keeps_the_id(framework: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each chunk, and the clean-up, is in the flow; the server between them in none."""
    penstock.install_log_fields()
    caplog.set_level("INFO")
    app = instrumented(framework)
    paths = ["/stream", "/stream_with_context"] if framework == "flask" else ["/stream"]
    for path in paths:
        caplog.clear()
        heard = ask_wsgi(app, path)

        one = heard.shown
        assert heard.body.split() == [one, "inner", "inner", one]
        assert set(heard.flows) == {None}
        closed = [r for r in caplog.records if r.getMessage() == "closed"]
        assert [vars(r)["correlation_id"] for r in closed] == [one]
    penstock.uninstall_log_fields()


def test_header_is_the_middlewares_own(framework: str) -> None:
    """A view that leaves a flow open and sets the header changes nothing."""
    heard = ask_wsgi(instrumented(framework), "/flows", HTTP_X_REQUEST_ID="ours")

    assert heard.shown == "ours"
    assert penstock.current_flow_id() is None


def test_file_is_the_servers_to_send(framework: str) -> None:
    """What the server's wrapper made of a file reaches the server as it is."""
    found: list[Any] = []

    class Wrapper(FileWrapper):
        pass

    inner = instrumented(framework)

    def app(environ: Any, start_response: Any) -> Any:
        found.append(inner(environ, start_response))
        return found[-1]

    heard = ask_wsgi(app, "/file", **{"wsgi.file_wrapper": Wrapper})
    assert heard.status == 200
    assert "def pyramid(" in heard.body
    assert len(heard.shown) == 32
    assert type(found[0]) is Wrapper


def test_file_is_left_alone(tmp_path: Path) -> None:
    """A server's wrapper may be a function that returns the file."""
    path = tmp_path / "file"
    path.write_bytes(b"text")
    with path.open("rb") as file:
        environ = {"wsgi.file_wrapper": lambda file, _size=1: file}
        body = FlowMiddleware(streaming(file))(environ, lambda *_: lambda _: None)

        assert body is file


def test_instrument_and_back() -> None:
    """It keeps the type, installs once when called twice, and leaves no trace."""
    pytest.importorskip("flask", reason="needs flask")
    app = FRAMEWORKS["flask"]()
    before = dict(vars(app))
    uninstrument(app)
    instrument(app)
    instrument(app)
    assert ask_wsgi(app, "/plain").shown
    assert app.test_client().get("/plain").headers["X-Correlation-ID"]
    uninstrument(app)
    uninstrument(app)

    assert vars(app).keys() == before.keys()
    assert ask_wsgi(app, "/plain").body == "-"


def test_uninstrument_puts_back_what_was_there() -> None:
    """A middleware that the application had already stays."""
    pytest.importorskip("flask", reason="needs flask")
    app = FRAMEWORKS["flask"]()
    app.wsgi_app = theirs = answering()
    instrument(app)
    uninstrument(app)

    assert app.wsgi_app is theirs


def test_instrument_says_what_it_takes() -> None:
    """Another application is refused with what to do; a wrong trust, before it acts."""
    with pytest.raises(penstock.ConfigurationError, match=r"not function.*FlowMiddl"):
        instrument(answering())
    with pytest.raises(penstock.ConfigurationError, match=r"not function.*FlowMiddl"):
        uninstrument(answering())
    with pytest.raises(penstock.ConfigurationError, match="'none', 'id', 'all'"):
        FlowMiddleware(answering(), trust_inbound="some")


@inbound_ids
def test_inbound_id_is_adopted_or_replaced(
    inbound: Inbound, caplog: pytest.LogCaptureFixture
) -> None:
    """A well-formed ID is accepted; a malformed one is replaced, and never echoed."""
    name = f"HTTP_{inbound.header.upper().replace('-', '_')}"
    heard = ask_wsgi(FlowMiddleware(answering()), **{name: inbound.value})

    assert heard.body == heard.shown
    check_inbound(inbound, heard.shown, caplog)


@pytest.mark.parametrize(
    ("configured", "given", "expected"),
    [
        (None, None, (True, None, {})),
        ("none", "id", (True, None, {})),
        ("all", "id", (True, None, {})),
        (None, "all", (True, "p1", {"tenant": "theirs"})),
        ("all", None, (True, "p1", {"tenant": "theirs"})),
        ("all", "none", (False, None, {})),
    ],
)
def test_trust_is_the_middlewares_or_the_settings(
    configured: str | None, given: str | None, expected: tuple[Any, ...]
) -> None:
    """A penstock header from outside is accepted only with ``trust_inbound``."""
    penstock.configure(propagate=["tenant"], trust_inbound=configured)
    found: list[Any] = []

    def look() -> str:
        context = penstock.get_flow_context()
        assert context is not None
        is_theirs = context.correlation_id == "c1"
        found.append((is_theirs, context.parent_id, dict(context.metadata)))
        return seen()

    app = FlowMiddleware(answering(look), trust_inbound=given)
    ask_wsgi(app, HTTP_X_CORRELATION_ID="c1", HTTP_PENSTOCK=FORGED)

    assert found == [expected]


@pytest.mark.parametrize("make", [seen, leave_open, calls])
def test_ambient_flow_is_not_adopted(make: Callable[[], str]) -> None:
    """What a server left behind is ignored, and put back when the request ends."""
    with penstock.start_flow("ambient"):
        heard = ask_wsgi(FlowMiddleware(answering(make)))
        streamed = ask_wsgi(FlowMiddleware(streaming(chunks())))

        assert penstock.current_flow_id() == "ambient"
    assert heard.shown != "ambient"
    assert set(streamed.body.split()) == {streamed.shown, "inner"}
    assert set(streamed.flows) == {"ambient"}


def ending(ended: list[Any]) -> Generator[bytes]:
    """Yield two chunks; note the ID at the end."""
    try:
        yield b"a"
        yield b"b"
    finally:
        ended.append(penstock.current_flow_id())


def drop(body: Any) -> None:
    """Take a chunk, and let go."""
    next(iter(body))


def close_elsewhere(body: Any) -> None:
    """Take a chunk; close in another thread and in another context."""
    next(iter(body))
    with ThreadPoolExecutor() as pool:
        pool.submit(copy_context().run, body.close).result()


@pytest.mark.parametrize(
    "consume",
    [list, lambda body: (next(iter(body)), body.close()), drop, close_elsewhere],
    ids=["exhausted", "closed", "dropped", "closed-elsewhere"],
)
def test_body_ends_in_the_flow(consume: Callable[[Any], Any]) -> None:
    """A body that is closed early, or dropped, cleans up in its flow."""
    ended: list[Any] = []
    app = FlowMiddleware(lambda *_: ending(ended))
    consume(app({"HTTP_X_REQUEST_ID": "r1"}, lambda *_: lambda _: None))
    gc.collect()

    assert ended == ["r1"]
    assert penstock.current_flow_id() is None


def test_application_that_is_a_generator() -> None:
    """It runs, and starts its response, when its first chunk is asked for."""

    def app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield seen().encode()

    heard = ask_wsgi(FlowMiddleware(app))

    assert heard.body == heard.shown


def test_write_works() -> None:
    """The old callable that start_response returns is the server's."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(seen().encode())
        return [b",", seen().encode()]

    heard = ask_wsgi(FlowMiddleware(app))

    assert heard.body == f"{heard.shown},{heard.shown}"


@pytest.mark.parametrize("by_name", [False, True])
def test_response_is_started_again(*, by_name: bool) -> None:
    """With exc_info an application replaces its response; the header is there."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        try:
            raise ZeroDivisionError  # noqa: TRY301  # as an application would
        except ZeroDivisionError:
            info = sys.exc_info()
            if by_name:
                start_response("500 Failed", [], exc_info=info)
            else:
                start_response("500 Failed", [], info)
        return [b"failed"]

    heard = ask_wsgi(FlowMiddleware(app))
    assert (heard.status, len(heard.shown)) == (500, 32)


def test_exc_info_after_the_start_is_raised() -> None:
    """The server raises it when the headers have gone; the same object comes out."""
    error = ZeroDivisionError()

    def app(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"a"
        try:
            raise error
        except ZeroDivisionError:
            start_response("500 Failed", [], sys.exc_info())

    with pytest.raises(ZeroDivisionError) as caught:
        ask_wsgi(FlowMiddleware(app))
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)


def test_exception_is_the_same() -> None:
    """It passes through with nothing added, and the flow from before is back."""
    error = ZeroDivisionError()

    def fail() -> str:
        raise error

    with pytest.raises(ZeroDivisionError) as caught:
        ask_wsgi(FlowMiddleware(answering(fail)))
    assert caught.value is error
    assert (error.__cause__, error.__context__) == (None, None)
    assert penstock.current_flow_id() is None


@pytest.mark.parametrize("make", ["list", "generator"])
def test_validator_is_content(make: str) -> None:
    """The standard library's validator finds nothing on either side of it."""

    def body() -> Iterable[bytes]:
        yield b"a"

    app = answering() if make == "list" else streaming(body())
    errors = io.StringIO()
    checked = validator(FlowMiddleware(validator(app)))
    environ: Any = {"wsgi.errors": Errors(errors), "wsgi.input": Input()}
    heard: list[Any] = []

    def start_response(*started: Any) -> Callable[[bytes], object]:
        heard.append(started)
        return heard.append

    full: Any = {}
    ask_wsgi(lambda given, _: full.update(given) or [], **environ)
    body_of = checked(full, start_response)
    assert len(b"".join(body_of)) in {1, 32}
    body_of.close()  # type: ignore[attr-defined]  # it has one
    assert heard[0][0] == "200 OK"


class Input(io.BytesIO):
    """What a validator takes for input."""


class Errors:
    """What a validator takes for errors."""

    def __init__(self, to: io.StringIO) -> None:
        self.write = to.write
        self.flush = to.flush
        self.writelines = to.writelines


def test_headers_replace_in_any_case() -> None:
    """The application's header of the name goes, whatever its case; others stay."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("x-CORRELATION-id", "theirs"), ("X-Other", "1")])
        return []

    penstock.configure(headers=["X-Correlation-ID", "X-Request-ID"])
    heard = ask_wsgi(FlowMiddleware(app))

    one = heard.shown.encode()
    assert sorted(heard.headers) == [
        (b"x-correlation-id", one),
        (b"x-other", b"1"),
        (b"x-request-id", one),
    ]


def test_two_middlewares_agree() -> None:
    """The outer one decides; the inner one shows the ID of the flow in environ."""
    found: dict[str, Any] = {}
    inner = FlowMiddleware(answering(), trust_inbound="all")

    def between(environ: Any, start_response: Any) -> Any:
        found.update(environ)
        return inner(environ, start_response)

    heard = ask_wsgi(
        FlowMiddleware(between, trust_inbound="none"), HTTP_X_REQUEST_ID="r"
    )

    assert heard.body == heard.shown != "r"
    assert repr(found["penstock.flow"]) == f"<RequestFlow {heard.shown}>"


def test_many_at_once_are_apart() -> None:
    """2,000 requests in 50 threads: each has the ID that it sent."""

    def twice(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield calls().encode()
        yield calls().encode()

    app = FlowMiddleware(twice)

    def one(number: int) -> tuple[str, Heard]:
        return f"sent-{number}", ask_wsgi(app, HTTP_X_REQUEST_ID=f"sent-{number}")

    with ThreadPoolExecutor(50) as pool:
        crossed = [
            sent
            for sent, heard in pool.map(one, range(2000))
            if (heard.shown, heard.body) != (sent, sent * 2)
        ]
    assert not crossed


def test_a_request_continues_its_senders_trace() -> None:
    """The sender waits, so its span is the parent of the request's."""
    pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry")
    provider = importlib.import_module("opentelemetry.sdk.trace").TracerProvider()
    otel = importlib.import_module("penstock.backends.otel")
    penstock.configure(otel.OTelBackend(provider))

    @penstock.flow("orders")
    @penstock.entrypoint
    def receive() -> str:
        return penstock.inject()["traceparent"]

    heard = ask_wsgi(FlowMiddleware(answering(receive)), HTTP_TRACEPARENT=TRACEPARENT)

    assert heard.body[:35] == TRACEPARENT[:35]  # the trace
    assert heard.body[35:] != TRACEPARENT[35:]  # a span of our own
    provider.shutdown()


def test_disabled_middleware_does_nothing() -> None:
    """Under PENSTOCK_DISABLED there is no flow and no header."""
    program = """
        from tests.contrib.test_wsgi import *
        heard = ask_wsgi(FlowMiddleware(answering()))
        print(heard.body, dict(heard.headers))
    """
    printed = "- {b'content-type': b'text/plain'}\n"
    assert run_python(program, PENSTOCK_DISABLED="1") == (printed, "")
