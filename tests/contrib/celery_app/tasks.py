"""Tasks of every shape; each tells the ID that it runs under."""

from __future__ import annotations

import logging
from typing import Any

from penstock import current_flow_id, flow
from penstock.contrib.celery import flow_task

log = logging.getLogger("shapes")


@flow("shapes")
@flow_task
def receive(label: str) -> str | None:
    """Say which ID this task runs under."""
    log.info("ran %s", label)
    return current_flow_id()
