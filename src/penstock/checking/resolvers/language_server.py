"""Start a language server, ask it one question at a time, and stop it.

``pygls`` has a client, too, but it depends on lsprotocol, cattrs and attrs, and is
asynchronous. A check has one kind of question, and waits for each answer.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager, suppress
from threading import Timer
from typing import IO, TYPE_CHECKING, Any, cast

from .base import ResolverError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Message = dict[str, Any]

_EXIT_S = 2.0  # how long it may take to end before it is killed


class LanguageServer:
    """A child process that speaks the language server protocol on its pipes.

    The client declares no capabilities, so the server never sends requests, and
    counts columns in UTF-16.

    Args:
        command: The program and its arguments.
        root: Folder of the project.
        options: The initialization options of the server.
        timeout_s: How long one answer may take.

    Raises:
        ResolverError: It cannot be started.
    """

    def __init__(
        self, command: Sequence[str], root: Path, options: Message, *, timeout_s: float
    ) -> None:
        self._timeout_s = timeout_s
        self._requests = 0
        self._is_late = False
        try:
            self._process = subprocess.Popen(  # noqa: S603  # what the user has installed
                command,
                cwd=root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as exc:
            msg = f"it cannot be started: {exc}"
            raise ResolverError(msg) from exc
        self._stdin = cast("IO[bytes]", self._process.stdin)
        self._stdout = cast("IO[bytes]", self._process.stdout)
        try:
            self._initialize(root.absolute(), options)
        except BaseException:
            self.close()
            raise

    def request(self, method: str, params: Message) -> Any:
        """Return the answer, or None if it is an error.

        Raises:
            ResolverError: The server ended, took too long, or sent something that is
                not a message.
        """
        self._requests += 1
        message = {"id": self._requests, "method": method, "params": params}
        with self._deadline():
            _write(self._stdin, message)
            answer: Message = {}
            while answer.get("id") != self._requests or "method" in answer:
                answer = _read(self._stdout)
        return answer.get("result")

    def notify(self, method: str, params: Message) -> None:
        """Send a message that gets no answer.

        Raises:
            ResolverError: The server ended, or does not read.
        """
        with self._deadline():
            _write(self._stdin, {"method": method, "params": params})

    def close(self) -> None:
        """Terminate the server, and kill it if needed. Calling it twice is fine."""
        with suppress(OSError), self._process as process:  # closes the pipes, and waits
            process.terminate()
            try:
                process.wait(_EXIT_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _initialize(self, root: Path, options: Message) -> None:
        uri = root.as_uri()
        params = {
            "processId": os.getpid(),
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": root.name}],
            "initializationOptions": options,
            "capabilities": {},
        }
        self.request("initialize", params)
        self.notify("initialized", {})

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Kill the server at the deadline, so that reads and writes end."""
        timer = Timer(self._timeout_s, self._kill_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (EOFError, OSError, ValueError) as exc:
            msg = "it ended"
            if self._is_late:
                msg = f"it gave no answer within {self._timeout_s:g} s"
            elif isinstance(exc, ValueError):
                msg = f"it sent what is not a message: {exc}"
            raise ResolverError(msg) from exc
        finally:
            timer.cancel()

    def _kill_late(self) -> None:
        self._is_late = True
        self._process.kill()


def _write(stream: IO[bytes], message: Message) -> None:
    """Write one message to *stream*."""
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.flush()


def _read(stream: IO[bytes]) -> Message:
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
