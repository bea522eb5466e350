"""instrument(client): each HTTP client, over real sockets, by one table of cases."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import ConfigurationError, TracingBackend, configure, flow, start_flow
from penstock.contrib._outgoing import Hosts
from tests.contrib.http_clients.kinds import KINDS, Client, opened, state_of
from tests.contrib.http_clients.site import Site, site
from tests.contrib.web_apps.asgi_apps import instrumented
from tests.contrib.web_apps.servers import serve
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

AT_ONCE = 50
OPERATIONS = AT_ONCE * int(os.environ.get("TEST_ROUNDS", "10"))


@pytest.fixture(params=KINDS)
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client of each kind."""
    with opened(request.param) as client:
        yield client


@pytest.fixture
def here() -> Iterator[Site]:
    """A site that may learn of flows."""
    with site() as running:
        yield running


@pytest.fixture
def stranger() -> Iterator[Site]:
    """A site that may not."""
    with site() as running:
        yield running


def test_request_in_a_flow_carries_it(client: Client, here: Site) -> None:
    """The ID and the field are there, in a flow alone, and to the named host alone."""
    client.instrument(here.host)
    with start_flow("order-17"):
        client.get(here.url())
        client.get(here.url(name="localhost"))
    client.get(here.url())

    first, *others = here.heard
    assert first.sent.keys() == {"x-correlation-id", "penstock"}
    assert first.shown == "order-17"
    assert [one.sent for one in others] == [{}, {}]


def test_nothing_is_sent_unless_instrumented(client: Client, here: Site) -> None:
    """Another client of the same library knows nothing of it."""
    with opened(client.package) as other, start_flow():
        other.instrument("*")
        client.get(here.url())

    assert here.shown == ["-"]


def test_field_names_the_step_and_metadata(client: Client, here: Site) -> None:
    """The step that makes the request is its caller; what is allowed travels."""
    configure(propagate=["tenant"], service="shop")
    penstock.install_log_fields()  # which want to know the current step
    client.instrument(here.host)
    orders = flow("orders")

    @orders.entrypoint
    def receive() -> str:
        penstock.set_flow_context_value("tenant", "naïve\r\nX: \x7f\U0001f40d")
        penstock.set_flow_context_value("secret", "hunter2")
        charge()
        return penstock.current_flow_id() or ""

    @orders.step(after=receive)
    def charge() -> None:
        client.get(here.url())

    sent_by = receive()
    penstock.uninstall_log_fields()

    (heard,) = here.heard
    field = json.loads(heard.sent["penstock"])
    assert heard.sent["penstock"].isprintable()
    assert heard.shown == sent_by
    assert (field["flow"], field["step"], field["service"]) == (
        "orders",
        "charge",
        "shop",
    )
    assert field["meta"] == {"tenant": "naïve\r\nX: \x7f\U0001f40d"}


def test_redirects_take_it_to_named_hosts_alone(
    client: Client, here: Site, stranger: Site
) -> None:
    """It does not follow to a stranger, and is there again behind one."""
    client.instrument(here.host)
    back = here.url("/end")
    for status in (301, 302, 303, 307, 308):
        with start_flow("order-17"):
            away = client.get(here.to(stranger.url(), status))
            home = client.get(here.to(here.url("/end"), status))
            again = client.get(stranger.to(back, status))
            both = client.get(here.to(stranger.to(back, status), status))

        assert [away.hops, home.hops, again.hops, both.hops] == [1, 1, 1, 2]
        assert [away.text, home.text, again.text] == ["-", "order-17", "order-17"]
        assert both.text == "order-17"
        assert here.shown == ["order-17"] * 6
        assert stranger.shown == ["-"] * 3


def test_redirected_body_arrives(client: Client, here: Site, stranger: Site) -> None:
    """A body is sent again where the status says so, with or without the flow."""
    client.instrument(here.host)
    body = {"data": b"body"} if client.module != "httpx" else {"content": b"body"}
    with start_flow("order-17"):
        client.send("POST", here.to(stranger.url(), 307), **body)

    assert [one.body for one in (*here.heard, *stranger.heard)] == [b"body"] * 2
    assert [one.shown for one in (*here.heard, *stranger.heard)] == ["order-17", "-"]


