from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import re
from typing import TYPE_CHECKING

import pytest

from penstock import (
    LoggingBackend,
    configure,
    entrypoint,
    flow,
    get_backend,
    start_flow,
    step,
)
from tests.support.call_styles import KINDS, finish, marked, run_python, unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Lines = list[logging.LogRecord]

MS = r"\d+\.\d ms"


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Give the ``penstock`` logger, and put its level back."""
    logger = logging.getLogger("penstock")
    yield logger
    logger.setLevel(logging.NOTSET)
    logger.disabled = False
    logging.disable(logging.NOTSET)


def messages(lines: Lines) -> list[str]:
    """Return what the lines say, with their level."""
    return [f"{line.levelname} {line.getMessage()}" for line in lines]


def raising(exc: BaseException) -> Callable[[], None]:
    """Return a function that raises *exc*."""

    def work() -> None:
        raise exc

    return work


def fail_through_three_steps(exc: BaseException) -> str:
    """Raise *exc* in a step of a step of a run; return the flow's name."""
    orders = flow(unique("orders"))

    @orders.step
    def inner() -> None:
        raise exc

    @orders.step
    def outer() -> None:
        inner()

    @orders.entrypoint
    def receive() -> None:
        outer()

    with pytest.raises(type(exc)):
        receive()
    return orders.name


def test_the_lines_of_a_step(lines: Lines) -> None:
    """Start and end at INFO, with name, duration and the ID's first 8 characters."""

    @flow(name := unique("orders"))
    @step
    def charge() -> None: ...

    with start_flow("a1b2c3d4e5f6"):
        charge()

    start, end = messages(lines)
    assert start == f"INFO step.start {name}/charge a1b2c3d4"
    assert re.fullmatch(rf"INFO step\.end {name}/charge {MS} a1b2c3d4", end)


def test_the_line_of_a_failure(lines: Lines) -> None:
    """The error's name, and a WARNING: the application decides what is an ERROR."""

    @flow(name := unique("orders"))
    @step
    def charge() -> None:
        raise KeyError("secret")

    with start_flow("a1b2c3d4e5f6"), pytest.raises(KeyError):
        charge()

    _, error = messages(lines)
    assert re.fullmatch(
        rf"WARNING step\.error {name}/charge KeyError {MS} a1b2c3d4", error
    )
    assert lines[1].exc_info is None


@pytest.mark.parametrize("fails", [False, True], ids=["success", "error"])
def test_the_extras_of_a_line(lines: Lines, *, fails: bool) -> None:
    """Everything that a search or a dashboard asks for is an attribute."""
    configure(service="shop")
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        if fails:
            raise KeyError

    @orders.entrypoint
    def receive() -> None:
        charge()

    with start_flow("root"), start_flow("order-17"):
        if fails:
            with pytest.raises(KeyError):
                receive()
        else:
            receive()

    _, start, end, _ = map(vars, lines)
    common = {
        "flow": orders.name,
        "step": "charge",
        "correlation_id": "order-17",
        "flow_id": "order-17",
        "root_id": "root",
        "parent_id": "root",
        "caller": "receive",
        "service": "shop",
    }
    assert common.items() <= start.items()
    assert common.items() <= end.items()
    assert not {"status", "duration_ms", "error"} & start.keys()
    assert end["status"] == ("error" if fails else "ok")
    assert end.get("error") == ("KeyError" if fails else None)
    assert 0 <= end["duration_ms"] < 60_000


