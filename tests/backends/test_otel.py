from __future__ import annotations

import asyncio
import logging
import pickle
import threading
import types
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    ConfigurationError,
    LoggingBackend,
    bind_flow,
    configure,
    continue_flow,
    current_flow_id,
    entrypoint,
    flow,
    get_backend,
    inject,
    install_log_fields,
    start_flow,
    step,
    uninstall_log_fields,
)
from tests.support.call_styles import KINDS, finish, marked, run_python, unique

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry")

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    NoOpTracerProvider,
    StatusCode,
    format_span_id,
    format_trace_id,
)

from penstock.backends.otel import OTelBackend, PenstockIdGenerator
from penstock.contrib.kafka import flow_from_batch
from penstock.contrib.structlog import FlowProcessor
from penstock.contrib.threads import (
    FlowThreadPoolExecutor,
    install_threads,
    uninstall_threads,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from opentelemetry.sdk.trace import ReadableSpan


# A failure is reported once per backend, which is known by its address.
_kept: list[TracerProvider] = []


class Spans:
    """An SDK provider, configured as the backend; what has ended can be read."""

    def __init__(
        self, ids: PenstockIdGenerator | None = None, across_messages: str = "link"
    ) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, id_generator=ids)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        _kept.append(self.provider)
        self.tracer = self.provider.get_tracer("test")
        configure(OTelBackend(self.provider, across_messages=across_messages))

    def ended(self) -> dict[str, ReadableSpan]:
        """Return spans by the last part of their name."""
        spans = self._exporter.get_finished_spans()
        return {span.name.rpartition("/")[2]: span for span in spans}


@pytest.fixture
def spans() -> Spans:
    """Configure the backend with a provider of the SDK."""
    return Spans()


def current() -> str:
    """Return the last part of the current span's name."""
    name: str = getattr(trace.get_current_span(), "name", "none")
    return name.rpartition("/")[2]


def parent_of(span: ReadableSpan) -> int | None:
    """Return the ID of the parent span."""
    return None if span.parent is None else span.parent.span_id


def trace_of(span: ReadableSpan) -> int:
    """Return a span's trace."""
    assert span.context is not None
    trace_id: int = span.context.trace_id
    return trace_id


def id_of(span: ReadableSpan) -> int:
    """Return the span's own ID."""
    assert span.context is not None
    span_id: int = span.context.span_id
    return span_id


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_is_a_span_under_its_callers(spans: Spans, kind: str) -> None:
    """Current while the step runs, a child of the caller's, gone afterwards."""
    name = unique("orders")
    seen: list[str] = []

    @flow(name)
    @step
    def charge() -> None:
        seen.append(current())

    def work() -> None:
        charge()
        seen.append(current())

    middle_step = marked(kind, work, role="step", in_flow=name)

    @flow(name)
    @entrypoint
    async def receive() -> str:
        await finish(middle_step)
        return current()

    async def main() -> tuple[str, str]:
        return await receive(), current()

    assert asyncio.run(main()) == ("receive", "none")
    ended = spans.ended()
    (middle,) = ended.keys() - {"receive", "charge"}
    assert seen == ["charge", middle]
    assert parent_of(ended["receive"]) is None
    assert parent_of(ended[middle]) == id_of(ended["receive"])
    assert parent_of(ended["charge"]) == id_of(ended[middle])


def test_the_attributes_of_a_span(spans: Spans) -> None:
    """Names, the correlation ID, and the place in the source."""

    @flow(name := unique("orders"))
    @step
    def charge() -> None: ...

    with start_flow("outer"), start_flow("order-17"):
        charge()

    span = spans.ended()["charge"]
    assert span.name == f"{name}/charge"
    attributes = dict(span.attributes or {})
    assert str(attributes.pop("penstock.run_id")).count("-") == 1
    line = attributes.pop("code.line.number")
    assert isinstance(line, int)
    assert line > 1
    assert attributes == {
        "penstock.flow": name,
        "penstock.step": "charge",
        "penstock.correlation_id": "order-17",
        "penstock.root_id": "outer",
        "code.function.name": f"{charge.__module__}.{charge.__qualname__}",
        "code.file.path": __file__,
    }


