"""The middleware: each request in its flow, under WSGI and ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock._platform.optional import requires
from penstock._platform.process import DISABLED
from penstock.contrib._http import (
    EXPOSE,
    KEY,
    AsyncStreamedBody,
    RequestFlow,
    StreamedBody,
    mapping_headers,
)

from ._records import install_request_filter
from ._settings import configure_from_settings

with requires("django", extra="django"):
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.core.exceptions import MiddlewareNotUsed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest, HttpResponse

    from penstock.contrib._http import HttpOptions

__all__ = ["FlowMiddleware"]


class FlowMiddleware:
    """Run each request in a flow context, and show its ID in the response.

    Put it first in ``MIDDLEWARE``, so that everything below it is in the flow. The
    context comes from the headers of the request, or is new; entrypoints that a view
    calls take its ID. Views find it as ``request.correlation_id``. The middleware also
    applies ``settings.PENSTOCK``.

    Raises:
        ConfigurationError: ``settings.PENSTOCK`` has a name or a value that
            ``penstock.configure`` does not take.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._options = configure_from_settings()
        if DISABLED:
            msg = "PENSTOCK_DISABLED is set"
            raise MiddlewareNotUsed(msg)
        install_request_filter()
        self.get_response = get_response
        # On Python 3.11 that of inspect misses what asgiref has marked.
        self._is_async = bool(
            iscoroutinefunction(get_response)  # pyright: ignore[reportDeprecated]  # so
        )
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Answer *request* in its flow."""
        if self._options.leaves_alone(request.path):
            return self.get_response(request)
        if self._is_async:
            return self._answer(request)
        flow = _flow_of(request, self._options)
        with flow.entered():
            response = self.get_response(request)
        return _finished(response, flow)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        flow = _flow_of(request, self._options)
        with flow.entered():
            response = await self.get_response(request)
        return _finished(response, flow)


def _flow_of(request: HttpRequest, options: HttpOptions) -> RequestFlow:
    """Return the flow of *request*; a server middleware may have made it already."""
    meta = request.META
    flow = meta.get(KEY) or getattr(request, "scope", {}).get(KEY)
    if not isinstance(flow, RequestFlow):
        # Not from META: tests may write names there as only request.headers reads them.
        headers: Any = request.headers  # a cached_property to type checkers
        flow = RequestFlow(mapping_headers(headers, options.names), options)
    meta[KEY] = flow
    request.correlation_id = flow.correlation_id
    return flow


def _finished(response: HttpResponse, flow: RequestFlow) -> HttpResponse:
    """Show the ID in the response, and keep it while the body is streamed."""
    for name, value in flow.headers:
        if name == EXPOSE and name in response.headers:
            response.headers[name] += f", {value}"
        else:
            response.headers[name] = value
    # Servers send files by themselves (wsgi.file_wrapper) unless they are wrapped.
    if response.streaming and getattr(response, "file_to_stream", None) is None:
        _stream_in(flow, response)
    return response


def _stream_in(flow: RequestFlow, response: Any) -> None:
    """Make the chunks of *response* in *flow*, and close them there.

    This uses Django's private names. The public ones would make a reference cycle, so
    that a body whose reader has left would not end before a garbage collection.
    """
    wrapper = AsyncStreamedBody if response.is_async else StreamedBody
    body = wrapper(response._iterator, flow)  # noqa: SLF001  # see above
    closers = response._resource_closers  # noqa: SLF001  # see above
    response._resource_closers = body.closing(closers)  # noqa: SLF001  # see above
    response._iterator = body  # noqa: SLF001  # see above
