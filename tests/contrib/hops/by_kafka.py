"""One service of several: ``by_kafka.py ROLE CLIENT ADDRESS TOPIC COUNT``.

``shop`` publishes orders, the first of them twice, as a producer does that saw no
acknowledgement. The others take them, each in its own way.
"""

from __future__ import annotations

import sys
from typing import Any

import penstock
from penstock.contrib.kafka import flow_consumer, flow_from_batch, flow_headers
from tests.contrib.hops import declared
from tests.contrib.kafka_app.clients import CLIENTS, Client, Record


@flow_consumer
def depot(message: Any) -> None:
    """Pick, ship and book."""
    declared.ship(declared.pick(message))
    declared.book(message)


@flow_consumer
def reverse(message: Any) -> None:
    """Ship first, and pick later."""
    declared.ship(message)
    declared.pick(message)


ROLES = {"depot": depot, "reverse": reverse, "hasty": flow_consumer(declared.hurry)}


def publish(client: Client, address: str, topic: str, count: int) -> None:
    """Send *count* messages about one order less."""

    def send(number: int) -> Record:
        return str(number).encode(), flow_headers()

    records = [declared.receive(number, send) for number in range(count - 1)]
    client.send(address, topic, [records[0], *records])


def main(role: str, name: str, address: str, topic: str, count: str) -> None:
    """Play one service, until *count* messages are sent or handled."""
    penstock.configure(service=role)
    client = CLIENTS[name]
    if role == "shop":
        publish(client, address, topic, int(count))
    elif role == "office":
        messages = client.batch(address, topic, int(count))
        with flow_from_batch(messages):
            declared.book(messages)
    else:
        client.consume(address, topic, int(count), ROLES[role])


if __name__ == "__main__":
    main(*sys.argv[1:])
