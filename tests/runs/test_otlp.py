from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import flow
from penstock.runs.field_layouts import FieldLayout
from penstock.runs.finding import find_operations
from penstock.runs.log_files import LogFiles
from penstock.runs.parsing import LineError, parse_line

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.runs.lines import StoredLine

NOON = 1_796_040_000
TRACE, SPAN, PARENT = "0a" * 16, "0b" * 8, "0c" * 8


def parse(entry: object) -> list[StoredLine]:
    """Return the lines that a line of OTLP holds."""
    return parse_line(json.dumps(entry).encode(), FieldLayout({}), "otlp.jsonl")


def attributes(**values: str) -> list[dict[str, Any]]:
    """Return attributes as OTLP has them."""
    return [
        {"key": key.replace("_", "."), "value": {"stringValue": value}}
        for key, value in values.items()
    ]


def in_collector(kind: str, scope: str, records: str, *found: object) -> object:
    """Return the line of a collector's file exporter."""
    resource = {"attributes": attributes(service_name="shop", host_name="web-1")}
    scopes = [{"scope": {"name": "penstock"}, records: found}]
    return {kind: [{"resource": resource, scope: scopes}]}


def spans(*found: object) -> object:
    """Return a line with spans."""
    return in_collector("resourceSpans", "scopeSpans", "spans", *found)


def logs(*found: object) -> object:
    """Return a line with log records."""
    return in_collector("resourceLogs", "scopeLogs", "logRecords", *found)


STEP: dict[str, Any] = {
    "traceId": TRACE,
    "spanId": SPAN,
    "parentSpanId": PARENT,
    "name": "orders/charge",
    "kind": 1,
    "startTimeUnixNano": f"{NOON}000000000",
    "endTimeUnixNano": f"{NOON}012300000",
    "attributes": [
        *attributes(penstock_flow="orders", penstock_step="charge"),
        *attributes(error_type="KeyError", http_route="/orders"),
        {"key": "penstock.root_id", "value": {"stringValue": "root-1"}},
        {"key": "retries", "value": {"intValue": "2"}},
        {"key": "tags", "value": {"arrayValue": {"values": [{"boolValue": True}]}}},
        {
            "key": "at",
            "value": {
                "kvlistValue": {"values": [{"key": "x", "value": {"doubleValue": 0.5}}]}
            },
        },
    ],
    "links": [{"traceId": "0d" * 16, "spanId": "0e" * 8}],
    "status": {"code": 2},
}


def test_a_span_of_a_step_is_read() -> None:
    """Its attributes are fields; its ID and its parent's are those of calls."""
    (line,) = parse(spans(STEP))

    assert line.is_span
    assert line.source == "otlp.jsonl"
    assert line.time_us == NOON * 1_000_000 + 12_300
    assert line.fields == {
        "service": "shop",
        "host.name": "web-1",
        "flow": "orders",
        "step": "charge",
        "root_id": "root-1",
        "trace_id": TRACE,
        "span_id": SPAN,
        "call_id": f"span:{SPAN}",
        "parent_call_id": f"span:{PARENT}",
        "links": [f"span:{'0e' * 8}"],
        "message": "orders/charge",
        "flow_event": "step.error",
        "outcome": "error",
        "error_type": "KeyError",
        "duration_ms": 12.3,
    }
    assert line.extra == {
        "http.route": "/orders",
        "retries": 2,
        "tags": [True],
        "at": {"x": 0.5},
    }


def test_the_first_item_of_a_generator_is_a_number() -> None:
    """As everywhere else; what is none makes the span malformed."""
    key = "penstock.first_item_ms"
    items = [{"key": key, "value": {"doubleValue": 0.25}}]
    (line,) = parse(spans(STEP | {"attributes": [*STEP["attributes"], *items]}))

    assert line.fields["first_item_ms"] == 0.25
    wrong = [{"key": key, "value": {"stringValue": "soon"}}]
    with pytest.raises(LineError, match="malformed"):
        parse(spans(STEP | {"attributes": wrong}))


