from __future__ import annotations

import io
import json
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import penstock
from penstock import flow
from penstock.errors import ConfigurationError
from penstock.runs.field_layouts import FieldLayout
from penstock.runs.parsing import LineError, parse_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.runs.lines import StoredLine

NOON_US = 1_796_040_000_000_000
TIME = "2026-11-30T12:00:00.000000Z"
IDS = {"correlation_id": "run-1", "root_id": "root-1", "call_id": "aa-2"}
STEP = {"flow_event": "step.end", "flow": "orders", "step": "charge", **IDS}
LINE = json.dumps({"timestamp": TIME, **STEP, "order_id": "A-1"})


def parse(line: str | bytes, **fields: str) -> StoredLine:
    """Return the one line that is parsed."""
    data = line.encode() if isinstance(line, str) else line
    (found,) = parse_line(data, FieldLayout(fields), "app.log")
    return found


def known(line: StoredLine) -> dict[str, Any]:
    """Return those fields of a line that ``STEP`` has."""
    return {name: line.fields.get(name) for name in STEP}


@pytest.fixture
def written() -> Iterator[tuple[logging.Handler, io.StringIO]]:
    """Return a handler of all loggers, and what it writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    penstock.install_log_fields("order_id")
    penstock.configure(service="shop")
    yield handler, stream
    penstock.uninstall_log_fields()
    root.removeHandler(handler)
    root.setLevel(level)


def order() -> None:
    """Run a flow whose step logs a line and fails."""
    orders = flow("orders")

    @orders.entrypoint
    def receive() -> None:
        penstock.set_flow_context_value("order_id", "A-1")
        charge()

    @orders.step(after=receive)
    def charge() -> None:
        logging.getLogger("shop").info("charging", extra={"cents": 1250})
        raise KeyError

    with penstock.start_flow("order-17"), pytest.raises(KeyError):
        receive()


def test_penstocks_own_lines_are_read(
    written: tuple[logging.Handler, io.StringIO],
) -> None:
    """All fields of the formatter have their names and types; extras are apart."""
    handler, stream = written
    handler.setFormatter(penstock.JSONFormatter())
    order()
    lines = [parse(line) for line in stream.getvalue().splitlines()]

    assert [line.fields.get("flow_event") for line in lines] == [
        *("step.start", "step.start", None, "step.error", "step.error")
    ]
    start, _, logged, error, _ = lines
    assert start.fields.keys() >= {"run_id", "service", "host.name", "process.pid"}
    assert logged.extra == {"cents": 1250, "order_id": "A-1"}
    assert logged.fields["message"] == "charging"
    assert logged.fields["call_id"] == error.fields["call_id"]
    assert error.fields["level"] == "WARNING"
    assert error.fields["error_type"] == "KeyError"
    assert isinstance(error.fields["duration_ms"], float)
    assert error.source == "app.log"
    times = [line.time_us for line in lines if line.time_us is not None]
    assert len(times) == len(lines)
    assert times == sorted(times)


def test_one_line_per_run_is_read(
    written: tuple[logging.Handler, io.StringIO],
) -> None:
    """Its calls are a list of objects."""
    handler, stream = written
    handler.setFormatter(penstock.JSONFormatter())
    penstock.configure(penstock.LoggingBackend(lines="run"))
    order()
    *_, last = stream.getvalue().splitlines()

    assert [call["step"] for call in parse(last).fields["calls"]] == ["charge"]


def same(lines: list[StoredLine]) -> list[dict[str, Any]]:
    """Return what all logging libraries write alike."""
    names = ("flow", "step", "correlation_id", "root_id", "message", "level", "logger")
    return [{name: line.fields.get(name) for name in names} for line in lines]


def test_python_json_logger_is_read(
    written: tuple[logging.Handler, io.StringIO],
) -> None:
    """It writes the attributes of records, under the names of ``logging``."""
    library = pytest.importorskip("pythonjsonlogger.json", reason="needs a logger")
    handler, stream = written
    handler.setFormatter(
        library.JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    )
    order()
    lines = [parse(line) for line in stream.getvalue().splitlines()]

    assert len(lines) == 5
    assert same(lines)[2] == {
        "flow": "orders",
        "step": "charge",
        "message": "charging",
        "correlation_id": "order-17",
        "root_id": "order-17",
        "level": "INFO",
        "logger": "shop",
    }
    assert lines[2].extra.items() >= {"cents": 1250, "order_id": "A-1"}.items()
    assert isinstance(lines[3].fields["duration_ms"], float)
    assert lines[3].time_us is not None


def test_structlog_is_read(written: tuple[logging.Handler, io.StringIO]) -> None:
    """Its message is the key ``event``; penstock's records come through it as well."""
    structlog = pytest.importorskip("structlog", reason="needs structlog")
    stamper = structlog.processors.TimeStamper()
    handler, stream = written
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                stamper,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    order()
    lines = [parse(line) for line in stream.getvalue().splitlines()]

    assert same(lines)[2]["message"] == "charging"
    assert same(lines)[2]["logger"] == "shop"
    assert lines[3].fields["flow_event"] == "step.error"
    assert lines[3].fields["level"] == "WARNING"
    assert lines[3].time_us is not None


