"""Import every module that matches a pattern such as ``shop.**``."""

from __future__ import annotations

import importlib.util
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from .imports import MissingTargetError, TargetError, import_module, not_there
from .source_files import files_below, module_name

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    found = [below for below in _modules_of(base) if _matches(below, names[fixed:])]
    if not found:
        msg = f"no module matches {pattern!r}."
        raise MissingTargetError(msg)
    for below in sorted(found):
        import_module(".".join([base, *below]))


def _modules_of(package: str) -> set[tuple[str, ...]]:
    """Return the names of all modules below *package*, the empty one for itself."""
    parent, _, _ = package.rpartition(".")
    if parent:
        import_module(parent)
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise not_there(package)
    found: set[tuple[str, ...]] = {()}
    for folder in spec.submodule_search_locations or ():
        for path in files_below(Path(folder)):
            name = module_name(path, [Path(folder)])
            if name is not None and path.name != "__main__.py":
                found.add(tuple(filter(None, name.split("."))))
    return found


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
