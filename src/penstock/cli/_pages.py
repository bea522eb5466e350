"""Markdown files, and the marked blocks in them."""

from __future__ import annotations

import codecs
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock._documents.blocks import MarkerError, blocks_of
from penstock._project.shown import note, shown_path
from penstock._project.source_files import files_below
from penstock.errors import RenderError, plain
from penstock.renderers.formats import MARKDOWN_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from penstock._documents.blocks import Block

# A file without the name has no marker, so its encoding does not matter.
_NAME = b"penstock"
_OTHERS = tuple(
    _NAME.decode().encode(name)
    for name in ("utf-16le", "utf-16be", "utf-32le", "utf-32be")
)


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
    """Yield every file once, under the name that comes first.

    Raises:
        RenderError: One of *paths* is neither a folder nor a regular file.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _files_at(path):
            reason = _reason_to_skip(file)
            if reason and file == path:
                msg = f"{str(path)!r} cannot be updated: {reason}."
                raise RenderError(msg)
            if reason:
                note(f"Skipped {plain(shown_path(str(file)))}: {reason}.")
                continue
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def _files_at(path: Path) -> Iterable[Path]:
    if path.is_dir():
        return files_below(path, MARKDOWN_SUFFIXES, _skip_folder)
    return (path,)


def _skip_folder(exc: OSError) -> None:
    note(f"Skipped {plain(shown_path(str(exc.filename)))}: {exc.strerror}.")


def _reason_to_skip(file: Path) -> str:
    """Return why a file cannot be rewritten; for example, reading a pipe never ends."""
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return "its link is broken"
    except OSError as exc:
        return str(exc.strerror)
    return "" if stat.S_ISREG(mode) else "it is not a regular file"


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
    if _NAME not in data:
        if any(sign in data for sign in _OTHERS):
            raise RenderError(_wrong_encoding(path, 1))
        return None
    bom = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    try:
        text = data[len(bom) :].decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, len(bom) + exc.start) + 1
        raise RenderError(_wrong_encoding(path, line)) from None
    try:
        return Page(path, bom, text, blocks_of(text))
    except MarkerError as exc:
        msg = f"{place_in(path, exc.line)}: {exc}"
        raise RenderError(msg) from None


def _wrong_encoding(path: Path, line: int) -> str:
    return f"{place_in(path, line)}: this is not UTF-8. Save the file as UTF-8."


def place_in(path: Path, line: int) -> str:
    """Return a place as ``path:line``."""
    return f"{plain(shown_path(str(path)))}:{line}"
