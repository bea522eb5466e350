"""The ID on log records that Django makes after the flow of a request."""

from __future__ import annotations

import logging

from penstock._context import scope_var
from penstock.backends.log_fields import ABSENT, ids_of
from penstock.contrib._http import KEY, RequestFlow


class RequestFilter(logging.Filter):
    """Give log records that are made after the flow of a request its ID.

    Django logs 4xx and 5xx responses after every middleware has returned. Those
    records have the request. ``FlowMiddleware`` adds this filter to the logger
    ``django.request``; add it to a handler for other loggers.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the ID if it is missing; let every record through."""
        meta = getattr(getattr(record, "request", None), "META", None)
        flow = meta.get(KEY) if isinstance(meta, dict) else None
        if isinstance(flow, RequestFlow):
            _fill(record, flow)
        return super().filter(record)


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
    """Add a ``RequestFilter`` to ``django.request``. More calls do nothing.

    >>> install_request_filter()
    >>> uninstall_request_filter()
    """
    logging.getLogger("django.request").addFilter(_request_filter)


def uninstall_request_filter() -> None:
    """Undo ``install_request_filter``; without it, do nothing.

    >>> uninstall_request_filter()
    """
    logging.getLogger("django.request").removeFilter(_request_filter)