def test_what_is_unknown_is_none(lines: Lines) -> None:
    """A root run has no parent and no caller, and here no service."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None: ...

    receive()

    start = vars(lines[0])
    assert (start["parent_id"], start["caller"], start["service"]) == (None, None, None)
    assert start["root_id"] == start["correlation_id"]


def test_templates_are_constant(lines: Lines) -> None:
    """Error trackers group by the template: names are arguments."""
    fail_through_three_steps(KeyError())
    fail_through_three_steps(KeyError())

    half = len(lines) // 2
    assert [line.msg for line in lines[:half]] == [line.msg for line in lines[half:]]
    assert not any("orders" in line.msg for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_file_and_line_are_the_users_function(lines: Lines, kind: str) -> None:
    """An editor jumps from the log to the step, not into penstock."""
    func = marked(kind, lambda: None, role="entrypoint")

    asyncio.run(finish(func))

    assert len(lines) == 2
    assert {line.filename for line in lines} == {"call_styles.py"}
    assert all(line.lineno > 1 for line in lines)
    assert len({line.funcName for line in lines}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_async_step_is_timed_while_it_is_awaited(lines: Lines, kind: str) -> None:
    """The duration is of the work, and not of making a coroutine."""

    @flow(unique("orders"))
    @entrypoint
    async def receive() -> None:
        await asyncio.sleep(0.02)

    asyncio.run(receive())

    assert kind
    assert vars(lines[1])["duration_ms"] >= 15


def test_one_exception_through_three_steps_is_one_warning(lines: Lines) -> None:
    """It is a WARNING where it leaves the innermost step, and INFO above."""
    name = fail_through_three_steps(KeyError())

    ends = [line for line in messages(lines) if "step.start" not in line]
    assert [line.split()[:3] for line in ends] == [
        ["WARNING", "step.error", f"{name}/inner"],
        ["INFO", "step.error", f"{name}/outer"],
        ["INFO", "step.error", f"{name}/receive"],
    ]


def test_another_exception_is_another_warning(lines: Lines) -> None:
    """A step that raises another error is reported again."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        raise KeyError

    @orders.entrypoint
    def receive() -> None:
        try:
            charge()
        except KeyError as exc:
            raise ArithmeticError from exc

    with pytest.raises(ArithmeticError):
        receive()

    warned = [line for line in messages(lines) if line.startswith("WARNING")]
    assert [line.split()[3] for line in warned] == ["KeyError", "ArithmeticError"]


def test_retries_are_a_warning_each(lines: Lines) -> None:
    """Three attempts that fail are three failures."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        raise KeyError

    @orders.entrypoint
    def receive() -> None:
        for _ in range(3):
            with pytest.raises(KeyError):
                charge()

    receive()

    assert sum(line.levelno == logging.WARNING for line in lines) == 3
    assert vars(lines[-1])["status"] == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_told_once_through_every_kind_of_call(
    lines: Lines, kind: str
) -> None:
    """Through tasks and generators, too, the innermost step has the WARNING."""
    name = unique("orders")
    inner = marked(kind, raising(KeyError()), role="step", in_flow=name)

    @flow(name)
    @entrypoint
    async def receive() -> None:
        await asyncio.create_task(finish(inner))

    with pytest.raises(KeyError):
        asyncio.run(receive())

    assert [line.levelname for line in lines if "error" in line.msg] == [
        "WARNING",
        "INFO",
    ]


def test_a_quiet_start_has_no_duration(warnings: Lines) -> None:
    """At WARNING only the failure is logged, once, without the unknown duration."""
    exc = KeyError()

    name = fail_through_three_steps(exc)

    (line,) = warnings
    assert re.fullmatch(
        rf"step\.error {name}/inner KeyError [0-9a-f]{{8}}", line.getMessage()
    )
    assert not hasattr(line, "duration_ms")
    assert vars(line)["status"] == "error"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["entrypoint", "step"])
def test_a_failure_is_told_although_the_log_is_quiet(
    warnings: Lines, kind: str, role: str
) -> None:
    """The quiet call path does not lose errors."""
    func = marked(kind, raising(KeyError()), role=role)

    async def main() -> None:
        with start_flow("a1b2c3d4e5"), pytest.raises(KeyError):
            await finish(func)
        if role == "entrypoint":
            with pytest.raises(KeyError):
                await finish(func)

    asyncio.run(main())

    assert len(warnings) == (2 if role == "entrypoint" else 1)
    assert warnings[0].getMessage().endswith("KeyError a1b2c3d4")


def test_the_traceback_comes_once_where_it_is_wanted(lines: Lines) -> None:
    """With ``traceback=True`` the innermost line has it, and no other."""
    configure(LoggingBackend(traceback=True))
    exc = KeyError("own")

    fail_through_three_steps(exc)

    with_traceback = [line for line in lines if line.exc_info is not None]
    assert [line.levelname for line in with_traceback] == ["WARNING"]
    (line,) = with_traceback
    assert line.exc_info is not None
    assert line.exc_info[1] is exc
    assert "raise exc" in logging.Formatter().format(line)


class Cancelled(asyncio.CancelledError):
    """A cancellation of a library's own class."""


