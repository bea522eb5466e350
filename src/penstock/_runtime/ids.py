"""Correlation IDs: minted many at a time, checked before they are adopted."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from penstock._platform.process import on_fork

if TYPE_CHECKING:
    from collections.abc import Callable

_BATCH = 64
_BYTES = 16
_HEX = 2 * _BYTES
_MAX_LENGTH = 128
_SHAPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@=/+~-]{0,127}", re.ASCII)

# RFC 9562, section 5.4: byte 6 holds version 4, byte 8 the variant 10xx.
_VERSION = bytes(0x40 | b & 0x0F for b in range(256))
_VARIANT = bytes(0x80 | b & 0x3F for b in range(256))

pool: list[str] = []
"""IDs that are minted and not used yet; the call path takes them from here."""

_forks = 0


def mint_id() -> str:
    """Return a new UUID4 as 32 hexadecimal digits. Safe in any thread."""
    while True:
        try:
            return pool.pop()
        except IndexError:
            _fill()


def _fill() -> None:
    """Mint a batch from one ``os.urandom``: the system call costs more than an ID."""
    forks = _forks
    raw = bytearray(os.urandom(_BYTES * _BATCH))
    raw[6::_BYTES] = raw[6::_BYTES].translate(_VERSION)
    raw[8::_BYTES] = raw[8::_BYTES].translate(_VARIANT)
    digits = raw.hex()
    pool.extend(digits[i : i + _HEX] for i in range(0, len(digits), _HEX))
    if forks != _forks:  # the parent is about to use this batch as well
        pool.clear()


def _forget() -> None:
    """Forget minted IDs that a parent process may hand out too."""
    global _forks  # noqa: PLW0603  # noticed by a fill that is under way
    _forks += 1
    pool.clear()


on_fork(_forget)


def is_valid_id(text: str) -> bool:
    """Tell whether *text* may be adopted as a correlation ID.

    All of it must match ASCII ``[A-Za-z0-9][A-Za-z0-9._:@=/+~-]{0,127}``.
    """
    return _SHAPE.fullmatch(text) is not None


def _is_header_safe(text: str) -> bool:
    """Tell whether *text* can stand in a header."""
    if not 0 < len(text) <= 8 * _MAX_LENGTH or text != text.strip():
        return False  # clients refuse spaces around a value, or servers strip them
    return text.isascii() and text.isprintable()


def refusal(text: object, is_valid: Callable[[str], bool] | None = None) -> str:
    """Say why *text* is refused as an ID, without its value; ``""`` if it is not.

    Args:
        text: The ID.
        is_valid: Decides about an ID that came in. Without it the form alone counts:
            printable ASCII of at most 1024 characters, with no spaces around it.
    """
    if not isinstance(text, str):
        return f"it is {type(text).__name__}, not str"
    if is_valid is is_valid_id and _SHAPE.fullmatch(text):
        return ""  # as most IDs that come in; the form is safe in a header, too
    if not text:
        return "it is empty"
    if not _is_header_safe(text):
        return f"unsafe characters or length ({len(text)} characters)"
    try:
        accepted = is_valid is None or is_valid(text)
    except Exception as exc:  # noqa: BLE001  # a validator must not break a request
        return f"the validator raised {type(exc).__name__}"
    return "" if accepted else f"wrong form ({len(text)} characters)"