def test_a_step_is_a_child_of_the_span_around(spans: Spans) -> None:
    """Spans of the application and of other libraries stay where they are."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None:
        with spans.tracer.start_as_current_span("query"):
            pass

    with spans.tracer.start_as_current_span("request"):
        receive()
        assert current() == "request"

    ended = spans.ended()
    assert parent_of(ended["receive"]) == id_of(ended["request"])
    assert parent_of(ended["query"]) == id_of(ended["receive"])


def test_an_exception_is_recorded_once_on_the_innermost_span(spans: Spans) -> None:
    """Each span above has the status, and none has the exception again."""
    orders = flow(unique("orders"))

    class RefusedError(Exception):
        pass

    @orders.step
    def inner() -> None:
        raise RefusedError

    @orders.step
    def outer() -> None:
        inner()

    @orders.entrypoint
    def receive() -> None:
        outer()

    with pytest.raises(RefusedError):
        receive()

    ended = spans.ended()
    assert [len(ended[name].events) for name in ("inner", "outer", "receive")] == [
        1,
        0,
        0,
    ]
    assert ended["inner"].events[0].name == "exception"
    for span in ended.values():
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == (
            f"{__name__}.{RefusedError.__qualname__}"
        )


def test_a_builtin_error_has_its_plain_name(spans: Spans) -> None:
    """``KeyError`` is ``KeyError``."""
    with pytest.raises(KeyError):
        marked("sync", {}.popitem, role="entrypoint")()

    (span,) = spans.ended().values()
    assert (span.attributes or {})["error.type"] == "KeyError"


@pytest.mark.parametrize(
    "exc", [asyncio.CancelledError, SystemExit, GeneratorExit], ids=lambda e: e.__name__
)
def test_control_flow_leaves_the_status_unset(
    spans: Spans, exc: type[BaseException]
) -> None:
    """A cancellation is not an error of the span."""

    def work() -> None:
        raise exc

    with pytest.raises(exc):
        marked("sync", work, role="entrypoint")()

    (span,) = spans.ended().values()
    assert span.status.status_code is StatusCode.UNSET
    assert span.events == ()
    assert "error.type" not in (span.attributes or {})


def test_a_generators_span_is_the_bodys_alone(spans: Spans) -> None:
    """Current while the body runs, and never in the consumer, however it ends."""
    seen: list[str] = []

    @flow(unique("orders"))
    @entrypoint
    def produce() -> Generator[int]:
        try:
            for number in range(3):
                seen.append(current())
                yield number
        finally:
            seen.append(current())

    with spans.tracer.start_as_current_span("consumer"):
        assert [current() for _ in produce()] == ["consumer"] * 3
        generator = produce()
        next(generator)
        generator.close()
        assert current() == "consumer"

    assert set(seen) == {"produce"}
    assert parent_of(spans.ended()["produce"]) == id_of(spans.ended()["consumer"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_generators_span_says_when_the_first_item_came(
    kind: str, spans: Spans
) -> None:
    """Not those of other functions, nor those of bound calls around it."""

    @flow(unique("orders"))
    @entrypoint
    async def receive() -> None:
        await bind_flow(finish)(marked(kind, lambda: 1, role="step"))

    asyncio.run(receive())

    for name, span in spans.ended().items():
        assert span.attributes is not None
        first_ms = span.attributes.get("penstock.first_item_ms")
        assert (first_ms is not None) == (
            name.startswith("body") and kind.endswith("generator")
        )


@pytest.mark.parametrize("is_async", [False, True])
def test_a_span_that_a_body_opens_around_a_yield_stays_in_the_body(
    spans: Spans, *, is_async: bool
) -> None:
    """It is current again when the body goes on, and never in the consumer."""
    seen: list[str] = []

    @flow(unique("orders"))
    @entrypoint
    def produce() -> Generator[int]:
        with spans.tracer.start_as_current_span("inner"):
            yield 1
            seen.append(current())
            yield 2
        seen.append(current())
        yield 3
        seen.append(current())

    @flow(unique("orders"))
    @entrypoint
    async def async_produce() -> AsyncGenerator[int]:
        for item in produce():
            yield item

    async def main() -> list[str]:
        if is_async:
            return [current() async for _ in async_produce()]
        return [current() for _ in produce()]

    with spans.tracer.start_as_current_span("consumer"):
        assert asyncio.run(main()) == ["consumer"] * 3
    assert seen == ["inner", "produce", "produce"]


def test_a_coroutine_closed_in_another_context_leaves_its_span_alone(
    spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing a coroutine does not change what is current there."""

    @types.coroutine
    def suspended() -> Generator[None, None, None]:
        yield

    @flow(unique("orders"))
    @entrypoint
    async def receive() -> None:
        await suspended()

    @flow(unique("orders"))
    @entrypoint
    async def produce() -> AsyncGenerator[int]:
        await suspended()
        yield 1

    async def consume() -> None:
        await anext(produce())

    coroutines = [receive(), consume()]
    for coroutine in coroutines:
        copy_context().run(coroutine.send, None)
    with spans.tracer.start_as_current_span("elsewhere"):
        for coroutine in coroutines:
            coroutine.close()
            assert current() == "elsewhere"

    assert spans.ended().keys() == {"receive", "produce", "elsewhere"}
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