def celery(name: str) -> type[Exception]:
    """Return an exception that is called as Celery calls its own."""
    return type(name, (Exception,), {"__module__": "celery.exceptions"})


CONTROL_FLOW: dict[str, type[BaseException]] = {
    "cancelled": asyncio.CancelledError,
    "cancelled by subclass": Cancelled,
    "cancelled future": concurrent.futures.CancelledError,
    "exit": SystemExit,
    "closed": GeneratorExit,
    "retry": celery("Retry"),
    "ignored": celery("Ignore"),
    "rejected": celery("Reject"),
}


@pytest.mark.parametrize("name", CONTROL_FLOW)
def test_control_flow_is_no_failure(lines: Lines, name: str) -> None:
    """It ends a step at INFO, with its own status and no error."""
    status = name.split(maxsplit=1)[0]

    flow_name = fail_through_three_steps(CONTROL_FLOW[name]())

    ends = [line for line in lines if "start" not in line.msg]
    assert {line.levelname for line in ends} == {"INFO"}
    assert [vars(line)["status"] for line in ends] == [status] * 3
    assert not any(hasattr(line, "error") for line in ends)
    assert re.fullmatch(
        rf"step\.end {flow_name}/inner {status} {MS} [0-9a-f]{{8}}",
        ends[0].getMessage(),
    )


@pytest.mark.parametrize("name", CONTROL_FLOW)
def test_control_flow_is_nothing_to_a_quiet_log(warnings: Lines, name: str) -> None:
    """At WARNING a cancellation is not logged."""
    fail_through_three_steps(CONTROL_FLOW[name]())

    assert warnings == []


def test_an_interrupt_is_a_failure(lines: Lines) -> None:
    """Ctrl-C in a step is logged like any exception."""
    fail_through_three_steps(KeyboardInterrupt())

    assert sum(line.levelno == logging.WARNING for line in lines) == 1


@pytest.mark.parametrize("kind", ["generator", "async generator"])
def test_a_generator_that_is_closed_early_says_so(lines: Lines, kind: str) -> None:
    """A generator that is not exhausted has not failed."""
    func = marked(kind, lambda: 1, role="entrypoint")

    async def main() -> None:
        generator = func()
        if kind == "generator":
            next(generator)
            generator.close()
        else:
            await anext(generator)
            await generator.aclose()

    asyncio.run(main())

    assert vars(lines[-1])["status"] == "closed"
    assert lines[-1].levelname == "INFO"


def toggle(turn: Callable[[], None]) -> list[str]:
    """Run, turn something, run; return the name of each event."""
    logger = logging.getLogger("penstock")
    seen: list[str] = []

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage().split()[0])

    handler = Seen()
    logger.addHandler(handler)
    func = marked("sync", lambda: None, role="entrypoint")
    try:
        func()
        seen.append("|")
        turn()
        func()
    finally:
        logger.removeHandler(handler)
    return seen


LOUD = ["step.start", "step.end"]


def test_a_level_that_changes_at_run_time_holds_at_once(logger: logging.Logger) -> None:
    """No call remembers what the logger wanted before."""
    logger.setLevel(logging.INFO)
    assert toggle(lambda: logger.setLevel(logging.WARNING)) == [*LOUD, "|"]
    assert toggle(lambda: logger.setLevel(logging.INFO)) == ["|", *LOUD]


def test_logging_disable_holds_at_once(logger: logging.Logger) -> None:
    """``logging.disable`` silences steps, and its end wakes them."""
    logger.setLevel(logging.INFO)
    assert toggle(lambda: logging.disable(logging.CRITICAL)) == [*LOUD, "|"]
    assert toggle(lambda: logging.disable(logging.NOTSET)) == ["|", *LOUD]


def test_a_disabled_logger_holds_at_once(logger: logging.Logger) -> None:
    """``dictConfig`` disables loggers by an attribute."""
    logger.setLevel(logging.INFO)

    def disable(*, disabled: bool) -> None:
        logger.disabled = disabled

    assert toggle(lambda: disable(disabled=True)) == [*LOUD, "|"]
    assert toggle(lambda: disable(disabled=False)) == ["|", *LOUD]


