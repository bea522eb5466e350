"""Lines of steps are records as ``logging`` itself makes them."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from logging import LogRecord
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from penstock import bind_flow, start_flow
from tests.support.call_styles import marked, run_python

if TYPE_CHECKING:
    from collections.abc import Callable

    Lines = list[LogRecord]


def as_logging_makes_them(write: Callable[[], object], lines: Lines) -> None:
    """Check that lines are what they would be if ``LogRecord()`` had made them."""
    del lines[:]
    write()
    logging.setLogRecordFactory(partial(LogRecord))
    try:
        write()
    finally:
        logging.setLogRecordFactory(LogRecord)
    fast, slow = ([vars(line) for line in part] for part in (lines[:2], lines[2:]))
    assert len(fast) == len(slow) == 2
    for ours, theirs in zip(fast, slow, strict=True):
        assert ours.keys() == theirs.keys()
        assert {key: type(value) for key, value in ours.items()} == {
            key: type(value) for key, value in theirs.items()
        }
        assert {key: ours[key] for key in ours if key not in OF_A_MOMENT} == {
            key: theirs[key] for key in theirs if key not in OF_A_MOMENT
        }
        for key in ("created", "relativeCreated"):
            assert ours[key] <= theirs[key] < ours[key] + 60_000
        assert 0 <= ours["created"] % 1 * 1000 - ours["msecs"] < 1


OF_A_MOMENT = {
    *("created", "msecs", "relativeCreated", "duration_ms", "args", "message"),
    "thread",
}


@pytest.mark.parametrize("where", ["here", "thread", "task"])
def test_lines_are_what_logging_makes_of_them(lines: Lines, where: str) -> None:
    """What is known is kept, and nothing of the record is missing or old."""
    with start_flow("order-17"):
        receive = bind_flow(marked("sync", lambda: None, role="entrypoint"))

    async def run() -> None:
        receive()

    def write() -> None:
        if where == "thread":
            thread = Thread(target=receive, name="elsewhere")
            thread.start()
            thread.join()
        elif where == "task":

            async def main() -> None:
                await asyncio.create_task(run(), name="elsewhere")

            asyncio.run(main())
        else:
            receive()

    as_logging_makes_them(write, lines)
    assert {vars(line)["correlation_id"] for line in lines} == {"order-17"}
    if where == "thread":
        assert {line.threadName for line in lines} == {"elsewhere"}


@pytest.mark.parametrize("flag", ["logThreads", "logProcesses", "logMultiprocessing"])
def test_what_logging_was_told_to_leave_out_is_left_out(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    """Its documented flags hold at once."""
    receive = marked("sync", lambda: None, role="entrypoint")
    receive()
    monkeypatch.setattr(logging, flag, value=False)

    with start_flow("order-17"):
        as_logging_makes_them(receive, lines)

    left_out = [
        key
        for key in ("threadName", "process", "processName")
        if vars(lines[0])[key] is None
    ]
    assert len(left_out) == 1


def test_a_level_that_is_renamed_has_its_new_name(lines: Lines) -> None:
    """As programs that colour their lines do."""
    receive = marked("sync", lambda: None, role="entrypoint")
    receive()
    logging.addLevelName(logging.INFO, "NOTICE")
    try:
        receive()
    finally:
        logging.addLevelName(logging.INFO, "INFO")

    assert [line.levelname for line in lines] == ["INFO"] * 2 + ["NOTICE"] * 2


def test_steps_that_are_declared_without_end_cost_no_memory() -> None:
    """What is kept for their lines is forgotten when it is too much."""
    program = """
        import logging
        from penstock import entrypoint, flow
        from penstock.backends import records
        logging.basicConfig(level=logging.INFO, handlers=[logging.NullHandler()])
        lines = "\\n".join(
            f"def f{n}(): pass\\nflow('orders{n}')(entrypoint(f{n}))()"
            for n in range(6000)
        )
        exec(lines, {"flow": flow, "entrypoint": entrypoint})
        print(len(records._kept) <= records._MAX_KEPT)
    """
    assert run_python(program) == ("True\n", "")


def test_a_multiprocessing_that_is_half_imported_costs_no_line() -> None:
    """Where an import hook makes a step run meanwhile; logging asks the same way."""
    program = """
        import logging, sys, types
        from penstock import entrypoint, flow
        logging.basicConfig(level=logging.INFO, format="%(processName)s %(message).10s")
        sys.modules["multiprocessing"] = types.ModuleType("multiprocessing")
        flow("orders")(entrypoint(lambda: None, name="receive"))()
    """
    out, errors = run_python(program)

    assert (out, errors.splitlines()) == (
        "",
        ["MainProcess step.start", "MainProcess step.end o"],
    )
