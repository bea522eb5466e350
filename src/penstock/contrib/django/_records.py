"""The ID on log records that Django makes after the flow of a request."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from penstock._context import scope_var
from penstock.backends.log_fields import ABSENT, ids_of
from penstock.contrib._http import KEY, RequestFlow

if TYPE_CHECKING:
    from types import FrameType

_LOGGERS = ("django.request", "django.server")


class RequestFilter(logging.Filter):
    """Give log records that are made after the flow of a request its ID.

    Django logs 4xx and 5xx responses after every middleware has returned. Those
    records have the request. ``runserver`` logs each request when its response has
    been sent. ``FlowMiddleware`` adds this filter to the loggers ``django.request``
    and ``django.server``; add it to a handler for other loggers.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the ID if it is missing; let every record through."""
        meta = getattr(getattr(record, "request", None), "META", None)
        if record.name == "django.server":
            meta = _served_environ()
        flow = meta.get(KEY) if isinstance(meta, dict) else None
        if isinstance(flow, RequestFlow):
            _fill(record, flow)
        return super().filter(record)


def _served_environ() -> Any:
    """Return the environ of the request that ``runserver`` logs.

    The record has no more than the socket. The server that closes the response has it.
    """
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  # as logging does
    while frame is not None and frame.f_code.co_name != "close":
        frame = frame.f_back
    server = None if frame is None else frame.f_locals.get("self")
    return getattr(server, "environ", None)


def _fill(record: logging.LogRecord, flow: RequestFlow) -> None:
    """Set the ID of the request if there is none, or one that a server left behind.

    A record that is made in a run within the request keeps its own.
    """
    scope = scope_var.get()
    wrong: dict[str, object] = {}
    if scope is not None:
        if scope[0].root_id == flow.context.root_id:
            return
        wrong = ids_of(scope)
    known = record.__dict__
    for name, value in ids_of(flow.scope).items():
        if known.get(name, ABSENT) in {ABSENT, wrong.get(name)}:
            known[name] = value


_request_filter = RequestFilter()


def install_request_filter() -> None:
    """Add a ``RequestFilter`` to the loggers of Django. More calls do nothing.

    >>> install_request_filter()
    >>> uninstall_request_filter()
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_request_filter)


def uninstall_request_filter() -> None:
    """Undo ``install_request_filter``; without it, do nothing.

    >>> uninstall_request_filter()
    """
    for name in _LOGGERS:
        logging.getLogger(name).removeFilter(_request_filter)
