"""Tell which lines of a Markdown document are code, by the rules of CommonMark."""

from __future__ import annotations

import re
from typing import NamedTuple

_MAX_DEPTH = 32  # of lists and quotations; bounds the time that a line takes
_INDENT = " " * 4  # turns a line into code

_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r" {0,3}(?:[-+*]|(\d{1,9})[.)])(?= |$)")
_RULE = re.compile(r" {0,3}([-*_])(?: *\1){2,}$")
_HEADING = re.compile(r" {0,3}#{1,6}(?: |$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)$")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")

_RAW = "(?:script|pre|style|textarea)"
_TAGS = (
    "address article aside base basefont blockquote body caption center col colgroup "
    "dd details dialog dir div dl dt fieldset figcaption figure footer form frame "
    "frameset h[1-6] head header hr html iframe legend li link main menu menuitem nav "
    "noframes ol optgroup option p param search section summary table tbody td tfoot "
    "th thead title tr track ul"
).replace(" ", "|")
_NAME = "[a-z][a-z0-9-]*+"
_ATTRIBUTE = r""" ++[a-z_:][\w.:-]*+(?: *+= *+(?:[^ "'=<>`]++|'[^']*+'|"[^"]*+"))?+"""
_BLANK = "$"
# How each kind of HTML block begins and ends. The last cannot interrupt a paragraph.
_HTML = tuple(
    (re.compile(rf"(?ai) {{0,3}}<{begin}"), re.compile(rf"(?i){end}"))
    for begin, end in (
        (f"{_RAW}(?=[ >]|$)", f".*?</{_RAW}>"),
        ("!--", ".*?-->"),
        (r"\?", r".*?\?>"),
        ("![a-z]", ".*?>"),
        (r"!\[CDATA\[", r".*?\]\]>"),
        (f"/?(?:{_TAGS})(?=[ >]|/>|$)", _BLANK),
        (f"(?:{_NAME}(?:{_ATTRIBUTE})*+ *+/?|/{_NAME} *+)>$", _BLANK),
    )
)


class _Leaf(NamedTuple):
    """A block that has lines, not blocks.

    Attributes:
        kind: ``paragraph``, ``fence``, ``html``, or ``""`` for all that never matter.
        end: What a line matches that ends it; None if it has ended.
    """

    kind: str = ""
    end: re.Pattern[str] | None = None


class MarkdownLines:
    """Reads the lines of a document, in order."""

    def __init__(self) -> None:
        # The columns before the text of a list item; 0 for a quotation.
        self._containers: list[int] = []
        self._empty_item = -1  # the depth of an item that has no text yet
        self._leaf = _Leaf()

    def is_code(self, line: str) -> bool:
        """Read the next line; tell whether it is code, or indented like code."""
        # Tabs fill columns of the whole line, whatever it begins with.
        text = line.rstrip("\r\n").expandtabs(len(_INDENT)).rstrip(" ")
        start, depth = self._enter(text)
        kind, end = self._leaf
        if end is None or depth < len(self._containers):
            start = self._begin(text, start, depth)
            kind = self._leaf.kind
        elif end.match(text, start):
            self._leaf = _Leaf()
        return kind == "fence" or text.startswith(_INDENT, start)

    def _enter(self, text: str) -> tuple[int, int]:
        """Return where the line begins in the open containers, and how many go on."""
        start = 0
        for depth, width in enumerate(self._containers):
            quote = None if width else _QUOTE.match(text, start)
            if quote:
                start = quote.end()
            elif width and text.startswith(" " * width, start):
                start += width
            elif not width or start < len(text) or depth == self._empty_item:
                return start, depth
        return start, len(self._containers)

    def _begin(self, text: str, start: int, depth: int) -> int:
        """Open what the line begins; return where its text begins."""
        in_paragraph = self._leaf.kind == "paragraph"
        is_whole = depth == len(self._containers)
        opened: list[int] = []
        while depth + len(opened) < _MAX_DEPTH:
            interrupts = in_paragraph and is_whole and not opened
            width, inner = _container(text, start, interrupts=interrupts)
            if inner == start:
                break
            opened.append(width)
            start = inner
        goes_on = in_paragraph and not opened
        leaf = _leaf(text, start, goes_on=goes_on, has_underline=goes_on and is_whole)
        if goes_on and leaf.kind == "paragraph":
            return start  # also where containers end: a paragraph goes on without them
        self._containers[depth:] = opened
        is_empty = bool(opened and opened[-1]) and start >= len(text)
        self._empty_item = len(self._containers) - 1 if is_empty else -1
        self._leaf = leaf
        return start


def _container(text: str, start: int, *, interrupts: bool) -> tuple[int, int]:
    """Return the columns of the container that begins here, and where its text does."""
    if quote := _QUOTE.match(text, start):
        return 0, quote.end()
    item = _ITEM.match(text, start)
    if not item or _RULE.match(text, start):
        return 0, start
    inner = len(text) - len(text[item.end() :].lstrip(" "))
    is_blank = inner >= len(text)
    if interrupts and (is_blank or int(item[1] or 1) != 1):
        return 0, start
    gap = inner - item.end()
    if is_blank or gap > len(_INDENT):
        gap = 1
    return item.end() - start + gap, item.end() + gap


def _leaf(text: str, start: int, *, goes_on: bool, has_underline: bool) -> _Leaf:
    """Return the leaf that begins here, or the paragraph that goes on."""
    is_blank = start >= len(text)
    if is_blank or text.startswith(_INDENT, start):
        return _Leaf("paragraph" if goes_on and not is_blank else "")
    if fence := _FENCE.match(text, start):
        mark = fence[1]
        return _Leaf("fence", re.compile(f" {{0,3}}{mark[0]}{{{len(mark)},}}$"))
    for begin, end in _HTML[: -1 if goes_on else None]:
        if begin.match(text, start):
            return _Leaf("html", None if end.match(text, start) else end)
    lines = (_HEADING, _RULE, _UNDERLINE) if has_underline else (_HEADING, _RULE)
    is_line = any(line.match(text, start) for line in lines)
    return _Leaf("" if is_line else "paragraph")
