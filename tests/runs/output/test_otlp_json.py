"""Operations as OTLP, read by OpenTelemetry's own messages."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock.runs.field_layouts import FieldLayout
from penstock.runs.output.facts import Shown
from penstock.runs.output.otlp_json import as_otlp
from penstock.runs.parsing import parse_line
from penstock.runs.trees import operations_of
from tests.support.operations import at, call, line, operation, shop_operation

if TYPE_CHECKING:
    from penstock.runs.operation import Operation

json_format = pytest.importorskip(
    "google.protobuf.json_format", reason="needs protobuf"
)
trace_pb2 = pytest.importorskip(
    "opentelemetry.proto.trace.v1.trace_pb2", reason="needs opentelemetry-proto"
)


def parsed(*operations: Operation, with_logs: bool = False) -> Any:
    """Return the document, as any tool reads it."""
    document = json.loads(as_otlp(Shown(operations, with_logs=with_logs)))
    for resource in document["resourceSpans"]:
        for span in resource["scopeSpans"][0]["spans"]:
            for key in span.keys() & {"traceId", "spanId", "parentSpanId"}:
                # OTLP has digits where protobuf's own JSON has base64.
                span[key] = base64.urlsafe_b64encode(bytes.fromhex(span[key])).decode()
    return json_format.ParseDict(document, trace_pb2.TracesData())


def spans(document: Any) -> list[Any]:
    """Return all spans."""
    return [
        span for one in document.resource_spans for span in one.scope_spans[0].spans
    ]


def values(attributes: Any) -> dict[str, Any]:
    """Return attributes as Python has them."""
    found = {}
    for one in attributes:
        kind = one.value.WhichOneof("value")
        value = getattr(one.value, kind)
        is_list = kind == "array_value"
        found[one.key] = [v.string_value for v in value.values] if is_list else value
    return found


def test_an_operation() -> None:
    """Each call is a span in the trace of its operation, below its caller's."""
    document = parsed(shop_operation())
    resources = [values(one.resource.attributes) for one in document.resource_spans]
    named = {one.name: one for one in spans(document)}
    parcel, ship = named["shipping/parcel"], named["orders/ship"]

    assert resources == [
        {"service.name": "shop", "host.name": "web-1", "process.pid": 71},
        {"service.name": "billing", "host.name": "pay-1", "process.pid": 8},
        {"service.name": "shipping", "host.name": "ship-1", "process.pid": 12},
    ]
    assert len(spans(document)) == len({one.span_id for one in spans(document)}) == 13
    trace_ids = {one.trace_id.hex() for one in spans(document)}
    assert trace_ids == {"4711abcd9f0e4b1c8d2e3f4a5b6c7d8e"}
    assert named["orders/receive"].parent_span_id == b""
    assert parcel.parent_span_id == ship.span_id
    assert ship.start_time_unix_nano == at(711) * 1000
    assert ship.end_time_unix_nano == at(730) * 1000
    assert ship.kind == trace_pb2.Span.SPAN_KIND_INTERNAL
    assert parcel.kind == trace_pb2.Span.SPAN_KIND_CONSUMER
    facts = values(parcel.attributes)
    assert facts["penstock.step"] == "parcel"
    assert values(named["orders/lines"].attributes)["penstock.first_item_ms"] == 0.9
    assert facts["penstock.sent_at"] == "2026-11-30T10:15:02.835456Z"
    assert facts["penstock.doubts"] == shop_operation().calls[10].doubts


