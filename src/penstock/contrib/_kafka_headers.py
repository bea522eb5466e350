"""Read the headers of any Kafka client, and write headers that every client accepts.

A message is any object with ``headers``: a method in confluent-kafka, an attribute in
aiokafka and kafka-python. When sending, confluent-kafka rejects numbers, aiokafka
rejects text and tuples of headers, and kafka-python rejects None and dicts as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from penstock._runtime.state import say

if TYPE_CHECKING:
    from collections.abc import Iterator

Headers = Mapping[Any, Any] | Iterable[tuple[Any, Any]]


def received(message: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the headers of *message*, last first: of two with one name the last counts.

    It is a generator, so that the caller can catch whatever the message raises.
    """
    headers = getattr(message, "headers", None)
    found = _items(headers() if callable(headers) else headers)
    yield from (pair for pair in reversed(found) if _is_pair(pair))


def sendable(headers: Headers | None) -> Iterator[tuple[str, bytes]]:
    """Yield the *headers* that every client can send; warn once about the others."""
    try:
        for pair in _items(headers):
            header = _header(pair)
            if header is not None:
                yield header
    except Exception as exc:  # noqa: BLE001  # headers must not fail a publish
        say_once("Headers were not sent: reading them raised %s.", type(exc).__name__)


def text(value: object) -> str:
    """Decode a value; anything but text and bytes counts as empty."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("latin-1")
    return value if isinstance(value, str) else ""


def say_once(template: str, reason: str, *names: object) -> None:
    """Warn once for each *reason*, the last argument of *template*."""
    say(f"{template} Logged only once.", *names, reason, once=("kafka", reason))


def _items(headers: Any) -> list[Any]:
    items = getattr(headers, "items", None)
    return list((headers or ()) if items is None else items())


def _is_pair(header: object) -> bool:
    return isinstance(header, tuple | list) and len(header) == 2  # noqa: PLR2004  # a pair


def _header(pair: Any) -> tuple[str, bytes] | None:
    if not _is_pair(pair):
        say_once("A header was not sent: it is %s, not a pair.", type(pair).__name__)
        return None
    name, value = pair
    try:
        return str(_bytes(name), "utf-8"), b"" if value is None else _bytes(value)
    except TypeError as exc:
        say_once("Header %.99r was not sent: %s.", str(exc), name)
    except ValueError:
        say_once("Header %.99r was not sent: %s.", "it is not valid text", name)
    return None


def _bytes(value: object) -> bytes:
    """Return text or bytes as bytes.

    Raises:
        TypeError: It is something else.
        ValueError: It is text that cannot be encoded as UTF-8.
    """
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    msg = f"it is {type(value).__name__}, not text or bytes"
    raise TypeError(msg)
