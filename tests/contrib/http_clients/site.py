"""A site on loopback that notes what it is sent, redirects, and asks for a password."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from email.message import Message

__all__ = ["Heard", "Site", "site"]

WAITING = 128  # connections that fifty clients open at once


class Heard(NamedTuple):
    """One request, as it was on the wire."""

    path: str
    headers: Message
    body: bytes

    @property
    def sent(self) -> dict[str, str]:
        """Our headers in it; each may be there but once."""
        found = [(k.lower(), v) for k, v in self.headers.items()]
        ours = [pair for pair in found if pair[0] in {"x-correlation-id", "penstock"}]
        assert len(ours) == len(dict(ours)), ours
        return dict(ours)

    @property
    def shown(self) -> str:
        """The ID in it, or ``-``."""
        return self.sent.get("x-correlation-id", "-")


class Site:
    """The site, running."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[Heard] = []

    @property
    def host(self) -> str:
        """The pattern that fits this site alone."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/", *, name: str = "127.0.0.1") -> str:
        """Return a URL of this site."""
        return f"http://{name}:{self.port}{path}"

    def to(self, url: str, status: int = 302) -> str:
        """Return a URL here that redirects to *url*."""
        return self.url(f"/redirect/{status}?to={url}")

    @property
    def shown(self) -> list[str]:
        """The ID in each request, in order; forget them."""
        heard, self.heard = self.heard, []
        return [one.shown for one in heard]


@contextmanager
def site() -> Generator[Site]:
    """Run a site until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.site = Site(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.site
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    site: Site
    request_queue_size = WAITING
    block_on_close = False  # a client may keep its connection


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _answer(self) -> None:
        heard = Heard(self.path, self.headers, self._body())
        here: Any = self.server
        here.site.heard.append(heard)
        parts = urlsplit(self.path)
        if parts.path.startswith("/redirect/"):
            (to,) = parse_qs(parts.query)["to"]
            self._say(int(parts.path[10:]), {"Location": to})
        elif parts.path == "/digest" and "Authorization" not in self.headers:
            asked = 'Digest realm="site", nonce="1", qop="auth", algorithm=MD5'
            self._say(401, {"WWW-Authenticate": asked})
        else:
            self._say(200, {}, heard.shown.encode())

    do_GET = do_POST = do_PUT = _answer  # noqa: N815  # names of the base class

    def _say(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
