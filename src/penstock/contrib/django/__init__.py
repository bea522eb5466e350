"""Give every request of a Django site one correlation ID, up to the last chunk.

Works under WSGI and ASGI, around sync and async views. Nothing is connected until
``FlowMiddleware`` is in ``MIDDLEWARE`` or ``"penstock.contrib.django"`` in
``INSTALLED_APPS``, which also brings ``manage.py penstock`` and system checks.
"""

from __future__ import annotations

from ._middleware import FlowMiddleware
from ._records import (
    RequestFilter,
    install_request_filter,
    uninstall_request_filter,
)
from ._tasks import FlowTasks
from .apps import FlowConfig

__all__ = [
    "FlowConfig",
    "FlowMiddleware",
    "FlowTasks",
    "RequestFilter",
    "install_request_filter",
    "uninstall_request_filter",
]
