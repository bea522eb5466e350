"""Give every request of a Django site one correlation ID, from header to last chunk.

Works under WSGI and ASGI, around sync and async views. Nothing is connected until
``FlowMiddleware`` is in ``MIDDLEWARE`` or ``FlowConfig`` in ``INSTALLED_APPS``.
"""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from penstock._config import configure
from penstock._context import scope_var
from penstock._optional import requires
from penstock._process import DISABLED
from penstock._suggest import did_you_mean
from penstock.errors import ConfigurationError

from ._django_tasks import FlowTasks
from ._http import KEY, AsyncBody, Body, RequestFlow

with requires("django", extra="django"):
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django import conf
    from django.core.exceptions import MiddlewareNotUsed
    from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest, HttpResponse

    class AppConfig:
        """Django's, which has no types."""

else:
    from django.apps import AppConfig

__all__ = [
    "FlowConfig",
    "FlowMiddleware",
    "FlowTasks",
    "RequestFilter",
    "install_request_filter",
    "uninstall_request_filter",
]

_ABSENT = "-"


class FlowMiddleware:
    """Run each request in a flow context, and show its ID in the response.

    First in ``MIDDLEWARE``, so that everything below it is in the flow. The context
    is what the request's headers bring, or a fresh one; entrypoints that a view
    calls take over its ID. What ``settings.PENSTOCK`` says is configured.

    Raises:
        ConfigurationError: ``settings.PENSTOCK`` has a name or a value that
            ``penstock.configure`` does not take.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        configure_from_settings()
        if DISABLED:
            msg = "PENSTOCK_DISABLED is set"
            raise MiddlewareNotUsed(msg)
        install_request_filter()
        self.get_response = get_response
        # Not the one of inspect, which on Python 3.11 misses what asgiref has marked.
        self._is_async = bool(
            iscoroutinefunction(get_response)  # pyright: ignore[reportDeprecated]  # so
        )
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Answer *request* in its flow."""
        if self._is_async:
            return self._answer(request)
        flow = _flow_of(request)
        with flow.entered():
            response = self.get_response(request)
        return _finished(response, flow)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        flow = _flow_of(request)
        with flow.entered():
            response = await self.get_response(request)
        return _finished(response, flow)


class FlowConfig(AppConfig):
    """An app that configures what ``settings.PENSTOCK`` says, in every process.

    The middleware does so for the web. As ``"penstock.contrib.django.FlowConfig"``
    in ``INSTALLED_APPS`` this does so for management commands and workers, too.
    """

    name = "penstock.contrib.django"
    label = "penstock"
    verbose_name = "penstock"

    def ready(self) -> None:
        """Configure penstock; Django calls this when it has started."""
        configure_from_settings()


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


def configure_from_settings() -> None:
    """Do ``penstock.configure`` with what ``settings.PENSTOCK`` holds, if anything.

    Its keys are the names that ``configure`` takes, and ``backends`` is one backend
    or a list; functions may be given by their dotted path.

    Raises:
        ConfigurationError: It has a name or a value that ``configure`` does not take.
    """
    given = getattr(conf.settings, "PENSTOCK", None)
    if given is None:
        return
    try:
        backends, options = _checked(given)
        configure(*backends, **options)
    except ConfigurationError as exc:
        msg = f"settings.PENSTOCK: {exc}"
        raise ConfigurationError(msg) from exc


def _checked(given: Any) -> tuple[list[Any], dict[str, Any]]:
    known = list(inspect.signature(configure).parameters)
    if not isinstance(given, dict):
        msg = f"a dict is expected, not {type(given).__name__}."
        raise ConfigurationError(msg)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            msg = f"there is no setting {name!r}.{hint} There is {', '.join(known)}."
            raise ConfigurationError(msg)
    options = {name: _loaded(name, value) for name, value in given.items()}
    backends = options.pop("backends", ())
    if isinstance(backends, list | tuple):
        return list(backends), options
    return [backends], options


def _loaded(name: str, value: Any) -> Any:
    """Return a setting; a function may be given by its path, as in Django's own."""
    if name not in {"new_id", "is_valid_id"} or not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as exc:
        msg = f"{name}={value!r} cannot be imported: {exc}."
        raise ConfigurationError(msg) from exc


def _flow_of(request: HttpRequest) -> RequestFlow:
    """Return the flow of *request*, which a server middleware may have made already."""
    meta = request.META
    flow = getattr(request, "scope", {}).get(KEY)
    if KEY not in meta and isinstance(flow, RequestFlow):
        meta[KEY] = flow
    return RequestFlow.of_environ(meta)


def _finished(response: HttpResponse, flow: RequestFlow) -> HttpResponse:
    """Show the ID in the response, and keep it in what is still to be streamed."""
    for name, value in flow.headers:
        response.headers[name] = value
    # Servers send files by themselves (wsgi.file_wrapper) unless somebody wraps them.
    if response.streaming and getattr(response, "file_to_stream", None) is None:
        _stream_in(flow, response)
    return response


def _stream_in(flow: RequestFlow, response: Any) -> None:
    """Make the chunks of *response* in *flow*, and call what closes them there.

    By Django's private names: ``response.streaming_content`` and a ``close`` of ours
    would tie the response into a cycle, so that a body whose reader has gone would
    not end until the garbage is collected.
    """
    wrapper = AsyncBody if response.is_async else Body
    body = wrapper(response._iterator, flow)  # noqa: SLF001  # see above
    closers = response._resource_closers  # noqa: SLF001  # see above
    response._resource_closers = body.closing(closers)  # noqa: SLF001  # see above
    response._iterator = body  # noqa: SLF001  # see above
