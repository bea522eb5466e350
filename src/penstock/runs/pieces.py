"""Join the pieces into which container runtimes cut long lines, at 16 KiB."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from .line_scanner import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["join_pieces"]

_CRI = re.compile(
    rb"(?P<start>\S+ (?P<stream>stdout|stderr) (?:(?P<whole>F)|P)\S* )"
    rb"(?P<text>.*)(?P<end>)"
)
"""containerd, CRI-O: ``2026-11-30T12:00:00Z stdout P {"time``, and ``F`` at last."""

_DOCKER = re.compile(
    rb'(?P<start>\{"log":")(?P<text>.*?)'
    rb'(?P<end>(?P<whole>\\n)?","stream":"(?P<stream>\w+)".*)'
)
"""Docker's json-file: a text without a line end goes on in the next line."""


def join_pieces(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes with whole lines, if a container runtime cut them."""
    first = b""
    for first in blocks:
        if first:  # a file that grows may have nothing yet
            break
        yield first
    layout = next((one for one in (_CRI, _DOCKER) if one.match(first)), None)
    if layout is None:
        yield first
        yield from blocks
        return
    pieces: dict[bytes, list[bytes]] = {}
    for lines in _of_whole_lines(chain((first,), blocks)):
        if lines and (pieces or _has_pieces(lines, layout)):
            yield b"".join(_joined(lines, layout, pieces))
        else:
            yield lines
    for unfinished in pieces.values():
        yield b"".join([*unfinished, b"\n"])


def _of_whole_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield blocks that end where a line does; a line that is too long is cut."""
    start = b""
    for block in blocks:
        end = block.rfind(b"\n") + 1
        if end or len(start) > MAX_LINE:
            yield start + block[:end]
            start = block[end:]
        else:
            start += block
            yield b""
    yield start


def _has_pieces(lines: bytes, layout: re.Pattern[bytes]) -> bool:
    if layout is _CRI:
        return lines.rfind(b" P ") >= 0
    return lines.count(b"\n") > lines.count(b'\\n","stream":"')


def _joined(
    lines: bytes, layout: re.Pattern[bytes], pieces: dict[bytes, list[bytes]]
) -> Iterator[bytes]:
    """Yield the lines, and keep in *pieces* what is unfinished of each stream."""
    for line in lines.removesuffix(b"\n").split(b"\n"):
        found = layout.match(line)
        if found is None:
            yield line + b"\n"
            continue
        parts = pieces.setdefault(found["stream"], [found["start"]])
        parts.append(found["text"])
        if found["whole"] or sum(map(len, parts)) > MAX_LINE:
            yield b"".join([*pieces.pop(found["stream"]), found["end"], b"\n"])
