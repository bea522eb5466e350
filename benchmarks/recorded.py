"""Measure recorded steps, compared with doing the same by hand."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import penstock

from .calls import in_flow, step
from .floors import floor, work
from .report import Row
from .timing import Case, best

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

__all__ = ["rows"]

_FLOOR = "floors"


def rows(seconds: float) -> Iterator[Row]:
    """Measure each backend for *seconds*; yield its row."""
    yield from _logging(seconds)
    yield _otel(seconds)
    yield from _conformance(seconds)


def _conformance(seconds: float) -> Iterator[Row]:
    flow = penstock.flow("trusted")
    names = [f"step {number}" for number in range(62)]

    @flow.entrypoint
    def receive(loop: Callable[[], float]) -> float:
        steps[names[0]](1)
        return loop()

    steps = {
        name: flow.step(name=name, after=before)(work())
        for before, name in zip(["receive", *names], names, strict=False)
    }
    first = flow.step(name="first")(work())
    joins = {
        number: flow.step(
            name=f"join of {number}", after=["receive", *names[1:number]]
        )(work())
        for number in (3, 8)
    }

    @flow.step(name="around", after="receive")
    def around(loop: Callable[[], float]) -> float:
        return loop()

    def nested(loop: Callable[[], float]) -> float:
        return receive(lambda: around(loop))

    def carried(loop: Callable[[], float]) -> float:
        with penstock.start_flow():
            return loop()

    cases = [
        Case("floor", floor(work())),
        Case("step", steps[names[1]], within=receive),
        Case("none", first, within=receive),
        Case("three", joins[3], within=receive),
        Case("eight", joins[8], within=receive),
        Case("called", flow.step(name="called", after="around")(work()), within=nested),
        Case("carried", steps[names[2]], within=carried),
    ]
    penstock.configure(conformance="record")
    took = best(cases, seconds=seconds)
    penstock.reset()
    what = "step with conformance `record`"
    yield Row(what, took["step"] / took["floor"], 2.4, _FLOOR)
    for name, limit, of in (
        ("none", 4.0, "no predecessor"),
        ("three", 4.0, "three predecessors"),
        ("eight", None, "eight predecessors"),
        ("called", 4.0, "called by its predecessor"),
        ("carried", None, "directly under a carried context"),
    ):
        yield Row(f"{what}, {of}", took[name] / took["floor"], limit, _FLOOR)


def _logging(seconds: float) -> Iterator[Row]:
    cases = [
        Case("bare", _logged(work(), None)),
        Case("with fields", _logged(work(), _FIELDS)),
        Case("step", step(work()), within=in_flow),
    ]
    stop = write_lines_nowhere()
    took = best(cases, seconds=seconds)
    stop()
    what, unit = "step with logging at INFO", "x two Logger.info"
    yield Row(what, took["step"] / took["bare"], 1.35, unit)
    ratio = took["step"] / took["with fields"]
    yield Row(f"{what}, against the same fields", ratio, None, f"{unit}(extra=)")


# The fields of a penstock log line whose values are known beforehand.
_FIELDS = {
    "flow": "orders",
    "step": "charge",
    "correlation_id": "0" * 32,
    "root_id": "0" * 32,
    "parent_id": None,
    "short_id": "0" * 8,
    "run_id": "0" * 16 + "-1",
    "call_id": "0" * 16 + "-2",
    "parent_call_id": "0" * 16 + "-1",
    "parent_step": "receive",
    "service": None,
    "outcome": "ok",
}


def _logged(
    func: Callable[[int], int], extra: dict[str, Any] | None
) -> Callable[[int], int]:
    logger = logging.getLogger("reference")

    def call(order: int) -> int:
        logger.info("step.start orders/charge", extra=extra)
        result = func(order)
        logger.info("step.end orders/charge", extra=extra)
        return result

    return call


class _Nowhere:
    """A stream that discards every line."""

    def write(self, text: str) -> None:
        """Drop *text*."""

    def flush(self) -> None:
        """Do nothing."""


def write_lines_nowhere() -> Callable[[], None]:
    """Format and discard INFO lines; return a function that stops this."""
    handler = logging.StreamHandler(_Nowhere())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)

    def stop() -> None:
        root.setLevel(level)
        root.removeHandler(handler)

    return stop


def _otel(seconds: float) -> Row:
    what, unit = "step with OpenTelemetry SDK", "x start_as_current_span"
    try:
        spans = install_sdk()
    except ImportError:
        return Row(what, None, 1.0, unit, note="not available")
    charge = step(work())
    with recording_to("otel"):
        in_flow(lambda: charge(1))  # shows which attributes a span has
        by_hand = _traced(work(), spans.last.name, spans.last.attributes)
        cases = [  # both in a span: a child costs more than one that begins a trace
            Case("by hand", by_hand, within=in_flow),
            Case("step", charge, within=in_flow),
        ]
        took = best(cases, seconds=seconds)
    return Row(what, took["step"] / took["by hand"], 1.0, unit)


def install_sdk() -> Any:
    """Set up an SDK that records every span; return an object with the last span."""
    from opentelemetry import trace  # noqa: PLC0415  # only where it is installed
    from opentelemetry.sdk.trace import (  # noqa: PLC0415  # the same
        ReadableSpan,
        SpanProcessor,
        TracerProvider,
    )

    class Spans(SpanProcessor):
        last: ReadableSpan

        def on_end(self, span: ReadableSpan) -> None:
            self.last = span

    spans, provider = Spans(), TracerProvider()
    provider.add_span_processor(spans)
    trace.set_tracer_provider(provider)
    return spans


def _traced(
    func: Callable[[int], int], name: str, attributes: dict[str, Any]
) -> Callable[[int], int]:
    from opentelemetry import trace  # noqa: PLC0415  # only where it is installed

    tracer = trace.get_tracer("reference")
    known = dict(attributes)
    correlation_id = known.pop("penstock.correlation_id")

    def call(order: int) -> int:
        given = {**known, "penstock.correlation_id": correlation_id}
        with tracer.start_as_current_span(name, attributes=given):
            return func(order)

    return call


@contextmanager
def recording_to(backend: str) -> Generator[None]:
    """Record steps with *backend*."""
    penstock.configure(backend)
    try:
        yield
    finally:
        penstock.reset()
