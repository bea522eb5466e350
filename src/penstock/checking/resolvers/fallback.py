"""Which resolver is asked, and who is next where that fails."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, get_args

from penstock.errors import MissingExtraError

from .base import ResolverError
from .ty import TyResolver, find_ty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from penstock.checking.findings import Place

    from .base import Source

    Opener = Callable[[Path, Iterable[Path]], Source]

__all__ = ["CHOICES", "Choice", "Resolvers", "has_resolver", "resolvers"]

Choice = Literal["auto", "ty", "jedi"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


class Resolvers:
    """Asks one resolver, and where that fails the next; each starts when it has to.

    Args:
        openers: What starts each, by its name.
        root: Folder of the project.
        import_path: Where imports begin.

    Attributes:
        asked: How many questions each got, by its name.
        notes: What people should know of it, once it is closed.
    """

    def __init__(
        self, openers: dict[str, Opener], root: Path, import_path: Sequence[Path]
    ) -> None:
        self._openers = dict(openers)
        self._project = root, import_path
        self._source: Source | None = None
        self._failure = ""
        self._unasked = 0
        self.asked: dict[str, int] = dict.fromkeys(list(openers)[:1], 0)
        self.notes: list[str] = []

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return where the name at that place may be defined; empty if unknown."""
        while self._openers:
            name = next(iter(self._openers))
            try:
                if self._source is None:
                    self._source = self._openers[name](*self._project)
                found = self._source.definitions(path, line, column)
            except ResolverError as exc:
                self._fail(name, exc)
            else:
                self.asked[name] = self._source.asked
                return found
        self._unasked += 1
        return ()

    def close(self) -> None:
        """End what was started, and note what was not asked."""
        if self._unasked:
            self.notes.append(f"{self._failure}; {_unknown(self._unasked)}.")
            self._unasked = 0
        if self._source is not None and self._source.unasked:
            name, left = next(iter(self._openers)), self._source.unasked
            self.notes.append(
                f"{name} was asked {self.asked[name]} times, which is the limit; "
                f"{_unknown(left)}."
            )
        self._end()

    def _fail(self, name: str, problem: ResolverError) -> None:
        """Go on without the one that failed."""
        self._end()
        del self._openers[name]
        self._failure = f"{name} failed: {problem}"
        for other in self._openers:
            self.notes.append(f"{self._failure}; {other} was asked instead.")
            return

    def _end(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None


def has_resolver() -> bool:
    """Tell whether any resolver is installed."""
    return find_ty() is not None or find_spec("jedi") is not None


def resolvers(choice: Choice, root: Path, import_path: Sequence[Path]) -> Resolvers:
    """Return who is asked: of ``auto`` ty, and jedi in its place, as installed.

    Raises:
        MissingExtraError: Who was chosen is not installed.
    """
    found: dict[str, Opener] = {}
    program = find_ty()
    if program is not None and choice != "jedi":
        found["ty"] = lambda root, paths: TyResolver(program, root, paths)
    if choice != "ty" and find_spec("jedi") is not None:
        found["jedi"] = _jedi
    if not found:
        raise MissingExtraError(_MISSING[choice])
    return Resolvers(found, root, import_path)


def _jedi(root: Path, import_path: Iterable[Path]) -> Source:
    # Here, so that ty needs no jedi, and no 0.2 s for its import.
    from .jedi import JediResolver  # noqa: PLC0415  # as said

    return JediResolver(root, import_path)


def _unknown(count: int) -> str:
    return f"{count} more names count as unknown"


_MISSING: dict[Choice, str] = {
    "auto": "neither ty nor jedi is installed, and one of them has to tell where names "
    "are defined. Install one: pip install ty, or pip install 'penstock[check]'",
    "ty": "'ty' is not beside this Python, nor on the PATH. "
    "Install it with: pip install ty",
    "jedi": "'jedi' is not installed. Install it with: pip install 'penstock[check]'",
}