def test_header_of_the_caller_wins(client: Client, here: Site, stranger: Site) -> None:
    """In any case of letters, and it goes wherever the client takes it."""
    client.instrument(here.host)
    given = {"x-CORRELATION-id": "mine", "Penstock": "{}"}
    with start_flow("order-17"):
        client.get(here.to(stranger.url()), headers=given)
        client.get(here.url(), headers={"X-Correlation-Id": "mine"})

    whole, half = here.heard
    ours = {"x-correlation-id": "mine", "penstock": "{}"}
    assert [one.sent for one in (whole, *stranger.heard)] == [ours, ours]
    assert half.shown == "mine"
    assert half.sent.keys() == ours.keys()


def test_default_header_of_the_client_wins(client: Client, here: Site) -> None:
    """What every request of the client is sent is the caller's, too."""
    client.raw.headers.update({"x-correlation-id": "mine"})
    client.instrument(here.host)
    with start_flow("order-17"):
        client.get(here.url())

    assert here.shown == ["mine"]


def test_configured_names_are_sent(client: Client, here: Site) -> None:
    """Each of the headers that ``configure`` names."""
    configure(headers=["X-Request-ID", "X-Trace"])
    client.instrument(here.host)
    with start_flow("order-17"):
        client.get(here.url())

    (heard,) = here.heard
    assert (heard.headers["X-Request-ID"], heard.headers["X-Trace"]) == (
        "order-17",
        "order-17",
    )
    assert heard.shown == "-"


def test_bodies_stream_both_ways(client: Client, here: Site) -> None:
    """A streamed upload and a streamed response are what they were."""
    client.instrument(here.host)
    with start_flow("order-17"):
        assert client.upload(here.url(), [b"one", b"two"]).text == "order-17"
        assert client.stream(here.url()) == "order-17"

    assert [one.body for one in here.heard] == [b"onetwo", b""]


def test_calling_again_replaces_the_hosts(
    client: Client, here: Site, stranger: Site
) -> None:
    """The last call says who may learn of the flow."""
    client.instrument(stranger.host)
    client.instrument(here.host)
    client.instrument(here.host)
    with start_flow("order-17"):
        client.get(here.url())
        client.get(stranger.url())

    assert (here.shown, stranger.shown) == (["order-17"], ["-"])


def test_uninstrument_leaves_what_was_there(client: Client, here: Site) -> None:
    """The client consists of what it did; doing it twice is doing it once."""
    before = state_of(vars(client.raw))
    client.uninstrument()
    assert state_of(vars(client.raw)) == before
    client.instrument(here.host)
    client.instrument("*")
    assert state_of(vars(client.raw)) != before
    client.uninstrument()
    client.uninstrument()

    assert state_of(vars(client.raw)) == before
    with start_flow("order-17"):
        client.get(here.url())
    assert here.shown == ["-"]


@pytest.mark.parametrize(
    "hostile",
    ["a\r\nX-Evil: 1", "a\nb", "a\x00b", " around ", "ñandú", "a\x7f", "", "x" * 5000],
    ids=ascii,
)
def test_hostile_id_stays_here(client: Client, here: Site, hostile: str) -> None:
    """Whatever a validator allows, it is not on the wire, and the request arrives."""
    client.instrument(here.host)
    configure(is_valid_id=lambda _text: True, new_id=lambda: hostile)
    with start_flow() as context:
        client.get(here.url())
        fresh = context.correlation_id
        context.correlation_id = hostile
        client.get(here.url())
    with pytest.raises(ConfigurationError):
        start_flow(hostile)

    assert here.shown == [fresh, "-"]
    assert len(fresh) == 32


