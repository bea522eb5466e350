"""Read files block by block, compressed ones too."""

from __future__ import annotations

import zlib
from itertools import chain
from typing import TYPE_CHECKING

from penstock.errors import LogSourceError

from .pieces import join_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Readable(Protocol):
        """A file that is open for reading."""

        def read(self, size: int, /) -> bytes | None:
            """Return at most *size* bytes, none at the end."""


__all__ = ["BLOCK", "blocks_of", "is_plain"]

BLOCK = 256 << 10
"""Fits into a processor's cache. Larger blocks are slower."""

_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18")  # the second one is pzstd's
_OTHERS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
}


_LONGEST_MAGIC = max(map(len, _OTHERS))


def blocks_of(file: Readable, damaged: Callable[[str], object]) -> Iterator[bytes]:
    """Yield what *file* holds, unpacked.

    Args:
        file: The file, at its start.
        damaged: Is called with the reason if only a part can be unpacked.

    Raises:
        LogSourceError: It has a format that penstock does not read.
        MissingExtraError: A package is missing that unpacks it.
    """

    def read() -> bytes:
        return file.read(BLOCK) or b""

    head = _at_least(_LONGEST_MAGIC, b"", read)
    if head.startswith(_GZIP):
        return join_pieces(_unzipped(read, head, damaged))
    if head.startswith(_ZSTD):
        from .zstd import unpack_zstd  # noqa: PLC0415  # needs a package

        return join_pieces(unpack_zstd(read, head, BLOCK, damaged))
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            msg = f"its format is {name}, which penstock does not read"
            raise LogSourceError(msg)
    return join_pieces(chain((head,), iter(read, b"")))


def is_plain(head: bytes) -> bool:
    """Tell whether the first bytes of a file are those of lines."""
    return not head.startswith((_GZIP, *_ZSTD, *_OTHERS))


def _at_least(size: int, data: bytes, read: Callable[[], bytes]) -> bytes:
    """Return *data* with what follows it, at least *size* bytes unless it ends."""
    while len(data) < size and (more := read()):
        data += more
    return data


def _unzipped(
    read: Callable[[], bytes], data: bytes, damaged: Callable[[str], object]
) -> Iterator[bytes]:
    """Unpack the members of a gzip file; what follows the last one is padding."""
    while data.startswith(_GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        while True:
            try:
                yield unpacker.decompress(data, BLOCK) if data else unpacker.flush()
            except zlib.error as exc:
                damaged(f"the gzip data are damaged: {exc}")
                return
            if unpacker.eof:
                break
            if not data:
                damaged("the gzip data are cut off")
                return
            data = unpacker.unconsumed_tail or read()
        data = _at_least(len(_GZIP), unpacker.unused_data, read)
