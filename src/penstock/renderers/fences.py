"""Put text into Markdown so that nothing in it is read as Markdown."""

from __future__ import annotations

import re

__all__ = ["fenced"]

_BACKTICKS = re.compile("`+")


def fenced(text: str, language: str) -> str:
    """Return *text* as a block of code, without a newline at the end."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
