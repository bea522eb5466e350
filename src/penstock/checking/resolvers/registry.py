"""Choose a resolver by name, or by what is installed."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError, MissingExtraError, did_you_mean

from .base import ResolverError
from .ty import find_ty

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from penstock.checking.findings import Place

    from .base import Resolver

GROUP = "penstock.resolvers"
_BUILT_IN = {
    "ty": EntryPoint("ty", "penstock.checking.resolvers.ty:TyResolver", GROUP),
    "jedi": EntryPoint("jedi", "penstock.checking.resolvers.jedi:JediResolver", GROUP),
}
# jedi is slow. The limit is a count, not a time, so that every run finds the same.
_MAX_QUESTIONS = {"jedi": 500}


class ResolverSession:
    """The questions of one check to a resolver, which is started for the first one.

    Importing jedi takes 0.2 s, and many checks have no question.

    Attributes:
        name: Name of the resolver.
        questions: How many it was asked.
    """

    def __init__(self, name: str, start: Callable[[], Resolver]) -> None:
        self.name = name
        self.questions: int = 0
        self._start = start
        self._resolver: Resolver | None = None
        self._unasked = 0
        self._is_unsure = False

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return where the name at this position may be defined; empty if unknown.

        Raises:
            ResolverError: The resolver failed; the message names another one.
            MissingExtraError: It is not installed.
        """
        if self.questions == _MAX_QUESTIONS.get(self.name):
            self._unasked += 1
            return ()
        self.questions += 1
        try:
            if self._resolver is None:
                self._resolver = self._start()
            places = self._resolver.definitions(path, line, column)
        except ResolverError as exc:
            other = "ty" if self.name == "jedi" else "jedi"
            msg = (
                f"the resolver {self.name} failed: {exc}. "
                f"Use another one: penstock check --resolver {other}"
            )
            raise ResolverError(msg) from exc
        self._is_unsure |= not places
        return places

    def notes(self) -> list[str]:
        """Return what the user should know about the answers, one line each."""
        found: list[str] = []
        if self._unasked:
            found.append(
                f"{self.name} was asked {self.questions} times, which is the limit; "
                f"{self._unasked} more names count as unknown."
            )
        if self.name == "ty" and self._is_unsure and _lacks_django_stubs():
            found.append(
                "ty finds more calls in a Django project if django-stubs is "
                "installed: pip install django-stubs"
            )
        return found

    def close(self) -> None:
        """Stop the resolver, if it was started. Calling it twice is fine."""
        if self._resolver is not None:
            self._resolver.close()


def open_resolver(
    name: str, root: Path, import_path: Sequence[Path]
) -> ResolverSession:
    """Return the resolver *name*.

    Args:
        name: ``ty``, ``jedi``, the name of an entry point, or ``auto``: ty if it is
            installed, else jedi. In a Django project without django-stubs ``auto``
            prefers jedi, which brings its own.
        root: Folder of the project.
        import_path: Folders that its modules are imported from.

    Raises:
        ConfigurationError: No resolver has this name.
        MissingExtraError: ``auto`` finds none.
    """
    entry = _find(_automatic() if name == "auto" else name)
    return ResolverSession(entry.name, lambda: entry.load()(root, import_path))


def has_resolver() -> bool:
    """Return whether ty or jedi is installed."""
    return find_ty() is not None or _is_installed("jedi")


def _automatic() -> str:
    if not has_resolver():
        msg = (
            "neither ty nor jedi is installed, and one of them has to find where names "
            "are defined. Install one: pip install ty, or pip install 'penstock[check]'"
        )
        raise MissingExtraError(msg)
    if find_ty() is None or (_is_installed("jedi") and _lacks_django_stubs()):
        return "jedi"
    return "ty"


def _find(name: str) -> EntryPoint:
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name in found:
        return found[name]
    known = ["auto", *_BUILT_IN, *sorted(found)]
    msg = (
        f"no resolver is called {name!r}. Choose one of {', '.join(known)}."
        f"{did_you_mean(name, known)}"
    )
    raise ConfigurationError(msg)


def _lacks_django_stubs() -> bool:
    """Return whether the project uses Django, but django-stubs is not installed."""
    conf = sys.modules.get("django.conf")
    is_django = conf is not None and conf.settings.configured
    return is_django and not _is_installed("django-stubs")


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
