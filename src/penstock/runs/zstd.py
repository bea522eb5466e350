"""Unpack zstd: part of Python from 3.14, a package before."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from penstock._platform.optional import requires

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    with requires("backports", extra="zstd"):
        from backports.zstd import ZstdDecompressor, ZstdError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["unpack_zstd"]


def unpack_zstd(
    read: Callable[[], bytes], data: bytes, size: int, damaged: Callable[[str], object]
) -> Iterator[bytes]:
    """Unpack the frames of a zstd file.

    Args:
        read: Returns more of the file, nothing at its end.
        data: Its start.
        size: How long the blocks may be.
        damaged: Is called with the reason if only a part can be unpacked.
    """
    while data:
        unpacker = ZstdDecompressor()
        while not unpacker.eof:
            try:
                yield unpacker.decompress(data, size)
            except ZstdError as exc:
                damaged(f"the zstd data are damaged: {exc}")
                return
            data = read() if unpacker.needs_input else b""
            if unpacker.needs_input and not data:
                damaged("the zstd data are cut off")
                return
        data = unpacker.unused_data or read()