def test_loguru_is_read() -> None:
    """What was bound is below ``record.extra``."""
    loguru = pytest.importorskip("loguru", reason="needs loguru")
    contrib = pytest.importorskip("penstock.contrib.loguru")
    stream = io.StringIO()
    logger = loguru.logger
    sink = logger.add(stream, serialize=True)
    patched = logger.patch(contrib.FlowPatcher(correlation_id="cid", root_id="root_id"))
    with penstock.start_flow("order-17"):
        patched.bind(order_id="A-1").info("charging")
    logger.remove(sink)

    line = parse(stream.getvalue(), correlation_id="cid")

    assert line.time_us is not None
    assert (
        line.fields.items()
        >= {
            "correlation_id": "order-17",
            "root_id": "order-17",
            "level": "INFO",
            "message": "charging",
            "logger": __name__,
        }.items()
    )
    assert line.fields["process.pid"].isdecimal()
    assert line.extra["order_id"] == "A-1"


def test_ecs_is_read(written: tuple[logging.Handler, io.StringIO]) -> None:
    """Elastic's formatter has dotted keys and nested objects."""
    library = pytest.importorskip("ecs_logging", reason="needs ecs-logging")
    handler, stream = written
    handler.setFormatter(library.StdlibFormatter())
    order()
    lines = [parse(line) for line in stream.getvalue().splitlines()]

    assert same(lines)[2]["message"] == "charging"
    assert same(lines)[2]["logger"] == "shop"
    assert lines[3].fields["flow_event"] == "step.error"
    assert lines[3].fields["level"] == "WARNING"
    assert lines[3].fields["process.pid"].isdecimal()
    assert lines[3].time_us is not None


PREFIXES = {
    "nothing": "",
    "BOM": "\ufeff",
    "holes of copytruncate": "\0" * 100,
    "CRI": "2026-11-30T12:00:00.123456789Z stdout F ",
    "kubectl --prefix": "[pod/shop-7d9/app] ",
    "kubectl --timestamps": "2026-11-30T12:00:00.1Z ",
    "stern": "shop-7d9 app ",
    "docker compose": "api-1  | ",
    "docker compose in colour": "\x1b[36mapi-1  | \x1b[0m",
    "logcli": '2026-11-30T12:00:00Z {app="shop", path="/{id}"} ',
    "aws logs tail": "2026-11-30T12:00:00.100000+00:00 app/shop/0e1f ",
    "journalctl": "Nov 30 12:00:00 web-1 shop[17]: ",
    "syslog": "<14>1 2026-11-30T12:00:00Z web-1 shop 17 - - ",
}


