"""Read files block by block, compressed ones too."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from penstock.errors import LogSourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class Readable(Protocol):
        """A file that is open for reading."""

        def read(self, size: int, /) -> bytes | None:
            """Return at most *size* bytes, none at the end."""


__all__ = ["BLOCK", "blocks_of"]

BLOCK = 256 << 10
"""Fits into a processor's cache. Larger blocks are slower."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OTHERS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x04\x22\x4d\x18": "lz4",
    b"PK\x03\x04": "zip",
    b"PAR1": "Parquet",
}


_LONGEST_MAGIC = max(map(len, (_GZIP, _ZSTD, *_OTHERS)))


def blocks_of(file: Readable, damaged: Callable[[str], object]) -> Iterator[bytes]:
    """Yield what *file* holds, unpacked.

    Args:
        file: The file, at its start.
        damaged: Is called with the reason if only a part can be unpacked.

    Raises:
        LogSourceError: It has a format that penstock does not read.
        MissingExtraError: A package is missing that unpacks it.
    """
    head = _more(file, b"", _LONGEST_MAGIC)
    if head.startswith(_GZIP):
        yield from _unzipped(head, file, damaged)
        return
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            msg = f"its format is {name}, which penstock does not read"
            raise LogSourceError(msg)
    while head:
        yield head
        head = file.read(BLOCK) or b""


def _more(file: Readable, data: bytes, at_least: int) -> bytes:
    """Return *data* with so much of *file* that it has a length; less at the end."""
    while len(data) < at_least:
        block = file.read(BLOCK)
        if not block:
            break
        data += block
    return data


def _unzipped(
    data: bytes, file: Readable, damaged: Callable[[str], object]
) -> Iterator[bytes]:
    """Unpack the members of a gzip file; what follows the last one is padding."""
    while data.startswith(_GZIP):
        unpacker = zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            data = _more(file, data, 1)
            try:
                block = unpacker.decompress(data, BLOCK) if data else unpacker.flush()
            except zlib.error as exc:
                damaged(f"the gzip data are damaged: {exc}")
                return
            yield block
            if not data:
                damaged("the gzip data are cut off")
                return
            data = unpacker.unconsumed_tail
        data = _more(file, unpacker.unused_data, len(_GZIP))