def test_what_cannot_travel_fails_no_request(client: Client, here: Site) -> None:
    """Metadata that is not JSON, or too much, stays here."""
    key, large = unique("key"), unique("large")
    configure(propagate=[key, large])
    client.instrument(here.host)
    with start_flow("order-17", **{key: object(), large: "x" * 100_000}):
        client.get(here.url())

    (heard,) = here.heard
    assert heard.shown == "order-17"
    sent = json.loads(heard.sent["penstock"])
    assert sent.keys() == {"root", "run_id", "sent_at"}
    assert sent["root"] == "order-17"


def errors_of(client: Client, url: str) -> list[tuple[type, str]]:
    """Return the error of a request, and all that stand behind it."""
    found: list[tuple[type, str]] = []
    with pytest.raises(Exception, match=r".") as caught:  # the library's
        client.get(url)
    error: BaseException | None = caught.value
    while error is not None:
        found.append((type(error), type(error.__cause__).__name__))
        error = error.__context__
    return found


def test_error_is_the_clients_own(client: Client) -> None:
    """A refused connection is the same error with nothing of ours behind it."""
    with site() as closed:
        url = closed.url()
    plain = errors_of(client, url)
    client.instrument("*")

    with start_flow("order-17"):
        assert errors_of(client, url) == plain


class Broken(TracingBackend):
    """A backend that fails whatever it is asked."""

    def enabled(self) -> bool:
        raise LookupError

    def span(
        self, step_name: str, flow_name: str, **attrs: object
    ) -> AbstractContextManager[object]:
        raise LookupError(step_name)

    def get_correlation_id(self) -> str:
        raise LookupError


def test_broken_backend_changes_nothing(client: Client, here: Site) -> None:
    """The request is sent, once, with its ID."""
    configure(Broken())
    client.instrument(here.host)

    @flow("orders")
    @penstock.entrypoint
    def receive() -> tuple[str, str | None]:
        return client.get(here.url()).text, penstock.current_flow_id()

    heard, given = receive()

    assert heard == given
    assert here.shown == [given]


def test_each_of_many_at_once_has_its_own(client: Client, here: Site) -> None:
    """Threads and tasks that share a client cross no IDs."""
    client.instrument(here.host)
    ids = [f"order-{number}" for number in range(OPERATIONS)]
    given = client.many({one: here.url(f"/{one}") for one in ids}, AT_ONCE)

    assert {one: shown for one, shown in given.items() if one != shown} == {}
    assert len(given) == OPERATIONS
    assert sorted(one.path[1:] for one in here.heard if one.path[1:] == one.shown) == (
        sorted(ids)
    )


