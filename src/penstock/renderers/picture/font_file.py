"""Read the name and the characters of a font file."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_FAMILY, _POSTSCRIPT, _TYPOGRAPHIC_FAMILY = 1, 6, 16
_ENGLISH = 0x409
_CMAPS = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))  # larger ones first


@dataclass(frozen=True, slots=True)
class Face:
    """The first face of a font file.

    Attributes:
        path: The file.
        family: The name of the family.
        chars: The wanted characters that it has.
    """

    path: Path
    family: str
    chars: frozenset[str]


def read_face(path: Path, wanted: Iterable[str]) -> Face | None:
    """Return the face in *path*, None if it is not a readable font."""
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            tables = _tables(data)
            codes = {ord(char) for char in wanted}
            chars = frozenset(map(chr, _covered(data, tables[b"cmap"], codes)))
            return Face(path, _family(data, tables[b"name"]), chars)
    except (OSError, ValueError, KeyError, struct.error):
        return None


def _tables(data: mmap.mmap) -> dict[bytes, int]:
    start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    (count,) = struct.unpack_from(">H", data, start + 4)
    records = data[start + 12 : start + 12 + 16 * count]
    return {tag: offset for tag, _, offset, _ in struct.iter_unpack(">4sIII", records)}


def _family(data: mmap.mmap, start: int) -> str:
    _, count, strings = struct.unpack_from(">HHH", data, start)
    names: dict[int, str] = {}
    for at in range(start + 6, start + 6 + 12 * count, 12):
        platform, _, language, kind, length, offset = struct.unpack_from(
            ">6H", data, at
        )
        if platform == 3 and language == _ENGLISH:  # noqa: PLR2004  # Windows
            first = start + strings + offset
            names[kind] = data[first : first + length].decode("utf-16-be")
    names[_POSTSCRIPT]  # resvg ignores a font without one
    return names.get(_TYPOGRAPHIC_FAMILY) or names[_FAMILY]


def _covered(data: mmap.mmap, start: int, codes: set[int]) -> Iterator[int]:
    (count,) = struct.unpack_from(">H", data, start + 2)
    records = data[start + 4 : start + 4 + 8 * count]
    found = {(a, b): offset for a, b, offset in struct.iter_unpack(">HHI", records)}
    at = start + next((found[key] for key in _CMAPS if key in found), 0)
    (form,) = struct.unpack_from(">H", data, at)
    ranges = {4: _ranges_4, 12: _ranges_12}.get(form)
    for first, last in ranges(data, at) if ranges and at != start else ():
        yield from (code for code in codes if first <= code <= last)


def _ranges_12(data: mmap.mmap, at: int) -> Iterator[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", data, at + 12)
    groups = struct.iter_unpack(">III", data[at + 16 : at + 16 + 12 * count])
    return ((first, last) for first, last, _ in groups)


def _ranges_4(data: mmap.mmap, at: int) -> Iterator[tuple[int, int]]:
    """Return the ranges; only few of their characters lack a glyph."""
    (double,) = struct.unpack_from(">H", data, at + 6)
    form = f">{double // 2}H"
    lasts = struct.unpack_from(form, data, at + 14)
    firsts = struct.unpack_from(form, data, at + 16 + double)
    return zip(firsts, lasts, strict=True)
