"""How messages of the language server protocol look on a pipe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase

__all__ = ["Message", "receive", "send"]

Message = dict[str, Any]

_BLANK = b"\r\n\r\n"
_MAX_HEAD = 4096  # bytes; two short lines are usual
_MAX_BODY = 256 * 1024 * 1024
_CHUNK = 65_536


def send(pipe: RawIOBase, message: Message) -> None:
    """Write one message.

    Raises:
        OSError: Nobody reads any more.
    """
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    left = memoryview(b"Content-Length: %d%s%s" % (len(body), _BLANK, body))
    while left:
        left = left[pipe.write(left) or 0 :]


def receive(pipe: RawIOBase) -> Iterator[Message]:
    """Yield each message that comes, until the pipe ends.

    Raises:
        ValueError: What comes is no message.
    """
    # Our own buffer: that of `io` has a lock, and Python aborts where it ends while
    # a thread that waits for the pipe holds one.
    waiting = b""
    while chunk := pipe.read(_CHUNK):
        waiting += chunk
        while (end := waiting.find(_BLANK)) >= 0:
            start = end + len(_BLANK)
            length = _length(waiting[:end])
            if len(waiting) - start < length:
                waiting += _exactly(pipe, length - (len(waiting) - start))
            yield _content(waiting[start : start + length])
            waiting = waiting[start + length :]
        if len(waiting) > _MAX_HEAD:
            msg = "a message has no head"
            raise ValueError(msg)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
            if 0 <= length <= _MAX_BODY:
                return length
    msg = "a message has no length"
    raise ValueError(msg)


def _exactly(pipe: RawIOBase, count: int) -> bytes:
    parts: list[bytes] = []
    while count > 0 and (chunk := pipe.read(min(count, _CHUNK))):
        parts.append(chunk)
        count -= len(chunk)
    return b"".join(parts)


def _content(body: bytes) -> Message:
    content = json.loads(body)
    if not isinstance(content, dict):
        msg = "a message is no object"
        raise ValueError(msg)  # noqa: TRY004  # of content, not of an argument
    return content
