"""A consumer in a process of its own: ``consumer.py CLIENT ADDRESS TOPIC COUNT``.

It prints each log record as a line of JSON.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import penstock
from penstock import entrypoint, flow
from penstock.contrib.kafka import flow_consumer
from tests.contrib.kafka_app.clients import CLIENTS

log = logging.getLogger("shipping")


@flow_consumer
@flow("shipping")
@entrypoint(after="shop/orders:publish")
def ship(message: Any) -> None:
    """Ship what was ordered."""
    value = message.value() if hasattr(message, "error") else message.value
    log.info("shipped %s", "nothing" if value is None else value.decode())


class JSONLines(logging.Formatter):
    """One record, one line: what tests read."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's fields as JSON."""
        known = ("flow", "step", "flow_id", "name")
        fields: dict[str, Any] = {key: getattr(record, key, None) for key in known}
        return json.dumps({**fields, "message": record.getMessage()})


def main(client: str, address: str, topic: str, count: str) -> None:
    """Ship what stands in the topic."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JSONLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    penstock.install_log_fields()
    CLIENTS[client].consume(address, topic, int(count), ship)
    log.info("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