def test_failures() -> None:
    """A failure has a status and an event; a call that is still open has neither."""
    failed, open_, ended = spans(
        parsed(
            operation(
                call("f/a", 0, 5, outcome="error", error_type="KeyError"),
                call("f/b", 1, None),
                call("f/c", 2, 3),
            )
        )
    )

    assert failed.status.code == trace_pb2.Status.STATUS_CODE_ERROR
    assert failed.status.message == "KeyError"
    assert failed.events[0].name == "exception"
    assert failed.events[0].time_unix_nano == at(5) * 1000
    assert values(failed.events[0].attributes) == {"exception.type": "KeyError"}
    assert open_.status.code == trace_pb2.Status.STATUS_CODE_UNSET
    assert open_.end_time_unix_nano == open_.start_time_unix_nano == at(1) * 1000
    assert values(open_.attributes)["penstock.no_end"] is True
    assert ended.status.code == trace_pb2.Status.STATUS_CODE_OK


def test_other_lines() -> None:
    """With logs, the other lines of a call are its events."""
    lines = [line(3, "hello", level=""), line(None, "there")]
    lines[0].extra.update(order="A-1", items=[1, {"x": 2}])
    shown = operation(call("f/a", 0, 5, lines=lines))
    (without,) = spans(parsed(shown))
    (span,) = spans(parsed(shown, with_logs=True))

    assert list(without.events) == []
    assert [one.time_unix_nano for one in span.events] == [at(3) * 1000, at(5) * 1000]
    assert values(span.events[0].attributes) == {
        "logger": "shop",
        "message": "hello",
        "order": "A-1",
        "items": '[1, {"x": 2}]',
    }


def test_ids() -> None:
    """IDs are valid and the same each time, whatever the lines say."""
    odd = operation(call("f/a"), call("f/b", call_id=""), root_id="order 5")
    zero = operation(call("f/a", call_id="span:00f067aa0ba902b7"), root_id="0" * 32)
    found = spans(parsed(odd, zero))

    assert as_otlp(Shown([odd, zero])) == as_otlp(Shown([odd, zero]))
    assert {len(one.trace_id) for one in found} == {16}
    assert {len(one.span_id) for one in found} == {8}
    assert len({one.trace_id for one in found}) == 2
    assert all(any(one.trace_id) for one in found)
    assert found[2].span_id.hex() == "00f067aa0ba902b7"


def test_lost_times_and_odd_characters() -> None:
    """Without times a span is where its operation begins; half characters go."""
    shown = operation(
        call("f/a", None, None, process="a\ud800", service="\ud800"),
        call("f/b", None, 7),
    )
    lost, ended = spans(parsed(shown))

    assert lost.start_time_unix_nano == lost.end_time_unix_nano == at(7) * 1000
    assert ended.start_time_unix_nano == at(7) * 1000
    assert values(ended.attributes)["penstock.no_start"] is True
    assert spans(parsed(operation(call("f/a", None, None))))[0].end_time_unix_nano == 0


def test_an_end_without_a_time() -> None:
    """A call has ended if a line says how."""
    (span,) = spans(parsed(operation(call("f/a", 1, None, outcome="ok"))))

    assert "penstock.no_end" not in values(span.attributes)


@pytest.mark.parametrize("process", ["9" * 5000, "9" * 19, "٣", ""])
def test_a_process_without_a_number(process: str) -> None:
    """Only what OTLP can hold is a process ID."""
    document = parsed(operation(call("f/a", process=process, service="shop")))

    assert values(document.resource_spans[0].resource.attributes) == {
        "service.name": "shop"
    }


def test_absurd_times() -> None:
    """Times that OTLP cannot hold are as near as it gets."""
    (span,) = spans(parsed(operation(call("f/a", -1e15, 1e20))))

    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (0, 2**64 - 1)


def test_it_is_read_back() -> None:
    """What is written is a source of stored runs, too."""
    shown = shop_operation()
    lines = parse_line(as_otlp(Shown([shown])).encode(), FieldLayout({}))
    (found,) = operations_of(lines)

    def told(operation: Operation) -> list[tuple[object, ...]]:
        names = "flow", "step", "service", "start_us", "end_us", "outcome", "error_type"
        return [
            (*(getattr(one, name) for name in names), one.first_item_us, one.sent_at_us)
            for one in operation.calls
        ]

    assert told(found) == told(shown)
