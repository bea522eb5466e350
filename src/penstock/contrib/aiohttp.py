"""Send the flow with the requests of an aiohttp session, to the hosts that you name."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import ref

from penstock._platform.optional import requires
from penstock._platform.process import DISABLED

from ._outgoing import Hosts, check_client, harmless

with requires("aiohttp", extra="aiohttp"):
    from aiohttp import ClientSession, TraceConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import TraceRequestHeadersSentParams

__all__ = ["instrument", "uninstrument"]


def instrument(session: ClientSession, *, hosts: str | Iterable[str]) -> None:
    """Send the correlation ID with the requests of *session* to *hosts*.

    This includes the handshake of a websocket and requests that follow a redirect; one
    to another host is sent without the headers. A header that you set yourself is left
    alone, and outside a flow nothing is added. Calling it again replaces the hosts;
    ``uninstrument`` undoes it. It adds a trace config to the session.

    >>> import aiohttp
    >>> async def main():
    ...     async with aiohttp.ClientSession() as session:
    ...         instrument(session, hosts=["api.internal", "*.example.org"])

    Args:
        session: An ``aiohttp.ClientSession``.
        hosts: The hosts that receive the ID: names, ``*.name`` for subdomains, or
            addresses, each with an optional ``:port``; ``*`` for all hosts.

    Raises:
        ConfigurationError: *session* is another object, or a pattern fits no host.
    """
    checked = Hosts(hosts)
    uninstrument(session)
    if not DISABLED:
        session.trace_configs.append(_FlowTrace(session, checked))


def uninstrument(session: ClientSession) -> None:
    """Undo ``instrument``. Do nothing if *session* is not instrumented.

    Raises:
        ConfigurationError: *session* is not an ``aiohttp.ClientSession``.
    """
    check_client(session, ClientSession, "an aiohttp.ClientSession")
    for config in list(session.trace_configs):
        if isinstance(config, _FlowTrace) and config.is_of(session):
            session.trace_configs.remove(config)


class _FlowTrace(TraceConfig):
    """What one session calls before the headers of each request are written.

    aiohttp makes new ones for the request that follows a redirect. One list of
    configurations may be that of several sessions, so this one knows its own.
    """

    def __init__(self, session: ClientSession, hosts: Hosts) -> None:
        super().__init__()
        self._session = ref(session)  # a cycle would keep it from closing at its end
        self._hosts = hosts
        self.on_request_headers_sent.append(self._send)
        self.freeze()

    def is_of(self, session: ClientSession) -> bool:
        """Tell whether it was made for *session*."""
        return self._session() is session

    async def _send(
        self,
        session: ClientSession,
        _context: object,
        params: TraceRequestHeadersSentParams,
    ) -> None:
        if self.is_of(session):
            _add(params, self._hosts)


@harmless
def _add(request: TraceRequestHeadersSentParams, hosts: Hosts) -> None:
    url = request.url
    for name, value in hosts.headers(url.scheme, url.raw_host or "", url.port).items():
        request.headers.setdefault(name, value)
