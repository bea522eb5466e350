from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import os
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    ConfigurationError,
    LoggingBackend,
    bind_flow,
    configure,
    continue_flow,
    entrypoint,
    flow,
    get_backend,
    get_flow_context,
    inject,
    start_flow,
    step,
)
from penstock._platform.clock import utc
from penstock.backends.log_fields import FIELDS
from tests.support.call_styles import KINDS, finish, marked, run_python, unique

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

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
    """Start and end at INFO, with name and duration. The ID is in the fields."""

    @flow(name := unique("orders"))
    @step
    def charge() -> None: ...

    with start_flow("a1b2c3d4e5f6"):
        charge()

    start, end = messages(lines)
    assert start == f"INFO step.start {name}/charge"
    assert re.fullmatch(rf"INFO step\.end {name}/charge {MS}", end)


def test_the_line_of_a_failure(lines: Lines) -> None:
    """The error's name, and a WARNING: the application decides what is an ERROR."""

    @flow(name := unique("orders"))
    @step
    def charge() -> None:
        raise KeyError("secret")

    with start_flow("a1b2c3d4e5f6"), pytest.raises(KeyError):
        charge()

    _, error = messages(lines)
    assert re.fullmatch(rf"WARNING step\.error {name}/charge KeyError {MS}", error)
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
        "short_id": "root",
        "parent_step": "receive",
        "service": "shop",
    }
    assert common.items() <= start.items()
    assert common.items() <= end.items()
    assert start["flow_event"] == "step.start"
    assert not {"outcome", "duration_ms", "error_type"} & start.keys()
    assert end["flow_event"] == ("step.error" if fails else "step.end")
    assert end["outcome"] == ("error" if fails else "ok")
    assert end.get("error_type") == ("KeyError" if fails else None)
    assert 0 <= end["duration_ms"] < 60_000
    assert end["duration_ms"] == round(end["duration_ms"], 3)


def test_every_field_is_in_the_table(lines: Lines) -> None:
    """What a line about a step has beyond ``logging``'s own is in one table."""
    plain = {*vars(logging.makeLogRecord({})), "message"}
    fail_through_three_steps(KeyError())

    assert {name for line in lines for name in vars(line) if name not in plain} <= {
        *FIELDS
    }


def call_fields(lines: Lines) -> dict[str, dict[str, Any]]:
    """Return the fields of each start, by step."""
    starts = [vars(line) for line in lines if vars(line)["flow_event"] == "step.start"]
    return {start["step"]: start for start in starts}


def test_each_call_has_an_id(lines: Lines) -> None:
    """The entry's is the run's; a step knows its own and its caller's."""
    orders = flow(unique("orders"))

    @orders.step
    def inner() -> None: ...

    @orders.step
    def outer() -> None:
        inner()

    @orders.entrypoint
    def receive() -> None:
        outer()

    receive()

    calls = call_fields(lines)
    run_id = calls["receive"]["run_id"]
    assert {call["run_id"] for call in calls.values()} == {run_id}
    assert calls["receive"]["call_id"] == run_id
    assert calls["receive"]["parent_call_id"] is None
    assert calls["outer"]["parent_call_id"] == run_id
    assert calls["inner"]["parent_call_id"] == calls["outer"]["call_id"]
    assert len({call["call_id"] for call in calls.values()}) == 3
    ends = [vars(line) for line in lines if vars(line)["flow_event"] == "step.end"]
    assert {end["call_id"] for end in ends} == {
        call["call_id"] for call in calls.values()
    }


def test_each_call_of_one_step_has_its_own_id(lines: Lines) -> None:
    """Also in tasks that run at the same time."""
    orders = flow(unique("orders"))

    @orders.step
    async def charge() -> None:
        await asyncio.sleep(0)

    @orders.entrypoint
    async def receive() -> None:
        await asyncio.gather(*(charge() for _ in range(3)))

    asyncio.run(receive())

    charged = [vars(line) for line in lines if vars(line)["step"] == "charge"]
    assert len({line["call_id"] for line in charged}) == 3
    assert len({line["parent_call_id"] for line in charged}) == 1