@pytest.mark.parametrize("name", PREFIXES)
def test_what_stands_before_the_object_is_ignored(name: str) -> None:
    """Tools that print logs put names and times before each line."""
    line = parse(PREFIXES[name] + LINE + "\r\n")

    assert known(line) == STEP
    assert line.extra == {"order_id": "A-1"}
    assert line.time_us == NOON_US


WRAPPERS = {
    "Docker": {"log": LINE + "\n", "stream": "stdout", "time": TIME},
    "journald": {"MESSAGE": LINE, "_HOSTNAME": "web-1", "__REALTIME_TIMESTAMP": "1"},
    "logcli": {"labels": {"app": "shop"}, "line": LINE, "timestamp": TIME},
    "stern": {"message": LINE, "podName": "shop-7d9", "containerName": "app"},
    "stern extjson": {"pod": "shop-7d9", "message": json.loads(LINE)},
    "Google Cloud": {"jsonPayload": STEP | {"order_id": "A-1"}, "timestamp": TIME},
    "Google Cloud text": {"textPayload": LINE, "severity": "INFO"},
    "Datadog": {"attributes": STEP | {"order_id": "A-1"}, "date": TIME},
    "Datadog's API": {
        "type": "log",
        "attributes": {"attributes": STEP | {"order_id": "A-1"}, "timestamp": TIME},
    },
    "Elasticsearch": {"_index": "logs", "_source": json.loads(LINE)},
    "Fluent Bit": {"log_processed": json.loads(LINE), "kubernetes": {"host": "n-1"}},
    "Azure Monitor": {"TimeGenerated": TIME, "LogMessage": json.loads(LINE)},
    "Azure's older tables": {"TimeGenerated": TIME, "LogEntry": LINE},
    "Splunk": {"_raw": LINE, "_time": TIME, "host": "web-1"},
    "CloudWatch Insights": {"@message": LINE, "@ptr": "Cn"},
    "Docker of journald": {"log": json.dumps({"MESSAGE": f"shop: {LINE}"})},
    "logfmt in Docker": {
        "log": f"time={TIME} order_id=A-1 "
        + " ".join(f"{key}={value}" for key, value in STEP.items())
    },
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrapped_lines_are_read(name: str) -> None:
    """The line may be a string in another object, or an object in it."""
    line = parse(json.dumps(WRAPPERS[name]))

    assert known(line) == STEP
    assert line.extra["order_id"] == "A-1"
    assert line.time_us == NOON_US


def test_a_wrapper_says_what_the_line_does_not() -> None:
    """Host, service and time are those of the wrapper if the line has none."""
    wrapper = {
        "MESSAGE": json.dumps(STEP),
        "_HOSTNAME": "web-1",
        "_PID": "17",
        "__REALTIME_TIMESTAMP": str(NOON_US),
        "service": "shop",
    }

    line = parse(json.dumps(wrapper))

    assert line.time_us == NOON_US
    assert line.fields["host.name"] == "web-1"
    assert line.fields["process.pid"] == "17"
    assert line.fields["service"] == "shop"
    assert "_HOSTNAME" not in line.extra


def test_a_time_with_a_zone_is_preferred() -> None:
    """``asctime`` is the local time of an unknown place; the prefix has a zone."""
    local = json.dumps({**STEP, "asctime": "2026-11-30 07:00:00,000"})

    assert parse(f"{TIME} stdout F {local}").time_us == NOON_US
    assert parse(local).time_us == NOON_US - 5 * 3600 * 1_000_000


def test_an_inner_string_does_not_hide_its_line() -> None:
    """A message with JSON in it is a message, where the line itself has IDs."""
    message = 'got {"root_id": "other", "flow_event": "step.end"}'

    assert parse(json.dumps({**IDS, "message": message})).fields["root_id"] == "root-1"
    line = parse(json.dumps({"trace_id": "t1", "message": "got {broken"}))
    assert line.fields == {"trace_id": "t1", "message": "got {broken"}
    line = parse(json.dumps({"trace_id": "t1", "message": 'got {"a": 1}'}))
    assert line.fields["message"] == 'got {"a": 1}'
    assert parse(json.dumps({"message": "a=1 a=2"})).fields == {"message": "a=1 a=2"}


def test_logfmt_is_read() -> None:
    """Values may be quoted."""
    line = parse(
        f'time={TIME} level=info msg="order \\"A-1\\" is late" bad="\\x" '
        "correlation_id=run-1 flow_event=step.end duration_ms=12.5 empty="
    )

    assert line.time_us == NOON_US
    assert line.fields == {
        "level": "INFO",
        "message": 'order "A-1" is late',
        "duration_ms": 12.5,
        "correlation_id": "run-1",
        "flow_event": "step.end",
    }
    assert line.extra.items() >= {"bad": "\\x", "empty": ""}.items()


def test_a_time_among_pairs_is_not_that_of_the_line() -> None:
    """Only one that stands before them is."""
    pairs = "correlation_id=run-1 due=2027-01-01T00:00:00Z"

    assert parse(pairs).time_us is None
    assert parse(f"{TIME} {pairs}").time_us == NOON_US


TRACES = {
    "Elastic": {"trace": {"id": "t1"}, "span": {"id": "s1"}},
    "Elastic, dotted": {"trace.id": "t1", "span.id": "s1"},
    "Datadog": {"dd": {"trace_id": "t1", "span_id": "s1"}},
    "Datadog, dotted": {"dd.trace_id": "t1", "dd.span_id": "s1"},
    "OpenTelemetry": {"otelTraceID": "t1", "otelSpanID": "s1"},
    "Google Cloud": {
        "logging.googleapis.com/trace": "projects/shop/traces/t1",
        "logging.googleapis.com/spanId": "s1",
    },
}


@pytest.mark.parametrize("name", TRACES)
def test_traces_are_found(name: str) -> None:
    """Each vendor has its own keys for the same two IDs."""
    fields = parse(json.dumps(TRACES[name])).fields

    assert (fields["trace_id"], fields["span_id"]) == ("t1", "s1")


def test_keys_can_be_mapped() -> None:
    """A field may have any key, also inside an object; other keys are no longer it."""
    data = json.dumps(
        {"app": {"name": "shop"}, "service": "no", "cid": "run-1", "when": TIME}
    )

    line = parse(data, service="app.name", correlation_id="cid", timestamp="when")

    assert line.time_us == NOON_US
    assert line.fields == {"service": "shop", "correlation_id": "run-1"}
    with pytest.raises(ConfigurationError, match="Did you mean 'service'"):
        FieldLayout({"servcie": "app"})


def test_malformed_values_are_missing() -> None:
    """A field has its type or is not there; what stands for nothing is neither."""
    line = parse(
        json.dumps(
            {
                "correlation_id": "run-1",
                "root_id": None,
                "flow": "-",
                "step": "",
                "duration_ms": 1e308,
                "first_item_ms": -1,
                "calls": [1],
                "outcome": ["ok"],
                "level": 30,
                "process.pid": 17,
                "run_id": True,
            }
        )
    )

    assert line.fields == {"correlation_id": "run-1", "process.pid": "17"}
    assert (
        "duration_ms" not in parse('{"root_id": "run-1", "duration_ms": "soon"}').fields
    )


def test_lines_of_penstock_0_2_are_read() -> None:
    """Their event is in the message, and some fields had other names."""
    ids = {"correlation_id": "run-1", "flow": "orders", "step": "charge"}
    more = {"caller": "receive", "status": "error", "error": "KeyError"}
    message = "step.error orders/charge KeyError 12.3 ms a1b2c3d4"

    line = parse(json.dumps({**ids, **more, "message": message}))

    assert line.fields == {
        **ids,
        "message": message,
        "flow_event": "step.error",
        "parent_step": "receive",
        "outcome": "error",
        "error_type": "KeyError",
    }
    line = parse(
        json.dumps({**ids, "caller": "-", "message": "step.start orders/x a1"})
    )
    assert line.fields["flow_event"] == "step.start"
    assert "parent_step" not in line.fields
    line = parse(json.dumps({"message": "step.start orders/x", "flow": "orders"}))
    assert "flow_event" not in line.fields


def test_fields_of_a_flow_stand_together() -> None:
    """A user's own ``step`` elsewhere in the line is not penstock's."""
    line = parse(json.dumps({"step": 3, "extra": {"correlation_id": "run-1"}}))

    assert line.fields == {"correlation_id": "run-1"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"root_id": "a\xff"}', "not UTF-8"),
        (b'{"root_id": "a", "root_id": "b"}', "a key twice"),
        (b'{"root_id": "a"', "not complete JSON"),
        (b'{"root_id": "a"} and more', "not complete JSON"),
        (b'{"jsonPayload": {"root_id": "a"}', "not complete JSON"),
        (b'{"a":' * 1_000_000, "nested too deeply"),
        (b'{"a":[' + b"[" * 70 + b"]" * 70 + b"]}", "nested too deeply"),
        (b'{"root_id": "\\ud800"}', "half a surrogate pair"),
        (b'root_id="\\ud800" step=a', "half a surrogate pair"),
        (b"root-1", "neither JSON nor logfmt"),
        (b"a=1 a=2", "a key twice"),
        (b"[1, 2]", "neither JSON nor logfmt"),
        (b"\0" * 100, "neither JSON nor logfmt"),
        (json.dumps({"log": '{"root_id": "a'}).encode(), "not complete JSON"),
    ],
    ids=str,
)
def test_garbage_has_a_reason(data: bytes, reason: str) -> None:
    """What cannot be read is an error with the same words for all such lines."""
    with pytest.raises(LineError, match=f"^{reason}$"):
        parse(data)


