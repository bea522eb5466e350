"""The Python files of a project, parsed."""

from __future__ import annotations

import ast
import os
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_TESTS = ("test_", "conftest")
_INSTALLED = {"__pycache__", "node_modules", "site-packages", "venv"}


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A file that this Python cannot parse."""

    path: str
    line: int
    problem: str


@dataclass(frozen=True, eq=False, slots=True)
class Module:
    """One parsed file.

    Attributes:
        name: Its name as ``import`` knows it.
        path: Where it is, absolute.
        tree: Its syntax.
        is_package: Whether it is an ``__init__.py``.
    """

    name: str
    path: str
    tree: ast.Module
    is_package: bool


def files_below(
    folder: Path,
    suffixes: tuple[str, ...] = (".py",),
    on_error: Callable[[OSError], object] | None = None,
) -> Iterator[Path]:
    """Yield every file with one of *suffixes* below *folder*, in order.

    Hidden folders, environments, caches and installed packages do not count. If a
    folder cannot be read, *on_error* is called.
    """
    for at, folders, names in os.walk(folder, onerror=on_error):
        here = Path(at)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _INSTALLED
            and not os.path.exists(here / name / "pyvenv.cfg")  # noqa: PTH110  # never raises
        )
        yield from (
            here / name for name in sorted(names) if name.lower().endswith(suffixes)
        )


def is_test(path: Path, folder: Path) -> bool:
    """Tell whether the file *path* below *folder* belongs to tests."""
    parts = path.relative_to(folder).parts
    return path.name.startswith(_TESTS) or bool({"tests", "test"} & set(parts[:-1]))


def module_name(path: Path, roots: Iterable[Path]) -> str | None:
    """Return the name that the file *path* has when imported from one of *roots*."""
    for root in sorted(roots, key=lambda root: -len(root.parts)):
        if path.is_relative_to(root):
            parts = [*path.relative_to(root).parts[:-1], path.stem]
            if path == root or parts[-1] == "__init__":
                parts.pop()
            return ".".join(parts) if all(map(str.isidentifier, parts)) else None
    return None


def modules_in(
    folder: Path, roots: Iterable[Path], package: str = ""
) -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of each module below *folder*, except tests.

    Args:
        folder: Where to look.
        roots: Folders that names begin in.
        package: What names begin with.
    """
    roots = list(roots)
    for path in files_below(folder):
        name = module_name(path, roots)
        if name is not None and path.stem != "__main__" and not is_test(path, folder):
            yield ".".join(filter(None, (package, name))), path


def parsed(path: Path, name: str) -> Module | BrokenFile:
    """Parse the file *path*, the module *name*."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the user's code, shown when it runs
            tree = ast.parse(text, str(path))
    except SyntaxError as exc:
        return BrokenFile(str(path), exc.lineno or 1, exc.msg)
    except (OSError, ValueError, RecursionError, MemoryError) as exc:
        return BrokenFile(str(path), 1, str(exc) or type(exc).__name__)
    return Module(name, str(path), tree, path.name == "__init__.py")
