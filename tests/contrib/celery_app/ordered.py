"""Tasks in a declared order, and ways to send them that keep to it."""

# pyright: reportCallIssue=none, reportOperatorIssue=none
# pyright: reportAttributeAccessIssue=none, reportFunctionMemberAccess=none
# pyright: reportArgumentType=none
# Celery has no types, and pyright guesses wrong what its functions return.

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import chain, chord, group

from penstock import all_of, flow
from penstock.contrib.celery import flow_task

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WAYS", "early", "take"]

log = logging.getLogger("shapes")
ordered = flow("ordered")


@ordered.entrypoint
def take(label: str, send: Callable[[str], None]) -> None:
    """Begin a run that sends tasks in some way."""
    send(label)


@ordered.step(after=take)
def check() -> None:
    """Run before what is sent."""


@ordered
@flow_task(after=take, name="ordered.validate")
def validate(label: str) -> None:
    """Run after the entrypoint."""
    log.info("ran %s validate", label)


@ordered
@flow_task(after=validate, name="ordered.charge", bind=True, max_retries=1)
def charge(self: Any, label: str) -> None:
    """Succeed at the second attempt."""
    log.info("ran %s charge", label)
    if not self.request.retries:
        raise self.retry(countdown=0)


@ordered
@flow_task(after=validate, name="ordered.reserve")
def reserve(label: str) -> None:
    """Run beside the other branch."""
    log.info("ran %s reserve", label)


@ordered
@flow_task(after=all_of(charge, reserve), name="ordered.join")
def join(label: str) -> None:
    """Run after both branches."""
    log.info("ran %s join", label)


@ordered
@flow_task(after=check, name="ordered.notify")
def notify(label: str) -> None:
    """Run after a step that is not a task."""
    log.info("ran %s notify", label)


@ordered
@flow_task(after=take, name="ordered.nest")
def nest(label: str) -> None:
    """Call a step, and send a task that comes after it."""
    log.info("ran %s nest", label)
    check()
    notify.delay(label)


@ordered
@flow_task(after=take, name="ordered.meet")
def meet(label: str, branch: str) -> None:
    """Send what waits for two tasks, if this is the second."""
    log.info("ran %s meet", label)
    (check if branch == "check" else pack)()
    here = Path(os.environ["SHAPES_LOG"]).with_name(label)
    try:
        here.touch(exist_ok=False)
    except FileExistsError:
        both.delay(label)


@ordered.step(after=take)
def pack() -> None:
    """Run in one of two tasks that meet."""


@ordered
@flow_task(after=all_of(check, pack), name="ordered.both")
def both(label: str) -> None:
    """Run when two tasks have met."""
    log.info("ran %s both", label)


def early(label: str) -> None:
    """Send a task before the step that it comes after."""
    notify.delay(label)
    check()


def _in_turn(label: str) -> None:
    check()
    notify.delay(label)


def _two_messages(label: str) -> None:
    validate.delay(label)
    reserve.delay(label)


def _nested(label: str) -> None:
    nest.delay(label)  # the task is made when it is first asked for anything


def _meeting(label: str) -> None:
    meet.delay(label, "check")
    meet.delay(label, "pack")


WAYS: dict[str, tuple[Callable[[str], Any], int]] = {
    "in_turn": (_in_turn, 1),
    "two_messages": (_two_messages, 2),
    "chain": (lambda label: chain(validate.si(label), charge.si(label))(), 3),
    "group": (lambda label: group(validate.si(label) for _ in range(2))(), 2),
    "chord": (
        lambda label: chain(
            validate.si(label),
            chord([charge.si(label), reserve.si(label)], join.si(label)),
        )(),
        5,
    ),
    "link": (
        lambda label: validate.apply_async((label,), link=reserve.si(label)),
        2,
    ),
    "eta": (lambda label: validate.apply_async((label,), countdown=0.2), 1),
    "nested": (_nested, 2),
    "meeting": (_meeting, 3),
}
"""How to send, and how many tasks then run."""
