"""Read and write messages of the language server protocol."""

from __future__ import annotations

import json
from typing import IO, Any

Message = dict[str, Any]


def write_message(stream: IO[bytes], message: Message) -> None:
    """Write one message to *stream*."""
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def read_message(stream: IO[bytes]) -> Message:
    """Read one message from *stream*.

    Raises:
        EOFError: The stream ends.
        ValueError: The data is not a message.
    """
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if not value:
            msg = f"{line!r} is not a header"
            raise ValueError(msg)
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    if len(body) < max(length, 1):
        raise EOFError
    message = json.loads(body)
    if not isinstance(message, dict):
        msg = f"{message!r} is not an object"
        raise ValueError(msg)  # noqa: TRY004  # about what was read, not an argument
    return message