@pytest.mark.parametrize(
    "part", ["a", "a=", 'a="', '{"', '{"a', '{"\\', "{ ", '{"a" ', "a.", '="\\"', "-"]
)
def test_long_garbage_takes_linear_time(part: str) -> None:
    """A megabyte of anything is refused, or read, in no time."""
    began = time.process_time()

    with suppress(LineError):
        parse(part * (1_000_000 // len(part)))

    assert time.process_time() - began < 5


def test_numbers_that_nothing_holds_are_texts() -> None:
    """A line is not lost for them."""
    line = parse(b'{"root_id": "a", "x": 1e999, "y": NaN, "z": ' + b"9" * 5000 + b"}")

    assert line.extra == {"x": "1e999", "y": "NaN", "z": "9" * 5000}


def test_many_keys_are_read_each_time() -> None:
    """What lines with so many keys have in common is not kept: it would only grow."""
    fields = {"root_id": "a", **{f"key{number}": number for number in range(200)}}

    line = parse(json.dumps(fields))

    assert line.fields["root_id"] == "a"
    assert line.extra["key199"] == 199


def test_surrogate_pairs_are_text() -> None:
    """Two halves that belong together are one character."""
    assert parse(b'{"root_id": "\\ud83d\\ude00"}').fields["root_id"] == "\U0001f600"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
names = st.sampled_from(
    [*STEP, "calls", "log", "message", "labels", "record", "extra", "resourceSpans"]
)


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.dictionaries(names, json_values).map(lambda line: json.dumps(line).encode())
)
def test_any_line_is_read_or_skipped(data: bytes) -> None:
    """No line makes it raise anything else."""
    try:
        lines = parse_line(data, FieldLayout({}))
    except LineError:
        return
    json.dumps([line.fields | line.extra for line in lines])
