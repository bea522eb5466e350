"""Kafka messages as plain objects: headers, contexts, batches and consumers."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import pickle
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import (
    ConfigurationError,
    FlowDefinitionError,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    start_flow,
    step,
)
from penstock.contrib._kafka_batches import MAX_IDS
from penstock.contrib.kafka import (
    flow_consumer,
    flow_from_batch,
    flow_from_message,
    flow_headers,
)
from tests.support.call_styles import run_python, unique
from tests.support.declarations import the_step

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Record:
    """A message as aiokafka and kafka-python give it."""

    headers: Any = ()
    value: bytes | None = b"v"


class Message:
    """A message as confluent-kafka gives it."""

    def __init__(self, headers: Any = None) -> None:
        self._headers = headers

    def headers(self) -> Any:
        if isinstance(self._headers, Exception):
            raise self._headers
        return self._headers


def sent(correlation_id: str, *more: tuple[str, bytes]) -> Record:
    """Return a message that was sent from a flow."""
    with start_flow(correlation_id):
        return Record((*flow_headers(), *more))


def read_id(message: object) -> str:
    """Return the ID that a message is handled under."""
    with flow_from_message(message) as context:
        assert current_flow_id() == context.correlation_id
        assert context.is_carried
        return context.correlation_id


def is_fresh(correlation_id: str | None) -> bool:
    """Tell whether penstock has made the ID itself."""
    return correlation_id is not None and len(bytes.fromhex(correlation_id)) == 16


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Give what penstock's logger has said."""
    caplog.set_level(logging.INFO, "penstock")

    def read() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.name == "penstock"]

    return read


def handle(message: Record) -> str | None:
    """Say which flow it is."""
    return current_flow_id()


async def handle_async(message: Record) -> str | None:
    """Say it later."""
    await asyncio.sleep(0)
    return current_flow_id()


def items(message: Record) -> Iterator[str | None]:
    """Say it twice."""
    yield current_flow_id()
    yield current_flow_id()


async def items_async(message: Record) -> AsyncIterator[str | None]:
    """Say it twice, and take a break."""
    yield current_flow_id()
    await asyncio.sleep(0)
    yield current_flow_id()


async def listened(made: Any) -> list[tuple[Any, str | None]]:
    """Return what a call gives, item by item, each with the flow around."""
    if isinstance(made, Iterator):
        return [(item, current_flow_id()) for item in made]
    if isinstance(made, AsyncIterator):
        return [(item, current_flow_id()) async for item in made]
    return [(await made if inspect.isawaitable(made) else made, current_flow_id())] * 2


# Headers to send


def test_headers_are_text_and_bytes() -> None:
    """The ID and one field, as every client takes them."""
    with start_flow("order-17"):
        headers = flow_headers()
    assert isinstance(headers, list)
    assert [name for name, _ in headers] == ["X-Correlation-ID", "penstock"]
    assert dict(headers)["X-Correlation-ID"] == b"order-17"
    assert {type(part) for pair in headers for part in pair} == {str, bytes}


def test_outside_a_flow_there_are_those_that_were() -> None:
    """Also those of a flow: a program that only forwards does not break it."""
    assert flow_headers() == []
    existing = [("a", b"1"), ("x-correlation-id", b"order-17"), ("penstock", b"{}")]
    assert flow_headers(existing) == existing


@pytest.mark.parametrize("shape", [list, tuple, dict, iter])
def test_existing_headers_come_first_and_stay_as_they_are(shape: Any) -> None:
    """Pairs of any kind, or a mapping; none is changed."""
    pairs = [("a", b"1"), ("b", b"2")]
    existing = shape(pairs)
    with start_flow("order-17"):
        assert flow_headers(existing)[:2] == pairs
    assert pairs == [("a", b"1"), ("b", b"2")]
    if shape is not iter:
        assert existing == shape(pairs)


def test_the_flow_that_runs_wins() -> None:
    """Headers of the message that came in are replaced, whatever their case."""
    came = [("X-CORRELATION-ID", b"old"), ("tenant", b"a"), ("Penstock", b"{}")]
    with start_flow("order-17"):
        headers = flow_headers([*came, ("x-correlation-id", b"older")])
    names = [name for name, _ in headers]
    assert names == ["tenant", "X-Correlation-ID", "penstock"]
    assert read_id(Record(headers)) == "order-17"


