from __future__ import annotations

import json
import logging
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    configure,
    entrypoint,
    flow,
    install_log_fields,
    start_flow,
    uninstall_log_fields,
)
from tests.support.call_styles import run_python, unique

pytest.importorskip("structlog", reason="needs structlog")

import structlog

from penstock.contrib.structlog import FlowProcessor, flow_processor

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def plain_structlog() -> Iterator[None]:
    """Leave structlog as it was."""
    yield
    structlog.reset_defaults()


def entries(processor: Any, *, outside: bool = False, **event: object) -> Any:
    """Return the entry of a line that is logged in an entrypoint, and its run's ID."""
    captured = structlog.testing.LogCapture()
    structlog.configure(processors=[processor, captured])

    def log() -> str:
        structlog.get_logger().info("text", **event)
        return ""

    if outside:
        log()
    else:
        flow(unique("orders"))(entrypoint(name="receive")(log))()
    return captured.entries[0]


def test_the_processor_adds_the_flow_id() -> None:
    """Every entry in a flow has ``flow_id``, the correlation ID."""
    with start_flow("order-17"):
        assert entries(flow_processor)["flow_id"] == "order-17"


def test_outside_a_flow_it_adds_nothing() -> None:
    """No key, rather than a key that says nothing."""
    assert entries(flow_processor, outside=True) == {
        "event": "text",
        "log_level": "info",
    }
    assert "cid" not in entries(FlowProcessor(correlation_id="cid"), outside=True)


def test_what_the_entry_has_is_kept() -> None:
    """The user's own value wins."""
    assert entries(flow_processor, flow_id="own")["flow_id"] == "own"
    assert entries(FlowProcessor(step="step"), step=3)["step"] == 3


def test_other_keys_by_your_own_names() -> None:
    """Flow, step, parent and root, under the names that you choose."""
    processor = FlowProcessor(
        correlation_id="cid",
        flow_id="id",
        parent_id="parent",
        root_id="root",
        flow="the_flow",
        step="the_step",
        service="the_service",
    )
    configure(service="shop")

    with start_flow("root"), start_flow("order-17"):
        entry = entries(processor)

    assert entry["the_flow"].startswith("orders")
    assert entry["the_service"] == "shop"
    assert {key: entry[key] for key in ("cid", "id", "parent", "root", "the_step")} == {
        "cid": "order-17",
        "id": "order-17",
        "parent": "root",
        "root": "root",
        "the_step": "receive",
    }


def test_metadata_keeps_its_name() -> None:
    """It is on every entry after it was set; what the entry has is kept."""
    processor = FlowProcessor("order_id", "tenant", step="step")
    with start_flow(order_id="A-1"):
        assert processor(None, "info", {"event": "e"}) == {
            "event": "e",
            "order_id": "A-1",
        }
        assert processor(None, "info", {"order_id": 2}) == {"order_id": 2}
    assert processor(None, "info", {"event": "e"}) == {"event": "e"}


@pytest.fixture
def formatted() -> Iterator[list[dict[str, Any]]]:
    """Format records of ``logging`` through structlog; yield the list of entries."""
    seen: list[dict[str, Any]] = []

    class Seen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(json.loads(self.format(record)))

    handler = Seen()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                flow_processor,
                FlowProcessor("order_id", step="step", root_id="request_id"),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.getLogger("site").addHandler(handler)
    yield seen
    logging.getLogger("site").removeHandler(handler)


def test_records_of_logging(formatted: list[dict[str, Any]]) -> None:
    """They have the fields of their flow, and what is on them already."""
    log = logging.getLogger("site")
    ids = {"correlation_id": "order-18", "root_id": "order-18", "step": "-"}

    log.warning("outside")
    with start_flow("order-17", order_id="A-1"):
        log.warning("inside")
        log.warning("late", extra=ids)

    assert formatted == [
        {"event": "outside"},
        {
            "event": "inside",
            "flow_id": "order-17",
            "correlation_id": "order-17",
            "order_id": "A-1",
            "request_id": "order-17",
        },
        {
            "event": "late",
            "flow_id": "order-17",
            "correlation_id": "order-18",
            "order_id": "A-1",
            "request_id": "order-18",
        },
    ]


def test_the_traceback_of_a_failed_run(formatted: list[dict[str, Any]]) -> None:
    """A server logs it after the run; it has the fields of the run that failed."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None:
        raise KeyError("A-1")

    with start_flow("order-17"), pytest.raises(KeyError) as raised:
        receive()
    logging.getLogger("site").error("unhandled", exc_info=raised.value)

    (entry,) = formatted
    assert (entry["request_id"], entry["step"]) == ("order-17", "receive")


def test_records_from_a_queue(formatted: list[dict[str, Any]]) -> None:
    """Another thread formats them; the fields are on them since they were made."""
    (handler,) = logging.getLogger("site").handlers
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    listener = QueueListener(queue, handler)
    install_log_fields()
    logging.getLogger("site").handlers = [QueueHandler(queue)]
    listener.start()
    with start_flow("order-17"):
        logging.getLogger("site").warning("inside")
    listener.stop()
    logging.getLogger("site").handlers = [handler]
    uninstall_log_fields()

    assert formatted[0]["correlation_id"] == "order-17"


def test_what_is_unknown_is_left_out() -> None:
    """A carried context has no flow and no step; a run of its own no parent."""
    processor = FlowProcessor(flow="flow", step="step", parent_id="parent")

    with start_flow("order-17"):
        entry = entries(processor, outside=True)

    assert entry.keys() == {"event", "log_level"}


def test_an_unknown_field_is_refused() -> None:
    """The message names the nearest one."""
    with pytest.raises(TypeError, match=r"no log field 'corelation_id'.*correlation"):
        FlowProcessor(corelation_id="cid")


def test_it_works_without_structlog() -> None:
    """A processor is a function of a dict: nothing is imported for it."""
    program = """
        import sys
        sys.modules["structlog"] = None
        from penstock import start_flow
        from penstock.contrib.structlog import flow_processor
        with start_flow("order-17"):
            print(flow_processor(None, "info", {"event": "text"}))
    """
    out, errors = run_python(program)

    assert errors == ""
    assert out == (
        "{'event': 'text', 'flow_id': 'order-17', 'correlation_id': 'order-17'}\n"
    )