@pytest.fixture(scope="module")
def callee(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An application in another process, with our middleware around it."""
    with serve("uvicorn-h11", "starlette", tmp_path_factory.mktemp("site")) as server:
        yield server


def test_caller_and_callee_have_one_id(client: Client, callee: Any) -> None:
    """The caller's, the callee's and the one in the callee's log are the same."""
    client.instrument("127.0.0.1")

    @flow("orders")
    @penstock.entrypoint
    def receive() -> tuple[str, str | None]:
        url = f"http://127.0.0.1:{callee.port}/plain"
        return client.get(url).text, penstock.current_flow_id()

    answered, given = receive()

    assert answered == given
    assert f"{given} site INFO seen" in callee.lines()


def test_websocket_of_aiohttp_has_the_id(callee: Any) -> None:
    """The handshake carries it."""
    with opened("aiohttp") as client:
        client.instrument("127.0.0.1")
        sockets: Any = client

        async def main() -> str:
            url = f"ws://127.0.0.1:{callee.port}/ws"
            async with sockets.raw.ws_connect(url) as socket:
                await socket.send_str("one")
                return str(await socket.receive_str())

        with start_flow("order-17"):
            assert sockets.run(main()) == "order-17,order-17"


FITS = [
    # patterns, URL, whether it may learn of the flow
    (["api.internal"], "http://api.internal/", True),
    (["API.Internal."], "http://api.internal:8080/x?y#z", True),
    (["api.internal"], "http://API.INTERNAL./", True),
    (["api.internal"], "http://api.internal.evil.example/", False),
    (["api.internal"], "http://xapi.internal/", False),
    (["api.internal"], "http://internal/", False),
    (["api.internal"], "http://api.internal@evil.example/", False),
    (["api.internal"], "http://api.internal:80@evil.example/", False),
    (["evil.example"], "http://api.internal:80@evil.example/", True),
    (["api.internal"], "http://evil.example/api.internal", False),
    (["api.internal"], "http://evil.example/?@api.internal/", False),
    (["api.internal"], "http://evil.example#@api.internal/", False),
    (["*.example.org"], "http://a.example.org/", True),
    (["*.example.org"], "http://b.a.example.org/", True),
    (["*.example.org"], "http://example.org/", False),
    (["*.example.org"], "http://evilexample.org/", False),
    (["api.internal:80"], "http://api.internal/", True),
    (["api.internal:8000"], "http://api.internal:8000/", True),
    (["api.internal:8000"], "http://api.internal/", False),
    (["api.internal:8000"], "http://api.internal:8001/", False),
    (["*.internal:8000"], "http://api.internal:8000/", True),
    (["bücher.example"], "http://xn--bcher-kva.example/", True),
    (["*.bücher.example"], "http://a.bücher.example/", True),
    (["BÜCHER.example"], "http://bücher.example/", True),
    (["xn--bcher-kva.example"], "http://bücher.example/", True),
    (["straße.example"], "http://strasse.example/", False),
    (["192.0.2.1"], "http://192.0.2.1/", True),
    (["192.0.2.1"], "http://192.0.2.10/", False),
    (["[2001:db8::1]"], "http://[2001:DB8:0:0::1]/", True),
    (["[2001:db8::1]:81"], "http://[2001:db8::1]:81/", True),
    (["[2001:db8::1]:81"], "http://[2001:db8::1]/", False),
    (["[2001:db8::1]"], "http://[2001:db8::2]/", False),
    (["*"], "http://anybody.example:81/", True),
    (["*"], "http://[2001:db8::1]/", True),
    (["*:8000"], "http://anybody.example/", False),
    (["a.example", " api.internal "], "http://api.internal/", True),
    ([], "http://api.internal/", False),
]


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_learn_of_the_flow(kind: str, here: Site) -> None:
    """By the host that the client connects to; the site is its proxy."""
    wrong = []
    with opened(kind, proxy=here.url()) as client, start_flow("order-17"):
        for patterns, url, expected in FITS:
            client.instrument(*patterns)
            client.get(url)
            if here.shown != ["order-17" if expected else "-"]:
                wrong.append((patterns, url))

    assert not wrong


@pytest.mark.parametrize(
    ("pattern", "scheme", "port", "expected"),
    [
        ("api.internal:443", "https", None, True),
        ("api.internal:443", "https", 443, True),
        ("api.internal:80", "https", None, False),
        ("api.internal:443", "wss", None, True),
        ("api.internal:80", "ws", None, True),
        ("api.internal:80", "gopher", None, False),
        ("api.internal", "gopher", None, True),
    ],
)
def test_default_port_is_that_of_the_scheme(
    pattern: str, scheme: str, port: int | None, *, expected: bool
) -> None:
    """A URL without a port has the one that its scheme says."""
    with start_flow("order-17"):
        sent = Hosts(pattern).headers(scheme, "api.internal", port)

    assert bool(sent) is expected


REFUSED: list[tuple[Any, str]] = [
    ("", "a name is wanted"),
    ("http://api.internal", "no URL"),
    ("api.internal/x", "no URL"),
    ("10.0.0.0/8", "no URL"),
    ("me@api.internal", "no URL"),
    ("api.*.internal", "stands alone"),
    ("api*", "stands alone"),
    ("**", "stands alone"),
    ("*.", "a name is wanted"),
    (".internal", "a name is wanted"),
    ("a..b", "a name is wanted"),
    ("a b", "a name is wanted"),
    ("a,b", "a name is wanted"),
    ("a\r\nb", "a name is wanted"),
    (f"{'x' * 64}.example", "a name is wanted"),
    ("*.0.0.1", "nothing below an address"),
    ("api.internal:", "stands a port"),
    ("api.internal:http", "stands a port"),
    ("api.internal:0", "no port 0"),
    ("api.internal:65536", "no port 65536"),
    ("::1", "in brackets"),
    ("[::1", "in brackets"),
    ("[api.internal]", "At least 3 parts expected"),
    ("\u2f00.\U000e0001", "fits no host"),
    (17, "is int, not str"),
    (None, "is NoneType, not str"),
]


def test_pattern_without_sense_is_refused(client: Client, here: Site) -> None:
    """At once, with the reason; what was instrumented before stays so."""
    client.instrument(here.host)
    for pattern, why in REFUSED:
        with pytest.raises(ConfigurationError) as caught:
            client.instrument("api.internal", pattern)
        assert str(caught.value).startswith(f"hosts: {pattern!r} ")
        assert why in str(caught.value)

    with start_flow("order-17"):
        client.get(here.url())
    assert here.shown == ["order-17"]


def test_hosts_have_to_be_named(client: Client) -> None:
    """One pattern may stand alone; nothing at all is no list."""
    client.ours.instrument(client.raw, hosts="api.internal")
    with pytest.raises(ConfigurationError, match="it takes a list"):
        client.ours.instrument(client.raw, hosts=None)
    with pytest.raises(TypeError, match="hosts"):
        client.ours.instrument(client.raw)


def test_another_object_is_refused(client: Client) -> None:
    """The library itself, for one: nothing is global."""
    for other in (client.library, object(), None):
        with pytest.raises(ConfigurationError, match=f"not {type(other).__name__}"):
            client.ours.instrument(other, hosts="*")
        with pytest.raises(ConfigurationError, match="instrument"):
            client.ours.uninstrument(other)


@pytest.mark.parametrize("kind", ["httpx", "httpx2", "requests"])
def test_password_that_is_asked_for(kind: str, here: Site, stranger: Site) -> None:
    """A request that is sent again with a digest is sent with its flow."""
    with opened(kind) as client:
        auth: Any = getattr(client.library, "DigestAuth", None)
        auth = auth or client.library.auth.HTTPDigestAuth
        client.instrument(here.host)
        with start_flow("order-17"):
            answer = client.get(here.url("/digest"), auth=auth("me", "secret"))
            client.get(stranger.url("/digest"), auth=auth("me", "secret"))

    assert answer.status == 200
    assert (here.shown, stranger.shown) == (["order-17"] * 2, ["-"] * 2)


@pytest.mark.parametrize("kind", ["httpx", "httpx2", "requests"])
def test_prepared_request_is_sent_in_the_flow_of_the_time(
    kind: str, here: Site
) -> None:
    """One request object may be sent in one flow, in another, and in none."""
    with opened(kind) as client:
        if kind == "requests":
            request = client.library.Request("GET", here.url()).prepare()
        else:
            request = client.raw.build_request("GET", here.url())
        client.instrument(here.host)
        for correlation_id in ("order-17", "order-18"):
            with start_flow(correlation_id):
                client.raw.send(request)
        response = client.raw.send(request)

    assert here.shown == ["order-17", "order-18", "-"]
    assert "X-Correlation-ID" not in response.request.headers


def test_response_shows_what_was_sent(here: Site) -> None:
    """As it shows the client's own headers."""
    for kind in ("httpx", "requests"):
        with opened(kind) as client, start_flow("order-17"):
            client.instrument(here.host)
            request = client.raw.get(here.url()).request

        assert request.headers["x-correlation-id"] == "order-17"


def test_next_of_a_redirect_that_is_not_followed(here: Site, stranger: Site) -> None:
    """The request for the next hop may be sent by hand, even by another client."""
    with opened("requests") as client, start_flow("order-17"):
        client.instrument(here.host)
        response = client.raw.get(here.to(stranger.url()), allow_redirects=False)
        with opened("requests") as other:
            other.raw.send(response.next)
    with opened("httpx") as client, start_flow("order-17"):
        client.instrument(here.host)
        response = client.raw.get(here.to(stranger.url()))
        client.raw.send(response.next_request)

    assert (here.shown, stranger.shown) == (["order-17"] * 2, ["-"] * 2)


def test_hooks_of_the_user_stay(here: Site) -> None:
    """httpx: those that are there run before ours, in their order."""
    with opened("httpx") as client, start_flow("order-17"):
        seen: list[str | None] = []

        def note(request: Any) -> None:
            seen.append(request.headers.get("X-Correlation-ID"))

        client.raw.event_hooks = {"request": [note]}
        client.instrument(here.host)
        client.raw.event_hooks["request"].append(note)
        client.get(here.url())
        assert seen == [None, "order-17"]
        client.uninstrument()

        assert client.raw.event_hooks["request"] == [note, note]


def test_client_of_starlette_takes_part() -> None:
    """httpx2: the test client of Starlette and FastAPI is one of its clients."""
    pytest.importorskip("httpx2", reason="needs httpx2")
    pytest.importorskip("starlette", reason="needs starlette")
    testing = import_module("starlette.testclient")
    ours = import_module("penstock.contrib.httpx")
    client = testing.TestClient(instrumented("starlette"))
    ours.instrument(client, hosts="testserver")
    with start_flow("order-17"):
        assert client.get("/plain").text == "order-17"


def test_session_pickles(here: Site) -> None:
    """requests: a session pickles as before; the copy is not instrumented."""
    with opened("requests") as client, start_flow("order-17"):
        client.instrument(here.host)
        response = client.raw.get(here.url())
        twin = pickle.loads(pickle.dumps(client.raw))  # noqa: S301  # our own bytes
        again = pickle.loads(pickle.dumps(response))  # noqa: S301  # our own bytes
        twin.get(here.url())
        twin.close()

    assert here.shown == ["order-17", "-"]
    assert again.request.headers["X-Correlation-ID"] == "order-17"


def test_subclass_and_its_adapters_work(here: Site) -> None:
    """requests: what a subclass, or an attribute, says of adapters is asked."""
    with opened("requests") as client, start_flow("order-17"):
        asked: list[str] = []

        class Session(client.library.Session):  # type: ignore[name-defined,misc]  # loaded by name
            def get_adapter(self, url: str) -> Any:
                asked.append(url)
                return super().get_adapter(url)

        session: Any = Session()
        client.ours.instrument(session, hosts=here.host)
        session.get(here.url())
        assert session.get_adapter(here.url()).max_retries.total == 0
        session.get_adapter = client.raw.get_adapter
        before = state_of(vars(session))
        client.ours.instrument(session, hosts=here.host)
        session.get(here.url())
        client.ours.uninstrument(session)
        assert state_of(vars(session)) == before
        session.close()

    assert asked == [here.url()] * 2
    assert here.shown == ["order-17"] * 2


def test_adapter_that_is_mounted_later_takes_part(here: Site) -> None:
    """requests: the session is asked for its adapter each time."""
    with opened("requests") as client, start_flow("order-17"):
        client.instrument(here.host)
        client.raw.mount(here.url(), client.library.adapters.HTTPAdapter())
        client.get(here.url())

    assert here.shown == ["order-17"]


def test_url_that_two_parsers_read_in_two_ways_is_a_strangers() -> None:
    """requests: urllib and urllib3 disagree about a backslash."""
    with opened("requests") as client, start_flow("order-17"):
        seen: list[dict[str, str]] = []
        client.raw.mount("odd:", recording(client, seen))
        client.instrument("*")
        client.get("odd://api.internal/")
        client.get("odd://evil.example\\@api.internal/")

    assert ["X-Correlation-ID" in headers for headers in seen] == [True, False]


def test_failure_of_ours_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """requests: a URL that only the user's adapter understands is sent as it was."""
    with opened("requests") as client, start_flow("order-17"):
        seen: list[dict[str, str]] = []
        client.raw.mount("odd:", recording(client, seen))
        client.instrument("*")
        assert client.get("odd://nowhere:99999/").status == 200
        assert client.get("odd://nowhere:99999/").status == 200

    assert len(seen) == 2
    told = [r for r in caplog.records if "without its flow" in r.getMessage()]
    assert [(r.name, r.getMessage()) for r in told] == [
        (
            "penstock",
            "A request was sent without its flow: ValueError. Logged only once.",
        )
    ]


def recording(client: Client, seen: list[dict[str, str]]) -> Any:
    """Return an adapter of the user's own, which answers 200 and notes headers."""

    class Adapter(client.library.adapters.BaseAdapter):  # type: ignore[name-defined,misc]  # the same
        def send(self, request: Any, **_: Any) -> Any:
            seen.append(dict(request.headers))
            response = client.library.Response()
            response.status_code = 200
            response.raw = io.BytesIO()
            response.request = request
            return response

        def close(self) -> None: ...

    return Adapter()


def test_sessions_that_share_their_tracing(here: Site) -> None:
    """aiohttp: one list of trace configurations makes two sessions not one."""
    with opened("aiohttp") as client:
        sessions: Any = client
        shared = [client.library.TraceConfig()]

        async def main() -> None:
            make = client.library.ClientSession
            async with (
                make(trace_configs=shared) as one,
                make(trace_configs=shared) as two,
            ):
                client.ours.instrument(one, hosts=here.host)
                for session in (one, two):
                    async with session.get(here.url()):
                        pass
                client.ours.instrument(two, hosts="nowhere.example")
                client.ours.uninstrument(two)
                async with one.get(here.url()):
                    pass
                client.ours.uninstrument(one)

        with start_flow("order-17"):
            sessions.run(main())

    assert here.shown == ["order-17", "-", "order-17"]
    assert len(shared) == 1


def test_session_that_is_dropped_goes_at_once() -> None:
    """aiohttp: nothing of ours keeps one that nobody closed."""
    with opened("aiohttp") as client:
        sessions: Any = client

        async def main() -> None:
            session = client.library.ClientSession()
            client.ours.instrument(session, hosts="*")
            with pytest.warns(ResourceWarning, match="Unclosed client session"):
                del session

        sessions.run(main())


@pytest.mark.parametrize("package", ["httpx", "requests", "aiohttp"])
def test_disabled_process_sends_nothing(package: str, here: Site) -> None:
    """Under ``PENSTOCK_DISABLED`` a client is left as it was; patterns are checked."""
    pytest.importorskip(package, reason=f"needs {package}")
    env = os.environ | {"PENSTOCK_DISABLED": "1"}
    command = [sys.executable, "-c", DISABLED, package, here.url(), here.host]
    subprocess.run(command, check=True, env=env)

    assert here.shown == ["-"]


DISABLED = """
import asyncio, importlib, sys
import penstock

package, url, host = sys.argv[1:]
ours = importlib.import_module("penstock.contrib." + package)
library = importlib.import_module(package)

def use(client):
    try:
        ours.instrument(client, hosts="a b")
    except penstock.ConfigurationError:
        pass
    else:
        raise SystemExit("the pattern was not checked")
    ours.instrument(client, hosts=host)

async def main():
    with penstock.start_flow("order-17"):
        async with library.ClientSession() as client:
            use(client)
            assert not client.trace_configs
            async with client.get(url):
                pass

if package == "aiohttp":
    asyncio.run(main())
else:
    make = library.Client if package == "httpx" else library.Session
    with penstock.start_flow("order-17"), make() as client:
        before = dict(vars(client))
        use(client)
        assert vars(client) == before
        client.get(url)
"""
