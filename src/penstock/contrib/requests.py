"""Send the flow with the requests of a session, to the hosts that you name."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from penstock._platform.optional import requires
from penstock._platform.process import DISABLED

from ._outgoing import Hosts, check_client, harmless

with requires("requests", extra="requests"):
    from requests import Session
    from requests.adapters import BaseAdapter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests import PreparedRequest, Response

__all__ = ["instrument", "uninstrument"]

_PLACE = "get_adapter"


def instrument(session: Session, *, hosts: str | Iterable[str]) -> None:
    """Send the correlation ID with the requests of *session* to *hosts*.

    This includes requests that follow a redirect; one to another host is sent without
    the headers. A header that you set yourself is left alone, and outside a flow
    nothing is added. Calling it again replaces the hosts; ``uninstrument`` undoes it.
    Instrument a copy of the session, such as ``pickle`` makes, separately.

    >>> import requests
    >>> session = requests.Session()
    >>> instrument(session, hosts=["api.internal", "*.example.org", "localhost:8000"])

    Args:
        session: A ``requests.Session``.
        hosts: The hosts that receive the ID: names, ``*.name`` for subdomains, or
            addresses, each with an optional ``:port``; ``*`` for all hosts.

    Raises:
        ConfigurationError: *session* is another object, or a pattern fits no host.
    """
    checked = Hosts(hosts)
    uninstrument(session)
    if not DISABLED:
        setattr(session, _PLACE, _Adapters(session, checked))


def uninstrument(session: Session) -> None:
    """Undo ``instrument``. Do nothing if *session* is not instrumented.

    If another library has wrapped the session's adapters since then, undo that first.

    Raises:
        ConfigurationError: *session* is not a ``requests.Session``.
    """
    check_client(session, Session, "a requests.Session")
    adapters = vars(session).get(_PLACE)
    if isinstance(adapters, _Adapters):
        delattr(session, _PLACE)
        vars(session).update(adapters.before)


class _Adapters:
    """The session's ``get_adapter``, which it asks for each request on its way."""

    def __init__(self, session: Session, hosts: Hosts) -> None:
        self.before = {k: v for k, v in vars(session).items() if k == _PLACE}
        self._session = session
        self._hosts = hosts

    def __call__(self, url: str | bytes) -> BaseAdapter:
        """Return the adapter for *url*, wrapped so that it adds the flow."""
        get: Any = self.before.get(_PLACE)
        if get is None:  # looked up each time: the class may have been patched
            get = partial(getattr(type(self._session), _PLACE), self._session)
        return _Adapter(get(url=url), self._hosts)


class _Adapter(BaseAdapter):
    """The session's adapter, which gets a copy of the request with the flow.

    The session makes the request that follows a redirect of the one that it has, and
    so never of what a host before was sent.
    """

    def __init__(self, adapter: BaseAdapter, hosts: Hosts) -> None:
        super().__init__()
        self._adapter = adapter
        self._hosts = hosts

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send *request*, with the flow if its host may learn of it."""
        sent = _with_flow(request, self._hosts) or request
        return self._adapter.send(sent, *args, **kwargs)

    def close(self) -> None:
        """Close the session's adapter."""
        self._adapter.close()

    def __getattr__(self, name: str) -> Any:
        """Read everything else from the session's adapter."""
        return getattr(self._adapter, name)


@harmless
def _with_flow(request: PreparedRequest, hosts: Hosts) -> PreparedRequest | None:
    """Return a copy of *request* with the flow; None if nothing has to be added."""
    url = request.url or ""
    if "\\" in url or not url.isprintable():
        return None  # urllib and urllib3 may see two hosts in it
    parts = urlsplit(url)
    headers = hosts.headers(parts.scheme, parts.hostname or "", parts.port)
    added = {k: v for k, v in headers.items() if k not in request.headers}
    if not added:
        return None
    sent = copy(request)
    sent.headers = request.headers.copy()
    sent.headers.update(added)
    return sent
