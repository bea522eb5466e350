"""``penstock docs``: keep the diagrams in Markdown files up to date."""

from __future__ import annotations

import os
import sys
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from penstock._documents.blocks import lines_of, replace_blocks
from penstock._documents.embed import draw_picture, draw_text, parse_request
from penstock._platform.file import write_file
from penstock._project.load import load_flows
from penstock._project.shown import counted, note, plain, shown_path
from penstock.errors import PenstockError, RenderError
from penstock.renderers.formats import fenced

from ._output import emit, warnings_as_notes
from ._pages import files_of, place_in, read_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._documents.blocks import Block
    from penstock._project.load import Loaded

    from ._pages import Page

__all__ = ["docs"]


@click.command("docs", epilog="Example: penstock docs --check README.md docs/")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; print a diff, and exit with 1 if a diagram is out of date.",
)
@click.option(
    "--target",
    "-t",
    "targets",
    metavar="TARGET",
    multiple=True,
    help="Where flows are declared, instead of what pyproject.toml says; may be given "
    "several times.",
)
def docs(paths: tuple[Path, ...], targets: tuple[str, ...], *, check: bool) -> None:
    """Update the diagrams in Markdown files.

    Each PATH is a file, or a folder with .md files at any depth. The text between
    <!-- penstock:NAME --> and <!-- /penstock --> becomes the diagram of the flow
    NAME; nothing else changes. With file=NAME.svg it becomes an image, and that file
    is written as well.
    """
    pages = [page for path in files_of(paths) if (page := read_page(path)) is not None]
    if not any(page.blocks for page in pages):
        note("There is no block <!-- penstock:NAME --> in these files.")
        return
    changes = [one for one in _drawn(pages, load_flows(targets)) if one.stale]
    if check:
        emit("".join(map(_difference, changes)))
    else:
        for one in changes:
            one.write()
    if changes:
        note(_summary(changes, check=check))
    sys.exit(1 if check and changes else 0)


class _Drawn(NamedTuple):
    """A page with its new text, its pictures, and how many of its blocks differ."""

    page: Page
    text: str
    pictures: dict[Path, bytes]
    stale: int

    @property
    def is_stale(self) -> bool:
        """Whether the text differs."""
        return self.text != self.page.text

    @property
    def stale_pictures(self) -> dict[Path, bytes]:
        """The pictures that differ or are missing."""
        return {
            path: content
            for path, content in self.pictures.items()
            if _content_of(path) != content
        }

    def write(self) -> None:
        """Write what differs."""
        for path, content in self.stale_pictures.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, content)
        if self.is_stale:
            write_file(self.page.path, self.page.bom + self.text.encode())


def _drawn(pages: Sequence[Page], loaded: Loaded) -> list[_Drawn]:
    """Draw every block of every page, before any is written.

    Raises:
        RenderError: A block cannot be drawn; the message names all of them.
    """
    faults: list[str] = []
    drawn: list[_Drawn] = []
    for page in pages:
        texts: list[str] = []
        pictures: dict[Path, bytes] = {}
        stale = 0
        for block in page.blocks:
            try:
                shown, picture = _drawing(block, loaded, page.path)
            except PenstockError as exc:
                faults.append(f"{place_in(page.path, block.line)}: {exc}")
                continue
            texts.append(block.filled(shown))
            pictures |= picture
            differs = any(_content_of(at) != one for at, one in picture.items())
            stale += block.text != texts[-1] or differs
        if not faults:
            text = replace_blocks(page.text, page.blocks, texts)
            drawn.append(_Drawn(page, text, pictures, stale))
    if faults:
        raise RenderError(*faults)
    return drawn


def _drawing(block: Block, loaded: Loaded, path: Path) -> tuple[str, dict[Path, bytes]]:
    """Return the Markdown of a block, and the picture that it shows, if any."""
    request = parse_request(block.request)
    with warnings_as_notes(f"{place_in(path, block.line)}: "):
        if request.file:
            picture = draw_picture(request, loaded.flows, loaded.known)
            return request.image, {path.parent / request.file: picture}
        text = draw_text(request, loaded.flows, loaded.known)
    return fenced(text, request.format), {}


def _content_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _difference(drawn: _Drawn) -> str:
    pictures = (
        f"{plain(shown_path(str(path)))} differs.\n" for path in drawn.stale_pictures
    )
    return _text_difference(drawn) + "".join(pictures)


def _text_difference(drawn: _Drawn) -> str:
    path = shown_path(str(drawn.page.path)).replace(os.sep, "/").lstrip("/")
    name = plain(path)
    lines = unified_diff(
        lines_of(drawn.page.text), lines_of(drawn.text), f"a/{name}", f"b/{name}"
    )
    return "".join(
        line if line.endswith("\n") else line + _NO_NEWLINE for line in lines
    )


_NO_NEWLINE = "\n\\ No newline at end of file\n"


def _summary(changes: Sequence[_Drawn], *, check: bool) -> str:
    diagrams = counted(sum(one.stale for one in changes), "diagram")
    files = counted(len(changes), "file")
    if check:
        return f"{diagrams} in {files} out of date. To update: run without --check."
    return f"Updated {diagrams} in {files}."
