"""The formats on the page about servers' logs, with the real servers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "servers.md"
ASGI = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from penstock.contrib.asgi import instrument

def order(request):
    return PlainTextResponse("order")

def broken(request):
    raise KeyError("order")

app = Starlette(routes=[Route("/order", order), Route("/broken", broken)])
instrument(app)
"""
WSGI = """
from penstock.contrib.wsgi import FlowMiddleware

def site(environ, start_response):
    if environ["PATH_INFO"] == "/broken":
        raise KeyError("order")
    start_response("200 OK", [])
    return [b"order"]

app = FlowMiddleware(site)
"""
IN_FLOW = [
    'INFO order-17 uvicorn.access: *"GET /order HTTP/1.1" 200',
    'INFO order-18 uvicorn.access: *"GET /broken HTTP/1.1" 500',
    "ERROR order-18 uvicorn.error: Exception in ASGI application",
]
GUNICORN = "gunicorn shop:app --bind 127.0.0.1:0 --no-control-socket"
SERVERS = {
    "uvicorn": (ASGI, "uvicorn shop:app --log-config logging.json --port 0", IN_FLOW),
    "gunicorn": (
        WSGI,
        GUNICORN,
        [
            'INFO - gunicorn.access: *"GET /order HTTP/1.1" 200 order-17',
            "ERROR order-18 gunicorn.error: Error handling request GET /broken",
            'INFO - gunicorn.access: *"GET /broken HTTP/1.1" 500 -',
        ],
    ),
    "gunicorn with uvicorn": (
        ASGI,
        f"{GUNICORN} -k uvicorn.workers.UvicornWorker",
        IN_FLOW,
    ),
}


@pytest.mark.parametrize("server", SERVERS)
def test_lines_have_the_id(server: str, tmp_path: Path) -> None:
    """Access lines and the traceback of a 500 are those that the page shows."""
    application, command, expected = SERVERS[server]
    for package in re.findall(
        r"\b(uvicorn|gunicorn|starlette)\b", application + command
    ):
        pytest.importorskip(package)
    page = PAGE.read_text(encoding="utf-8")
    for language, name in (("json", "logging.json"), ("python", "gunicorn.conf.py")):
        block = page.partition(f"```{language}\n")[2].partition("```")[0]
        (tmp_path / name).write_text(block, encoding="utf-8")
    (tmp_path / "shop.py").write_text(application, encoding="utf-8")

    lines = list(served(command, tmp_path))

    for pattern in expected:
        wanted = re.escape(pattern).replace(r"\*", ".*")
        assert [line for line in lines if re.search(f"{wanted}$", line)], lines
    assert "KeyError: 'order'" in lines


def served(command: str, folder: Path) -> Iterator[str]:
    """Start a server, ask for both pages, and yield the lines that it logs."""
    with subprocess.Popen(
        [sys.executable, "-m", *command.split()],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stderr
        for line in process.stderr:
            yield line.rstrip()
            if address := re.search(r"http://127\.0\.0\.1:\d+", line):
                ask(f"{address[0]}/order", "order-17")
                ask(f"{address[0]}/broken", "order-18")
                process.terminate()


def ask(url: str, flow_id: str) -> None:
    """Send a request with an ID."""
    request = Request(url, headers={"X-Correlation-ID": flow_id})  # noqa: S310  # ours
    try:
        urlopen(request, timeout=30).close()  # noqa: S310  # the same
    except HTTPError as exc:
        exc.close()
