"""What every log record of the process gets; the last tests are white-box tests."""

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
    set_flow_context_value,
    start_flow,
    uninstall_log_fields,
)
from penstock._context import scope_var
from penstock._runtime.state import state
from penstock.backends.log_fields import checked_keys, fill, ids_of
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORMAT = "%(message)s [%(flow)s/%(step)s cid=%(correlation_id)s %(flow_id)s]"


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
    before = logging.Logger.handle, logging.Handler.handle
    install_log_fields()
    patched = logging.Logger.handle, logging.Handler.handle
    install_log_fields()

    assert (logging.Logger.handle, logging.Handler.handle) == patched != before
    uninstall_log_fields()
    assert (logging.Logger.handle, logging.Handler.handle) == before
    uninstall_log_fields()
    assert (logging.Logger.handle, logging.Handler.handle) == before
    assert stream.getvalue() == ""


def test_another_library_that_patches_after_us_keeps_its_patch() -> None:
    """Uninstalling leaves it in place, and penstock's part does nothing."""
    seen: list[logging.LogRecord] = []
    original = logging.Logger.handle
    install_log_fields()
    below = logging.Logger.handle

    def other_patch(self: logging.Logger, record: logging.LogRecord) -> None:
        below(self, record)
        seen.append(record)

    logging.Logger.handle = other_patch  # type: ignore[method-assign]  # the point
    try:
        say("installed")
        uninstall_log_fields()
        say("uninstalled")
        install_log_fields()
        say("again")
        uninstall_log_fields()
        assert logging.Logger.handle is other_patch
    finally:
        logging.Logger.handle = original  # type: ignore[method-assign]  # the same

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
    before = logging.Logger.handle
    dict_config(out := io.StringIO())
    logger = logging.getLogger("app.child")

    logger.warning("outside")
    name, cid = run(lambda: logger.warning("inside", extra={"flow_id": "own"}))

    assert out.getvalue().splitlines() == [
        "outside [-/- cid=- -]",
        f"inside [{name}/charge cid={cid} own]",
    ]
    assert logging.Logger.handle is before


FIELDS_OF_RECORDS = {
    "flow",
    "step",
    "correlation_id",
    "flow_id",
    "root_id",
    "short_id",
    "call_id",
}


@pytest.mark.parametrize("keys", [(), ("order_id", "run_id")])
def test_the_fields_of_every_record(
    caplog: pytest.LogCaptureFixture, keys: tuple[str, ...]
) -> None:
    """The seven fields, and what one names besides: metadata, or more of the table."""
    install_log_fields()
    install_log_fields(*keys)
    plain = {*vars(logging.makeLogRecord({})), "message", "asctime"}
    plain |= {*state.record_fields}  # of integrations, once a test has installed them

    def work() -> None:
        set_flow_context_value("order_id", 17)
        set_flow_context_value("run_id", "metadata")
        say("inside")

    say("outside")
    _, cid = run(work)

    outside, inside = ({**vars(record)} for record in caplog.records)
    assert outside.keys() - plain == FIELDS_OF_RECORDS | {*keys}
    assert {outside[name] for name in FIELDS_OF_RECORDS | {*keys}} == {"-"}
    assert inside["root_id"] == cid
    assert inside["short_id"] == cid[:8]
    if keys:
        assert inside["order_id"] == 17
        assert inside["run_id"] not in {"-", "metadata", inside["call_id"]}