def test_a_step_in_a_thread_knows_its_caller(lines: Lines) -> None:
    """A bound function takes the call along, a fork of the context too."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None: ...

    @orders.step
    def spread() -> None:
        context = get_flow_context()
        assert context is not None
        for bound in (bind_flow(charge), bind_flow(charge, context.fork())):
            thread = threading.Thread(target=bound)
            thread.start()
            thread.join()

    @orders.entrypoint
    def receive() -> None:
        spread()

    receive()

    (spreading,) = {
        vars(line)["call_id"] for line in lines if vars(line)["step"] == "spread"
    }
    charged = [vars(line) for line in lines if vars(line)["step"] == "charge"]
    assert {line["parent_call_id"] for line in charged} == {spreading}
    assert {line["parent_step"] for line in charged} == {"spread"}
    assert len({line["run_id"] for line in charged}) == 1


@pytest.mark.parametrize("trust", ["id", "all"])
def test_a_hop_keeps_its_caller(lines: Lines, trust: str) -> None:
    """The first call behind a message knows which call has sent it, and when."""
    orders, billing = flow(unique("orders")), flow(unique("billing"))

    @orders.entrypoint
    def receive() -> dict[str, str]:
        return charge()

    @orders.step
    def charge() -> dict[str, str]:
        return inject()

    @billing.entrypoint
    def invoice() -> None: ...

    @orders.step
    def ship() -> None: ...

    with continue_flow(receive(), trust=trust):
        invoice()
        ship()

    calls = call_fields(lines)
    for name in ("invoice", "ship"):
        assert calls[name]["parent_call_id"] == calls["charge"]["call_id"]
        assert calls[name]["parent_step"] == "charge"
        assert ("sent_at" in calls[name]) == (trust == "all")
    is_same_run = calls["ship"]["run_id"] == calls["charge"]["run_id"]
    assert is_same_run == (trust == "all")
    assert calls["invoice"]["run_id"] == calls["invoice"]["call_id"]


def test_a_context_that_a_step_opens_has_that_step_as_its_caller(lines: Lines) -> None:
    """``start_flow`` inside a run goes on below the call that opened it."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        with start_flow():
            charge()

    receive()

    calls = call_fields(lines)
    assert calls["charge"]["parent_call_id"] == calls["receive"]["call_id"]
    assert calls["charge"]["parent_step"] == "receive"


def test_a_generator_says_when_its_first_item_came(lines: Lines) -> None:
    """Other calls, and generators that make no item, say nothing of it."""
    orders = flow(unique("orders"))

    @orders.step
    def produce(items: int) -> Iterator[int]:
        yield from range(items)

    @orders.step
    async def produce_async(items: int) -> AsyncIterator[int]:
        for item in range(items):
            yield item

    @orders.step
    def returns(items: int) -> Iterator[int]:
        return (item for item in range(items))

    @orders.step
    def hands_on() -> Any:
        return asyncio.sleep(0)

    async def run(items: int) -> None:
        with start_flow():
            assert len(list(produce(items))) == items
            assert len([item async for item in produce_async(items)]) == items
            assert len(list(returns(items))) == items
            await hands_on()

    for items in (0, 1, 2):
        lines.clear()
        asyncio.run(run(items))
        ends = [vars(line) for line in lines if "outcome" in vars(line)]
        assert [line["step"] for line in ends if "first_item_ms" in line] == (
            ["produce", "produce_async", "returns"] if items else []
        )
        assert all(
            line["first_item_ms"] <= line["duration_ms"]
            for line in ends
            if "first_item_ms" in line
        )


def test_what_is_unknown_is_none(lines: Lines) -> None:
    """A root run has no parent and no calling step, and here no service."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None: ...

    receive()

    start = vars(lines[0])
    names = ("parent_id", "parent_call_id", "parent_step", "service")
    assert [start[name] for name in names] == [None] * 4
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
    """A step that raises an error of its own is reported again."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        raise KeyError

    @orders.entrypoint
    def receive() -> None:
        try:
            charge()
        except KeyError:
            raise ArithmeticError from None

    with pytest.raises(ArithmeticError):
        receive()

    warned = [line for line in messages(lines) if line.startswith("WARNING")]
    assert [line.split()[3] for line in warned] == ["KeyError", "ArithmeticError"]


