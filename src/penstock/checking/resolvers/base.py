"""Who tells where a name is defined, when the code around it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from penstock.errors import PenstockError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.checking.findings import Place

__all__ = ["Resolver", "ResolverError", "Source"]


class ResolverError(PenstockError, RuntimeError):
    """A resolver cannot be asked, now or any more; the message is what it did."""


class Resolver(Protocol):
    """Goes from a use of a name to its definition."""

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return where the name at that place may be defined; empty if unknown.

        Args:
            path: The file.
            line: Counted from 1.
            column: Of the name's first byte in the line, counted from 0.

        Raises:
            ResolverError: It cannot be asked any more.
        """
        ...


class Source(Resolver, Protocol):
    """A resolver with a name, and an end.

    Attributes:
        asked: How many questions it got.
        unasked: How many more it would have got, but for a limit of its own.
    """

    asked: int
    unasked: int

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def close(self) -> None:
        """Give back what it holds. More calls do nothing."""
        ...
