"""The ID on records that Django makes when the request's flow is over."""

from __future__ import annotations

import logging

from penstock._context import scope_var
from penstock.contrib._http import KEY, RequestFlow

__all__ = ["RequestFilter", "install_request_filter", "uninstall_request_filter"]

_ABSENT = "-"


class RequestFilter(logging.Filter):
    """Give records that are made after a request's flow its ID all the same.

    Django logs 4xx and 5xx responses when every middleware has returned; those
    records have the request. ``FlowMiddleware`` puts this on the logger
    ``django.request``; a handler may have it for other loggers.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Fill in what is missing; let everything through."""
        meta = getattr(getattr(record, "request", None), "META", None)
        flow = meta.get(KEY) if isinstance(meta, dict) else None
        if isinstance(flow, RequestFlow):
            _fill(record, flow)
        return super().filter(record)


def _fill(record: logging.LogRecord, flow: RequestFlow) -> None:
    """Set the request's ID where there is none, or one that a server has left behind.

    A record that was made in a run within the request says so itself.
    """
    scope = scope_var.get()
    wrong = _ABSENT
    if scope is not None:
        if scope[0].root_id == flow.context.root_id:
            return
        wrong = scope[0].correlation_id
    known = record.__dict__
    for name in ("correlation_id", "flow_id"):
        if known.get(name, wrong) == wrong:
            known[name] = flow.correlation_id


_request_filter = RequestFilter()


def install_request_filter() -> None:
    """Put a ``RequestFilter`` on ``django.request``. More calls do nothing.

    >>> install_request_filter()
    >>> uninstall_request_filter()
    """
    logging.getLogger("django.request").addFilter(_request_filter)


def uninstall_request_filter() -> None:
    """Undo ``install_request_filter``; without it, do nothing.

    >>> uninstall_request_filter()
    """
    logging.getLogger("django.request").removeFilter(_request_filter)