def test_concurrent_tasks_each_have_their_own_span(spans: Spans) -> None:
    """They are siblings under one caller, in whatever order they resume."""
    orders = flow(unique("orders"))

    @orders.step
    async def charge(number: int) -> str:
        await asyncio.sleep(0.001 * (3 - number))
        return current()

    @orders.entrypoint
    async def receive() -> list[str]:
        return await asyncio.gather(*(charge(number) for number in range(3)))

    assert asyncio.run(receive()) == ["charge"] * 3
    assert current() == "none"
    assert parent_of(spans.ended()["charge"]) == id_of(spans.ended()["receive"])


class Failing(SpanProcessor):
    """A span processor that raises."""

    def on_start(self, *_args: object, **_kwargs: object) -> None:
        raise OSError

    def on_end(self, span: ReadableSpan) -> None:
        raise OSError


@pytest.mark.parametrize("kind", KINDS)
def test_a_span_processor_that_raises_breaks_no_call(
    spans: Spans, warnings: list[logging.LogRecord], kind: str
) -> None:
    """Its failure is reported; the function runs under its ID."""
    spans.provider.add_span_processor(Failing())
    func = marked(kind, current_flow_id, role="entrypoint")

    assert asyncio.run(finish(func)) is not None
    assert len(warnings) == 1
    assert current() == "none"


def test_without_a_provider_it_is_quiet() -> None:
    """The API alone makes no spans, and the backend asks for none."""
    program = """
        import logging
        from penstock import *
        from opentelemetry import trace
        configure("otel")
        backend = get_backend()
        print(backend.enabled(), backend)
        @flow("orders")
        @entrypoint
        def receive():
            return trace.get_current_span().get_span_context().is_valid
        print(receive())
        from opentelemetry.sdk.trace import TracerProvider
        trace.set_tracer_provider(TracerProvider())
        print(backend.enabled(), receive())
        def fail(): raise KeyError
        failing = flow("orders")(entrypoint(fail))
        try: failing()
        except KeyError: print("own")
    """
    out, errors = run_python(program)

    assert errors == ""
    quiet, *rest = out.splitlines()
    assert quiet.startswith("False <OTelBackend ")
    assert rest == ["False", "True True", "own"]


def test_a_failure_while_it_is_quiet_is_nothing_to_it() -> None:
    """There is no span to record it."""
    configure(OTelBackend(trace.NoOpTracerProvider()))

    with pytest.raises(KeyError):
        marked("sync", {}.popitem, role="entrypoint")()


def test_spans_by_hand(spans: Spans) -> None:
    """``get_backend().span(...)`` makes a current span with what it is given."""
    backend = get_backend()

    with (
        start_flow("order-17"),
        backend.span("block", "orders", parent_step="x", none=None),
    ):
        assert current() == "block"
        assert backend.get_correlation_id() == "order-17"
    assert backend.get_correlation_id() == ""

    assert dict(spans.ended()["block"].attributes or {}) == {
        "penstock.flow": "orders",
        "penstock.step": "block",
        "penstock.parent_step": "x",
    }
    assert "TracerProvider" in repr(backend)


