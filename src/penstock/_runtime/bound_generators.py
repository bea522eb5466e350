"""Run a generator's body in one scope, and its consumer in another."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from penstock._context import leave, scope_var

from .recorders import Started, pause_recording, resume_recording

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextvars import Token
    from types import TracebackType

    from penstock._context import Scope

Y = TypeVar("Y")
S = TypeVar("S")
R = TypeVar("R")


class GeneratorScope:
    """Where a generator's body runs, as long as its consumer does not."""

    __slots__ = ("_scope", "_started")

    def __init__(self, scope: Scope | None, started: Started | None = None) -> None:
        self._scope = scope
        self._started = started

    def enter(self) -> Token[Scope | None]:
        """Enter the scope of the body; the body runs next."""
        token = scope_var.set(self._scope)
        if self._started:
            resume_recording(self._started)
        return token

    def leave(self, token: Token[Scope | None]) -> None:
        """Put back the consumer's scope; the body may have paused in one of its own."""
        inside = scope_var.get()
        if leave(token):  # else this context is not the body's
            self._scope = inside
            if self._started:
                pause_recording(self._started)


def start_unseen(body: AsyncGenerator[Y, Any]) -> Awaitable[Y]:
    """Start *body* without registering it with the event loop.

    A loop that ends closes the async generators that it knows. It knows the marked
    generator, which closes its body in its flow; closing both at once would collide.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return body.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)


class BoundGenerator(Generator[Y, S, R], Generic[Y, S, R]):
    """A generator whose body sees *scope* at every resumption."""

    __slots__ = ("_body", "_place")

    def __init__(
        self,
        body: Generator[Y, S, R],
        scope: Scope | None,
        started: Started | None = None,
    ) -> None:
        self._body = body
        self._place = GeneratorScope(scope, started)

    def __next__(self) -> Y:
        """Resume the body in its scope."""
        return cast("Y", self._run(self._body.__next__))

    def send(self, value: S, /) -> Y:
        """Resume the body in its scope with *value*."""
        return cast("Y", self._run(self._body.send, value))

    def throw(
        self,
        typ: Any,  # typeshed's own
        val: object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Y:
        """Raise in the body, in its scope."""
        given = (typ,) if val is None and tb is None else (typ, val, tb)
        return cast("Y", self._run(self._body.throw, *given))

    def close(self) -> Any:
        """Close the body in its scope; since Python 3.13 that may give a value."""
        return self._run(self._body.close)

    def _run(self, move: Callable[..., Any], *args: object) -> Any:
        token = self._place.enter()
        try:
            return move(*args)
        finally:
            self._place.leave(token)


class BoundAsyncGenerator(AsyncGenerator[Y, S], Generic[Y, S]):
    """An async generator whose body sees *scope* at every resumption."""

    __slots__ = ("_body", "_place")

    def __init__(
        self,
        body: AsyncGenerator[Y, S],
        scope: Scope | None,
        started: Started | None = None,
    ) -> None:
        self._body = body
        self._place = GeneratorScope(scope, started)

    async def __anext__(self) -> Y:
        """Resume the body in its scope."""
        return cast("Y", await self._run(self._body.__anext__))

    async def asend(self, value: S, /) -> Y:
        """Resume the body in its scope with *value*."""
        return cast("Y", await self._run(self._body.asend, value))

    async def athrow(
        self,
        typ: Any,  # typeshed's own
        val: object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Y:
        """Raise in the body, in its scope."""
        given = (typ,) if val is None and tb is None else (typ, val, tb)
        return cast("Y", await self._run(self._body.athrow, *given))

    async def aclose(self) -> None:
        """Close the body in its scope."""
        await self._run(self._body.aclose)

    async def _run(self, move: Callable[..., Awaitable[Any]], *args: object) -> Any:
        token = self._place.enter()
        try:
            return await move(*args)
        finally:
            self._place.leave(token)
