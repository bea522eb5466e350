"""Tasks for every shape; each says in the log that it ran."""

# pyright: reportCallIssue=none, reportOperatorIssue=none
# pyright: reportOptionalMemberAccess=none, reportOptionalSubscript=none
# pyright: reportAttributeAccessIssue=none, reportFunctionMemberAccess=none
# pyright: reportArgumentType=none, reportAssignmentType=none, reportReturnType=none
# Celery has no types, and pyright guesses wrong what its functions return.

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import shared_task

from penstock import current_flow_id, flow
from penstock.contrib.celery import flow_task

log = logging.getLogger("shapes")
shapes = flow("shapes")


@shapes
@flow_task
def receive(label: str) -> str | None:
    """Begin."""
    log.info("ran %s receive", label)
    return current_flow_id()


@shapes
@flow_task(after=receive, name="shapes.follow")
def follow(before: Any, label: str) -> str | None:
    """Go on after another task, with its result."""
    log.info("ran %s follow", label)
    return current_flow_id()


@shapes
@flow_task(name="shapes.link_error")
def note_request(request: Any, exc: object, traceback: object) -> None:
    """Note a failure, called in the process where it is noticed."""
    log.info("ran %s note_request", request.id)


@shared_task(name="shapes.plain_error")  # type: ignore[untyped-decorator]  # Celery has no types
def note_plainly(request: Any, exc: object, traceback: object) -> None:
    """Note a failure there, without a word about flows."""
    log.info("ran %s note_plainly", request.id)


@shapes
@flow_task(name="shapes.note_id")
def note_id(task_id: str) -> None:
    """Note a failure, as a task of its own."""
    log.info("ran %s note_id", task_id)


@shared_task(name="shapes.plain")  # type: ignore[untyped-decorator]  # Celery has no types
def plain(label: str) -> str | None:
    """Run without a word about flows."""
    log.info("ran %s plain", label)
    return current_flow_id()


@shared_task(name="shapes.tick")  # type: ignore[untyped-decorator]  # Celery has no types
def tick() -> None:
    """Run at a beat."""
    log.info("ran tick")


@shapes
@flow_task(bind=True, max_retries=2)
def retry_twice(self: Any, label: str) -> str | None:
    """Succeed at the third attempt."""
    log.info("ran %s retry_twice", label)
    if self.request.retries < 2:
        raise self.retry(countdown=0)
    return current_flow_id()


@shapes
@flow_task(autoretry_for=(OSError,), max_retries=2, default_retry_delay=0)
def autoretry(label: str) -> str | None:
    """Fail for good, at the third attempt."""
    log.info("ran %s autoretry", label)
    raise OSError(label)


@shapes
@flow_task
def fail(label: str) -> None:
    """Fail at once."""
    log.info("ran %s fail", label)
    raise ValueError(label)


@shapes
@flow_task(bind=True)
def replace(self: Any, label: str) -> None:
    """Put a chain in the place of this task."""
    log.info("ran %s replace", label)
    raise self.replace(receive.s(label) | follow.s(label))


@shapes
@flow_task
def nest(label: str) -> None:
    """Send tasks from a task, and call one."""
    log.info("ran %s nest", label)
    receive.delay(label)
    plain.delay(label)
    receive(label)


@shapes
@flow_task(acks_late=True)
def die_once(label: str, folder: str) -> str | None:
    """Hang at the first delivery, for somebody to kill the worker."""
    began = Path(folder) / "began"
    is_first = not began.exists()
    began.touch()
    log.info("ran %s die_once", label)
    while is_first:
        time.sleep(0.1)
    return current_flow_id()


@shapes
@flow_task
def lose_worker(label: str) -> None:
    """Take the process along, as the kernel does where memory runs out."""
    log.info("ran %s lose_worker", label)
    os.kill(os.getpid(), signal.SIGKILL)