def test_the_id_generator_makes_both_ids_equal() -> None:
    """A run that starts a trace gives it its correlation ID."""
    spans = Spans(PenstockIdGenerator())

    @flow(unique("orders"))
    @entrypoint
    def receive() -> str | None:
        return current_flow_id()

    cid = receive()

    span = spans.ended()["receive"]
    assert span.context is not None
    assert format_trace_id(span.context.trace_id) == cid
    assert span.parent is None


def test_a_run_inside_a_trace_keeps_that_trace() -> None:
    """A trace that exists is not split in two."""
    spans = Spans(PenstockIdGenerator())

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None: ...

    with spans.tracer.start_as_current_span("request"):
        receive()

    traces = {span.context.trace_id for span in spans.ended().values() if span.context}
    assert len(traces) == 1


@pytest.mark.parametrize(
    "correlation_id", ["order-17", "0" * 32, "z" * 32, "a" * 31 + "-", "a" * 33]
)
def test_an_id_that_is_no_trace_id_is_left_alone(correlation_id: str) -> None:
    """The trace has a random ID then, and a valid one."""
    spans = Spans(PenstockIdGenerator())

    with start_flow(correlation_id):
        marked("sync", lambda: None, role="entrypoint")()
    with spans.tracer.start_as_current_span("outside"):
        pass

    for span in spans.ended().values():
        assert span.context is not None
        assert span.context.is_valid
        assert format_trace_id(span.context.trace_id) != correlation_id


def test_two_backends_at_once(
    caplog: pytest.LogCaptureFixture, warnings: list[logging.LogRecord]
) -> None:
    """Spans and lines of the same steps, under the same IDs."""
    caplog.set_level(logging.INFO, "penstock")
    spans = Spans()
    configure("logging", OTelBackend(spans.provider))

    marked("sync", lambda: None, role="entrypoint")()

    (span,) = spans.ended().values()
    assert (span.attributes or {})["penstock.correlation_id"] == vars(warnings[0])[
        "correlation_id"
    ]
    assert len(warnings) == 2


def named(name: str, work: Callable[[], Any]) -> Callable[[], Any]:
    """Return an entrypoint of that name."""
    return flow(unique("orders"))(entrypoint(name=name)(work))


def sent_by(spans: Spans, name: str) -> dict[str, str]:
    """Return the headers that a step of that name sends."""
    headers: dict[str, str] = named(name, inject)()
    return headers


def linked(span: ReadableSpan) -> list[tuple[int, int]]:
    """Return the traces and the spans that a span has links to."""
    return [(link.context.trace_id, link.context.span_id) for link in span.links]


def test_what_is_sent_names_the_span_that_sends_it(spans: Spans) -> None:
    """The headers include the one that every tracer reads."""
    headers = sent_by(spans, "send")

    sender = spans.ended()["send"].context
    assert sender is not None
    trace_id, span_id = headers["traceparent"].split("-")[1:3]
    assert trace_id == format_trace_id(sender.trace_id)
    assert span_id == format_span_id(sender.span_id)
    assert "traceparent" not in inject()


def test_a_run_that_a_message_brings_is_linked_to_its_sender(spans: Spans) -> None:
    """It has its own trace: the sender of the message did not wait."""
    with continue_flow(sent_by(spans, "send")):
        named("receive", lambda: None)()

    sender, receiver = spans.ended()["send"], spans.ended()["receive"]
    assert linked(receiver) == [(trace_of(sender), id_of(sender))]
    assert receiver.parent is None
    assert trace_of(receiver) != trace_of(sender)


def test_a_run_that_many_messages_bring_is_linked_to_each_sender(spans: Spans) -> None:
    """Messages that no span has sent bring no link."""
    senders = [f"send {number}" for number in range(2)]
    messages = [Message(sent_by(spans, name)) for name in senders]
    messages.append(Message({"X-Correlation-ID": "order-17"}))

    with flow_from_batch(messages):
        named("receive", lambda: None)()

    ended = spans.ended()
    assert linked(ended["receive"]) == [
        (trace_of(ended[name]), id_of(ended[name])) for name in senders
    ]
    assert ended["receive"].parent is None