def test_a_trace_that_is_sent_is_the_only_one() -> None:
    """The state of another trace does not stay beside it; without one, both do."""
    penstock.configure(headers=["X-Correlation-ID", "traceparent"])
    trace = f"00-{'a' * 32}-{'b' * 16}-01".encode()
    came = [("traceparent", trace), ("tracestate", b"a=1")]
    with start_flow("order-17"):
        assert [name for name, _ in flow_headers(came)].count("tracestate") == 0
    penstock.reset()
    with start_flow("order-17"):
        assert flow_headers(came)[:2] == came


def test_names_that_are_not_ours_keep_case_and_number() -> None:
    """Kafka allows one name twice, and tells case."""
    existing = [("A", b"1"), ("a", b"2"), ("A", b"3")]
    with start_flow("order-17"):
        assert flow_headers(existing)[:3] == existing


def test_headers_are_named_as_configured() -> None:
    """As for every transport; whoever else reads the topic decides."""
    penstock.configure(headers=["X-Request-ID", "X-Trace"])
    with start_flow("order-17"):
        headers = flow_headers([("x-trace", b"old")])
    assert [name for name, _ in headers] == ["X-Request-ID", "X-Trace", "penstock"]
    assert read_id(Record(headers)) == "order-17"


def test_values_become_bytes() -> None:
    """Text is UTF-8; None, which kafka-python cannot send, is empty."""
    values = ["smörgås", None, bytearray(b"x"), memoryview(b"y"), b"\xff"]
    found = flow_headers([("a", value) for value in values])
    assert [value for _, value in found] == [
        "smörgås".encode(),
        b"",
        b"x",
        b"y",
        b"\xff",
    ]
    assert {type(value) for _, value in found} == {bytes}
    assert flow_headers([(b"name", b"1")]) == [("name", b"1")]


def test_what_cannot_travel_is_dropped_with_one_warning(
    said: Callable[[], list[str]],
) -> None:
    """Once for each type, with the name of a header, never its value."""
    odd = type(unique("Odd"), (), {})
    pairs: list[Any] = [("kept", b"1"), ("lost", odd()), ("lost too", odd())]
    for _ in range(3):
        assert flow_headers(pairs) == [("kept", b"1")]
    (warning,) = said()
    assert warning == (
        f"Header 'lost' was not sent: it is {odd.__name__}, not text or bytes. "
        "Logged only once."
    )


def raising() -> Iterator[Any]:
    """Give one header, then fail."""
    yield ("kept", b"1")
    raise OSError


@pytest.mark.parametrize(
    "existing",
    [17, object(), "text", [None], [("a",)], [("a", b"b", b"c")], [("\ud800", b"1")]],
)
def test_headers_that_make_no_sense_never_raise(existing: Any) -> None:
    """A publish goes on with those of the flow."""
    with start_flow("order-17"):
        assert read_id(Record(flow_headers(existing))) == "order-17"
        assert len(flow_headers(existing)) == 2
        assert len(flow_headers(raising())) == 2


def test_an_id_that_cannot_travel_leaves_no_other_behind() -> None:
    """Rather none than that of the message before."""
    with start_flow() as context:
        context.correlation_id = "a\r\nb"
        assert flow_headers([("x-correlation-id", b"old"), ("a", b"1")]) == [
            ("a", b"1")
        ]


# Messages that came in


@pytest.mark.parametrize("shape", [Record, Message])
def test_a_message_brings_its_flow(shape: Any) -> None:
    """As headers by a method or as an attribute, in pairs or by name."""
    headers = [("X-Correlation-ID", b"order-17")]
    assert read_id(shape(headers)) == "order-17"
    assert read_id(shape(tuple(headers))) == "order-17"
    assert read_id(shape(dict(headers))) == "order-17"
    assert read_id(shape([("x-correlation-id", "order-17")])) == "order-17"


