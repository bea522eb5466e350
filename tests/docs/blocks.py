"""Find the fenced blocks of a Markdown document, and the purpose of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Block", "DocumentError", "blocks_of"]

Purpose = Literal["code", "output", "skip"]

_FENCE = re.compile(r"^(?P<indent>\s*)(?P<ticks>`{3,})(?P<info>[^`]*)$")
_NO_RUN = re.compile(r"^<!--\s*no-run:?(?P<reason>.*?)-->$")
_SETUP = re.compile(r"^<!--\s*setup\s*$")
_INTRODUCES_OUTPUT = re.compile(
    r"^[^\n]*\b(output|prints?|printed)\b[^\n]*:$", re.IGNORECASE
)
_RUNS = {"python", "console", "bash", "sh", "shell"}
_CAN_BE_OUTPUT = {"", "text", "mermaid", "json", "dot", "html"}


class DocumentError(Exception):
    """A document breaks a rule that keeps its blocks testable."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        language: Its language, ``""`` where none is given.
        text: What it holds, without its indentation.
        line: Line of the document on which *text* begins, from 1.
        purpose: Whether it is code, the output of the block above, or not for tests.
    """

    language: str
    text: str
    line: int
    purpose: Purpose


def blocks_of(document: str) -> list[Block]:
    """Return the blocks of *document* in order, including those inside directives.

    Raises:
        DocumentError: A block is marked ``no-run`` without a reason.
    """
    return list(_blocks(document.splitlines(), 1))


def _blocks(lines: list[str], first: int) -> Iterator[Block]:
    between: list[str] = []
    may_print = False
    i = 0
    while i < len(lines):
        if _SETUP.match(lines[i].strip()):
            end = next(j for j in range(i, len(lines)) if "-->" in lines[j])
            text = "\n".join(lines[i + 1 : end])
            yield Block("python", text, first + i + 1, "code")
            i = end + 1
            continue
        fence = _FENCE.match(lines[i])
        if fence is None:
            between.append(lines[i])
            i += 1
            continue
        end = _end_of(fence, lines, i)
        language, start = _language(fence["info"].strip(), lines, i + 1)
        if language.startswith("{"):
            yield from _blocks(lines[start:end], first + start)
            may_print = False
        else:
            indent = len(fence["indent"])
            text = "\n".join(line[indent:] for line in lines[start:end])
            purpose = _purpose(language, between, may_print=may_print, line=first + i)
            yield Block(language, text, first + start, purpose)
            may_print = purpose == "code" and language == "python"
        between = []
        i = end + 1


def _end_of(fence: re.Match[str], lines: list[str], start: int) -> int:
    for j in range(start + 1, len(lines)):
        if lines[j].strip() == fence["ticks"]:
            return j
    return len(lines)


def _language(info: str, lines: list[str], start: int) -> tuple[str, int]:
    """Return the language and the line of the text; ``{name}`` for a directive."""
    directive, _, argument = info.partition(" ")
    if directive not in {"{code-block}", "{code}"}:
        return (info if directive.startswith("{") else directive), start
    while start < len(lines) and re.match(r"^\s*(:[\w-]+:.*)?$", lines[start]):
        start += 1
    return argument.strip(), start


def _purpose(
    language: str, between: list[str], *, may_print: bool, line: int
) -> Purpose:
    above = "\n".join(between).strip()
    last = above.rpartition("\n")[2].strip()
    marker = _NO_RUN.match(last)
    if marker:
        if not marker["reason"].strip():
            msg = f"line {line}: say why: <!-- no-run: the reason -->"
            raise DocumentError(msg)
        return "skip"
    if may_print and language in _CAN_BE_OUTPUT:
        return "output" if not above or _INTRODUCES_OUTPUT.match(above) else "skip"
    return "code" if language in _RUNS | {"pycon", "toml", "json"} else "skip"
