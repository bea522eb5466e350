"""ASGI applications under real servers, over real sockets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.contrib.django_site.servers import Server, request
from tests.contrib.web_apps.asgi_apps import PATHS
from tests.contrib.web_apps.load import crossed_or_leaked
from tests.contrib.web_apps.servers import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

# CI sends 1,000. By hand: TEST_REQUESTS=100000 pytest -k pipelined
REQUESTS = int(os.environ.get("TEST_REQUESTS", "300"))
PAIRS = [
    ("uvicorn-h11", "starlette"),
    ("uvicorn-httptools", "fastapi"),
    ("uvicorn-httptools", "litestar"),
    ("hypercorn", "quart"),
]


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Each application under a server."""
    name, app = request.param
    with serve(name, app, tmp_path_factory.mktemp("site")) as server:
        yield server


def test_one_id_everywhere(server: Server) -> None:
    """The endpoint, each chunk, the log and the header have one ID; errors, too."""
    given: list[str] = []
    for path in PATHS:
        (answer,) = server.ask(request(f"/{path}", close=True))
        assert (path, answer.status, answer.body) == (path, 200, answer.shown)
        given.append(answer.shown)
    for path in ("stream", "async_stream"):
        (answer,) = server.ask(request(f"/{path}", close=True))
        first, *_, last = answer.body.split()
        assert first == last == answer.shown
        given.append(answer.shown)
    for path, status in (("error", 500), ("nowhere", 404)):
        (answer,) = server.ask(request(f"/{path}", close=True))
        assert answer.status == status
        given.append(answer.shown)

    lines = server.lines()
    assert f"{given[0]} site INFO seen" in lines
    assert len(set(given)) == len(given)
    assert {len(one) for one in given} == {32}
    if server.name.startswith("uvicorn"):  # which logs when the response starts
        assert any(line.startswith(f"{given[0]} uvicorn.access") for line in lines)


def test_pipelined_requests_share_nothing(server: Server) -> None:
    """On a connection that is kept, each request has its own ID, sent or fresh."""
    # Not "error": uvicorn closes the connection when an exception comes through.
    paths = ["plain", "flows", "entry", "calls"]

    assert crossed_or_leaked(server, paths, REQUESTS) == []


def test_websocket_has_one_id(server: Server) -> None:
    """Every message on a websocket has the ID of its handshake."""
    client: Any = pytest.importorskip(
        "websockets.sync.client", reason="needs websockets"
    )
    sent = {"X-Request-ID": "socket-1"}
    url = f"ws://127.0.0.1:{server.port}/ws"
    with client.connect(url, additional_headers=sent) as socket:
        socket.send("one")
        assert socket.recv() == "socket-1,socket-1"
        socket.send("two")
        assert socket.recv() == "socket-1,socket-1"
        assert socket.response.headers["X-Correlation-ID"] == "socket-1"
