"""Run a generator's body in one scope, and its consumer in the consumer's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from . import _recording as recording
from ._context import scope_var

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from ._context import Scope

__all__ = ["BoundAsyncGenerator", "BoundGenerator"]

Y = TypeVar("Y")
S = TypeVar("S")
R = TypeVar("R")


class BoundGenerator(Generator[Y, S, R], Generic[Y, S, R]):
    """A generator whose body sees *scope* at every resumption."""

    __slots__ = ("_body", "_scope", "_started")

    def __init__(
        self,
        body: Generator[Y, S, R],
        scope: Scope | None,
        started: recording.Started | None = None,
    ) -> None:
        self._body = body
        self._scope = scope
        self._started = started

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

    def close(self) -> None:
        """Close the body in its scope."""
        self._run(self._body.close)

    def _run(self, move: Callable[..., Any], *args: object) -> Any:
        token = scope_var.set(self._scope)
        if self._started:
            recording.resume(self._started)
        try:
            return move(*args)
        finally:
            if self._started:
                recording.pause(self._started)
            scope_var.reset(token)


class BoundAsyncGenerator(AsyncGenerator[Y, S], Generic[Y, S]):
    """An async generator whose body sees *scope* at every resumption."""

    __slots__ = ("_body", "_scope", "_started")

    def __init__(
        self,
        body: AsyncGenerator[Y, S],
        scope: Scope | None,
        started: recording.Started | None = None,
    ) -> None:
        self._body = body
        self._scope = scope
        self._started = started

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
        before = scope_var.get()
        scope_var.set(self._scope)
        if self._started:
            recording.resume(self._started)
        try:
            return await move(*args)
        finally:
            if self._started:
                recording.pause(self._started)
            if scope_var.get() is self._scope:
                scope_var.set(before)