def test_a_translated_exception_is_one_warning(lines: Lines) -> None:
    """``raise ... from`` says that it is the same failure, however often."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        raise KeyError

    @orders.entrypoint
    def receive() -> None:
        try:
            try:
                charge()
            except KeyError as exc:
                raise ArithmeticError from exc
        except ArithmeticError as exc:
            raise ValueError from exc

    with pytest.raises(ValueError, match=r"^$"):
        receive()

    assert [line.split()[3] for line in warned(lines)] == ["KeyError"]


def warned(lines: Lines) -> list[str]:
    """Return the warnings."""
    return [line for line in messages(lines) if line.startswith("WARNING")]


@pytest.mark.parametrize(
    ("outside", "expected"),
    [(False, ["KeyError"]), (True, ["KeyError", "ExceptionGroup"])],
    ids=["all reported", "one not reported"],
)
def test_a_group_of_failures_is_reported_where_they_happened(
    lines: Lines, *, outside: bool, expected: list[str]
) -> None:
    """A group says nothing new unless it has an exception that no step has seen."""
    orders = flow(unique("orders"))

    @orders.step
    async def charge() -> None:
        raise KeyError

    async def fail_outside() -> None:
        if outside:
            raise ArithmeticError

    @orders.entrypoint
    async def receive() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(charge())
            group.create_task(fail_outside())

    with pytest.raises(ExceptionGroup):
        asyncio.run(receive())

    assert [line.split()[3] for line in warned(lines)] == expected


def test_causes_that_form_a_ring_end(lines: Lines) -> None:
    """A group whose member has the group as its cause is looked at once."""
    member = KeyError()
    group = ExceptionGroup("ring", [member])
    member.__cause__ = group

    fail_through_three_steps(group)

    assert len(warned(lines)) == 1


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
    assert vars(lines[-1])["outcome"] == "ok"


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
    assert line.getMessage() == f"step.error {name}/inner KeyError"
    assert not hasattr(line, "duration_ms")
    assert vars(line)["outcome"] == "error"


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
    assert warnings[0].getMessage().endswith("KeyError")


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
    """It ends a step at INFO, with its own outcome and no error."""
    outcome = name.split(maxsplit=1)[0]

    flow_name = fail_through_three_steps(CONTROL_FLOW[name]())

    ends = [line for line in lines if "start" not in line.msg]
    assert {line.levelname for line in ends} == {"INFO"}
    assert [vars(line)["outcome"] for line in ends] == [outcome] * 3
    assert not any(hasattr(line, "error_type") for line in ends)
    assert re.fullmatch(
        rf"step\.end {flow_name}/inner {outcome} {MS}", ends[0].getMessage()
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

    assert vars(lines[-1])["outcome"] == "closed"
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
    assert texts[:2] == [
        f"step.end {name}/wake exit",
        f"step.error {name}/wake KeyError",
    ]
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


@pytest.fixture
def run_lines(lines: Lines) -> Lines:
    """Hear the logger with one line per run."""
    configure(LoggingBackend(lines="run"))
    return lines


def test_one_line_for_a_run_has_its_calls(run_lines: Lines) -> None:
    """The line is the entrypoint's; each call inside has what is known of it."""
    orders = flow(unique("orders"))

    @orders.step
    def inner() -> None: ...

    @orders.step
    def produce() -> Iterator[int]:
        inner()
        yield 1

    @orders.entrypoint
    def receive() -> None:
        list(produce())

    receive()

    (line,) = map(vars, run_lines)
    assert (line["flow_event"], line["step"]) == ("step.end", "receive")
    assert line["levelname"] == "INFO"
    called, generated = line["calls"]
    assert list(called) == ["step", "call", "parent", "start_ms", *ENDS]
    assert list(generated) == [*list(called)[:5], "first_item_ms", "outcome"]
    assert (called["step"], generated["step"]) == ("inner", "produce")
    assert called["parent"] == generated["call"] != called["call"]
    assert generated["parent"] == line["run_id"]
    assert 0 <= generated["start_ms"] <= called["start_ms"]
    assert called["start_ms"] + called["duration_ms"] <= line["duration_ms"]
    assert line["started_at"] <= utc(line["created"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_calls_of_a_forked_child_have_lines_of_their_own(
    run_lines: Lines, tmp_path: Path
) -> None:
    """The line of the run is the parent's, which does not see them."""
    orders = flow(unique("orders"))
    handler = logging.FileHandler(tmp_path / "log")
    logging.getLogger("penstock").addHandler(handler)

    @orders.step
    def inner() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        inner()
        child = os.fork()
        if not child:
            inner()
            os._exit(0)
        os.waitpid(child, 0)

    receive()

    logging.getLogger("penstock").removeHandler(handler)
    handler.close()
    (line,) = map(vars, run_lines)
    assert [call["step"] for call in line["calls"]] == ["inner"]
    written = (tmp_path / "log").read_text(encoding="utf-8").split()
    assert [word for word in written if word.endswith("inner")] == [
        f"{line['flow']}/inner"
    ]


ENDS = ["duration_ms", "outcome"]


def test_a_failure_is_logged_at_once_though_the_run_is_one_line(
    run_lines: Lines,
) -> None:
    """The innermost one, with all its fields; what fails above is in the line."""
    name = fail_through_three_steps(KeyError())

    error, run = run_lines
    assert messages([error])[0].startswith(f"WARNING step.error {name}/inner KeyError")
    assert messages([run])[0].startswith(f"INFO step.error {name}/receive KeyError")
    outcomes = [(call["step"], call["outcome"]) for call in vars(run)["calls"]]
    assert outcomes == [("inner", "error"), ("outer", "error")]


def test_a_run_inside_a_run_has_its_own_line(run_lines: Lines) -> None:
    """Each has its own calls; a step of another flow says which."""
    orders, billing = flow(unique("orders")), flow(unique("billing"))

    @billing.step
    def pay() -> None: ...

    @billing.entrypoint
    def invoice() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        invoice()
        pay()

    receive()

    inner, outer = map(vars, run_lines)
    assert (inner["step"], inner["calls"]) == ("invoice", [])
    assert [(call["flow"], call["step"]) for call in outer["calls"]] == [
        (billing.name, "pay")
    ]


def test_steps_outside_a_run_have_lines_of_their_own(run_lines: Lines) -> None:
    """In a carried context no end of a run is seen."""

    @flow(name := unique("orders"))
    @step
    def charge() -> None: ...

    with start_flow():
        charge()

    start, end = (line.getMessage() for line in run_lines)
    assert start == f"step.start {name}/charge"
    assert end.startswith(f"step.end {name}/charge")


def test_a_long_run_writes_what_its_line_cannot_hold(run_lines: Lines) -> None:
    """A run without end takes no memory: further calls get a line when they end."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None: ...

    @orders.entrypoint
    def receive() -> None:
        for _ in range(103):
            charge()

    receive()

    *more, run = map(vars, run_lines)
    assert [line["flow_event"] for line in more] == ["step.end"] * 3
    assert len(vars(run_lines[-1])["calls"]) == 100
    assert len({call["call"] for call in run["calls"]}) == 100
    assert len(json.dumps(run["calls"])) < 16_000


def test_a_call_that_outlives_its_run_has_a_line(run_lines: Lines) -> None:
    """It ends when the run's line is written already."""
    orders = flow(unique("orders"))

    @orders.step
    def produce() -> Iterator[int]:
        yield 1

    @orders.entrypoint
    def receive() -> Iterator[int]:
        generator = produce()
        next(generator)
        kept.append(generator)
        yield 1

    kept: list[Iterator[int]] = []
    assert list(receive()) == [1]
    assert list(kept.pop()) == []

    run, late = map(vars, run_lines)
    assert (run["step"], run["calls"]) == ("receive", [])
    assert (late["step"], late["flow_event"]) == ("produce", "step.end")
    assert late["run_id"] == run["run_id"]


def test_lines_are_for_each_step_or_for_a_run() -> None:
    """Anything else is refused."""
    with pytest.raises(ConfigurationError, match=r"lines='runs': expected"):
        LoggingBackend(lines="runs")