def test_the_last_of_two_headers_counts() -> None:
    """As for Kafka's own ``lastHeader``: who sends adds to the end."""
    headers = [("X-Correlation-ID", b"first"), ("x-correlation-id", b"last")]
    assert read_id(Record(headers)) == "last"


@pytest.mark.parametrize(
    "message",
    [
        None,
        17,
        Record(None),
        Record(b"bytes"),
        Record(17),
        Record([None, 1, "ab", ("a",)]),
        Record([("X-Correlation-ID", None)]),
        Message(),
        Message(OSError("no headers")),
        Message([("X-Correlation-ID", 17)]),
    ],
)
def test_a_message_without_an_id_gets_a_fresh_one(message: object) -> None:
    """Whatever it is, and whatever reading its headers raises."""
    with start_flow("around"):
        first, second = read_id(message), read_id(message)
    assert is_fresh(first)
    assert is_fresh(second)
    assert first != second


HOSTILE: tuple[object, ...] = (
    b"a\r\nSet-Cookie: x",
    b"a\x00b",
    b"\x1b[31mred",
    "\u0661\u0662\u0663".encode(),  # Arabic digits
    "\u0661\u0662\u0663",
    b"\xff\xfe",
    b"",
    "",
    None,
    b"<script>",
    b"{0}%s%n",
    b"x" * 129,
    b"x" * 1_000_000,
    17,
    ["a"],
)


@pytest.mark.parametrize("name", ["X-Correlation-ID", "penstock", "traceparent"])
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_headers_are_replaced(
    name: str, value: Any, said: Callable[[], list[str]]
) -> None:
    """A fresh ID, and a log without a word of what was sent."""
    found = read_id(Record([(name, value)]))
    assert is_fresh(found)
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    for line in said():
        assert not text or text not in line
        assert len(line) < 200


def test_trust_decides_what_is_believed() -> None:
    """All by default, as between one's own services; or as configured."""
    penstock.configure(propagate=["tenant"])
    with start_flow("order-17", tenant="acme"):
        message = Record(flow_headers())

    def read(trust: str | None = None) -> tuple[bool, object]:
        with flow_from_message(message, trust=trust) as context:
            return context.correlation_id == "order-17", context.metadata.get("tenant")

    assert read() == read("all") == (True, "acme")
    assert read("id") == (True, None)
    assert read("none") == (False, None)
    penstock.configure(trust_inbound="id")
    assert read() == (True, None)
    with pytest.raises(ConfigurationError, match="'most'"):
        flow_from_message(message, trust="most")


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("enter", [flow_from_message, flow_from_batch])
def test_the_value_before_comes_back(
    enter: Any, error: type[BaseException] | None
) -> None:
    """However the block ends."""
    expected = nullcontext() if error is None else pytest.raises(error)
    with start_flow("around"):
        with expected, enter([sent("order-17")]):
            assert current_flow_id() != "around"
            if error is not None:
                raise error
        assert current_flow_id() == "around"
    assert current_flow_id() is None


def test_threads_and_tasks_do_not_mix() -> None:
    """Fifty at a time, two hundred messages each, under their own IDs."""
    messages = [sent(f"order-{number}") for number in range(200)]

    consume, consume_async = flow_consumer(handle), flow_consumer(handle_async)

    def work(_: int) -> list[str | None]:
        return [consume(message) for message in messages]

    async def work_async() -> list[str | None]:
        return [await consume_async(message) for message in messages]

    async def main() -> list[list[str | None]]:
        return await asyncio.gather(*(work_async() for _ in range(50)))

    expected = [[f"order-{number}" for number in range(200)]] * 50
    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(work, range(50))) == expected
    assert asyncio.run(main()) == expected


# Batches


def test_a_batch_has_an_id_of_its_own() -> None:
    """What caused it is at hand, also in the run that takes over the ID."""
    orders = flow(unique("orders"))

    @orders.entrypoint
    def load() -> Any:
        return get_flow_context()

    messages = [sent("order-1"), Record(None), sent("order-2"), sent("order-1")]
    with flow_from_batch(messages) as context:
        run = load()
        copy = context.fork()
        with start_flow() as inner:
            assert inner.causes == ()
    assert is_fresh(context.correlation_id)
    assert run.correlation_id == context.correlation_id
    assert (context.parent_id, context.root_id) == (None, context.correlation_id)
    for known in (context, run, copy, run.fork()):
        ids = [cause.correlation_id for cause in known.causes]
        assert ids == ["order-1", "order-2", "order-1"]
    with flow_from_message(messages[0]) as single:
        assert single.causes == ()


