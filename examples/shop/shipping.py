"""The shipping department: it reads a Kafka topic, and packs."""

from __future__ import annotations

import logging
import signal
from typing import Any

import requests
from confluent_kafka import Consumer

from penstock import flow
from penstock.contrib.kafka import flow_consumer
from penstock.contrib.requests import instrument

from .service import address, keep, set_up

TOO_LARGE = "A-2"
"""The order that fails on purpose."""

log = logging.getLogger("shop.shipping")
parcels = flow("parcels", owner="warehouse", description="From the shelf to the van.")
office = requests.Session()
instrument(office, hosts=["127.0.0.1"])


@flow_consumer
@parcels.entrypoint(after="front/checkout:announce")
def ship(message: Any) -> None:
    """Ship an order."""
    number = message.value().decode()
    pack(number)
    tell_office(number)


@parcels.step(after=ship)
def pack(number: str) -> None:
    """Pack a parcel."""
    if number == TOO_LARGE:
        msg = f"{number} does not fit into the van"
        raise ValueError(msg)
    keep("parcels", number)
    log.info("parcel for %s packed", number)


@parcels.step(after=pack)
def tell_office(number: str) -> None:
    """Tell the back office that the order has left."""
    office.post(f"http://{address('office')}/shipped/{number}/", timeout=30)


def main() -> None:
    """Handle messages until the process gets a signal."""
    set_up("shipping")
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stop.append(number))
    consumer = Consumer(
        {
            "bootstrap.servers": address("kafka"),
            "group.id": "shipping",
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,
            "log_level": 0,
        }
    )
    consumer.subscribe(["orders"], on_assign=lambda *_: log.info("ready"))
    while not stop:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            try:
                ship(message)
            except ValueError as exc:
                log.error("gave up: %s", exc)  # noqa: TRY400  # penstock has logged it
    consumer.close()


if __name__ == "__main__":
    main()
