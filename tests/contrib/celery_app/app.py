"""The Celery application that the tests run in workers of their own."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

from celery import Celery, signals

import penstock

app = Celery("shapes", include=["tests.contrib.celery_app.tasks"])
app.conf.update(
    broker_url=os.environ["SHAPES_BROKER"],
    result_backend=os.environ["SHAPES_BACKEND"],
    task_default_queue=os.environ["SHAPES_QUEUE"],
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


class JSONLines(logging.Formatter):
    """One record, one line: what tests read."""

    def format(self, record: logging.LogRecord) -> str:
        known = ("flow", "step", "flow_id", "task_id", "status", "processName")
        fields: dict[str, Any] = {key: getattr(record, key, None) for key in known}
        if record.exc_info:
            fields["exc"] = self.formatException(record.exc_info)
        return json.dumps(
            {
                **fields,
                "logger": record.name,
                "message": record.getMessage(),
                "pid": os.getpid(),
            }
        )


@signals.setup_logging.connect
def _log_json_lines(**_: object) -> None:
    handler = logging.FileHandler(os.environ["SHAPES_LOG"])
    handler.setFormatter(JSONLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    penstock.install_log_fields()
