"""IDs of calls: a number on the call path, a string where someone reads it."""

from __future__ import annotations

import os
from itertools import count

from .process import on_fork

_BYTES = 8

call_numbers = count(1)
"""Gives each call its number. Safe in any thread."""

# A forked child goes on counting: numbers from before the fork keep the prefix of the
# parent. The latest fork comes first.
_oldest = os.urandom(_BYTES).hex()
_prefixes: list[tuple[int, str]] = []


def call_id(number: int) -> str:
    """Return the ID of a call, unique in all processes."""
    for first, prefix in _prefixes:
        if number >= first:
            return f"{prefix}-{number}"
    return f"{_oldest}-{number}"


def _change_prefix() -> None:
    _prefixes.insert(0, (next(call_numbers), os.urandom(_BYTES).hex()))


on_fork(_change_prefix)
