"""Follow files while they grow and are rotated, by asking again and again."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from penstock.errors import MissingExtraError

from .blocks import BLOCK, is_plain
from .pieces import join_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import FileIO

    from .sources import LogSource

__all__ = ["follow_files"]

_HEAD = 8
_WAIT_S = 0.2
_FIND_AGAIN_S = 1.0
_KEEPS_S = 10.0
"""How long a program may write to a file that was renamed, until it opens the new one.
"""


def follow_files(
    find: Callable[[], Iterable[LogSource]],
    unpack: Callable[[LogSource], Iterator[bytes]],
    unreadable: Callable[[Exception, str], object],
) -> Iterator[tuple[LogSource, bytes | None]]:
    """Yield blocks of files as they come, and None where a file has ended.

    A file that is renamed is read until no more comes, and the one that takes its place
    from the start. Compressed files are read at first only: later ones were files
    before.

    Args:
        find: Returns the files that are there now.
        unpack: Returns the blocks of a compressed file.
        unreadable: Is called with the error and the path of a file that fails.
    """
    following: dict[LogSource, Iterator[bytes]] = {}
    known: set[tuple[int, int]] = set()
    packed: set[LogSource] = set()
    is_first = True
    while True:
        found = list(find())
        # A file system gives the number of a deleted file to a new one.
        known &= {source.key for source in (*found, *following)}
        for source in found:
            if source.key in known or source in packed:
                continue
            try:
                file = Path(source.path).open("rb", buffering=0)  # noqa: SIM115  # see _growing
            except OSError as exc:
                unreadable(exc, source.path)
                continue
            if is_plain(file.read(_HEAD)):
                known.add(source.key)
                following[source] = join_pieces(_growing(file, source.path))
                continue
            file.close()
            packed.add(source)
            if is_first:
                following[source] = unpack(source)
        is_first = False
        yield from _read_for(_FIND_AGAIN_S, following, unreadable)


def _read_for(
    seconds: float,
    following: dict[LogSource, Iterator[bytes]],
    unreadable: Callable[[Exception, str], object],
) -> Iterator[tuple[LogSource, bytes | None]]:
    """Yield what comes within a time, and leave out of *following* what has ended."""
    end = monotonic() + seconds
    while monotonic() < end:
        is_idle = True
        for source, blocks in [*following.items()]:
            try:
                for block in blocks:
                    if not block:
                        break
                    is_idle = False
                    yield source, block
                else:
                    del following[source]
                    yield source, None
            except (OSError, MissingExtraError) as exc:
                del following[source]
                unreadable(exc, source.path)
        if is_idle:
            sleep(_WAIT_S)


def _growing(file: FileIO, path: str) -> Iterator[bytes]:
    """Yield what *file* has and gets, and nothing where there is nothing new.

    It ends when *path* has been another file for a while, and nothing came since.
    """
    file.seek(0)
    end = monotonic() + _KEEPS_S
    with file:
        while True:
            if not _is_replaced(file, path):
                end = monotonic() + _KEEPS_S
            while block := file.read(BLOCK):
                end = monotonic() + _KEEPS_S
                yield block
            if monotonic() > end:
                return
            if os.fstat(file.fileno()).st_size < file.tell():
                file.seek(0)
                yield b"\n"  # what was cut off ends there
            yield b""


def _is_replaced(file: FileIO, path: str) -> bool:
    try:
        return not os.path.samestat(Path(path).stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
