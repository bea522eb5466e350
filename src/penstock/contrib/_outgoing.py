"""Which hosts may learn of a flow, and which headers a request to one of them gets.

Every client integration is made of this. A client follows a redirect with the headers
of the request before, and the redirect may lead to another host: so each request on
the way is decided on its own.
"""

from __future__ import annotations

import re
from functools import wraps
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from penstock._propagation.carrier import write_headers
from penstock._runtime.state import say
from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

P = ParamSpec("P")
R = TypeVar("R")

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_LAST_PORT = 65535
_SHAPE = re.compile(r"(?P<host>\[[^][]*\]|[^][:]*)(?::(?P<port>[0-9]{1,5}))?")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


class Hosts:
    """The hosts that may learn of a flow.

    Args:
        patterns: One or more of ``name``, ``*.name`` (whatever is below that name, not
            the name itself), an address, IPv6 in brackets, or ``*`` for every host;
            each with ``:port`` or for every port.

    Raises:
        ConfigurationError: A pattern that fits no host.
    """

    __slots__ = ("_patterns",)

    def __init__(self, patterns: str | Iterable[str]) -> None:
        given = [patterns] if isinstance(patterns, str) else patterns
        try:
            self._patterns = [_parsed(pattern) for pattern in given]
        except TypeError:
            msg = f"hosts={patterns!r}: it takes a list, such as ['api.internal']."
            raise ConfigurationError(msg) from None

    def headers(self, scheme: str, host: str, port: int | None) -> dict[str, str]:
        """Return the headers for a request to that host; none if it may not know."""
        host = _plain(host)
        port = _PORTS.get(scheme) if port is None else port
        if not any(pattern.fits(host, port) for pattern in self._patterns):
            return {}
        headers: dict[str, str] = {}
        write_headers(headers)
        return headers


def harmless(func: Callable[P, R]) -> Callable[P, R | None]:
    """Return *func* so that a request is sent even if it fails; log that once."""

    @wraps(func)
    def call(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return func(*args, **kwargs)
        except Exception as exc:  # noqa: BLE001  # the request is the user's
            name = type(exc).__name__
        text = "A request was sent without its flow: %s. Logged only once."
        say(text, name, once=("request", name))
        return None

    return call


def check_client(client: object, kind: type, wanted: str) -> None:
    """Refuse a *client* that is not of *kind*, described by *wanted*."""
    if not isinstance(client, kind):
        raise wrong_client(client, wanted)


def wrong_client(client: object, wanted: str) -> ConfigurationError:
    """Return the error for a *client* that cannot be instrumented."""
    return ConfigurationError(
        f"instrument() takes {wanted}, not {type(client).__name__}: each client by "
        "itself, never all of them."
    )


class _Pattern(NamedTuple):
    """A name, or with ``is_below`` the end of one; None is every port."""

    name: str
    is_below: bool
    port: int | None

    def fits(self, host: str, port: int | None) -> bool:
        if self.port is not None and self.port != port:
            return False
        return host.endswith(self.name) if self.is_below else host == self.name


def _parsed(pattern: object) -> _Pattern:
    if not isinstance(pattern, str):
        msg = f"hosts: {pattern!r} is {type(pattern).__name__}, not str."
        raise ConfigurationError(msg)
    try:
        return _read(pattern.strip())
    except ValueError as exc:
        msg = f"hosts: {pattern!r} fits no host: {exc}."
        raise ConfigurationError(msg) from None


def _read(pattern: str) -> _Pattern:
    if re.search(r"[/\\@?#]", pattern):
        msg = "give the host alone, as 'api.internal' or 'localhost:8000', and no URL"
        raise ValueError(msg)
    match = _SHAPE.fullmatch(pattern)
    if match is None:
        msg = "behind ':' stands a port, and an IPv6 address in brackets, as '[::1]'"
        raise ValueError(msg)
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 0 < port <= _LAST_PORT:
        msg = f"there is no port {port}"
        raise ValueError(msg)
    return _of_host(match["host"], port)


def _of_host(host: str, port: int | None) -> _Pattern:
    if host == "*":
        return _Pattern("", is_below=True, port=port)
    if host.startswith("["):
        return _Pattern(str(IPv6Address(host[1:-1])), is_below=False, port=port)
    is_below = host.startswith("*.")
    name = _plain(_in_ascii(host.removeprefix("*.")))
    if not _NAME.fullmatch(name):
        msg = "a name is wanted, and '*' stands alone or for what is below a name"
        raise ValueError(msg)
    if is_below and name.rpartition(".")[2].isdigit():
        msg = "there is nothing below an address"
        raise ValueError(msg)
    return _Pattern(f".{name}" if is_below else name, is_below, port)


def _in_ascii(name: str) -> str:
    """Return *name* as URLs have it: by IDNA 2008, as the clients do."""
    if name.isascii():
        return name
    from idna import encode  # noqa: PLC0415  # 5 ms; each client brings it

    return encode(name, uts46=True).decode("ascii")


def _plain(host: str) -> str:
    """Return a host in its one normal form."""
    host = host.lower().removesuffix(".")
    return str(IPv6Address(host)) if ":" in host else host
