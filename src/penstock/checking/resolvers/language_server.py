"""Start a language server, ask it one thing after the other, and end it.

``pygls`` has a client, too. It brings lsprotocol, cattrs and attrs for every message
that there is, and is asynchronous; the check asks three things, and waits for each.
"""

from __future__ import annotations

import os
import signal
import subprocess

# By its name and not its module: a program that is checked may patch that, as gevent
# does, and one of its threads would wait for a queue of Python's for ever.
from _thread import start_new_thread
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from .base import ResolverError
from .jsonrpc import receive, send

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import RawIOBase
    from pathlib import Path

    from .jsonrpc import Message

__all__ = ["LanguageServer"]

_ENDS_S = 2.0  # what a server gets to end by itself


class LanguageServer:
    """A process that speaks the language server protocol on its pipes.

    A thread of its own reads and writes them: what hangs there hangs alone, and ends
    with the process. Not for several threads at a time.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        settings: What it is told when it asks for its configuration.
        timeout_s: How long it may take for one answer.

    Raises:
        ResolverError: It cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        settings: dict[str, Any],
        *,
        timeout_s: float,
    ) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._number = 0
        self._problem = ""
        self._todo: SimpleQueue[Message | None] = SimpleQueue()
        self._done: SimpleQueue[Message | None] = SimpleQueue()
        # Our own pipes: those of a `Popen` that gevent has put there are its own kind.
        its_in, our_out = os.pipe()
        our_in, its_out = os.pipe()
        self._to: RawIOBase = open(our_out, "wb", buffering=0)  # noqa: PTH123, SIM115  # a number; closed by the thread
        self._back: RawIOBase = open(our_in, "rb", buffering=0)  # noqa: PTH123, SIM115  # the same
        try:
            self._process = subprocess.Popen(  # noqa: S603  # what the user has installed
                command,
                cwd=folder,
                stdin=its_in,
                stdout=its_out,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # with whatever it starts it is one group
            )
        except OSError as exc:
            self._to.close()
            self._back.close()
            msg = f"it cannot be started: {exc}"
            raise ResolverError(msg) from exc
        finally:
            os.close(its_in)
            os.close(its_out)
        start_new_thread(self._talk, ())

    def tell(self, method: str, params: Message) -> None:
        """Say something that has no answer."""
        self._todo.put({"method": method, "params": params})

    def ask(self, method: str, params: Message | None) -> Any:
        """Return the answer; None too where the server has an error instead.

        Raises:
            ResolverError: It ended, took too long, or said what is no answer.
        """
        if self._problem:
            raise ResolverError(self._problem)
        self._number += 1
        self._todo.put({"id": self._number, "method": method, "params": params})
        try:
            answer = self._done.get(timeout=self._timeout_s)
        except Empty:
            self._problem = f"it gave no answer within {self._timeout_s:g} s"
            answer = None
        if answer is None:
            self._end()
            raise ResolverError(self._problem)
        return answer.get("result")

    def close(self) -> None:
        """End the process, in peace if it listens. More calls do nothing."""
        if not self._problem:
            self._timeout_s = min(self._timeout_s, _ENDS_S)
            with suppress(ResolverError, subprocess.TimeoutExpired):
                self.ask("shutdown", None)
                self.tell("exit", {})
                self._process.wait(_ENDS_S)
        self._end()
        self._problem = self._problem or "it has been closed"

    def _end(self) -> None:
        """End the process and what it has started; the thread ends with its pipes."""
        self._todo.put(None)
        if self._process.returncode is not None:
            return  # it is buried, and its number may be another's by now
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):  # all are gone
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()

    def _talk(self) -> None:
        """Send what is to be said, and wait for the answers."""
        try:
            with suppress(OSError), self._to, self._back:
                self._converse(self._to, self._back)
        except ValueError as exc:
            self._problem = f"what it says is no message: {exc}"
        finally:
            self._problem = self._problem or "it has ended"
            self._done.put(None)

    def _converse(self, to: RawIOBase, back: RawIOBase) -> None:
        messages = receive(back)
        while (message := self._todo.get()) is not None:
            send(to, message)
            while "id" in message:
                answer = next(messages, None)
                if answer is None:
                    return
                if "method" in answer:
                    self._serve(to, answer)
                elif answer.get("id") == message["id"]:
                    self._done.put(answer)
                    break

    def _serve(self, to: RawIOBase, request: Message) -> None:
        """Answer what the server asks: its settings; to all else, nothing."""
        if "id" not in request:
            return
        result = None
        if request["method"] == "workspace/configuration":
            items = (request.get("params") or {}).get("items") or ()
            result = [self._settings for _ in items]
        send(to, {"id": request["id"], "result": result})
