"""A limit on nesting, so that no source makes the check run out of stack.

One level of the user's code takes about five frames of the reader. Where calls go
deeper than the limit allows, the reading starts over from the function that was
reached; where a single function does, the check gives up on the rest of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from .effects import Invocation

__all__ = ["MAX_DEPTH", "TooDeepError", "once"]

K = TypeVar("K")
V = TypeVar("V")

MAX_DEPTH = 180  # expressions, statements and calls in each other


class TooDeepError(Exception):
    """The reading of a function went too deep to go on from here."""

    def __init__(self, invocation: Invocation) -> None:
        super().__init__(invocation)
        self.invocation = invocation


def once(cache: dict[K, V], key: K, meanwhile: V, work: Callable[[], V]) -> V:
    """Return what *work* gives for *key*, worked out once.

    *meanwhile* is the answer to questions that *work* itself asks about *key*.
    """
    if key not in cache:
        cache[key] = meanwhile
        try:
            cache[key] = work()
        except BaseException:
            del cache[key]
            raise
    return cache[key]