def test_causes_have_what_each_message_brought() -> None:
    """Where it came from, and its metadata; the batch has none of it."""
    penstock.configure(propagate=["tenant"])
    with start_flow("root"), start_flow("order-17", tenant="acme"):
        message = Record(flow_headers())
    with flow_from_batch([message]) as context:
        assert dict(context.metadata) == {}
    (cause,) = context.causes
    assert (cause.correlation_id, cause.parent_id, cause.root_id) == (
        "order-17",
        "root",
        "root",
    )
    assert cause.metadata["tenant"] == "acme"


def test_a_batch_tells_what_was_done_before() -> None:
    """What any of its messages tells was done is before what it causes."""
    orders, loads = flow(unique("orders")), flow(unique("loads"))

    @orders.entrypoint
    def publish() -> Record:
        return Record(flow_headers())

    @orders.step(after=publish)
    def sort() -> None: ...

    @loads.entrypoint(after=[publish, sort])
    def load() -> None: ...

    penstock.configure(conformance="record")

    with flow_from_batch([sent("order-1"), Record(), publish()]):
        sort()
        load()

    flows = penstock.conformance_report().to_dict()["flows"]
    found = {
        (edge["before"], edge["after"]): edge["witnessed"]
        for name in (orders.name, loads.name)
        for edge in flows[name]["edges"]
    }
    assert found == {
        ("publish", "sort"): 1,
        (f"{orders.name}:publish", "load"): 1,
        (f"{orders.name}:sort", "load"): 1,
    }
    assert not any(flows[name]["violations"] for name in flows)


def test_a_batch_of_one_is_a_batch() -> None:
    """Never the ID of its first message."""
    with flow_from_batch([sent("order-17")]) as context:
        assert is_fresh(context.correlation_id)
        assert [cause.correlation_id for cause in context.causes] == ["order-17"]


