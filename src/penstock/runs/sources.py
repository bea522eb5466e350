"""Find the files that paths, folders and patterns name."""

from __future__ import annotations

import os
import stat
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from penstock.errors import LogSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Unread = Callable[[OSError], object]

__all__ = ["STDIN", "LogSource", "find_sources"]

STDIN = "-"


class LogSource(NamedTuple):
    """A file, or a stream that can be read once.

    Attributes:
        path: As the user named it, or below the folder that the user named.
        key: What tells the file from others, however it is named: device and inode.
        is_stream: Whether it is stdin, a pipe or a device.
    """

    path: str
    key: tuple[int, int]
    is_stream: bool = False


def find_sources(paths: Sequence[str], unread: Unread) -> list[LogSource]:
    """Return the files, each once, in the order of *paths* and of their names.

    Args:
        paths: Files, folders, patterns like ``logs/**/*.log``, or ``-`` for stdin.
        unread: Is called with each file or folder that cannot be looked at, and why.

    Raises:
        LogSourceError: One of *paths* is not there, or has no files.
    """
    found: dict[tuple[int, int], LogSource] = {}
    for path in paths:
        is_empty = True
        for source in _sources(path, unread):
            is_empty = False
            found.setdefault(source.key, source)
        if is_empty:
            raise LogSourceError(_nothing(path))
    return list(found.values())


def _sources(path: str, unread: Unread) -> Iterator[LogSource]:
    if path == STDIN:
        yield LogSource(STDIN, (-1, -1), is_stream=True)
        return
    folders_seen: set[tuple[int, int]] = set()
    for name in _names(path):
        try:
            found = Path(name).stat()
        except FileNotFoundError:
            continue
        except OSError as exc:
            msg = f"{name!r} cannot be read: {exc.strerror}."
            raise LogSourceError(msg) from exc
        if stat.S_ISDIR(found.st_mode):
            yield from _files_below(name, folders_seen, unread)
        else:
            is_stream = not stat.S_ISREG(found.st_mode)
            yield LogSource(name, _key(found), is_stream)


def _names(path: str) -> list[str]:
    """Return what *path* names: itself, or what matches it as a pattern."""
    if not has_magic(path) or os.path.lexists(path):
        return [path]
    return sorted(glob(path, recursive=True))  # noqa: PTH207  # it may be absolute


def _files_below(
    folder: str, seen: set[tuple[int, int]], unread: Unread
) -> Iterator[LogSource]:
    """Yield the regular files; links are followed, but no folder is read twice."""
    for at, folders, names in os.walk(folder, followlinks=True, onerror=unread):
        key = _key(Path(at).stat())
        if key in seen:
            folders.clear()
            continue
        seen.add(key)
        folders.sort()
        for path in (Path(at, name) for name in sorted(names)):
            try:
                found = path.stat()
            except OSError as exc:
                unread(exc)
                continue
            if stat.S_ISREG(found.st_mode):
                yield LogSource(str(path), _key(found))


def _key(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _nothing(path: str) -> str:
    if Path(path).is_dir():
        return f"there are no files in the folder {path!r}."
    if "://" in path:
        return (
            f"{path!r} is not a file. Of URLs, penstock reads only "
            "clickhouse://HOST/DATABASE. For others, use a command that prints the "
            "lines, and - for stdin."
        )
    what = "no file that matches" if has_magic(path) else "no file or folder"
    return f"there is {what} {path!r}. The current folder is {str(Path.cwd())!r}."
