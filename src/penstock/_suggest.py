"""Say what a misspelt name was probably meant to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'orders'?"``, or ``""`` where nothing is near."""
    if not isinstance(name, str):
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  # 1 ms, on errors only

    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
