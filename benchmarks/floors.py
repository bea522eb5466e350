"""The floor: the minimum cost of a wrapper with one context variable.

This module does not import penstock, so processes that measure peers can use it, too.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["async_floor", "floor", "ten_calls", "work", "work_async"]

_var: ContextVar[object] = ContextVar("floor", default=None)


def floor(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return *func* with a context variable set around it."""

    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        token = _var.set(func)
        try:
            return func(*args, **kwargs)
        finally:
            _var.reset(token)

    return call


def async_floor(func: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Return the coroutine function *func*, with the same wrapper."""

    @wraps(func)
    async def call(*args: Any, **kwargs: Any) -> Any:
        token = _var.set(func)
        try:
            return await func(*args, **kwargs)
        finally:
            _var.reset(token)

    return call


def work() -> Callable[[int], int]:
    """Return a function that does almost nothing, a new one for each case."""

    def charge(order: int) -> int:
        return order

    return charge


def work_async() -> Callable[[int], Awaitable[int]]:
    """Return a coroutine function that does almost nothing."""

    async def charge(order: int) -> int:
        return order

    return charge


def ten_calls(wrap: Callable[[Any], Any]) -> Callable[[int], None]:
    """Return a function that calls ten functions, each wrapped by *wrap*."""
    a, b, c, d, e, f, g, h, i, j = (wrap(work()) for _ in range(10))

    def receive(order: int) -> None:
        a(order)
        b(order)
        c(order)
        d(order)
        e(order)
        f(order)
        g(order)
        h(order)
        i(order)
        j(order)

    return receive
