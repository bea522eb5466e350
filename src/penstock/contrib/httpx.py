"""Send the flow with the requests of an httpx client, to the hosts that you name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from penstock._platform.process import DISABLED

from ._outgoing import Hosts, harmless, wrong_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping

    import httpx

    class Client(Protocol):
        """``httpx.Client`` or ``httpx.AsyncClient``, of httpx or of httpx2."""

        @property
        def event_hooks(self) -> MutableMapping[str, list[Callable[..., Any]]]:
            """What the client calls before and after each request."""
            ...


__all__ = ["instrument", "uninstrument"]

KEY = "penstock"
"""Where the extensions of a request hold what was added to its headers.

httpx hands them on, like the headers, to the request that follows a redirect.
"""


def instrument(client: Client, *, hosts: str | Iterable[str]) -> None:
    """Send the correlation ID with the requests of *client* to *hosts*.

    This includes requests that follow a redirect; one to another host is sent without
    the headers. A header that you set yourself is left alone, and outside a flow
    nothing is added. Calling it again replaces the hosts; ``uninstrument`` undoes it.
    It adds an event hook to the client: if you assign ``event_hooks`` yourself, do so
    first.

    >>> import httpx
    >>> client = httpx.Client()
    >>> instrument(client, hosts=["api.internal", "*.example.org", "localhost:8000"])

    Args:
        client: An ``httpx.Client`` or ``httpx.AsyncClient``.
        hosts: The hosts that receive the ID: names, ``*.name`` for subdomains, or
            addresses, each with an optional ``:port``; ``*`` for all hosts.

    Raises:
        ConfigurationError: *client* is another object, or a pattern fits no host.
    """
    checked = Hosts(hosts)
    uninstrument(client)
    if not DISABLED:
        hook = _AsyncHook if hasattr(client, "__aenter__") else _Hook
        client.event_hooks["request"] = [*_hooks(client), hook(checked)]


def uninstrument(client: Client) -> None:
    """Undo ``instrument``. Do nothing if *client* is not instrumented.

    Raises:
        ConfigurationError: *client* is of a kind that ``instrument`` does not take.
    """
    hooks = _hooks(client)
    others = [hook for hook in hooks if not isinstance(hook, _Hook | _AsyncHook)]
    if others != hooks:
        # A new list: a request in another thread may be walking through the old one.
        client.event_hooks["request"] = others


class _Hook:
    """What a client calls before each request."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    def __call__(self, request: httpx.Request) -> None:
        _renew(request, self._hosts)


class _AsyncHook:
    """What an asynchronous client calls before each request."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts

    async def __call__(self, request: httpx.Request) -> None:
        _renew(request, self._hosts)


@harmless
def _renew(request: httpx.Request, hosts: Hosts) -> None:
    """Remove the headers for the previous host, and add those for this one."""
    headers, url = request.headers, request.url
    for name, value in request.extensions.get(KEY, {}).items():
        if headers.get(name) == value:
            del headers[name]
    sent = hosts.headers(url.scheme, url.raw_host.decode("ascii"), url.port)
    added = {name: value for name, value in sent.items() if name not in headers}
    headers.update(added)
    request.extensions = {**request.extensions, KEY: added}


def _hooks(client: Client) -> list[Callable[..., Any]]:
    try:
        return client.event_hooks["request"]
    except (AttributeError, TypeError, KeyError):
        raise wrong_client(client, "an httpx.Client or httpx.AsyncClient") from None
