"""Let a wrapper look like the function that it calls."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    F = TypeVar("F", bound=Callable[..., Any])


def imitate(wrapper: F, func: Callable[..., Any]) -> F:
    """Do what ``update_wrapper`` does, and keep annotations that code has set.

    From Python 3.14, ``update_wrapper`` copies ``__annotate__`` alone, which is None
    where a decorator has assigned ``__annotations__``. Callables that are not written
    in Python, such as those of ``functools.cache``, have no ``__annotations__`` then.
    """
    update_wrapper(wrapper, func)
    if getattr(func, "__annotate__", wrapper) is None:
        wrapper.__annotations__ = getattr(func, "__annotations__", {})
    return wrapper
