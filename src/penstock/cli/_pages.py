"""Markdown files, and the marked blocks in them."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock._documents.blocks import MarkerError, blocks_of
from penstock._project.shown import plain, shown_path
from penstock._project.source_files import files_below
from penstock.errors import RenderError
from penstock.renderers.formats import MARKDOWN_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from penstock._documents.blocks import Block

__all__ = ["Page", "files_of", "place_in", "read_page"]

# A file without any of these has no marker, so its encoding does not matter.
_SIGNS = tuple("penstock".encode(name) for name in ("utf-8", "utf-16le", "utf-16be"))


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file.

    Attributes:
        path: The file.
        bom: Its byte order mark, if any.
        text: The rest of it.
        blocks: The blocks between markers.
    """

    path: Path
    bom: bytes
    text: str
    blocks: list[Block]


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield every file once, under the name that comes first."""
    seen: set[Path] = set()
    for path in paths:
        for file in files_below(path, MARKDOWN_SUFFIXES) if path.is_dir() else (path,):
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def read_page(path: Path) -> Page | None:
    """Return a page; None if the file has no marker.

    Raises:
        RenderError: It cannot be read, or a marker in it is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        msg = f"{str(path)!r} cannot be read: {exc.strerror or exc}."
        raise RenderError(msg) from exc
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    if not any(sign in data for sign in _SIGNS):
        return None
    try:
        text = data[len(bom) :].decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        msg = f"{place_in(path, line)}: this is not UTF-8. Save the file as UTF-8."
        raise RenderError(msg) from None
    try:
        return Page(path, bom, text, blocks_of(text))
    except MarkerError as exc:
        msg = f"{place_in(path, exc.line)}: {exc}"
        raise RenderError(msg) from None


def place_in(path: Path, line: int) -> str:
    """Return a place as ``path:line``."""
    return f"{plain(shown_path(str(path)))}:{line}"
