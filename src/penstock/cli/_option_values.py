"""Read the values of options: pairs, moments and durations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from penstock.errors import plain

__all__ = ["duration_ms", "moment_us", "pair"]

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h)")
_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def pair(value: str) -> tuple[str, str]:
    """Return the key and the value in ``KEY=VALUE``.

    Raises:
        BadParameter: It has another form.
    """
    key, _, wanted = value.partition("=")
    if not (key and wanted):
        msg = f"{plain(repr(value))}: expected KEY=VALUE."
        raise click.BadParameter(msg)
    return key, wanted


def moment_us(value: str) -> int:
    """Return a time, or how long ago it was, as microseconds since 1970.

    A time without a zone is in UTC.

    Raises:
        BadParameter: It is neither.
    """
    ago = _AGO.fullmatch(value)
    try:
        if ago:
            moment = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        msg = (
            f"{plain(repr(value))}: expected how long ago, such as 90m, 1h or 2d, or a "
            "time, such as 2026-11-30T10:15 (in UTC)."
        )
        raise click.BadParameter(msg) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def duration_ms(value: str) -> float:
    """Return a duration in milliseconds.

    Raises:
        BadParameter: It has another form.
    """
    found = _DURATION.fullmatch(value)
    if found is None:
        msg = f"{plain(repr(value))}: expected a duration, such as 200ms, 1.5s or 2m."
        raise click.BadParameter(msg)
    return float(found[1]) * _MS[found[2]]
