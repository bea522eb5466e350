from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runs.timestamps import find_stamp, parse_time

NOON = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("value", "micros"),
    [
        ("2026-11-30T12:00:00Z", 0),
        ("2026-11-30T12:00:00.25Z", 250_000),
        ("2026-11-30T12:00:00.123456789Z", 123_456),
        ("2026-11-30T13:00:00+01:00", 0),
        ("2026-11-30T05:30:00-0630", 0),
        ("2026-11-30 12:00:00.5 +0000", 500_000),
        (NOON, 0),
        (NOON + 0.25, 250_000),
        (f" {NOON}", 0),
        (f"{NOON}.000001", 1),
        (NOON * 10**3 + 7, 7_000),
        (NOON * 10**6 + 7, 7),
        (NOON * 10**9 + 7_000, 7),
        ({"seconds": NOON, "nanos": 7_000}, 7),
        ({"repr": "2026-11-30 13:00:00+01:00", "timestamp": NOON + 0.5}, 500_000),
    ],
)
def test_times_are_read(value: Any, micros: int) -> None:
    """Every form that a logging library writes says the same moment."""
    assert parse_time(value) == (NOON * 1_000_000 + micros, True)


@pytest.mark.parametrize(
    "value", ["2026-11-30 12:00:00,123", "2026-11-30T12:00:00.123"]
)
def test_a_time_without_a_zone_is_utc(value: str) -> None:
    """The caller can tell, and prefer another time."""
    assert parse_time(value) == (NOON * 1_000_000 + 123_000, False)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "soon", 12.5, -NOON, 1e300, float("nan"), [NOON], {}),
        *({"seconds": None}, {"seconds": "x"}, {"timestamp": {"timestamp": 1}}),
        "2026-13-30T12:00:00Z",
    ],
)
def test_other_values_are_no_times(value: Any) -> None:
    """Uptimes, broken dates and other objects give nothing."""
    assert parse_time(value) is None


@given(st.recursive(st.none() | st.floats() | st.integers() | st.text(), st.lists))
def test_nothing_raises(value: Any) -> None:
    """Whatever a line has as its time is a time or none."""
    parse_time(value)
    parse_time({"seconds": value, "timestamp": value})
    find_stamp(str(value))


def test_a_time_is_found_in_a_prefix() -> None:
    """Log shippers put one before the line."""
    found = find_stamp("pod/x 2026-11-30T12:00:00.5+00:00 stdout F ")

    assert found == (NOON * 1_000_000 + 500_000, True)
    assert find_stamp("api-1  | ") is None
