"""Jobs of rq, in addition to those on the page."""

from __future__ import annotations

import logging
from datetime import timedelta
from importlib import import_module
from typing import Any

from rq import Retry, get_current_job

shop: Any = import_module("shop_rq")
log = logging.getLogger("jobs")

COUNTS = {"note": 1, "fail": 1, "retry": 3, "nest": 2, "later": 1, "depend": 2}


def send(kind: str, label: str) -> None:
    """Send a job of that kind."""
    queue = shop.queue
    if kind == "later":
        queue.enqueue_in(timedelta(seconds=0.2), note, label)
    elif kind == "retry":
        queue.enqueue(retry, label, retry=Retry(max=2))
    elif kind == "depend":
        queue.enqueue(note, label, depends_on=queue.enqueue(note, label))
    else:
        queue.enqueue({"note": note, "fail": fail, "nest": nest}[kind], label)


def note(label: str) -> None:
    """Say that it ran."""
    log.info("ran %s", label)


def fail(label: str) -> None:
    """Fail."""
    log.info("ran %s", label)
    raise ValueError(f"broken {label}")


def retry(label: str) -> None:
    """Succeed at the third attempt."""
    log.info("ran %s", label)
    job = get_current_job()
    assert job is not None
    if job.retries_left:
        raise OSError(label)


def nest(label: str) -> None:
    """Send a job from a job."""
    log.info("ran %s", label)
    shop.queue.enqueue(note, label)
