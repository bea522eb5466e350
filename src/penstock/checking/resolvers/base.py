"""The interface of resolvers: ty, jedi, and those that packages add."""

from __future__ import annotations

from linecache import checkcache, getline
from typing import TYPE_CHECKING, Protocol

from penstock.errors import PenstockError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.checking.findings import Place


class ResolverError(PenstockError, RuntimeError):
    """A resolver failed; the message says what happened."""


class Resolver(Protocol):
    """Finds the definition of a name if the code around the name does not show it.

    A package registers one under the entry-point group ``penstock.resolvers``: a class
    or function that takes the folder of the project and the folders that its modules
    are imported from.
    """

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return where the name at this position may be defined; empty if unknown.

        Args:
            path: The file.
            line: Counted from 1.
            column: The first byte of the name in its line, as UTF-8, counted from 0.

        Raises:
            ResolverError: The resolver can no longer answer.
        """
        ...

    def close(self) -> None:
        """Release what the resolver holds. Closing it twice is fine."""
        ...


def text_before(path: str, line: int, column: int) -> str:
    """Return the part of a line before the byte *column*."""
    checkcache(path)
    return getline(path, line).encode()[:column].decode(errors="ignore")
