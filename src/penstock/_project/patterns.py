"""Import every module that matches a pattern such as ``shop.**``."""

from __future__ import annotations

import importlib.util
import pkgutil
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from .imports import MissingTargetError, TargetError, import_module, not_there

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["import_matching", "is_pattern"]


def is_pattern(name: str) -> bool:
    """Tell whether *name* stands for any number of modules."""
    return any(char in name for char in "*?[")


def import_matching(pattern: str) -> None:
    """Import every module that matches *pattern*, such as ``shop.**``.

    ``*`` stands for one name or a part of it, ``**`` for any number of names. A
    ``__main__`` module is left out, because importing it runs the program.

    Raises:
        TargetError: Nothing matches, or an import fails.
    """
    names = pattern.split(".")
    fixed = next(i for i, name in enumerate(names) if is_pattern(name))
    if fixed == 0:
        msg = f"{pattern!r} must begin with the name of a package, as in 'shop.**'."
        raise TargetError(msg)
    base = ".".join(names[:fixed])
    wanted = names[fixed:]
    depth = None if "**" in wanted else len(wanted)
    found = [below for below in _walk(base, (), depth) if _matches(below, wanted)]
    if not found:
        msg = f"no module matches {pattern!r}."
        raise MissingTargetError(msg)
    for below in found:
        import_module(".".join([base, *below]))


def _walk(
    base: str, below: tuple[str, ...], depth: int | None
) -> Iterator[tuple[str, ...]]:
    """Yield the names below the package *base*, and first the empty one for itself."""
    yield below
    if len(below) == depth:
        return
    for child in sorted(_children(_folders(".".join([base, *below])))):
        yield from _walk(base, (*below, child), depth)


def _folders(name: str) -> list[str]:
    """Return the folders of the package *name*, without importing it."""
    parent, _, _ = name.rpartition(".")
    if parent:
        import_module(parent)
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise not_there(name)
    return list(spec.submodule_search_locations or ())


def _children(folders: list[str]) -> set[str]:
    children = {info.name for info in pkgutil.iter_modules(folders)}
    for folder in map(Path, folders):
        if folder.is_dir():
            children |= {path.name for path in folder.iterdir() if _is_namespace(path)}
    return children - {"__main__", "__pycache__"}


def _is_namespace(path: Path) -> bool:
    """Tell whether *path* is a package without ``__init__.py``."""
    return path.name.isidentifier() and next(path.rglob("*.py"), None) is not None


def _matches(names: Sequence[str], wanted: Sequence[str]) -> bool:
    if not wanted:
        return not names
    if wanted[0] == "**":
        return any(_matches(names[i:], wanted[1:]) for i in range(len(names) + 1))
    return (
        bool(names)
        and fnmatchcase(names[0], wanted[0])
        and _matches(names[1:], wanted[1:])
    )
