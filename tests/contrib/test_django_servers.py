"""The site under real servers, over real sockets."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("django", reason="needs django")

from tests.contrib.django_site.servers import (
    COMMANDS,
    Answer,
    Server,
    request,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# More by hand: TEST_REQUESTS=100000 pytest -k pipelined
REQUESTS = int(os.environ.get("TEST_REQUESTS", "300"))
BATCH = 50
ALIKE = ["plain", "awaited", "mixed", "entry", "async_entry", "calls", "step", "slow"]
PIPELINED = ["plain", "flows", "awaited", "calls", "error/500"]
# asgiref takes greenlets for one thread, in which only one event loop can run: under
# gevent async views fail, with or without penstock, once two requests overlap.
NOT_THERE = {"gunicorn-gevent": {"mixed", "awaited"}}


@pytest.fixture(scope="module", params=COMMANDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The site under each server."""
    with serve(request.param, tmp_path_factory.mktemp("site")) as server:
        yield server


def test_one_id_everywhere(server: Server) -> None:
    """The view, each chunk, the log and the header have one ID; errors have it, too."""
    given: list[str] = []
    for view in ALIKE:
        if view not in NOT_THERE.get(server.name, ()):
            (answer,) = server.ask(request(f"/{view}/", close=True))
            assert (view, answer.body) == (view, answer.shown)
            given.append(answer.shown)
    for view in ("stream", "async_stream"):
        (answer,) = server.ask(request(f"/{view}/", close=True))
        one = answer.shown
        assert answer.body.split() == [one, "inner", "inner", one, one]
        assert f"{one} site INFO closed" in server.lines()
        given.append(one)
    for path, status in (
        ("/error/500/", 500),
        ("/async_error/403/", 403),
        ("/x/", 404),
    ):
        (answer,) = server.ask(request(path, close=True))
        assert answer.status == status
        assert any(
            line.startswith(f"{answer.shown} django.request") for line in server.lines()
        )
        given.append(answer.shown)

    assert len(set(given)) == len(given)
    assert {len(one) for one in given} == {32}


def test_hostile_headers(server: Server) -> None:
    """IDs that are none, folded lines and forged fields change nothing."""
    forged = '{"parent":"p1","root":"r1","meta":{"tenant":"theirs"}}'
    for hostile in (
        "X-Correlation-ID: <script>",
        "X-Correlation-ID: \xb2\xb3",
        f"X-Correlation-ID: {'x' * 4000}",
        "X-Correlation-ID: {0.__class__}",
        f"penstock: {forged}",
    ):
        (answer,) = server.ask(request("/plain/", hostile, close=True))

        assert answer.status == 200
        assert len(answer.shown) == 32
        assert answer.body == answer.shown
        assert hostile.partition(": ")[2][:20] not in "\n".join(server.lines())


def test_file_is_sent(server: Server) -> None:
    """A file comes whole, with the header."""
    (answer,) = server.ask(request("/file/", close=True))

    assert "def file(" in answer.body
    assert len(answer.shown) == 32


def test_pipelined_requests_share_nothing(server: Server) -> None:
    """On a connection that is kept, each request has its own ID, sent or fresh."""
    paths = [path for path in PIPELINED if path not in NOT_THERE.get(server.name, ())]
    numbers = [range(i, i + BATCH) for i in range(0, REQUESTS, BATCH)]

    def batch(numbers: range) -> list[tuple[int, Answer]]:
        asked = [
            request(
                f"/{paths[i % len(paths)]}/",
                *([f"X-Request-ID: sent-{i}"] if i % 3 == 0 else []),
                close=not server.keeps,
            )
            for i in numbers
        ]
        answers = server.ask(*asked) if server.keeps else server.ask_each(*asked)
        return list(zip(numbers, answers, strict=True))

    with ThreadPoolExecutor(server.connections) as pool:
        answers = [pair for pairs in pool.map(batch, numbers) for pair in pairs]

    crossed = [i for i, one in answers if i % 3 == 0 and one.shown != f"sent-{i}"]
    fresh = [one.shown for i, one in answers if i % 3]
    assert not crossed
    assert len(answers) == REQUESTS
    assert len(set(fresh)) == len(fresh)
    assert {len(one) for one in fresh} == {32}
    assert not [
        one
        for _, one in answers
        if one.status == 200 and one.body not in {one.shown, "left-open"}
    ]
