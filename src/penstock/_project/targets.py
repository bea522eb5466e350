"""What people type as a target, and the modules that it names."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .flow_modules import modules_with_flows
from .imports import MissingTargetError, TargetError, import_module
from .patterns import import_matching, is_pattern
from .source_files import module_name, modules_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def is_manifest(target: str) -> bool:
    """Tell whether *target* is a file with flows as JSON."""
    return target.endswith(".json")


def expanded(targets: Iterable[str], *, allow_missing: bool) -> list[str]:
    """Replace each pattern of files by the files that match it.

    Raises:
        MissingTargetError: There are none.
    """
    found: list[str] = []
    for target in targets:
        if not is_pattern(target) or not (_is_path(target) or is_manifest(target)):
            found.append(target)
            continue
        paths = sorted(glob.glob(target, recursive=True))  # noqa: PTH207  # a pattern may be absolute
        matching = [path for path in paths if _is_module(path) or is_manifest(path)]
        if not matching and not allow_missing:
            msg = f"no module or manifest matches {target!r}."
            raise MissingTargetError(msg)
        found += matching
    return found


def parse_target(target: str) -> tuple[str, str]:
    """Split *target* into a module, a pattern or a path, and an attribute.

    Raises:
        TargetError: It is none of these.
    """
    module, colon, attribute = target.rpartition(":")
    if not colon or _is_path(attribute):  # the colon of C:\\shop
        return target, ""
    if not module or not attribute:
        lacks = "name after" if module else "module before"
        msg = f"{target!r} has no {lacks} ':'."
        raise TargetError(msg)
    return module, attribute


def import_target(module: str, roots: Sequence[Path]) -> str:
    """Import what *module* names, and return the name of the first module.

    A package or a folder brings its modules that declare steps, at any depth.

    Args:
        module: The name of a module or a package, a pattern of such names, or the
            path of a file or a folder.
        roots: The folders that imports start from.

    Raises:
        TargetError: It does not exist, or an import fails.
    """
    if is_pattern(module):
        import_matching(module)
        return ""
    names = _names_at(module, roots) if _is_path(module) else _names_below(module)
    first = ""
    for name in names:
        import_module(name)
        first = first or name
    return first


def _names_at(shown: str, roots: Sequence[Path]) -> list[str]:
    """Return the module at a path, or those in a folder that declare steps."""
    path = Path(os.path.abspath(shown))  # noqa: PTH100  # links keep their names
    if not path.exists():
        msg = f"there is no file {shown!r}."
        raise MissingTargetError(msg)
    if path.is_dir() and any(
        path.is_relative_to(root) or root.is_relative_to(path) for root in roots
    ):
        return modules_with_flows(modules_in(path, roots))
    name = module_name(path, roots) if path.suffix == ".py" else None
    if not name:
        folders = ", ".join(str(root) for root in dict.fromkeys(roots))
        msg = f"{shown!r} is not a module that Python can import from {folders}."
        raise TargetError(msg)
    return [name]


def _names_below(package: str) -> Iterator[str]:
    """Yield a module, and those in it that declare steps if it is a package."""
    if not all(map(str.isidentifier, package.split("."))):
        msg = f"{package!r} is not the name of a module."
        raise MissingTargetError(msg)
    yield package
    for folder in getattr(import_module(package), "__path__", ()):
        place = Path(folder)
        yield from modules_with_flows(modules_in(place, [place], package))


def _is_path(module: str) -> bool:
    return (
        "/" in module
        or "\\" in module
        or module.endswith(".py")
        or module in {".", ".."}
    )


def _is_module(path: str) -> bool:
    place = Path(path)
    return place.is_dir() or (place.suffix == ".py" and place.stem != "__main__")
