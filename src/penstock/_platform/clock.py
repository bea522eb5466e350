"""Durations and times of day."""

from __future__ import annotations

import time

__all__ = ["elapsed_ms", "now", "utc"]

_ABSURD_MS = 1e11
"""Three years: the clock was frozen, or thawed, while penstock measured."""


# In a tuple: freezegun replaces clocks in the namespaces of modules.
_CLOCKS = (time.perf_counter,)


def now() -> float:
    """Return the time in seconds since an unknown moment."""
    return _CLOCKS[0]()


def elapsed_ms(began: float | None) -> float | None:
    """Return the milliseconds since ``now()`` was *began*, rounded to a microsecond.

    None if it was not, or if a test has frozen or moved the clock meanwhile.
    """
    if began is None:
        return None
    duration_ms = round((_CLOCKS[0]() - began) * 1_000_000) / 1000
    return duration_ms if 0 <= duration_ms < _ABSURD_MS else None


def utc(seconds: float) -> str:
    """Return a time since the epoch as RFC 3339 has it, in UTC with microseconds.

    >>> utc(0.25)
    '1970-01-01T00:00:00.250000Z'
    """
    whole, micros = divmod(round(seconds * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{micros:06d}Z"
