"""Which format a file's name stands for, and what the file then holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["content_of", "fenced", "format_of"]

_SUFFIXES = {
    ".md": "mermaid",
    ".markdown": "mermaid",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".json": "json",
    ".txt": "text",
    ".svg": "svg",
    ".png": "png",
    ".html": "html",
    ".htm": "html",
}
_MARKDOWN = frozenset((".md", ".markdown"))
_BACKTICKS = re.compile("`+")
_FENCED = frozenset(("mermaid", "dot", "json", "text"))


def format_of(path: Path | None) -> str:
    """Return the format that the suffix of *path* stands for.

    Raises:
        ConfigurationError: It stands for none.
    """
    if path is None:
        return "mermaid"
    form = _SUFFIXES.get(path.suffix.lower())
    if form is None:
        msg = (
            f"the name {path.name!r} does not tell what to draw. Give format=..., or "
            f"a name that ends in one of: {' '.join(_SUFFIXES)}"
        )
        raise ConfigurationError(msg)
    return form


def content_of(drawing: str | bytes, form: str, path: Path) -> bytes:
    """Return a drawing as a file holds it; in Markdown that is a block."""
    if isinstance(drawing, bytes):
        return drawing
    if form in _FENCED and path.suffix.lower() in _MARKDOWN:
        drawing = fenced(drawing, form)
    return f"{drawing}\n".encode()


def fenced(text: str, language: str) -> str:
    """Return *text* as a fenced block, whatever backticks it has itself."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
