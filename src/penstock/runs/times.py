"""Times in microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite

__all__ = ["earlier", "later", "time_of"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(text: object) -> int | None:
    """Return the time that an RFC 3339 string with a zone says, None for others."""
    if not isinstance(text, str):
        return None
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError, OverflowError):  # malformed, or without a zone
        return None


def later(time_us: int | None, ms: object) -> int | None:
    """Return the time *ms* later, None if either is unknown."""
    if time_us is None or not isinstance(ms, (int, float)) or not isfinite(ms):
        return None
    return time_us + round(ms * 1000)


def earlier(time_us: int | None, ms: float | None) -> int | None:
    """Return the time *ms* earlier, None if either is unknown."""
    return None if ms is None else later(time_us, -ms)
