"""The Celery application that the tests run in workers of their own."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from celery import Celery, signals

import penstock
from penstock.contrib.celery import install_celery_signals

app = Celery(
    "shapes",
    include=["tests.contrib.celery_app.tasks", "tests.contrib.celery_app.ordered"],
)
app.conf.update(
    broker_url=os.environ["SHAPES_BROKER"],
    broker_connection_retry_on_startup=True,
    broker_transport_options=json.loads(os.environ.get("SHAPES_TRANSPORT", "{}")),
    result_backend=os.environ["SHAPES_BACKEND"],
    task_default_queue=os.environ["SHAPES_QUEUE"],
    worker_hijack_root_logger=False,
)
if os.environ.get("SHAPES_TICK_S"):
    app.conf.beat_schedule = {
        "tick": {"task": "shapes.tick", "schedule": float(os.environ["SHAPES_TICK_S"])}
    }

install_celery_signals()

if os.environ.get("SHAPES_SPANS"):
    from tests.contrib.celery_app import spans

    spans.install(os.environ["SHAPES_SPANS"])


class JSONLines(logging.Formatter):
    """One record, one line: what tests read."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's fields as JSON."""
        known = ("flow", "step", "flow_id", "task_id", "outcome", "name", "process")
        fields: dict[str, Any] = {key: getattr(record, key, None) for key in known}
        if record.exc_info:
            fields["exc"] = self.formatException(record.exc_info)
        return json.dumps({**fields, "message": record.getMessage()})


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery has no types
def _log_json_lines(**_: object) -> None:
    handler = logging.FileHandler(os.environ["SHAPES_LOG"])
    handler.setFormatter(JSONLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    penstock.install_log_fields()
