"""The three clients behind one face: each with what only it does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.support.servers import until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

__all__ = ["CLIENTS", "Client", "Record", "headers_of", "needed"]

Record = tuple[bytes | None, Any]
"""What to send: the value, and the headers as the client takes them."""

WAIT_S = 60.0


class Client(Protocol):
    """What the tests ask of a client."""

    def send(self, address: str, topic: str, records: list[Record]) -> None:
        """Send *records*, and wait until the broker has them."""
        ...

    def read(self, address: str, topic: str, count: int) -> list[Any]:
        """Return the first *count* messages of a topic, as the client gives them."""
        ...

    def batch(self, address: str, topic: str, count: int) -> Any:
        """Return as many messages at once, as the client gives a batch."""
        ...

    def consume(
        self, address: str, topic: str, count: int, handle: Callable[[Any], Any]
    ) -> None:
        """Give them to *handle* one by one, as a consumer does."""
        ...


class ConfluentKafka:
    """confluent-kafka: headers by a method, and callbacks in ``poll``."""

    def send(self, address: str, topic: str, records: list[Record]) -> None:
        from confluent_kafka import Producer  # noqa: PLC0415  # only for who asks

        failed: list[Any] = []
        producer: Any = Producer({"bootstrap.servers": address})
        for value, headers in records:
            producer.produce(
                topic,
                value,
                headers=headers,
                on_delivery=lambda error, _: failed.append(error),
            )
        assert producer.flush(WAIT_S) == 0
        assert failed == [None] * len(records)

    def read(self, address: str, topic: str, count: int) -> list[Any]:
        from confluent_kafka import (  # noqa: PLC0415  # only for who asks
            Consumer,
            TopicPartition,
        )

        settings = {"bootstrap.servers": address, "group.id": "any"}
        consumer: Any = Consumer(settings)
        consumer.assign([TopicPartition(topic, 0, 0)])
        messages: list[Any] = consumer.consume(count, WAIT_S)
        consumer.close()
        return messages

    batch = read

    def consume(
        self, address: str, topic: str, count: int, handle: Callable[[Any], Any]
    ) -> None:
        for message in self.read(address, topic, count):
            handle(message)


class KafkaPython:
    """kafka-python: headers by an attribute, and futures of its own."""

    def send(self, address: str, topic: str, records: list[Record]) -> None:
        from kafka import KafkaProducer  # noqa: PLC0415  # only for who asks

        producer: Any = KafkaProducer(bootstrap_servers=address)
        sent = [
            producer.send(topic, value, key=b"any", headers=headers)
            for value, headers in records
        ]
        for future in sent:
            future.get(WAIT_S)
        producer.close()

    def read(self, address: str, topic: str, count: int) -> list[Any]:
        messages: list[Any] = []
        self.consume(address, topic, count, messages.append)
        return messages

    def consume(
        self, address: str, topic: str, count: int, handle: Callable[[Any], Any]
    ) -> None:
        consumer = self._consumer(address, topic)
        for _ in range(count):
            handle(next(consumer))
        consumer.close()

    def batch(self, address: str, topic: str, count: int) -> Any:
        consumer = self._consumer(address, topic)
        found: Any = {}
        until(lambda: found.update(consumer.poll(100, count)) or found, what="batch")
        consumer.close()
        return found

    def _consumer(self, address: str, topic: str) -> Any:
        from kafka import KafkaConsumer  # noqa: PLC0415  # only for who asks
        from kafka.structs import TopicPartition  # noqa: PLC0415  # the same

        consumer: Any = KafkaConsumer(bootstrap_servers=address)
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek_to_beginning()
        return consumer


class AIOKafka:
    """aiokafka: everything awaited, headers as a tuple of pairs."""

    def send(self, address: str, topic: str, records: list[Record]) -> None:
        asyncio.run(self._send(address, topic, records))

    def read(self, address: str, topic: str, count: int) -> list[Any]:
        messages: list[Any] = []

        async def keep(message: Any) -> None:
            messages.append(message)

        asyncio.run(self._consume(address, topic, count, keep))
        return messages

    def consume(
        self, address: str, topic: str, count: int, handle: Callable[[Any], Any]
    ) -> None:
        async def take(message: Any) -> None:
            await asyncio.sleep(0)
            handle(message)

        asyncio.run(self._consume(address, topic, count, take))

    async def _send(self, address: str, topic: str, records: list[Record]) -> None:
        from aiokafka import AIOKafkaProducer  # noqa: PLC0415  # only for who asks

        producer: Any = AIOKafkaProducer(bootstrap_servers=address)
        await producer.start()
        try:
            for value, headers in records:
                await producer.send_and_wait(topic, value, key=b"any", headers=headers)
        finally:
            await producer.stop()

    def batch(self, address: str, topic: str, count: int) -> Any:
        async def main() -> Any:
            async with self._consumer(address, topic) as consumer:
                return await consumer.getmany(timeout_ms=60_000, max_records=count)

        return asyncio.run(asyncio.wait_for(main(), WAIT_S))

    async def _consume(
        self,
        address: str,
        topic: str,
        count: int,
        take: Callable[[Any], Coroutine[Any, Any, None]],
    ) -> None:
        async with self._consumer(address, topic) as consumer:
            for _ in range(count):
                await take(await asyncio.wait_for(consumer.getone(), WAIT_S))

    @asynccontextmanager
    async def _consumer(self, address: str, topic: str) -> AsyncGenerator[Any]:
        from aiokafka import (  # noqa: PLC0415  # only for who asks
            AIOKafkaConsumer,
            TopicPartition,
        )

        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=address, auto_offset_reset="earliest"
        )
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()


CLIENTS: dict[str, Client] = {
    "confluent_kafka": ConfluentKafka(),
    "kafka": KafkaPython(),
    "aiokafka": AIOKafka(),
}
"""By the name that each is imported by."""


def headers_of(message: Any) -> Any:
    """Return what each client has at its own place."""
    return message.headers() if hasattr(message, "error") else message.headers


def needed(name: str) -> Client:
    """Return a client, or skip the test."""
    package = {"confluent_kafka": "confluent-kafka", "kafka": "kafka-python"}
    pytest.importorskip(name, reason=f"needs {package.get(name, name)}")
    return CLIENTS[name]
