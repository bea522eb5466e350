"""Times, as log lines and messages have them."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock._platform.clock import elapsed_ms, now, utc
from tests.support.call_styles import run_python


def test_a_duration_is_rounded_to_a_microsecond() -> None:
    """More digits are noise."""
    elapsed = elapsed_ms(now())

    assert elapsed is not None
    assert 0 <= elapsed < 60_000
    assert elapsed == round(elapsed, 3)


@pytest.mark.parametrize("moved_s", [3600.0, -50 * 365 * 86400.0])
def test_a_clock_that_was_moved_gives_no_duration(moved_s: float) -> None:
    """It went back, or the process began with a frozen one."""
    assert elapsed_ms(now() + moved_s) is None


def test_a_clock_that_a_test_replaces_in_modules_does_not_matter() -> None:
    """As freezegun does it: in the namespace of every module."""
    program = """
        import sys, time
        import logging, penstock
        real, fake = time.perf_counter, lambda: 1e12
        took = []
        class Keep(logging.Handler):
            def emit(self, record): took.append(getattr(record, "duration_ms", None))
        logger = logging.getLogger("penstock")
        logger.addHandler(Keep())
        logger.setLevel("INFO")
        @penstock.flow("jobs").entrypoint
        def freeze():
            for module in list(sys.modules.values()):
                for name, value in list(vars(module).items()):
                    if value is real: setattr(module, name, fake)
        freeze()
        print(0 <= took[1] < 20_000)
    """
    assert run_python(program) == ("True\n", "")


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_a_time_of_day_is_as_rfc_3339_has_it(micros: int) -> None:
    """In UTC, with microseconds, and read back without loss."""
    text = utc(micros / 1_000_000)

    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert text == utc(micros / 1_000_000)
    assert len(text) == len("1970-01-01T00:00:00.000000Z")
    read = dt.datetime.fromisoformat(text)
    assert abs(read - epoch - dt.timedelta(microseconds=micros)) <= dt.timedelta(
        microseconds=1
    )


def test_now_is_of_a_clock_that_never_goes_back() -> None:
    """It is ``time.perf_counter``."""
    first, second, third = time.perf_counter(), now(), time.perf_counter()

    assert first <= second <= third
