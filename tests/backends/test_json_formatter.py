from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
import socket
import sys
import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    FlowFilter,
    JSONFormatter,
    configure,
    entrypoint,
    flow,
    start_flow,
)
from tests.support.call_styles import unique

WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def parsed(record: logging.LogRecord) -> dict[str, Any]:
    """Return the object that the formatter writes for *record*."""
    line = JSONFormatter().format(record)
    assert "\n" not in line
    assert line.isascii()
    found: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    return found


def record_with(**attributes: Any) -> logging.LogRecord:
    """Return a record that has *attributes* as its extra, or as logging's own."""
    known = {"name": "shop", "msg": "paid", "levelname": "INFO", "process": 17}
    return logging.makeLogRecord({**known, **attributes})


def test_the_keys_of_a_plain_line() -> None:
    """A record outside a flow has six keys, in this order."""
    line = parsed(record_with())

    assert WHEN.fullmatch(line.pop("timestamp"))
    assert list(line.items()) == [
        ("level", "INFO"),
        ("logger", "shop"),
        ("message", "paid"),
        ("host.name", socket.gethostname()),
        ("process.pid", 17),
    ]


def test_a_message_for_terminals_is_left_out() -> None:
    """Uvicorn puts it beside the message, with escape sequences."""
    assert parsed(record_with(color_message="\x1b[1mpaid\x1b[0m")).keys() == {
        *("timestamp", "level", "logger", "message", "host.name", "process.pid")
    }


def test_the_formatter_alone_knows_the_flow() -> None:
    """Nothing else has to be installed; a failure is of the run that it left."""
    with start_flow("order-17"):
        line = parsed(record_with(name="shop"))
    assert line["correlation_id"] == line["short_id"] == "order-17"

    try:
        with start_flow("order-18"):
            fail()
    except KeyError:
        line = parsed(record_with(exc_info=sys.exc_info()))
    assert line["root_id"] == "order-18"


def fail() -> None:
    """Fail in a run."""

    @flow(unique("failing"))
    @entrypoint
    def work() -> None:
        raise KeyError

    work()


