"""Every way to send tasks: each sends, and says how many log lines shall follow."""

# pyright: reportCallIssue=none, reportOperatorIssue=none
# pyright: reportOptionalMemberAccess=none, reportOptionalSubscript=none
# pyright: reportAttributeAccessIssue=none, reportFunctionMemberAccess=none
# pyright: reportArgumentType=none, reportAssignmentType=none, reportReturnType=none
# Celery has no types, and pyright guesses wrong what its functions return.

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from celery import chain, chord, current_app, group, signature

from tests.contrib.celery_app.tasks import (
    autoretry,
    fail,
    follow,
    lose_worker,
    nest,
    note_id,
    note_plainly,
    note_request,
    plain,
    receive,
    replace,
    retry_twice,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LOST", "SHAPES"]


def delayed(label: str) -> int:
    receive.delay(label)
    return 1


def by_name(label: str) -> int:
    current_app.send_task("shapes.follow", (None, label))
    return 1


def plain_task(label: str) -> int:
    plain.delay(label)
    return 1


def retried(label: str) -> int:
    retry_twice.delay(label)
    return 3


def autoretried(label: str) -> int:
    autoretry.apply_async((label,), task_id=label, link_error="shapes.note_id")
    return 4


def chained(label: str) -> int:
    chain(receive.s(label), follow.s(label), follow.s(label))()
    return 3


def grouped(label: str) -> int:
    group(receive.s(label) for _ in range(3))()
    return 3


def chorded(label: str) -> int:
    chord([receive.s(label), plain.s(label)])(follow.s(label))
    return 3


def nested_canvas(label: str) -> int:
    inner = group(follow.s(label), follow.s(label)) | follow.s(label)
    (receive.s(label) | inner | plain.si(label)).delay()
    return 5


def failed_chord(label: str) -> int:
    body = follow.s(label).on_error(note_id.s())
    body.set(task_id=label)
    chord([receive.s(label), fail.s(label)])(body)
    return 3


def callbacks(label: str) -> int:
    links = [follow.s(label), plain.si(label)]
    receive.apply_async((label,), link=links)
    return 3


def errback(label: str) -> int:
    fail.apply_async((label,), task_id=label, link_error=note_id.s())
    return 2


def errback_by_name(label: str) -> int:
    fail.apply_async((label,), task_id=label, link_error=signature("shapes.note_id"))
    return 2


def errback_with_request(label: str) -> int:
    fail.apply_async((label,), task_id=label, link_error=note_request.s())
    return 2


def later(label: str) -> int:
    receive.apply_async((label,), countdown=0.2)
    receive.apply_async((label,), eta=datetime.now(UTC) + timedelta(seconds=0.2))
    return 2


def replaced(label: str) -> int:
    (replace.s(label) | follow.s(label)).apply_async(link_error=note_id.s())
    return 4


def nested(label: str) -> int:
    nest.delay(label)
    return 4


def mapped(label: str) -> int:
    receive.map([label, label]).delay()
    receive.chunks([(label,)] * 4, 2).group()()
    return 6


def immutable_and_own_id(label: str) -> int:
    receive.si(label).apply_async(task_id=uuid4().hex, headers={"mine": "1"})
    return 1


def _lost_by_name(label: str) -> None:
    lose_worker.apply_async((label,), task_id=label, link_error="shapes.note_id")


def _lost_by_request(label: str) -> None:
    lose_worker.apply_async((label,), task_id=label, link_error=note_request.s())


def _lost_by_plain_request(label: str) -> None:
    lose_worker.apply_async((label,), task_id=label, link_error=note_plainly.s())


def _lost_in_a_chord(label: str) -> None:
    body = follow.s(label).on_error(note_request.s())
    body.set(task_id=label)
    chord([lose_worker.s(label)])(body)


LOST: dict[str, Callable[[str], None]] = {
    "by_name": _lost_by_name,
    "by_request": _lost_by_request,
    "by_plain_request": _lost_by_plain_request,
    "in_a_chord": _lost_in_a_chord,
}

SHAPES: dict[str, Callable[[str], int]] = {
    shape.__name__: shape
    for shape in (
        delayed,
        by_name,
        plain_task,
        retried,
        autoretried,
        chained,
        grouped,
        chorded,
        nested_canvas,
        failed_chord,
        callbacks,
        errback,
        errback_by_name,
        errback_with_request,
        later,
        replaced,
        nested,
        mapped,
        immutable_and_own_id,
    )
}