def test_a_level_that_changes_within_a_call(
    warnings: Lines, logger: logging.Logger
) -> None:
    """An end without a start has no duration; a start may be without its end."""
    logger.setLevel(logging.WARNING)
    name = unique("orders")

    @flow(name)
    @entrypoint
    def wake(exc: BaseException | None) -> None:
        logger.setLevel(logging.INFO)
        if exc is not None:
            raise exc

    wake(None)
    for exc in (SystemExit(), KeyError()):
        logger.setLevel(logging.WARNING)
        with pytest.raises(type(exc)):
            wake(exc)
    logger.setLevel(logging.INFO)
    sleep = marked("sync", lambda: logger.setLevel(logging.WARNING), role="entrypoint")
    sleep()

    texts = [line.getMessage() for line in warnings]
    assert re.fullmatch(rf"step\.end {name}/wake exit [0-9a-f]{{8}}", texts[0])
    assert re.fullmatch(rf"step\.error {name}/wake KeyError [0-9a-f]{{8}}", texts[1])
    assert [line.split()[0] for line in texts[2:]] == ["step.start"]


def test_the_level_of_the_lines_is_configured(
    warnings: Lines, logger: logging.Logger
) -> None:
    """``LoggingBackend(level=DEBUG, error_level=ERROR)`` changes the levels."""
    configure(LoggingBackend(level=logging.DEBUG, error_level=logging.ERROR))
    logger.setLevel(logging.INFO)
    marked("sync", lambda: None, role="entrypoint")()
    assert warnings == []

    logger.setLevel(logging.DEBUG)
    fail_through_three_steps(KeyError())

    assert [line.levelname for line in warnings] == [
        *["DEBUG"] * 3,
        "ERROR",
        *["DEBUG"] * 2,
    ]
    assert repr(get_backend()) == "<LoggingBackend level=DEBUG>"


def test_errors_may_be_silenced_too(warnings: Lines, logger: logging.Logger) -> None:
    """At ERROR nothing is logged; the exception still comes."""
    logger.setLevel(logging.ERROR)

    fail_through_three_steps(KeyError())

    assert warnings == []


def test_without_a_configured_log_nothing_is_written() -> None:
    """A library is silent until the application has a handler for it."""
    program = """
        from penstock import *
        @flow("orders")
        @entrypoint
        def receive(): raise KeyError
        try: receive()
        except KeyError: print("done")
    """
    out, errors = run_python(program)

    assert (out, errors) == ("done\n", "")


def test_a_logger_class_of_the_application_decides_for_itself() -> None:
    """Its ``isEnabledFor`` is asked at every call, and its lines are its own."""
    program = """
        import logging
        asked = []
        class Own(logging.Logger):
            def isEnabledFor(self, level):
                asked.append(level)
                return loud
        logging.setLoggerClass(Own)
        logging.basicConfig(format="%(message)s", level=logging.NOTSET)
        from penstock import *
        @flow("orders")
        @entrypoint
        def receive(): pass
        for loud in (False, True, False):
            receive()
            print(len(asked) > 0)
            asked.clear()
    """
    out, errors = run_python(program)

    assert out == "True\nTrue\nTrue\n"
    assert [line.split()[0] for line in errors.splitlines()] == LOUD


def test_spans_by_hand_know_the_flow_around(lines: Lines) -> None:
    """``span()`` has the ID of its surroundings, or the one it is given."""
    backend = get_backend()

    with backend.span("block", "orders"):
        pass
    with start_flow("order-17"), backend.span("block", "orders"):
        pass
    with backend.span("block", "orders", correlation_id="given"):
        pass

    ids = [vars(line)["correlation_id"] for line in lines]
    assert ids == ["-", "-", "order-17", "order-17", "given", "given"]
    assert all(isinstance(line.getMessage(), str) for line in lines)


def test_one_exception_object_raised_in_two_operations_is_two_warnings(
    lines: Lines,
) -> None:
    """Another operation reports the same exception again."""
    name = unique("orders")
    fail = marked("sync", raising(KeyError()), role="entrypoint", in_flow=name)

    for _ in range(2):
        with pytest.raises(KeyError):
            fail()

    warned = [line for line in lines if line.levelno == logging.WARNING]
    assert len(warned) == 2
