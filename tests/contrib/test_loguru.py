"""The flow on loguru's records, and on those of other loggers that go through it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from penstock import bind_flow, entrypoint, flow, start_flow
from tests.support.call_styles import marked, run_python, unique

pytest.importorskip("loguru", reason="needs loguru")

from loguru import logger

from penstock.contrib.loguru import FlowPatcher, flow_patcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def plain_loguru() -> Iterator[None]:
    """Leave loguru as it was."""
    logger.remove()
    yield
    logger.remove()
    logger.configure(patcher=lambda _record: None, extra={})


def written(patcher: Any, layout: str, log: Callable[[], object]) -> list[str]:
    """Return the lines that *log* writes in that layout."""
    lines: list[str] = []
    logger.configure(
        handlers=[{"sink": lambda line: lines.append(line.rstrip()), "format": layout}],
        patcher=patcher,
    )
    log()
    return lines


def test_one_format_does_for_all_records() -> None:
    """In a flow the ID is there, outside it is a dash and no KeyError."""

    def log() -> None:
        logger.info("open")
        with start_flow("order-17"):
            logger.info("received")

    assert written(flow_patcher, "{extra[flow_id]} {message}", log) == [
        "- open",
        "order-17 received",
    ]


def test_what_was_bound_is_kept() -> None:
    """The user's own value wins."""

    def log() -> None:
        with start_flow("order-17"):
            logger.bind(flow_id="own").info("received")

    assert written(flow_patcher, "{extra[flow_id]}", log) == ["own"]


def test_other_keys_by_your_own_names() -> None:
    """Flow, step and parent, under the names that you choose; a dash where unknown."""
    patcher = FlowPatcher(correlation_id="cid", flow="f", step="s", parent_id="p")

    def log() -> None:
        logger.info("open")
        with start_flow("order-17"):
            logger.info("carried")
            name = unique("orders")
            flow(name)(entrypoint(name="receive")(lambda: logger.info(name)))()

    lines = written(
        patcher, "{extra[cid]} {extra[f]}/{extra[s]} {extra[p]} {message}", log
    )

    name = lines[2].rpartition(" ")[2]
    assert lines == [
        "- -/- - open",
        "order-17 -/- - carried",
        f"order-17 {name}/receive - {name}",
    ]


def test_metadata_keeps_its_name() -> None:
    """It is a dash where it is not set, so that one format string works."""
    patcher = FlowPatcher("order_id")
    inside: dict[str, Any] = {"extra": {}}
    outside: dict[str, Any] = {"extra": {}}
    with start_flow(order_id="A-1"):
        patcher(inside)
    patcher(outside)

    assert (inside["extra"], outside["extra"]) == (
        {"order_id": "A-1"},
        {"order_id": "-"},
    )


def test_a_sink_in_another_thread_writes_the_callers_id() -> None:
    """With ``enqueue`` the record is made where the call is."""
    program = """
        import sys
        from loguru import logger
        from penstock import start_flow
        from penstock.contrib.loguru import flow_patcher
        logger.remove()
        logger.configure(patcher=flow_patcher)
        logger.add(sys.stdout, format="{extra[flow_id]}", enqueue=True)
        for number in range(3):
            with start_flow(f"order-{number}"):
                logger.info("received")
        logger.complete()
    """
    assert run_python(program) == ("order-0\norder-1\norder-2\n", "")


def test_json_lines_carry_it() -> None:
    """``serialize=True`` writes ``extra`` whole."""
    lines: list[str] = []
    logger.configure(
        handlers=[{"sink": lines.append, "serialize": True}], patcher=flow_patcher
    )

    with start_flow("order-17"):
        logger.info("received")

    assert json.loads(lines[0])["record"]["extra"] == {"flow_id": "order-17"}


def test_standard_logging_through_loguru_has_it_too() -> None:
    """As loguru's documentation hands records over; penstock's own are among them."""

    class Intercept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logger.log(record.levelname, record.getMessage())

    handler = Intercept()
    logging.getLogger("penstock").addHandler(handler)
    logging.getLogger("penstock").setLevel(logging.INFO)
    receive = marked("sync", lambda: None, role="entrypoint")

    def log() -> None:
        with start_flow("order-17"):
            receive()

    try:
        lines = written(flow_patcher, "{extra[flow_id]} {message}", log)
    finally:
        logging.getLogger("penstock").removeHandler(handler)
        logging.getLogger("penstock").setLevel(logging.NOTSET)

    assert [line.split()[:2] for line in lines] == [
        ["order-17", "step.start"],
        ["order-17", "step.end"],
    ]


def test_a_bound_function_logs_in_its_flow() -> None:
    """Also in a thread that inherits nothing."""

    def log() -> None:
        with start_flow("order-17"):
            bound = bind_flow(lambda: logger.info("later"))
        bound()

    assert written(flow_patcher, "{extra[flow_id]} {message}", log) == [
        "order-17 later"
    ]


def test_disabled_it_writes_dashes() -> None:
    """Under ``PENSTOCK_DISABLED`` the format still works."""
    program = (
        "import sys; from loguru import logger; from penstock import start_flow;"
        "from penstock.contrib.loguru import flow_patcher; logger.remove();"
        "logger.configure(patcher=flow_patcher);"
        "logger.add(sys.stdout, format='{extra[flow_id]}');"
        "\nwith start_flow('order-17'): logger.info('received')"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={"PENSTOCK_DISABLED": "1"},
    )

    assert result.stdout == "-\n"
