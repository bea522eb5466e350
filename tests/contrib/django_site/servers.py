"""Start the site under a real server, and speak to it over a socket."""

from __future__ import annotations

import re
import socket
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.servers import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from io import BufferedReader

ROOT = Path(__file__).parents[3]
SITE = "tests.contrib.django_site"
GUNICORN = f"-m gunicorn {SITE}.server:wsgi --no-control-socket -b 127.0.0.1:{{port}}"
UVICORN = f"-m uvicorn {SITE}.server:asgi --no-access-log --port {{port}}"
COMMANDS = {
    "gunicorn-sync": f"{GUNICORN} -k sync",
    "gunicorn-gthread": f"{GUNICORN} -k gthread --threads 4",
    "gunicorn-gevent": f"{GUNICORN} -k gevent",
    "wsgiref": f"-m {SITE}.server {{port}}",
    "uvicorn-h11": f"{UVICORN} --http h11",
    "uvicorn-httptools": f"{UVICORN} --http httptools",
    "daphne": f"-m daphne -p {{port}} {SITE}.server:asgi",
}
NEEDS = {"gunicorn-gevent": "gevent", "uvicorn-httptools": "httptools"}
ONE_A_CONNECTION = {"gunicorn-sync", "wsgiref"}
PATIENCE_S = 15


class Answer(NamedTuple):
    """One response."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def shown(self) -> str:
        """The ID that the response shows."""
        return self.headers.get("x-correlation-id", "")


class Server:
    """The site, running."""

    def __init__(self, name: str, port: int, log: Path) -> None:
        self.name = name
        self.port = port
        self.log = log
        # Some close each connection; the one of the standard library serves one a time.
        self.keeps = name not in ONE_A_CONNECTION
        self.connections = 1 if name == "wsgiref" else 4

    def ask_each(self, *requests: bytes) -> list[Answer]:
        """Send *requests* on a connection each; return the answers in order."""
        return [self._ask_again(one) for one in requests]

    def _ask_again(self, one: bytes) -> Answer:
        """Ask once more if the connection is closed without a byte.

        Twice, on a machine with a load of 6, gunicorn's sync worker did that. Of
        100,000 connections at a load of 6 to 11, with and without penstock, none was.
        """
        try:
            (answer,) = self.ask(one)
        except ConnectionError:
            (answer,) = self.ask(one)
        return answer

    def ask(self, *requests: bytes) -> list[Answer]:
        """Send *requests* at once on one connection; return the answers in order."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S) as line:
            line.sendall(b"".join(requests))
            with line.makefile("rb") as stream:
                return [_answer(stream) for _ in requests]

    def lines(self) -> list[str]:
        """Return what the site has logged so far."""
        return self.log.read_text(encoding="utf-8").splitlines()


def request(path: str, *headers: str, close: bool = False) -> bytes:
    """Return the bytes of a GET."""
    lines = [f"GET {path} HTTP/1.1", "Host: site", *headers]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@contextmanager
def serve(name: str, folder: Path) -> Generator[Server]:
    """Run the site under the server called *name*, until the block ends."""
    for package in (name.partition("-")[0], NEEDS.get(name, "")):
        if package and find_spec(package) is None:
            pytest.skip(f"needs {package}")
    port, log = free_port(), folder / "site.log"
    command = [sys.executable, *COMMANDS[name].format(port=port).split()]
    env = {"SITE_LOG": str(log), "PYTHONWARNINGS": "default"}
    with serving(command, port, env=env, cwd=ROOT, log=folder / "server.log"):
        yield Server(name, port, log)


def _answer(stream: BufferedReader) -> Answer:
    status = stream.readline()
    if not status:
        msg = "the server closed the connection without an answer"
        raise ConnectionError(msg)
    assert status.startswith(b"HTTP/1."), status
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        assert name.lower() not in headers, f"two headers {name}"
        headers[name.lower()] = value.strip()
    if "chunked" in headers.get("transfer-encoding", ""):
        body = b"".join(_chunks(stream))
    elif "content-length" in headers:
        body = stream.read(int(headers["content-length"]))
    else:
        body = stream.read()
    return Answer(int(status.split()[1]), headers, body.decode())


def _chunks(stream: BufferedReader) -> Iterator[bytes]:
    while size := int(re.split(rb"[;\r]", stream.readline())[0], 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()
