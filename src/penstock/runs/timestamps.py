"""Read the times that log lines have."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

__all__ = ["Stamp", "find_stamp", "parse_time"]

Stamp = tuple[int, bool]
"""Microseconds since 1970, and whether the text had a zone. Without one, it is UTC."""

_SECOND = 1_000_000
_FIRST = 10**8
"""Numbers below are no times: these seconds, in 1973, are also 10**11 milliseconds."""

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?",
    re.ASCII,
)
_NUMBER = re.compile(r"[1-9]\d{8,18}(?:\.\d{1,9})?", re.ASCII)


def parse_time(value: Any) -> Stamp | None:
    """Return a time as log formatters write it, None if *value* is none.

    It may be a text like in RFC 3339 or as ``asctime`` has it, the seconds, milli-,
    micro- or nanoseconds since 1970, or an object with one of these.
    """
    if isinstance(value, dict):
        return _parts(value)
    if type(value) is float:
        value = f"{value:.6f}"
    if type(value) not in {str, int}:
        return None
    text = str(value).strip()
    if _ISO.fullmatch(text):
        return _iso(text)
    return _number(text) if _NUMBER.fullmatch(text) else None


def find_stamp(text: str) -> Stamp | None:
    """Return the first time in *text*, such as in what stands before a line."""
    found = _ISO.search(text)
    return None if found is None else _iso(found[0])


def _parts(value: dict[str, Any]) -> Stamp | None:
    """Read loguru's ``time`` and Google's ``timestamp``."""
    seconds, nanos = value.get("seconds"), value.get("nanos", 0)
    if type(seconds) in {int, str} and type(nanos) is int:
        stamp = parse_time(seconds)
        return None if stamp is None else (stamp[0] + nanos // 1000, True)
    inner = value.get("timestamp")
    return None if isinstance(inner, dict) else parse_time(inner)


def _iso(text: str) -> Stamp | None:
    try:
        time = datetime.fromisoformat(text.replace(" Z", "Z").replace(" +", "+"))
    except ValueError:
        return None
    has_zone = time.tzinfo is not None
    aware = time if has_zone else time.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds
    return micros, has_zone


def _number(text: str) -> Stamp:
    whole, _, fraction = text.partition(".")
    number = int(whole)
    per_second = 1
    while number >= _FIRST * 1000 * per_second:
        per_second *= 1000
    micros = number * _SECOND // per_second
    return micros + int(fraction.ljust(9, "0")[:9]) // (1000 * per_second), True