class Message:
    """The part of a Kafka message that matters here."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = [(name, value.encode()) for name, value in headers.items()]


def test_a_run_that_a_message_brings_can_be_a_child() -> None:
    """``child`` gives one trace of everything."""
    spans = Spans(across_messages="child")

    with continue_flow(sent_by(spans, "send")):
        named("receive", lambda: None)()

    sender, receiver = spans.ended()["send"], spans.ended()["receive"]
    assert parent_of(receiver) == id_of(sender)
    assert trace_of(receiver) == trace_of(sender)
    assert not receiver.links


def test_a_word_that_is_none_of_both_is_refused() -> None:
    """The message lists the valid values."""
    with pytest.raises(ConfigurationError, match=r"'parent'.*'link' or 'child'"):
        OTelBackend(across_messages="parent")


def test_a_step_below_the_first_has_no_link(spans: Spans) -> None:
    """The link of the first step is enough."""

    def receive() -> None:
        flow(unique("orders"))(step(name="charge")(lambda: None))()

    with continue_flow(sent_by(spans, "send")):
        named("receive", receive)()

    assert not spans.ended()["charge"].links


def test_a_span_of_the_framework_stays_the_parent(spans: Spans) -> None:
    """An instrumented consumer has a span already; the link is kept all the same."""
    headers = sent_by(spans, "send")
    with continue_flow(headers), spans.tracer.start_as_current_span("consume"):
        named("receive", lambda: None)()

    ended = spans.ended()
    assert parent_of(ended["receive"]) == id_of(ended["consume"])
    assert linked(ended["receive"]) == [(trace_of(ended["send"]), id_of(ended["send"]))]


def test_a_trace_that_goes_on_already_needs_no_link(spans: Spans) -> None:
    """For instance, a message that comes back to its sender's process."""

    def send_and_receive() -> None:
        with continue_flow(inject()):
            named("receive", lambda: None)()

    named("send", send_and_receive)()

    ended = spans.ended()
    assert not ended["receive"].links
    assert parent_of(ended["receive"]) == id_of(ended["send"])


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01",
        f"ff-{'1' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'1' * 16}-01\r\n",
    ],
)
def test_a_traceparent_that_is_wrong_links_nothing(
    spans: Spans, traceparent: str
) -> None:
    """It raises nothing, either."""
    with continue_flow({"traceparent": traceparent, "X-Correlation-ID": "order-17"}):
        named("receive", lambda: None)()

    receiver = spans.ended()["receive"]
    assert (receiver.links, receiver.parent) == ((), None)
    assert (receiver.attributes or {})["penstock.correlation_id"] == "order-17"


def test_a_carrier_that_is_not_trusted_links_nothing(spans: Spans) -> None:
    """``trust="none"`` is about all of it."""
    with continue_flow(sent_by(spans, "send"), trust="none"):
        named("receive", lambda: None)()

    assert not spans.ended()["receive"].links


def test_a_copy_of_the_context_keeps_the_sender(spans: Spans) -> None:
    """What runs in a fork of a carried context came with the same message."""
    with continue_flow(sent_by(spans, "send")) as context:
        copy = context.fork()
    bind_flow(named("receive", lambda: None), copy)()

    assert spans.ended()["receive"].links


def test_a_backend_that_cannot_write_headers_loses_nothing_else(
    warnings: list[logging.LogRecord],
) -> None:
    """The ID is sent, and one line says what failed."""

    class Broken(LoggingBackend):
        def inject(self, headers: dict[str, str]) -> None:
            raise KeyError

    configure(Broken())

    with start_flow("order-17"):
        assert inject()["X-Correlation-ID"] == "order-17"
        inject()

    (said,) = [each for each in warnings if each.levelno == logging.WARNING]
    assert "failed at inject" in said.getMessage()