def test_the_formatter_behind_a_queue_warns_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There it cannot know the flow, and does not guess."""
    record = record_with(thread=threading.get_ident() + 1)

    with start_flow("the-listeners"):
        assert "correlation_id" not in parsed(record)
        parsed(record_with(thread=threading.get_ident() + 1))

    (warning,) = [one for one in caplog.records if one.name == "penstock"]
    assert warning.getMessage() == (
        "JSONFormatter got a record that was made in another thread, where its flow "
        "was. Call install_log_fields(), or put a FlowFilter on the QueueHandler."
    )


def test_the_time_is_in_utc_with_microseconds() -> None:
    """RFC 3339, of when the record was made."""
    line = parsed(record_with(created=1_764_502_690.0625))

    assert line["timestamp"] == "2025-11-30T11:38:10.062500Z"


def test_the_keys_of_a_line_in_a_flow() -> None:
    """The fields that are known, once each; ``-`` is left out."""
    record = record_with(order_id="A-1")
    with start_flow("order-17"):
        FlowFilter("tenant").filter(record)

    line = parsed(record)

    assert line["correlation_id"] == line["root_id"] == line["short_id"] == "order-17"
    assert line["order_id"] == "A-1"
    assert not {"flow", "step", "flow_id", "call_id", "tenant"} & line.keys()


def test_the_keys_of_lines_about_steps(lines: list[logging.LogRecord]) -> None:
    """Every field of the table, numbers as numbers."""
    configure(service="shop")
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        raise KeyError

    @orders.entrypoint
    def receive() -> None:
        charge()

    with pytest.raises(KeyError):
        receive()

    start, end = parsed(lines[1]), parsed(lines[2])
    common = [
        "timestamp",
        "level",
        "logger",
        "message",
        "flow_event",
        "flow",
        "step",
        "correlation_id",
        "root_id",
        "short_id",
        "run_id",
        "call_id",
        "service",
        "parent_call_id",
        "parent_step",
    ]
    at_the_end = ["outcome", "duration_ms", "error_type"]
    process = ["host.name", "process.pid"]
    assert list(start) == [*common, *process]
    assert list(end) == [*common, *at_the_end, *process]
    assert end["message"].startswith(f"step.error {orders.name}/charge KeyError ")
    assert end["process.pid"] == os.getpid()
    assert isinstance(end["duration_ms"], float)
    assert (end["outcome"], end["error_type"]) == ("error", "KeyError")


class AppError(Exception):
    """An error of an application."""


def fail_in_app() -> None:
    """Raise one."""
    msg = "no such order"
    raise AppError(msg)


def test_an_exception_has_three_keys() -> None:
    """Its class with the module, its message, and the traceback in one string."""
    with pytest.raises(AppError) as caught:
        fail_in_app()

    line = parsed(record_with(exc_info=caught._excinfo, stack_info="Stack:"))  # noqa: SLF001  # a triple

    assert line["exception.type"] == f"{__name__}.AppError"
    assert line["exception.message"] == "no such order"
    assert line["exception.stacktrace"].startswith("Traceback ")
    assert line["exception.stacktrace"].endswith("AppError: no such order")
    assert line["stack_info"] == "Stack:"


def test_an_exception_that_was_formatted_before() -> None:
    """A queue between processes leaves the text alone; no exception leaves nothing."""
    line = parsed(record_with(exc_text="Traceback: KeyError"))
    none = parsed(record_with(exc_info=(None, None, None)))

    assert line["exception.stacktrace"] == "Traceback: KeyError"
    assert not any(key.startswith("exception") for key in none)


def test_a_builtin_exception_has_no_module() -> None:
    """As OpenTelemetry has it."""
    exc = KeyError("x")

    line = parsed(record_with(exc_info=(KeyError, exc, None)))

    assert line["exception.type"] == "KeyError"


def test_extras_never_hide_the_lines_own_keys() -> None:
    """An extra with the name of one is kept beside it."""
    line = parsed(record_with(level="gold", timestamp="never", **{"host.name": "h"}))

    assert line["level"] == "INFO"
    assert WHEN.fullmatch(line["timestamp"])
    assert line["extra.level"] == "gold"
    assert line["extra.timestamp"] == "never"
    assert line["extra.host.name"] == "h"


class Broken:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise OSError

    def __eq__(self, other: object) -> bool:
        raise OSError

    __hash__ = None  # type: ignore[assignment]  # the point


class BrokenDict(dict[str, int]):
    """Raises when it is read."""

    def items(self) -> Any:
        """Raise."""
        raise OSError


RING: list[object] = []
RING.extend([RING] * 9)
deep: list[object] = []
for _ in range(50):
    deep = [deep]
UTC_TIME = dt.datetime(2026, 11, 30, 12, 0, 0, 5, tzinfo=dt.UTC)
ZONE = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (17, 17),
        (True, True),
        ("ü\ud800", "ü\ud800"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**30, str(10**30)),
        (10**5000, "<int>"),
        (Decimal("1.20"), "1.20"),
        (b"x", "b'x'"),
        (UTC_TIME, "2026-11-30T12:00:00.000005Z"),
        (UTC_TIME.astimezone(ZONE), "2026-11-30T12:00:00.000005Z"),
        (dt.datetime(2026, 11, 30, 12), "2026-11-30T12:00:00"),  # noqa: DTZ001  # naive
        (dt.date(2026, 11, 30), "2026-11-30"),
        ((1, {"a": {2}}), [1, {"a": [2]}]),
        ({None: 1, 2: 3}, {"None": 1, "2": 3}),
        (Broken(), "<Broken>"),
        ([Broken()], ["<Broken>"]),
        (BrokenDict(a=1), "{'a': 1}"),
        (RING, [str(RING)] * 9),
    ],
    ids=range(19),
)
def test_a_value_that_json_does_not_have_is_a_string(
    value: object, written: object
) -> None:
    """No extra is lost, and none is an error."""
    assert parsed(record_with(extra=value))["extra"] == written


def test_a_deep_value_ends_in_a_string() -> None:
    """Eight levels are written."""
    value = parsed(record_with(extra=deep))["extra"]

    depth = 0
    while isinstance(value, list):
        (value,) = value
        depth += 1
    assert depth == 8
    assert value.startswith("[[[")


def test_a_message_that_cannot_be_formatted_is_not_lost() -> None:
    """Its arguments are shown beside it."""
    line = parsed(record_with(msg="%d of %d", args=("one",)))

    assert line["message"] == "%d of %d ('one',)"


def test_a_time_that_is_none_is_not_an_error() -> None:
    """A record from another process may have anything."""
    assert parsed(record_with(created="noon"))["timestamp"] == "noon"


def test_an_exception_that_cannot_be_formatted_is_named() -> None:
    """The line is written without its traceback."""

    class Unformatted(JSONFormatter):
        def formatException(self, ei: Any) -> str:  # noqa: N802  # the name in logging
            raise OSError

    exc = KeyError("x")
    line = json.loads(Unformatted().format(record_with(exc_info=(KeyError, exc, None))))

    assert line["exception.stacktrace"] == "<KeyError, not shown: OSError>"


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_like))
def test_any_extra_is_valid_json(extra: dict[str, object]) -> None:
    """Whatever is on a record, its line is one object."""
    plain = vars(logging.makeLogRecord({}))
    record = record_with()
    record.__dict__.update({k: v for k, v in extra.items() if k not in plain})

    assert parsed(record)["message"] == "paid"
