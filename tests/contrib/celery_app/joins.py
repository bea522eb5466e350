"""A join in the body of a chord: each branch runs in a task of its own."""

# pyright: reportFunctionMemberAccess=none
# Celery has no types, and pyright guesses wrong what its functions return.

from __future__ import annotations

import logging
from typing import Any

from celery import chord

from penstock import all_of, flow
from penstock.contrib.celery import flow_task

log = logging.getLogger("shapes")
joins = flow("joins")


@joins
@flow_task(after="take", name="joins.charge")
def charge(label: str) -> None:
    """Take the money."""
    log.info("ran %s charge", label)


@joins
@flow_task(after="take", name="joins.reserve")
def reserve(label: str) -> None:
    """Take the goods."""
    log.info("ran %s reserve", label)


@joins
@flow_task(after=all_of("charge", "reserve"), name="joins.send")
def send(results: Any, label: str) -> None:
    """Send what both have prepared."""
    log.info("ran %s send", label)


@joins.entrypoint
def take(label: str, *branches: Any) -> None:
    """Run *branches* at once, and send when all of them have ended."""
    chord([branch.s(label) for branch in branches])(send.s(label))
