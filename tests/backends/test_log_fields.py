from __future__ import annotations

import io
import logging
import logging.config
import logging.handlers
import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    FlowFilter,
    configure,
    current_flow_id,
    entrypoint,
    flow,
    install_log_fields,
    outside_flow,
    start_flow,
    uninstall_log_fields,
)
from penstock._runtime.state import state
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT = "%(message)s [%(flow)s/%(step)s cid=%(correlation_id)s %(flow_id)s]"


pytestmark = pytest.mark.usefixtures("forget_watchers")


@pytest.fixture(autouse=True)
def no_log_fields() -> Iterator[None]:
    """Uninstall what a test has installed."""
    yield
    uninstall_log_fields()


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Write every record of the process in the guide's format; give the output."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def say(text: str, **kwargs: Any) -> None:
    """Log as another library does."""
    logging.getLogger("another.library").warning(text, **kwargs)


def run(work: Callable[[], object]) -> tuple[str, str]:
    """Call *work* in a step of a run; return the flow's name and the ID."""
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        work()

    @orders.entrypoint
    def receive() -> str:
        charge()
        return current_flow_id() or ""

    return orders.name, receive()


@pytest.mark.parametrize("backend", ["logging", "logging,logging"])
def test_every_logger_has_the_fields(stream: io.StringIO, backend: str) -> None:
    """The guide's format serves other libraries, in a flow and outside."""
    configure(*backend.split(","))
    install_log_fields()

    say("before")
    name, cid = run(lambda: say("inside"))
    with start_flow("order-17"):
        say("carried")
    with start_flow("order-17"), outside_flow():
        say("outside")

    assert stream.getvalue().splitlines() == [
        "before [-/- cid=- -]",
        f"inside [{name}/charge cid={cid} {cid}]",
        "carried [-/- cid=order-17 order-17]",
        "outside [-/- cid=- -]",
    ]


def test_a_step_that_calls_a_step_is_itself_again(stream: io.StringIO) -> None:
    """After the inner step the lines are those of the outer one."""
    install_log_fields()
    orders = flow(unique("orders"))

    @orders.step
    def charge() -> None:
        say("inner")

    @orders.entrypoint
    def receive() -> None:
        say("outer")
        charge()
        say("outer")

    receive()

    steps = [line.split()[1].split("/")[1] for line in stream.getvalue().splitlines()]
    assert steps == ["receive", "charge", "receive"]


def test_the_users_own_extra_is_kept(stream: io.StringIO) -> None:
    """``extra={"step": 3}`` raises nothing, and stays 3."""
    install_log_fields()

    run(lambda: say("mine", extra={"step": 3, "flow_id": "own"}))

    assert "/3 cid=" in stream.getvalue()
    assert stream.getvalue().endswith(" own]\n")


