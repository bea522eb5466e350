"""Kafka's clients and a broker: one ID in producer, on the wire and in consumers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock.contrib.kafka import flow_from_batch, flow_from_message, flow_headers
from tests.contrib.kafka_app.clients import CLIENTS, Client, Record, headers_of, needed
from tests.support import servers
from tests.support.odd_values import ODD

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def broker() -> Generator[servers.Kafka]:
    """Run a broker."""
    with servers.kafka() as kafka:
        yield kafka


@pytest.fixture(params=CLIENTS)
def name(request: pytest.FixtureRequest) -> str:
    """Run the test with each client."""
    chosen: str = request.param
    needed(chosen)
    return chosen


@pytest.fixture
def client(name: str) -> Client:
    """Give that client."""
    return needed(name)


def consumed(client: str, kafka: servers.Kafka, topic: str, count: int) -> list[Any]:
    """Let another process consume *topic*; return its log lines."""
    program = ["-m", "tests.contrib.kafka_app.consumer", client, kafka.address, topic]
    done = subprocess.run(
        [sys.executable, *program, str(count)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert not done.returncode, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def raw(message: Any) -> list[tuple[str, bytes | None]]:
    """Return the headers of a message as they came."""
    return list(headers_of(message) or ())


def test_one_id_in_producer_wire_and_consumer(
    name: str, client: Client, broker: servers.Kafka
) -> None:
    """The consumer's lines about a message have its ID; those between have none."""
    topic = broker.new_topic()
    with penstock.start_flow("order-17"):
        first = flow_headers([("tenant", b"acme")])
    with penstock.start_flow("order-18"):
        second = flow_headers()
    client.send(broker.address, topic, [(b"A-1", first), (None, second)])

    on_wire = [dict(raw(m)) for m in client.read(broker.address, topic, 2)]
    assert [headers["X-Correlation-ID"] for headers in on_wire] == [
        b"order-17",
        b"order-18",
    ]
    assert on_wire[0]["tenant"] == b"acme"
    lines = consumed(name, broker, topic, 2)
    said = {line["message"]: line for line in lines if line["name"] == "shipping"}
    assert said["shipped A-1"]["flow_id"] == "order-17"
    assert said["shipped nothing"]["flow_id"] == "order-18"
    assert said["done"]["flow_id"] == "-"
    steps = [line for line in lines if line["name"] == "penstock"]
    assert [line["flow_id"] for line in steps] == ["order-17"] * 2 + ["order-18"] * 2
    assert {(line["flow"], line["step"]) for line in steps} == {("shipping", "ship")}


EXISTING: dict[str, Any] = {
    "none": None,
    "no pairs": [],
    "pairs": [("tenant", b"acme"), ("tenant", b"other")],
    "pairs in lists": [["tenant", b"acme"]],
    "tuple": (("tenant", b"acme"),),
    "dict": {"tenant": b"acme"},
    "text": [("tenant", "smörgås")],
    "bytearray": [("tenant", bytearray(b"acme")), ("other", memoryview(b"acme"))],
    "null": [("tenant", None)],
    "empty": [("tenant", b""), ("", b"acme")],
    "name in bytes": [(b"tenant", b"acme")],
    "numbers": [("tenant", 17), ("other", 1.5), ("third", True)],
    "odd": [("tenant", value) for value in ODD],
    # confluent-kafka ends a name at NUL, as C does.
    "odd names": [(value, b"acme") for value in ODD if "\x00" not in str(value)],
    "no text": [("\ud800", b"acme"), ("tenant", "\ud800"), (b"\xff", b"acme")],
    "not bytes": [("tenant", b"\xff\x00\r\n")],
    "no headers": 17,
    "no list of pairs": [1, "ab", ("a",), ("a", b"b", b"c"), None],
    "ours": [("penstock", b"{}"), ("x-correlation-id", b"old"), ("PENSTOCK", b"{}")],
    "large": [("tenant", b"x" * 100_000)],
}


def test_every_client_sends_what_it_is_given(
    client: Client, broker: servers.Kafka
) -> None:
    """Whatever headers there were, the message is sent and the ID arrives."""
    topic = broker.new_topic()
    with penstock.start_flow("order-17"):
        records = [(key.encode(), flow_headers(EXISTING[key])) for key in EXISTING]
    outside = [(key.encode(), flow_headers(EXISTING[key])) for key in EXISTING]
    client.send(broker.address, topic, [*records, *outside])

    found = client.read(broker.address, topic, len(records) + len(outside))
    for message, (_, headers) in zip(found, [*records, *outside], strict=True):
        assert raw(message) == headers
    for message in found[: len(records)]:
        with flow_from_message(message):
            assert penstock.current_flow_id() == "order-17"


def test_received_headers_are_passed_on(client: Client, broker: servers.Kafka) -> None:
    """A consumer that forwards what it got sends its own ID, once."""
    topic = broker.new_topic()
    with penstock.start_flow("first"):
        headers = flow_headers([("tenant", b"acme")])
    client.send(broker.address, topic, [(b"A-1", headers)])
    (message,) = client.read(broker.address, topic, 1)
    before = raw(message)
    with penstock.start_flow("second"):
        passed_on = flow_headers(headers_of(message))
    client.send(broker.address, topic, [(b"A-1", passed_on)])

    found = raw(client.read(broker.address, topic, 2)[1])
    names = [key for key, _ in found]
    assert sorted(names) == ["X-Correlation-ID", "penstock", "tenant"]
    assert dict(found)["X-Correlation-ID"] == b"second"
    assert raw(message) == before