def test_lines_about_steps_have_the_chosen_metadata(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Penstock's own lines are records like any."""
    caplog.set_level(logging.INFO, "penstock")
    install_log_fields("order_id")

    run(lambda: set_flow_context_value("order_id", "A-1"))

    assert [vars(record)["order_id"] for record in caplog.records] == [
        "-",
        "-",
        "A-1",
        "A-1",
    ]


def test_a_filter_adds_what_it_names() -> None:
    """By position, or as ``keys``, which ``dictConfig`` can give."""
    for flow_filter in (FlowFilter("order_id"), FlowFilter(keys=["order_id"])):
        record = logging.makeLogRecord({})
        with start_flow(order_id="A-1"):
            assert flow_filter.filter(record)
        assert vars(record)["order_id"] == "A-1"


@pytest.mark.parametrize(
    ("root_id", "short_id"),
    [
        ("order-2026-000123", "order-2026-000123"),
        ("5f0c9c1e6b0f4a8d9d6f1f0e8a7b6c5d", "5f0c9c1e"),
        ("5F0C9C1E6B0F4A8D9D6F1F0E8A7B6C5D", "5F0C9C1E"),
        ("5f0c9c1e6b0f4a8d9d6f1f0e8a7b6c5d0", "5f0c9c1e6b0f4a8d9d6f1f0e8a7b6c5d0"),
        ("zf0c9c1e6b0f4a8d9d6f1f0e8a7b6c5d", "zf0c9c1e6b0f4a8d9d6f1f0e8a7b6c5d"),
    ],
)
def test_the_short_id_is_of_the_root(root_id: str, short_id: str) -> None:
    """Eight digits of a hexadecimal ID, and the whole of any other."""
    record = logging.makeLogRecord({})

    with start_flow(root_id), start_flow("inner"):
        FlowFilter().filter(record)

    assert vars(record)["short_id"] == short_id


class OwnRecords(logging.Logger):
    """Makes records its own way, without ``super()``."""

    def makeRecord(self, *args: Any, **_kwargs: Any) -> logging.LogRecord:  # noqa: N802  # the name in logging
        """Make a record."""
        return logging.LogRecord(*args[:7])


def test_a_logger_that_makes_its_own_records_has_the_fields(
    stream: io.StringIO,
) -> None:
    """Its lines are written, with the ID."""
    install_log_fields()
    logger = OwnRecords("own")
    logger.parent = logging.getLogger()

    with start_flow("order-17"):
        logger.warning("own")

    assert stream.getvalue() == "own [-/- cid=order-17 order-17]\n"


def test_a_record_that_no_logger_made_has_the_fields() -> None:
    """A bridge from another logger gives a handler a record of its own."""
    install_log_fields()
    handler = logging.StreamHandler(out := io.StringIO())
    handler.setFormatter(logging.Formatter(FORMAT))

    handler.handle(logging.makeLogRecord({"msg": "bridged", "thread": None}))
    with start_flow("order-17"):
        handler.handle(logging.makeLogRecord({"msg": "bridged", "thread": None}))

    assert out.getvalue().splitlines() == [
        "bridged [-/- cid=- -]",
        "bridged [-/- cid=order-17 order-17]",
    ]


def test_a_filter_behind_a_queue_warns_once(
    warnings: list[logging.LogRecord],
) -> None:
    """It cannot know the flow, so it says so, and guesses nothing."""
    lines = [logging.makeLogRecord({"msg": "queued"}) for _ in range(2)]
    for line in lines:
        line.thread = threading.get_ident() + 1

    with start_flow("of the listener's thread".replace(" ", "-").replace("'", "")):
        for line in lines:
            FlowFilter().filter(line)

    assert [vars(line)["correlation_id"] for line in lines] == ["-", "-"]
    assert [w.getMessage().split()[0] for w in warnings] == ["FlowFilter"]


def fail_in_a_run(message: str) -> tuple[str, BaseException]:
    """Fail in a step of a run; return the ID of the run, and the exception."""
    seen: list[str] = []

    def work() -> None:
        seen.append(current_flow_id() or "")
        raise KeyError(message)

    with pytest.raises(KeyError) as caught:
        run(work)
    return seen[0], caught.value


def test_a_traceback_that_is_logged_later_has_the_run_that_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A server logs it when nothing runs any more; another flow's line is its own."""
    install_log_fields()
    cid, exc = fail_in_a_run("late")
    _, other = fail_in_a_run("other")

    caplog.clear()
    say("late", exc_info=exc)
    say("no traceback")
    say("none", exc_info=True)
    odd = logging.makeLogRecord({"exc_info": True})
    assert FlowFilter().filter(odd)
    with start_flow("order-17"):
        say("elsewhere", exc_info=other)

    found = {r.getMessage(): vars(r) for r in caplog.records}
    assert found["late"]["correlation_id"] == cid
    assert found["late"]["step"] == "charge"
    assert found["no traceback"]["correlation_id"] == "-"
    assert found["none"]["correlation_id"] == "-"
    assert vars(odd)["correlation_id"] == "-"
    assert found["elsewhere"]["correlation_id"] == "order-17"


def test_a_traceback_that_a_transport_logs_has_the_step_that_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Celery logs it in the flow of the message, but outside the step."""
    install_log_fields()
    orders = flow("logged_in_the_message")

    @orders.step(after="receive")
    def pack() -> None:
        raise KeyError

    with start_flow("order-17"):
        try:
            pack()
        except KeyError:
            say("failed", exc_info=True)

    (line,) = [vars(r) for r in caplog.records if r.getMessage() == "failed"]
    assert (line["step"], line["correlation_id"]) == ("pack", "order-17")
    assert line["call_id"] != "-"


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


def test_a_field_that_does_not_exist_is_named() -> None:
    """Integrations check the fields that users choose; the nearest one is suggested."""
    with pytest.raises(TypeError, match=r"'corelation_id', only .*'correlation_id'\?"):
        checked_keys({"corelation_id": "id"})


@pytest.mark.parametrize(
    "keys", [{"root_id": "root"}, {"flow": "f", "root_id": "root"}]
)
def test_fields_under_keys_of_their_own(keys: dict[str, str]) -> None:
    """What the entry has is kept; what is not known is left out."""
    entry = {"f": "own"}

    with start_flow("order-17"):
        fill(entry, checked_keys(keys))
        scope = scope_var.get()

    assert entry == {"f": "own", "root": "order-17"}
    assert scope is not None
    assert ids_of(scope)["short_id"] == "order-17"


def test_fill_adds_metadata() -> None:
    """What the entry has is kept; what is not set is left out, or absent."""
    with start_flow(order_id="A-1"):
        entry: dict[str, Any] = {"tenant": "mine"}
        fill(entry, {}, ("order_id", "tenant", "customer"))
    dashes: dict[str, Any] = {}
    fill(dashes, {}, ("order_id",), "-")

    assert entry == {"tenant": "mine", "order_id": "A-1"}
    assert dashes == {"order_id": "-"}