def test_flush_sends_what_waits() -> None:
    """A span that a batch holds back is sent."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(exporter, schedule_delay_millis=60_000)
    )
    backend = OTelBackend(provider)
    configure(backend)

    @flow("orders")
    @entrypoint
    def receive() -> None: ...

    receive()
    assert not exporter.get_finished_spans()
    backend.flush()

    assert [span.name for span in exporter.get_finished_spans()] == ["orders/receive"]
    provider.shutdown()


def test_flush_without_an_sdk_does_nothing() -> None:
    """A provider of the API alone has nothing to send."""
    OTelBackend(NoOpTracerProvider()).flush()


def spread_over_threads(how: str, target: Callable[[], object]) -> None:
    """Run *target* in a thread, in one of the ways that carry the flow."""
    if how == "pool":
        with FlowThreadPoolExecutor(max_workers=1) as pool:
            pool.submit(target).result()
    elif how == "run_in_executor":

        async def main() -> None:
            with FlowThreadPoolExecutor(max_workers=1) as pool:
                await asyncio.get_running_loop().run_in_executor(pool, target)

        asyncio.run(main())
    else:
        if how == "install_threads":
            install_threads()
        else:
            target = bind_flow(target)
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
        uninstall_threads()


@pytest.mark.parametrize(
    "how", ["pool", "run_in_executor", "bind_flow", "install_threads"]
)
def test_a_step_in_a_thread_is_a_child_of_its_caller(spans: Spans, how: str) -> None:
    """And the thread has no span when it is done."""
    orders = flow(unique("orders"))
    afterwards: list[str] = []

    @orders.step
    def mail() -> None:
        pass

    def work() -> None:
        mail()
        afterwards.append(current())

    @orders.entrypoint
    def receive() -> None:
        spread_over_threads(how, work)
        afterwards.append(current())

    receive()

    ended = spans.ended()
    assert parent_of(ended["mail"]) == id_of(ended["receive"])
    assert trace_of(ended["mail"]) == trace_of(ended["receive"])
    assert afterwards == ["receive", "receive"]
    assert current() == "none"


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_call_of_every_kind_has_the_span(spans: Spans, kind: str) -> None:
    """Functions, coroutines and generators, each in a thread of its own."""
    func = marked(kind, lambda: None, role="step")
    bound: list[Callable[[], object]] = []

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None:
        bound.append(bind_flow(func))

    receive()

    async def main() -> None:
        result: Any = bound.pop()()
        if kind == "generator":
            list(result)
        elif kind == "async":
            await result
        elif kind == "async generator":
            [_ async for _ in result]

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    thread.join()

    ended = spans.ended()
    (child,) = [span for name, span in ended.items() if name != "receive"]
    assert parent_of(child) == id_of(ended["receive"])


def test_many_threads_at_once_have_one_parent(spans: Spans) -> None:
    """One bound function may run in several threads."""
    orders = flow(unique("orders"))
    barrier = threading.Barrier(3)

    @orders.step
    def mail(number: int) -> None:
        barrier.wait(10)
        seen.append((number, current()))

    @orders.entrypoint
    def receive() -> None:
        bound = bind_flow(mail)
        threads = [threading.Thread(target=bound, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    seen: list[tuple[int, str]] = []
    receive()

    assert sorted(seen) == [(n, "mail") for n in range(3)]
    assert parent_of(spans.ended()["mail"]) == id_of(spans.ended()["receive"])


def mail_elsewhere() -> None:
    """Run a step, in whatever flow is current."""
    _posts.step(name="mail elsewhere")(lambda: None)()


_posts = flow("posts of the process pool")


def test_a_step_in_a_process_pool_is_a_child_of_its_caller(spans: Spans) -> None:
    """A bound function is pickled in a thread of the pool, and names the span."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None:
        bound.append(bind_flow(mail_elsewhere))

    bound: list[Callable[[], object]] = []
    receive()
    pickled: list[bytes] = []
    thread = threading.Thread(target=lambda: pickled.append(pickle.dumps(bound.pop())))
    thread.start()
    thread.join()

    pickle.loads(pickled.pop())()  # noqa: S301  # our own

    ended = spans.ended()
    assert parent_of(ended["mail elsewhere"]) == id_of(ended["receive"])
    assert trace_of(ended["mail elsewhere"]) == trace_of(ended["receive"])
    assert current() == "none"