def test_another_span_has_no_event() -> None:
    """It may be the parent of steps."""
    span = {key: STEP[key] for key in STEP if key not in {"attributes", "links"}}
    (line,) = parse(spans(span | {"parentSpanId": "", "status": {}}))

    assert "flow_event" not in line.fields
    assert "parent_call_id" not in line.fields
    assert line.fields["call_id"] == f"span:{SPAN}"


def test_log_records_are_read() -> None:
    """Their attributes are keys, the body is the message."""
    attribute = {"key": "root_id", "value": {"stringValue": "root-1"}}
    record = {
        "timeUnixNano": f"{NOON}000000000",
        "severityText": "Warn",
        "body": {"stringValue": "order is late"},
        "attributes": [attribute, *attributes(order_id="A-1")],
        "traceId": TRACE,
        "spanId": SPAN,
    }

    (line,) = parse(logs(record))

    assert not line.is_span
    assert line.time_us == NOON * 1_000_000
    assert line.fields == {
        "root_id": "root-1",
        "trace_id": TRACE,
        "span_id": SPAN,
        "level": "WARN",
        "message": "order is late",
        "service": "shop",
        "host.name": "web-1",
    }
    assert line.extra == {"order.id": "A-1"}


def test_a_log_line_in_a_body_is_read() -> None:
    """A collector that reads log files puts their lines into bodies, as they are."""
    inner = {"flow_event": "step.end", "root_id": "root-1", "service": "billing"}
    observed = f"{NOON}000000000"
    record = {"body": {"stringValue": json.dumps(inner)}, "timeUnixNano": "0"}

    (line,) = parse(logs(record | {"observedTimeUnixNano": observed}))

    assert line.fields == inner | {"host.name": "web-1"}
    assert line.time_us == NOON * 1_000_000


@pytest.mark.parametrize(
    "entry",
    [
        {"resourceSpans": None},
        {"resourceSpans": [1]},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": [{}]}]}]}]},
        spans({"traceId": TRACE}),
        spans(STEP | {"endTimeUnixNano": "soon"}),
        spans(STEP | {"links": ["x"]}),
        spans(STEP | {"attributes": {"penstock.flow": "orders"}}),
    ],
    ids=str,
)
def test_malformed_otlp_is_skipped(entry: object) -> None:
    """A line of another shape has a reason."""
    with pytest.raises(LineError, match=r"^OTLP that is malformed$"):
        parse(entry)


def test_spans_of_the_sdk_are_found(tmp_path: Path) -> None:
    """Spans that are no steps come along if they are in a trace of the operation."""
    encoder = pytest.importorskip(
        "opentelemetry.exporter.otlp.json.common.trace_encoder",
        reason="needs opentelemetry-exporter-otlp-json-common",
    )
    trace = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    in_memory = pytest.importorskip(f"{export.__name__}.in_memory_span_exporter")
    otel = pytest.importorskip("penstock.backends.otel")
    provider, memory = trace.TracerProvider(), in_memory.InMemorySpanExporter()
    provider.add_span_processor(export.SimpleSpanProcessor(memory))
    penstock.configure(otel.OTelBackend(provider))
    orders = flow("orders")

    @orders.entrypoint
    def receive() -> None:
        with pytest.raises(KeyError):
            charge()

    @orders.step(after=receive)
    def charge() -> None:
        raise KeyError

    with provider.get_tracer("http").start_as_current_span("POST /orders"):
        with penstock.start_flow("order-17"):
            receive()
        receive()
    path = tmp_path / "otlp.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for span in memory.get_finished_spans():
            json.dump(encoder.encode_spans([span]).to_dict(), file)
            file.write("\n")

    (lines,) = find_operations(LogFiles([str(path)]), "order-17").values()

    assert {line.fields["message"]: line.fields.get("outcome") for line in lines} == {
        "POST /orders": None,
        "orders/receive": "ok",
        "orders/charge": "error",
    }
    assert len(lines) == 3
    by_name = {line.fields["message"]: line.fields for line in lines}
    assert (
        by_name["orders/charge"]["parent_call_id"]
        == (by_name["orders/receive"]["call_id"])
    )
    assert all(line.time_us is not None for line in lines)
