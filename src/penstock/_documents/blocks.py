"""Find the marked blocks of a Markdown document, and replace their text."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MARKER = re.compile(r"<!--[ \t]*(?P<end>/?)penstock(?P<rest>[ \t]*:.*?|[ \t]*)-->")
_ALONE = re.compile(rf"(?P<prefix>[ \t>]*){_MARKER.pattern}[ \t]*")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_FENCE = re.compile(r"[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}(?=[^`]*$)|~{3,})")
_CLOSING = re.compile(r"[ \t>]*(`{3,}|~{3,})[ \t]*")
_LIST_ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_CODE_INDENT = 4  # spaces that turn a line into code, except in a list
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
    begun: Block | None = None
    for number, line in _outside_code(lines):
        marker = _ALONE.fullmatch(line.rstrip("\r\n"))
        if marker is None:
            _refuse_hidden(line, number)
        elif marker["end"]:
            if begun is None:
                msg = f"{_END} closes no block. Remove it, or begin one: {_EXAMPLE}"
                raise MarkerError(msg, number)
            yield begun._replace(text="".join(lines[begun.line : number - 1]))
            begun = None
        else:
            if begun is not None:
                break
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
    """Reject a marker inside a line of text, where no diagram fits."""
    if _MARKER.search(line) and _MARKER.search(_CODE_SPAN.sub("", line)):
        msg = "a marker must be on a line of its own."
        raise MarkerError(msg, number)


def _outside_code(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield each line outside code and marked blocks, with its number.

    Inside a marked block only markers count: a broken fence there must not hide the
    marker that closes the block.
    """
    fence = ""
    is_in_block = is_list = False
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        marker = _ALONE.fullmatch(text)
        if fence:
            closing = _CLOSING.fullmatch(text)
            if closing and closing[1].startswith(fence):
                fence = ""
            continue
        if not is_in_block:
            is_list = _is_in_list(text, was=is_list)
            if _is_indented(text) and not is_list:
                continue
            if opening := _FENCE.match(text):
                fence = opening[1]
                continue
        elif not marker:
            continue
        if marker:
            is_in_block = not marker["end"]
        yield number, line


def _is_in_list(line: str, *, was: bool) -> bool:
    if not line.strip():
        return was
    return bool(_LIST_ITEM.match(line)) or (was and line[0] in " \t>")


def _is_indented(line: str) -> bool:
    text = line.expandtabs(_CODE_INDENT)
    return bool(text.strip()) and len(text) - len(text.lstrip()) >= _CODE_INDENT