def test_odd_metadata_never_stops_a_message(
    client: Client, broker: servers.Kafka
) -> None:
    """What cannot travel is left out; the ID always arrives."""
    keys = [f"odd_{number}" for number in range(len(ODD))]
    penstock.configure(propagate=keys)
    topic = broker.new_topic()
    records: list[Record] = []
    for key, value in zip(keys, ODD, strict=True):
        with penstock.start_flow(f"id-{key}") as context:
            context.set(key, value)
            records.append((key.encode(), flow_headers()))
    with penstock.start_flow("id-all") as context:
        for key, value in zip(keys, ODD, strict=True):
            context.set(key, value)
        records.append((b"all", flow_headers()))
    client.send(broker.address, topic, records)

    found = []
    for message in client.read(broker.address, topic, len(records)):
        with flow_from_message(message) as context:
            found.append(context.correlation_id)
    assert found == [*(f"id-{key}" for key in keys), "id-all"]


HOSTILE = [
    b"a\r\nSet-Cookie: x",
    b"a\x00b",
    b"\x1b[31mred",
    "\u0661\u0662\u0663".encode(),  # Arabic digits
    b"\xff\xfe",
    b"",
    b"<script>",
    b"{}",
    b"x" * 129,
    b"x" * 900_000,
]


def test_hostile_headers_are_replaced(
    client: Client, broker: servers.Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    """Over the wire, too: a fresh ID, and not a word of the value in the log."""
    topic = broker.new_topic()
    for value in HOSTILE:
        headers = [("X-Correlation-ID", value), ("penstock", value[:9999])]
        client.send(broker.address, topic, [(b"v", headers)])

    for message in client.read(broker.address, topic, len(HOSTILE)):
        with flow_from_message(message) as context:
            assert len(context.correlation_id) == 32
            assert context.correlation_id.isalnum()
    for record in caplog.records:
        if record.name == "penstock":
            assert len(record.getMessage()) < 200
            assert record.getMessage().isprintable()


def test_a_batch_names_what_causes_it(
    client: Client, broker: servers.Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    """An ID of its own, and one line by which each message's ID finds it."""
    topic = broker.new_topic()
    records: list[Record] = [(b"none", None)]
    for number in range(5):
        with penstock.start_flow(f"order-{number}"):
            records.append((b"some", flow_headers()))
    client.send(broker.address, topic, records)
    messages = client.batch(broker.address, topic, 6)

    caplog.set_level("INFO", "penstock")
    with flow_from_batch(messages) as context:
        ids = [cause.correlation_id for cause in context.causes]
    assert ids == [f"order-{number}" for number in range(5)]
    assert context.correlation_id not in ids
    (line,) = [r for r in caplog.records if r.name == "penstock"]
    assert all(an_id in line.getMessage() for an_id in ids)


def test_a_message_about_an_error_brings_nothing(broker: servers.Kafka) -> None:
    """The end of a partition comes as a message of confluent-kafka, without headers."""
    kafka: Any = pytest.importorskip("confluent_kafka", reason="needs confluent-kafka")
    consumer = kafka.Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": "any",
            "enable.partition.eof": True,
        }
    )
    consumer.assign([kafka.TopicPartition(broker.new_topic(), 0, 0)])
    message = consumer.poll(60)
    consumer.close()

    assert message.error() is not None
    with penstock.start_flow("around"), flow_from_message(message) as context:
        assert context.correlation_id != "around"
        assert len(context.correlation_id) == 32


def test_a_transaction_carries_the_id(broker: servers.Kafka) -> None:
    """A producer that sends all or nothing, each once, sends headers like any other."""
    kafka: Any = pytest.importorskip("confluent_kafka", reason="needs confluent-kafka")
    topic = broker.new_topic()
    producer = kafka.Producer(
        {"bootstrap.servers": broker.address, "transactional.id": topic}
    )
    producer.init_transactions(60)
    producer.begin_transaction()
    with penstock.start_flow("order-17"):
        producer.produce(topic, b"v", headers=flow_headers())
    producer.commit_transaction(60)

    (message,) = CLIENTS["confluent_kafka"].read(broker.address, topic, 1)
    with flow_from_message(message) as context:
        assert context.correlation_id == "order-17"


def test_no_ids_are_crossed(broker: servers.Kafka) -> None:
    """Fifty tasks at a time, two hundred messages each: each under its own ID."""
    needed("aiokafka")
    client = CLIENTS["aiokafka"]
    topic = broker.new_topic()
    records: list[Record] = []
    for number in range(200):
        with penstock.start_flow(f"order-{number}"):
            records.append((f"order-{number}".encode(), flow_headers()))
    client.send(broker.address, topic, records)
    messages = client.read(broker.address, topic, len(records))
    crossed: list[object] = []

    async def handle(message: Any) -> None:
        with flow_from_message(message):
            await asyncio.sleep(0)
            if penstock.current_flow_id() != message.value.decode():
                crossed.append(message)

    async def work() -> int:
        for message in messages:
            await handle(message)
        return len(messages)

    async def main() -> list[int]:
        return await asyncio.gather(*(work() for _ in range(50)))

    assert asyncio.run(main()) == [200] * 50
    assert crossed == []
