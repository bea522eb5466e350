"""The site under real servers, over real sockets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("django", reason="needs django")

from tests.contrib.django_site.servers import COMMANDS, Server, request, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# More by hand: PENSTOCK_TEST_REQUESTS=100000
REQUESTS = int(os.environ.get("PENSTOCK_TEST_REQUESTS", "600"))
ONE_A_CONNECTION = {"gunicorn-sync", "wsgiref"}


@pytest.fixture(params=COMMANDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """The site under each server."""
    with serve(request.param, tmp_path) as server:
        yield server


def test_one_id_in_header_view_and_log(server: Server) -> None:
    """Under each server, what the view sees is what the header says."""
    views = [
        "plain",
        "awaited",
        "mixed",
        "entry",
        "async_entry",
        "calls",
        "step",
        "slow",
    ]
    for view in views:
        (answer,) = server.ask(request(f"/{view}/", "X-Request-ID: sent-1", close=True))

        assert (view, answer.status, answer.correlation_id, answer.body) == (
            view,
            200,
            "sent-1",
            "sent-1",
        )
