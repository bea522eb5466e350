"""Find the marked blocks of a Markdown document, and replace their text."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from .markdown import MarkdownLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# The text of a marker holds no other beginning of a comment: a line that opens many
# takes time in proportion to its length.
_MARKER = re.compile(
    r"<!--[ \t]*+(?P<end>/?)penstock(?P<rest>[ \t]*+(?::(?:(?!<!--|-->).)*+)?)-->"
)
_ALONE = re.compile(rf"(?P<prefix>[ \t>]*+){_MARKER.pattern}[ \t]*")
_BACKTICKS = re.compile("`+")
_EXAMPLE = "<!-- penstock:orders -->"
_END = "<!-- /penstock -->"


class MarkerError(ValueError):
    """A marker is misplaced or malformed.

    Attributes:
        line: Its line number, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Block(NamedTuple):
    """The text between two markers.

    Attributes:
        request: The text after ``penstock:`` in the first marker.
        line: The first marker's line number, from 1; the text begins on the next line.
        text: The current text.
        prefix: The indentation of the marker: spaces in a list, ``>`` in a quotation.
        newline: The line ending of the marker's line.
    """

    request: str
    line: int
    text: str
    prefix: str
    newline: str

    def filled(self, text: str) -> str:
        """Return the lines between the markers that show *text*."""
        # Text that looks like a marker would be one when the document is read again.
        text = _MARKER.sub(lambda marker: marker[0].replace("<!--", "<! --"), text)
        # Blank lines, because formatters put them around a fence.
        lines = ("", *text.split("\n"), "")
        return "".join((self.prefix + line).rstrip() + self.newline for line in lines)


def blocks_of(document: str) -> list[Block]:
    """Return the marked blocks of *document*; markers in code do not count.

    Raises:
        MarkerError: A marker is not closed, closes nothing, is inside another block,
            names no flow, or shares its line with other text.
    """
    return list(_blocks(lines_of(document)))


def replace_blocks(document: str, blocks: Iterable[Block], texts: Iterable[str]) -> str:
    """Return *document* with *texts* between the markers of *blocks*."""
    lines = lines_of(document)
    parts: list[str] = []
    done = 0
    for block, text in zip(blocks, texts, strict=True):
        parts += (*lines[done : block.line], text)
        done = block.line + len(lines_of(block.text))
    return "".join((*parts, *lines[done:]))


def lines_of(document: str) -> list[str]:
    """Split at the line endings of Markdown; ``splitlines`` splits at more."""
    return list(StringIO(document, newline=""))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    document = MarkdownLines()
    begun: Block | None = None
    for number, line in enumerate(lines, 1):
        marker = _ALONE.fullmatch(line.rstrip("\r\n"))
        # Inside a block only markers count: a broken fence there must not hide the
        # marker that closes the block.
        if begun is not None and marker is None:
            continue
        if document.is_code(line) and begun is None:
            continue
        if marker is None:
            _refuse_hidden(line, number)
        elif marker["end"]:
            if begun is None:
                msg = f"{_END} closes no block. Remove it, or begin one: {_EXAMPLE}"
                raise MarkerError(msg, number)
            yield begun._replace(text="".join(lines[begun.line : number - 1]))
            begun = None
        elif begun is not None:
            break
        else:
            begun = _begun(marker, line, number)
    if begun is not None:
        msg = (
            f"the block {begun.request!r} is not closed before the next block or the "
            f"end of the file. Write {_END} on a line of its own below it."
        )
        raise MarkerError(msg, begun.line)


def _begun(marker: re.Match[str], line: str, number: int) -> Block:
    request = marker["rest"].strip().removeprefix(":").strip()
    if not request:
        msg = f"the marker names no flow. Write it like this: {_EXAMPLE}"
        raise MarkerError(msg, number)
    newline = line[len(line.rstrip("\r\n")) :] or "\n"
    return Block(request, number, "", marker["prefix"], newline)


def _refuse_hidden(line: str, number: int) -> None:
    """Refuse a marker inside a line of text, where no diagram fits."""
    if _MARKER.search(line) and _MARKER.search(_without_code(line)):
        msg = "a marker must be on a line of its own."
        raise MarkerError(msg, number)


def _without_code(line: str) -> str:
    """Return *line* without what is between backticks."""
    runs = list(_BACKTICKS.finditer(line))
    last = {len(run[0]): run.start() for run in runs}
    parts: list[str] = []
    done = width = 0
    for run in runs:
        if width == len(run[0]):
            done, width = run.end(), 0
        elif not width and last[len(run[0])] > run.start():
            parts.append(line[done : run.start()])
            width = len(run[0])
    return "".join((*parts, line[done:]))
