"""WSGI applications under real servers, over real sockets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.contrib.django_site.servers import Server, request
from tests.contrib.web_apps.load import crossed_or_leaked
from tests.contrib.web_apps.servers import serve
from tests.contrib.web_apps.wsgi_apps import PATHS

if TYPE_CHECKING:
    from collections.abc import Iterator

# CI sends 1,000. By hand: TEST_REQUESTS=100000 pytest -k pipelined
REQUESTS = int(os.environ.get("TEST_REQUESTS", "300"))
PAIRS = [
    ("gunicorn-sync", "flask"),
    ("gunicorn-gthread", "pyramid"),
    ("gunicorn-gevent", "bottle"),
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
    """The view, each chunk, the log and the header have one ID; errors have it, too."""
    given: list[str] = []
    for path in PATHS:
        (answer,) = server.ask(request(f"/{path}", close=True))
        assert (path, answer.status, answer.body) == (path, 200, answer.shown)
        given.append(answer.shown)
    (answer,) = server.ask(request("/stream", close=True))
    one = answer.shown
    assert answer.body.split() == [one, "inner", "inner", one]
    assert f"{one} site INFO closed" in server.lines()
    given.append(one)
    for path, status in (("error", 500), ("nowhere", 404), ("file", 200)):
        (answer,) = server.ask(request(f"/{path}", close=True))
        assert answer.status == status
        given.append(answer.shown)

    assert f"{given[0]} site INFO seen" in server.lines()
    assert len(set(given)) == len(given)
    assert {len(one) for one in given} == {32}


def test_pipelined_requests_share_nothing(server: Server) -> None:
    """On a connection that is kept, each request has its own ID, sent or fresh."""
    paths = ["plain", "flows", "entry", "calls", "error"]

    assert crossed_or_leaked(server, paths, REQUESTS) == []