def test_where_no_span_is_current_a_bound_function_has_none(spans: Spans) -> None:
    """In a carried context, and outside a flow, there is nothing to carry."""
    with start_flow():
        inside = bind_flow(current)
    with spans.tracer.start_as_current_span("query"):
        outside = bind_flow(current)

    assert (inside(), outside()) == ("none", "none")


def test_a_span_that_cannot_be_carried_does_not_stop_the_call(
    spans: Spans, warnings: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken backend costs its own span."""
    del spans

    def fail(_self: OTelBackend) -> None:
        raise OSError

    monkeypatch.setattr(OTelBackend, "captured", fail)

    with start_flow("order-17"):
        bound = bind_flow(current_flow_id)

    assert bound() == "order-17"
    assert ["failed at captured" in line.getMessage() for line in warnings] == [True]


def test_a_group_of_failures_is_recorded_where_they_happened(spans: Spans) -> None:
    """The exception is an event of the innermost span alone."""
    orders = flow(unique("orders"))

    @orders.step
    async def charge() -> None:
        raise KeyError

    @orders.entrypoint
    async def receive() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(charge())

    with pytest.raises(ExceptionGroup):
        asyncio.run(receive())

    ended = spans.ended()
    assert [event.name for event in ended["charge"].events] == ["exception"]
    assert not ended["receive"].events


def test_a_step_that_a_message_brought_says_when_it_was_sent(spans: Spans) -> None:
    """The step below does not."""
    orders = flow(unique("orders"))

    @orders.step
    def pack() -> None: ...

    @orders.step
    def ship() -> None:
        pack()

    with start_flow():
        headers = inject()
    with continue_flow(headers):
        ship()

    sent = [
        name
        for name, span in spans.ended().items()
        if "penstock.sent_at" in (span.attributes or {})
    ]
    assert sent == ["ship"]


def test_lines_have_the_ids_of_the_span(
    spans: Spans, lines: list[logging.LogRecord]
) -> None:
    """Lines about a step are inside its span, in whatever order one configures."""
    configure("logging", OTelBackend(spans.provider))
    install_log_fields("trace_id", "span_id")

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None: ...

    receive()
    logging.getLogger("penstock").info("outside")
    uninstall_log_fields()

    start, end, outside = map(vars, lines)
    span = spans.ended()["receive"]
    for line in (start, end):
        assert line["trace_id"] == format_trace_id(trace_of(span))
        assert line["span_id"] == format_span_id(id_of(span))
    assert (outside["trace_id"], outside["span_id"]) == ("-", "-")


def test_both_lines_of_a_call_have_the_ids_of_its_span(
    spans: Spans, lines: list[logging.LogRecord]
) -> None:
    """The work may be in a generator that a plain function returned."""
    configure("logging", OTelBackend(spans.provider))

    @flow(unique("orders"))
    @entrypoint
    def receive() -> Generator[int]:
        def numbers() -> Generator[int]:
            yield 1

        return numbers()

    assert list(receive()) == [1]
    expected = format_span_id(id_of(spans.ended()["receive"]))
    assert [vars(line).get("span_id") for line in lines] == [expected, expected]


def test_a_line_inside_a_span_has_its_ids(
    spans: Spans, lines: list[logging.LogRecord]
) -> None:
    """As 32 and 16 hexadecimal digits; the processors for other loggers know them."""
    configure("logging")
    processor = FlowProcessor(trace_id="trace", span_id="span")
    entry: dict[str, str] = {}

    @flow(unique("orders"))
    @entrypoint
    def receive() -> None: ...

    with spans.tracer.start_as_current_span("query"):
        receive()
        processor(None, "info", entry)

    query = spans.ended()["query"]
    for line in map(vars, lines):
        assert line["trace_id"] == entry["trace"] == format_trace_id(trace_of(query))
        assert line["span_id"] == entry["span"] == format_span_id(id_of(query))