def test_our_own_lines_keep_what_they_say(
    stream: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    """A line about a step names that step, whatever else fills in fields."""
    caplog.set_level(logging.INFO)
    install_log_fields()

    name, cid = run(lambda: None)

    fields = [line.rpartition(" [")[2] for line in stream.getvalue().splitlines()]
    assert fields == [
        f"{name}/{step} cid={cid} {cid}]"
        for step in ("receive", "charge", "charge", "receive")
    ]


def test_installing_twice_is_installing_once(stream: io.StringIO) -> None:
    """One ``uninstall`` removes it again."""
    before = logging.Logger.makeRecord
    install_log_fields()
    patched = logging.Logger.makeRecord
    install_log_fields()

    assert logging.Logger.makeRecord is patched is not before
    uninstall_log_fields()
    assert logging.Logger.makeRecord is before
    uninstall_log_fields()
    assert logging.Logger.makeRecord is before
    assert stream.getvalue() == ""


def test_another_library_that_patches_after_us_keeps_its_patch() -> None:
    """Uninstalling leaves it in place, and penstock's part does nothing."""
    seen: list[logging.LogRecord] = []
    original = logging.Logger.makeRecord
    install_log_fields()
    below = logging.Logger.makeRecord

    def other_patch(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = below(*args, **kwargs)
        seen.append(record)
        return record

    logging.Logger.makeRecord = other_patch  # type: ignore[method-assign]  # the point
    try:
        say("installed")
        uninstall_log_fields()
        say("uninstalled")
        install_log_fields()
        say("again")
        uninstall_log_fields()
        assert logging.Logger.makeRecord is other_patch
    finally:
        logging.Logger.makeRecord = original  # type: ignore[method-assign]  # the same

    assert [hasattr(record, "flow") for record in seen] == [True, False, True]


def test_a_record_factory_of_the_application_is_kept(stream: io.StringIO) -> None:
    """Its fields and penstock's are both set."""
    factory = logging.getLogRecordFactory()

    def own(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = factory(*args, **kwargs)
        record.flow = "from the factory"
        return record

    logging.setLogRecordFactory(own)
    install_log_fields()
    try:
        with start_flow("order-17"):
            say("text")
    finally:
        logging.setLogRecordFactory(factory)

    assert stream.getvalue() == "text [from the factory/- cid=order-17 order-17]\n"


def test_a_queue_handler_hands_the_fields_on(stream: io.StringIO) -> None:
    """They are filled where the line is written, and formatted in another thread."""
    install_log_fields()
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    target = logging.StreamHandler(out := io.StringIO())
    target.setFormatter(logging.Formatter(FORMAT))
    handler = logging.handlers.QueueHandler(records)
    listener = logging.handlers.QueueListener(records, target)
    logger = logging.getLogger("queued")
    logger.addHandler(handler)
    logger.propagate = False
    listener.start()
    try:
        with start_flow("order-17"):
            logger.warning("queued")
    finally:
        listener.stop()
        logger.removeHandler(handler)
        logger.propagate = True

    assert out.getvalue() == "queued [-/- cid=order-17 order-17]\n"
    assert stream.getvalue() == ""


def test_threads_without_a_flow_have_dashes(stream: io.StringIO) -> None:
    """A worker thread logs outside while a run goes on here."""
    install_log_fields()

    def work() -> None:
        thread = threading.Thread(target=say, args=("thread",))
        thread.start()
        thread.join()

    run(work)

    assert stream.getvalue() == "thread [-/- cid=- -]\n"


def dict_config(out: io.StringIO) -> None:
    """Configure logging as an application does, with the filter on its handler."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"flow": {"()": "penstock.FlowFilter"}},
            "formatters": {"flow": {"format": FORMAT}},
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "stream": out,
                    "filters": ["flow"],
                    "formatter": "flow",
                }
            },
            "loggers": {"app": {"handlers": ["out"], "propagate": False}},
        }
    )


def test_the_filter_does_the_same_for_one_handler_under_dict_config() -> None:
    """Nothing is patched; records of child loggers are filled, too."""
    before = logging.Logger.makeRecord
    dict_config(out := io.StringIO())
    logger = logging.getLogger("app.child")

    logger.warning("outside")
    name, cid = run(lambda: logger.warning("inside", extra={"flow_id": "own"}))

    assert out.getvalue().splitlines() == [
        "outside [-/- cid=- -]",
        f"inside [{name}/charge cid={cid} own]",
    ]
    assert logging.Logger.makeRecord is before


def test_the_filter_filters_by_name_as_any() -> None:
    """``FlowFilter("app")`` lets through what ``logging.Filter("app")`` would."""
    record = logging.makeLogRecord({"name": "other"})
    flow_filter = FlowFilter("app")

    assert not flow_filter.filter(record)
    assert flow_filter.filter(logging.makeLogRecord({"name": "app.child"}))
    assert vars(record)["flow"] == "-"


def test_without_fields_the_step_need_not_be_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Uninstalled, calls are the plain quiet ones again; the ID stays known."""
    install_log_fields()
    run(lambda: None)
    uninstall_log_fields()

    _, cid = run(lambda: say("text"))

    assert caplog.messages == ["text"]
    assert not hasattr(caplog.records[0], "flow")
    assert len(cid) == 32


def test_fields_of_a_function_in_several_flows(stream: io.StringIO) -> None:
    """The step is named as the flow that runs calls it."""
    install_log_fields()
    first, second = flow(unique("first")), flow(unique("second"))

    @second.step(name="as_second")
    @first.step(name="as_first")
    def shared() -> None:
        say("shared")

    @second.entrypoint
    def receive() -> None:
        shared()

    receive()

    assert f"[{second.name}/as_second " in stream.getvalue()


def test_an_entrypoint_alone_has_fields(stream: io.StringIO) -> None:
    """A run without steps names its entrypoint."""
    install_log_fields()

    @flow(name := unique("orders"))
    @entrypoint
    def receive() -> None:
        say("text")

    receive()

    assert f"[{name}/receive " in stream.getvalue()


@pytest.fixture
def task_id() -> Iterator[list[str | None]]:
    """White-box: add a field as an integration does; give the list of its values."""
    values: list[str | None] = [None]
    state.record_fields = {"task_id": lambda: values[-1]}
    yield values
    state.record_fields = {}


def test_a_field_of_an_integration_is_on_every_record(
    task_id: list[str | None], caplog: pytest.LogCaptureFixture
) -> None:
    """Every record has the field, "-" if it is not known; extra wins."""
    install_log_fields()
    log = logging.getLogger("app")
    log.warning("outside")
    task_id.append("t-1")
    log.warning("inside")
    log.warning("mine", extra={"task_id": "t-2"})

    said = {record.getMessage(): vars(record)["task_id"] for record in caplog.records}
    assert said == {"outside": "-", "inside": "t-1", "mine": "t-2"}


def test_a_field_of_an_integration_is_on_lines_about_steps(
    task_id: list[str | None], caplog: pytest.LogCaptureFixture
) -> None:
    """The logging backend adds the field if it is known."""

    @flow("orders")
    @entrypoint
    def receive() -> None:
        task_id.append("t-1")

    caplog.set_level(logging.INFO, "penstock")
    receive()

    first, last = caplog.records
    assert not hasattr(first, "task_id")
    assert vars(last)["task_id"] == "t-1"