def test_an_interrupt_while_a_batch_is_logged_leaves_no_flow_open(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing the line takes time, and the block has not begun."""
    caplog.set_level(logging.INFO, "penstock")

    def emit(_record: logging.LogRecord) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(caplog.handler, "emit", emit)
    with pytest.raises(KeyboardInterrupt), flow_from_batch([sent("order-17")]):
        pass

    assert penstock.current_flow_id() is None


def test_messages_by_partition_are_a_batch() -> None:
    """As ``getmany()`` and ``poll()`` give them."""
    by_partition = {"t-0": [sent("a"), sent("b")], "t-1": [sent("c")], "t-2": []}
    with flow_from_batch(by_partition) as context:
        assert [cause.correlation_id for cause in context.causes] == ["a", "b", "c"]


def test_an_iterator_is_left_alone(said: Callable[[], list[str]]) -> None:
    """Its messages can be read once, by whoever is to handle them."""
    messages = iter([sent("a"), sent("b")])
    with flow_from_batch(messages) as context:  # type: ignore[arg-type]  # the point
        assert context.causes == ()
        assert len(list(messages)) == 2


def test_odd_messages_do_not_stop_a_batch() -> None:
    """They bring nothing; the others do."""
    hostile = [Record([("X-Correlation-ID", value)]) for value in HOSTILE]
    messages = [None, Message(OSError()), Record(17), *hostile, sent("order-17")]
    with flow_from_batch(messages) as context:
        assert [cause.correlation_id for cause in context.causes] == ["order-17"]
    with flow_from_batch([]) as context:
        assert context.causes == ()


def test_a_batch_trusts_as_it_is_told() -> None:
    """Without trust nothing has caused it."""
    with flow_from_batch([sent("order-17")], trust="none") as context:
        assert context.causes == ()
    with pytest.raises(ConfigurationError, match="'most'"):
        flow_from_batch([], trust="most")


def test_one_line_names_the_messages_of_a_batch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """So that a search for the ID of a message finds the batch."""
    caplog.set_level(logging.INFO, "penstock")
    with flow_from_batch([sent("order-1"), sent("order-2"), sent("order-1")]) as batch:
        pass
    (record,) = caplog.records
    own = batch.correlation_id
    assert record.levelno == logging.INFO
    assert record.getMessage() == f"batch.start {own[:8]} continues order-1 order-2"
    fields = vars(record)
    assert fields["causes"] == ["order-1", "order-2"]
    assert fields["flow_id"] == fields["correlation_id"] == own
    assert record.pathname == __file__


def test_the_line_about_a_batch_is_capped(said: Callable[[], list[str]]) -> None:
    """It says how many it leaves out; a batch of messages without IDs is silent."""
    with flow_from_batch([sent(f"order-{number}") for number in range(MAX_IDS + 7)]):
        pass
    with flow_from_batch([Record(None)]):
        pass
    (line,) = said()
    assert line.endswith(f" order-{MAX_IDS - 1} and 7 more")
    assert line.count("order-") == MAX_IDS


def test_a_broken_log_does_not_stop_a_batch() -> None:
    """The line is lost, and nothing else."""

    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise ZeroDivisionError

    logger, handler = logging.getLogger("penstock"), Broken()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        with flow_from_batch([sent("order-17")]) as context:
            assert current_flow_id() == context.correlation_id
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


# Consumers


def test_a_consumer_runs_in_the_flow_of_its_message() -> None:
    """The entrypoint takes over the ID, and gives back what was there."""

    @flow_consumer
    @flow(name := unique("shipping"))
    @entrypoint(after="shop/orders:publish")
    def ship(message: Record) -> tuple[str, str]:
        context = get_flow_context()
        assert context is not None
        return context.correlation_id, context.flow

    with start_flow("around"):
        assert ship(sent("order-17")) == ("order-17", name)
        assert ship(message=sent("order-18")) == ("order-18", name)
        assert is_fresh(ship(Record())[0])
        assert current_flow_id() == "around"


def test_a_step_is_a_consumer() -> None:
    """The message opens the flow that a step has to be called in."""

    @flow_consumer
    @flow(unique("shipping"))
    @step(after="shop/orders:publish")
    def ship(message: Record) -> str | None:
        return current_flow_id()

    assert ship(sent("order-17")) == "order-17"


@pytest.mark.parametrize("is_below_flow", [False, True])
def test_edges_to_a_consumer_cross(*, is_below_flow: bool) -> None:
    """The diagram shows that a message brings the call."""
    orders = flow(name := unique("orders"))

    @orders.entrypoint
    def publish() -> None: ...

    def ship(message: Record) -> None: ...

    if is_below_flow:
        orders(flow_consumer(step(after=publish)(ship)))
    else:
        marked = orders.step(after=publish)(ship)
        assert not the_step(name, "ship").crosses
        flow_consumer(marked)

    assert the_step(name, "ship").crosses
    (edge,) = json.loads(penstock.generate_dag(name, format="json"))["flows"][0][
        "edges"
    ]
    assert edge["crosses"]


@pytest.mark.parametrize("func", [handle, handle_async, items, items_async])
@pytest.mark.parametrize("is_marked", [False, True])
def test_functions_of_every_kind_consume(func: Any, *, is_marked: bool) -> None:
    """Until the last item, and never in the code between items."""
    if is_marked:
        func = flow(unique("shipping"))(entrypoint(func))
    consumer = flow_consumer(func)

    assert asyncio.run(listened(consumer(sent("order-17")))) == [("order-17", None)] * 2


class Shipping:
    """Consumers of every kind of method."""

    @flow_consumer
    def method(self, message: Record) -> tuple[object, str | None]:
        return message.value, current_flow_id()

    @flow_consumer
    @classmethod
    def of_class(cls, message: Record) -> tuple[object, str | None]:
        return message.value, current_flow_id()

    @flow_consumer
    @staticmethod
    def static(message: Record) -> tuple[object, str | None]:
        return message.value, current_flow_id()

    @staticmethod
    @flow_consumer(message="message")
    def below(value: object, message: Record) -> tuple[object, str | None]:
        return value, handle(message)


def test_methods_consume() -> None:
    """The first argument is the one after ``self`` or ``cls``."""
    shipping, message = Shipping(), sent("order-17")
    expected = b"v", "order-17"
    assert shipping.method(message) == shipping.method(message=message) == expected
    assert shipping.of_class(message) == Shipping.of_class(message) == expected
    assert Shipping.static(message) == expected
    assert Shipping.below(b"v", message) == expected
    assert Shipping.below(message=message, value=b"v") == expected


def test_a_flow_takes_the_consumers_of_a_class() -> None:
    """Each is a step of it, and crosses."""

    @flow(name := unique("shipping"))
    class Consumers:
        @flow_consumer
        @entrypoint
        async def ship(self, message: Record) -> str | None:
            return current_flow_id()

    assert asyncio.run(Consumers().ship(sent("order-17"))) == "order-17"
    assert the_step(name, "ship").crosses
    assert the_step(name, "ship").is_async


def test_super_in_an_override_is_a_plain_call(
    said: Callable[[], list[str]],
) -> None:
    """One message is one run, also where it had no ID; other messages are others."""

    class Base:
        @flow_consumer
        @entrypoint
        def ship(self, message: Record) -> list[str | None]:
            return [current_flow_id()]

    @flow(unique("shipping"))
    class Fast(Base):
        @flow_consumer
        @entrypoint
        def ship(self, message: Record) -> list[str | None]:
            return [current_flow_id(), *super().ship(message)]

    first, second = Fast().ship(Record())
    assert first == second
    assert len(said()) == 2
    assert Fast().ship(sent("order-17")) == ["order-17"] * 2


def test_any_parameter_may_take_the_message() -> None:
    """Also by keyword alone, or among any number of others."""

    @flow_consumer(message="record")
    def second(topic: str, record: Record) -> str | None:
        return current_flow_id()

    @flow_consumer(message="record")
    def keyword(*, record: Record) -> str | None:
        return current_flow_id()

    @flow_consumer
    def several(*records: Record) -> str | None:
        return current_flow_id()

    message = sent("order-17")
    assert second("topic", message) == second("topic", record=message) == "order-17"
    assert keyword(record=message) == "order-17"
    assert several(message, Record()) == "order-17"


def test_a_wrong_parameter_is_refused_where_it_is_declared() -> None:
    """With the place, what there is, and a suggestion."""

    def ship(topic: str, message: Record) -> None: ...

    with pytest.raises(
        FlowDefinitionError,
        match=r"ship \(.*test_kafka\.py:\d+\).*topic, message.*mean 'message'",
    ):
        flow_consumer(message="mesage")(ship)
    with pytest.raises(FlowDefinitionError, match="takes no message"):
        flow_consumer(lambda: None)
    with pytest.raises(FlowDefinitionError, match=r"message=\.\.\."):
        flow_consumer("message")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # the point
    with pytest.raises(ConfigurationError, match="'most'"):
        flow_consumer(trust="most")


def test_a_missing_message_is_for_the_function_to_say() -> None:
    """The call fails as it would without us."""

    @flow_consumer
    def ship(message: Record) -> None: ...

    with pytest.raises(TypeError, match=r"missing 1 required.*message"):
        ship()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # the point


def test_below_the_entrypoint_it_says_where_it_belongs() -> None:
    """There the run has an ID already, and the message would get another one."""

    @flow(unique("shipping"))
    @entrypoint
    @flow_consumer
    def ship(message: Record) -> None: ...

    with pytest.raises(
        FlowDefinitionError, match=r"ship .*test_kafka\.py:\d+.*above @entrypoint"
    ):
        ship(sent("order-17"))


def test_a_function_stays_what_it_is() -> None:
    """Name, signature, kind and what pickle finds."""

    async def awaited(message: Record, *, gift: bool = False) -> None:
        """Ship it."""

    consumer = flow_consumer(awaited)
    assert inspect.iscoroutinefunction(consumer)
    assert inspect.signature(consumer) == inspect.signature(awaited)
    assert (consumer.__name__, consumer.__doc__) == ("awaited", "Ship it.")
    assert inspect.unwrap(consumer) is awaited
    assert pickle.loads(pickle.dumps(Shipping.static)) is Shipping.static  # noqa: S301  # our own


def test_a_consumer_of_batches() -> None:
    """One run for many messages, which knows what caused it."""

    @flow_consumer(batch=True)
    @flow(unique("shipping"))
    @entrypoint
    def load(messages: list[Record]) -> tuple[str, list[str]]:
        context = get_flow_context()
        assert context is not None
        return context.correlation_id, [c.correlation_id for c in context.causes]

    own, causes = load([sent("order-1"), sent("order-2")])
    assert is_fresh(own)
    assert causes == ["order-1", "order-2"]


def test_exceptions_pass_unchanged() -> None:
    """The same object, with nothing of ours in its chain."""
    problem = ValueError("no stock")

    @flow_consumer
    def fail(message: Record) -> None:
        raise problem

    @flow_consumer
    async def fail_async(message: Record) -> None:
        raise problem

    with pytest.raises(ValueError, match="no stock") as first:
        fail(sent("order-17"))
    with pytest.raises(ValueError, match="no stock") as second:
        asyncio.run(fail_async(sent("order-17")))
    assert first.value is second.value is problem
    assert (problem.__context__, problem.__cause__) == (None, None)


class Broken(penstock.TracingBackend):
    """A backend that fails in one of its moments."""

    def __init__(self, moment: str) -> None:
        self._moment = moment

    def _reach(self, moment: str) -> None:
        if moment == self._moment:
            raise ZeroDivisionError

    def enabled(self) -> bool:
        self._reach("enabled")
        return True

    def get_correlation_id(self) -> str:
        return ""

    def span(self, step_name: str, flow_name: str, **attrs: object) -> Any:
        self._reach("span")
        return self

    def __enter__(self) -> None:
        self._reach("enter")

    def __exit__(self, *_: object) -> bool:
        self._reach("exit")
        return self._moment == "swallow"


@pytest.mark.parametrize("moment", ["enabled", "span", "enter", "exit", "swallow"])
@pytest.mark.parametrize("fails", [False, True], ids=["success", "error"])
def test_a_failing_backend_changes_nothing(moment: str, *, fails: bool) -> None:
    """The message is handled once, with its own outcome and ID."""
    penstock.configure(Broken(moment))
    ids: list[str | None] = []
    problem = KeyError("own")

    @flow_consumer
    @flow(unique("shipping"))
    @entrypoint
    def ship(message: Record) -> list[tuple[str, bytes]]:
        ids.append(current_flow_id())
        if fails:
            raise problem
        return flow_headers()

    if fails:
        with pytest.raises(KeyError) as caught:
            ship(sent("order-17"))
        assert caught.value is problem
    else:
        assert read_id(Record(ship(sent("order-17")))) == "order-17"
    assert ids == ["order-17"]
    assert current_flow_id() is None


def test_disabled_it_does_nothing() -> None:
    """``PENSTOCK_DISABLED`` leaves the function itself, and the diagram."""
    program = """
import logging
from penstock import current_flow_id, entrypoint, flow, generate_dag
from penstock.contrib.kafka import *

def ship(message):
    return current_flow_id()

assert flow_consumer(ship) is ship
flow_consumer(flow("shipping")(entrypoint(ship)))
logging.basicConfig(level=logging.INFO)
class Message:
    headers = [("X-Correlation-ID", b"order-17")]
assert ship(Message) is None
with flow_from_message(Message), flow_from_batch([Message]):
    assert current_flow_id() is None
    assert flow_headers({"a": "b"}) == [("a", b"b")]
assert generate_dag("shipping") == "graph TD\\n    ship"
"""
    assert run_python(program, PENSTOCK_DISABLED="1") == ("", "")


def test_no_client_is_imported() -> None:
    """The module works with whichever is there, and with none."""
    program = (
        "import sys, penstock.contrib.kafka\n"
        "assert not {'aiokafka', 'confluent_kafka', 'kafka'} & set(sys.modules)"
    )
    assert run_python(program) == ("", "")
