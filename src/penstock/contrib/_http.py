"""One HTTP request and its flow: what every server integration is made of.

A middleware takes the request's ``RequestFlow``, runs the application inside
``entered()``, sends what ``headers`` says, and hands a streaming body on inside a
``StreamedBody`` or an ``AsyncStreamedBody``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, Unpack, cast

from penstock._config import checked_headers
from penstock._context import leave, scope_var
from penstock._platform.process import DISABLED
from penstock._propagation.carrier import TRUST, continued, find_headers
from penstock._runtime.bound_generators import GeneratorScope
from penstock._runtime.header_names import FIELD, TRACE, InboundNames
from penstock._runtime.state import say, state
from penstock.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Mapping
    from contextvars import Token
    from types import TracebackType

    from penstock._context import FlowContext, Scope

KEY = "penstock.flow"
"""Where the ``environ`` or ASGI ``scope`` of a request holds its ``RequestFlow``.

By it two middlewares around one application agree. No header can write it.
"""

_WHOLE = frozenset((FIELD, TRACE[1], FIELD.encode(), TRACE[1].encode()))
"""Headers that have commas of their own."""

EXPOSE = "Access-Control-Expose-Headers"
"""By this header a script in a browser may read the ID from a response."""

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """What one middleware does in another way than ``configure`` says.

    Attributes:
        trust_inbound: What it adopts from a request.
        inbound: The headers that may bring an ID.
        response_headers: The headers of a response that show it.
        exclude: Patterns of paths that it leaves alone.
        transform_id: Makes an ID of what a header brings.
        is_exposed: Whether scripts of other origins may read the response headers.
    """

    trust_inbound: str | None = None
    inbound: InboundNames | None = None
    response_headers: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    transform_id: Callable[[str], str] | None = None
    is_exposed: bool = False

    @property
    def names(self) -> InboundNames:
        """The headers to look for."""
        return self.inbound or state.inbound_names

    def leaves_alone(self, path: object) -> bool:
        """Return whether a request of *path* is none of penstock's business."""
        return any(fnmatchcase(str(path), pattern) for pattern in self.exclude)

    def added(self, correlation_id: str) -> list[tuple[str, str]]:
        """Return the headers of a response."""
        names = self.response_headers
        names = state.headers if names is None else names
        added = [(name, correlation_id) for name in names]
        if self.is_exposed and names:
            added.append((EXPOSE, ", ".join(names)))
        return added


class MiddlewareOptions(TypedDict, total=False):
    """The keyword arguments of every ``FlowMiddleware``.

    Attributes:
        trust_inbound: What to adopt from a request: ``none``, ``id`` or ``all``; by
            default the setting of ``configure``, else ``id``.
        headers: The headers that may bring an ID, the best first, and that show it
            in the response; by default those of ``configure``.
        response_headers: The headers that show it in the response if they are other
            ones; ``()`` for none.
        expose_headers: Whether ``Access-Control-Expose-Headers`` names them, so that
            scripts of other origins may read them.
        exclude: The paths to leave alone, such as ``/health`` or ``/static/*``.
        transform_id: Makes an ID from the value of a header, before it is checked.
    """

    trust_inbound: str | None
    headers: str | Iterable[str] | None
    response_headers: str | Iterable[str] | None
    expose_headers: bool
    exclude: str | Iterable[str]
    transform_id: Callable[[str], str] | None


def http_options(**given: Unpack[MiddlewareOptions]) -> HttpOptions:
    """Return the options of a middleware.

    Raises:
        ConfigurationError: One of them has a wrong value.
        TypeError: There is no such option.
    """
    for name in given.keys() - MiddlewareOptions.__annotations__.keys():
        hint = did_you_mean(name, MiddlewareOptions.__annotations__)
        msg = f"FlowMiddleware has no option {name!r}.{hint}"
        raise TypeError(msg)
    trust = given.get("trust_inbound")
    if trust is not None and trust not in TRUST:
        msg = f"trust_inbound={trust!r}: expected {', '.join(map(repr, TRUST))}."
        raise ConfigurationError(msg)
    transform: Any = given.get("transform_id")
    if transform is not None and not callable(transform):
        msg = f"transform_id={transform!r}: expected a function."
        raise ConfigurationError(msg)
    inbound = checked_headers("headers", given.get("headers"))
    shown = checked_headers("response_headers", given.get("response_headers"))
    exclude = given.get("exclude", ())
    return HttpOptions(
        trust,
        None if inbound is None else InboundNames(inbound),
        inbound if shown is None else shown,
        (exclude,) if isinstance(exclude, str) else tuple(exclude),
        given.get("transform_id"),
        bool(given.get("expose_headers")),
    )


DEFAULTS = HttpOptions()


class RequestFlow:
    """The flow context of one request: what its headers bring, or a fresh one.

    The current flow is ignored: some servers leak context variables from one request
    on a connection to the next. What is adopted is up to *options*, else to
    ``configure(trust_inbound=...)``, else it is ``id``.

    Attributes:
        scope: What the context variable holds in the request.
    """

    __slots__ = ("_options", "scope")

    def __init__(self, found: dict[str, str], options: HttpOptions = DEFAULTS) -> None:
        trust = options.trust_inbound or state.trust_inbound or "id"
        names = options.names
        if options.transform_id is not None:
            _transform(found, names, options.transform_id)
        context = continued(found, trust, names)
        self._options = options
        context.is_request = True
        context.is_awaited = True  # the client waits for the response
        self.scope: Scope = (context, None, 0)

    def __repr__(self) -> str:
        """Show the ID alone: pages and mails that show errors print the request."""
        return f"<{type(self).__name__} {self.correlation_id}>"

    @property
    def context(self) -> FlowContext:
        """The flow context that everything in the request shares."""
        return self.scope[0]

    @property
    def correlation_id(self) -> str:
        """The ID that the response shows; safe in any header."""
        return self.scope[0].correlation_id

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers to send with the response; none under ``PENSTOCK_DISABLED``."""
        if DISABLED:
            return []
        return self._options.added(self.correlation_id)

    def added_to(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return WSGI's *headers* with the ID in place of the application's."""
        added = self.headers
        names = {name.lower() for name, _ in added if name != EXPOSE}
        return [pair for pair in headers if pair[0].lower() not in names] + added

    def added_to_raw(
        self, headers: Iterable[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]:
        """Return ASGI's *headers* with the ID in place of the application's."""
        options = self._options
        if options.response_headers is not None or options.is_exposed:
            return self._added_to_raw(headers)
        names = state.raw_headers
        sent = []
        for pair in headers:
            if pair[0].lower() not in names:
                sent.append(pair)  # noqa: PERF401  # on 3.11 that is a call
        value = self.scope[0].correlation_id.encode()
        for name in names:
            sent.append((name, value))  # noqa: PERF401  # the same
        return sent

    def _added_to_raw(
        self, headers: Iterable[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]:
        pairs = [(name.decode("latin-1"), value) for name, value in headers]
        added = [(name, value.encode()) for name, value in self.headers]
        names = {name.lower() for name, _ in added if name != EXPOSE}
        kept = [pair for pair in pairs if pair[0].lower() not in names]
        return [(name.encode("latin-1"), value) for name, value in kept + added]

    def entered(self) -> ServedFlow:
        """Return a block in this flow; each is used once, any number at a time."""
        return ServedFlow(self.scope)

    def place(self) -> GeneratorScope:
        """Return the place of a body that starts here, and may pause elsewhere."""
        return GeneratorScope(self.scope)


class ServedFlow:
    """The block in which a server or worker runs one request or task, in its flow.

    Unlike ``start_flow()`` it also drops flows that the application opened and never
    left, which the next request must not see. In another ``contextvars.Context``,
    such as one that closes a coroutine, it changes nothing but its own scope.
    """

    __slots__ = ("_previous", "_scope", "_token")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._previous: Scope | None = None
        self._token: Token[Scope | None] | None = None

    def __enter__(self) -> None:
        """Enter the flow (do nothing under ``PENSTOCK_DISABLED``)."""
        if not DISABLED:
            self._previous = scope_var.get()
            self._token = scope_var.set(self._scope)

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Put back what was there."""
        if self._token is None or leave(self._token):
            return
        if scope_var.get() is self._scope:
            scope_var.set(self._previous)


class _Streamed(Generic[C]):
    """What is streamed, the scope in which it runs, and what closes it."""

    __slots__ = ("_chunks", "_closers", "_iterator", "_place", "_scope")

    def __init__(self, chunks: C, flow: RequestFlow) -> None:
        self._chunks: C | None = chunks
        self._iterator: Any = None
        self._closers: list[Callable[[], object]] = []
        self._place = flow.place()
        self._scope = flow.scope

    def closing(
        self, closers: Iterable[Callable[[], object]]
    ) -> list[Callable[[], object]]:
        """Return *closers* as functions that close the body where it runs."""
        self._closers = list(closers)
        return [partial(self._close_by, i) for i in range(len(self._closers))]

    def _close_by(self, index: int) -> object:
        return _run(self._place, self._closers[index])

    def __del__(self) -> None:
        """Drop the body where it runs: a generator that is dropped ends there."""
        token = self._place.enter()
        self._closers = []
        self._iterator = self._chunks = None
        self._place.leave(token)


class StreamedBody(_Streamed["Iterable[T]"], Iterator[T]):
    """A streaming body whose every chunk, and ``close()``, is made in the flow.

    ``StreamedBody.of`` leaves alone what runs no code.
    """

    __slots__ = ()

    @classmethod
    def of(cls, chunks: Iterable[T], flow: RequestFlow) -> Iterable[T]:
        """Return *chunks* in the flow: the same object if they are there already."""
        if DISABLED or isinstance(chunks, list | tuple):
            return chunks
        return cls(chunks, flow)

    def __next__(self) -> T:
        """Make the next chunk in the flow."""
        _entered = self._scope  # read from a traceback that the server logs
        token = self._place.enter()
        try:
            if self._iterator is None:
                self._iterator = iter(cast("Iterable[T]", self._chunks))
            return cast("T", next(self._iterator))
        finally:
            self._place.leave(token)

    def close(self) -> None:
        """Close the body in the flow, if it has a ``close()``."""
        close = getattr(self._chunks, "close", None)
        if close is not None:
            _run(self._place, close)


class AsyncStreamedBody(_Streamed["AsyncIterable[T]"], AsyncIterator[T]):
    """An asynchronous body whose every chunk, and ``aclose()``, is made in the flow.

    Not an async generator, which the event loop would close at its end, together
    with the one inside.
    """

    __slots__ = ()

    async def __anext__(self) -> T:
        """Make the next chunk in the flow."""
        _entered = self._scope  # read from a traceback that the server logs
        token = self._place.enter()
        try:
            if self._iterator is None:
                self._iterator = aiter(cast("AsyncIterable[T]", self._chunks))
            return cast("T", await anext(self._iterator))
        finally:
            self._place.leave(token)

    async def aclose(self) -> None:
        """Close the body in the flow, if it has an ``aclose()``."""
        aclose = getattr(self._chunks, "aclose", None)
        if aclose is None:
            return
        token = self._place.enter()
        try:
            await aclose()
        finally:
            self._place.leave(token)


def _transform(
    found: dict[str, str], names: InboundNames, transform: Callable[[str], str]
) -> None:
    """Replace the IDs that headers bring; one that *transform* fails on is dropped."""
    for name, lower in names.ids:
        if lower in found and lower != TRACE[0]:
            try:
                found[lower] = str(transform(found[lower]))
            except Exception as exc:  # noqa: BLE001  # the application goes on
                del found[lower]
                text = "Inbound %s was not adopted: transform_id raised %s."
                say(text, name, type(exc).__name__)


def _run(place: GeneratorScope, func: Callable[[], R]) -> R:
    token = place.enter()
    try:
        return func()
    finally:
        place.leave(token)


def scope_headers(scope: Mapping[str, Any], names: InboundNames) -> dict[str, str]:
    """Return the headers that matter of an ASGI request."""
    headers = scope.get("headers", ())
    found: dict[str, str] = {}
    wanted = names.wanted
    try:
        for name, value in headers:
            if name in wanted and wanted[name] not in found:
                text = value.decode("latin-1")
                found[wanted[name]] = _first(text, name) if "," in text else text
    except (TypeError, ValueError, AttributeError):  # they are not as ASGI has them
        return find_headers(headers, names)
    return found


def environ_headers(environ: Mapping[str, Any], names: InboundNames) -> dict[str, str]:
    """Return the headers that matter of a WSGI request."""
    return _mapped(environ, names.environ)


def mapping_headers(headers: Mapping[str, Any], names: InboundNames) -> dict[str, str]:
    """Return the headers that matter of a mapping that ignores case."""
    return _mapped(headers, ((name, name) for name, _ in names.environ))


def _mapped(
    headers: Mapping[str, Any], keys: Iterable[tuple[str, str]]
) -> dict[str, str]:
    found = {}
    for name, key in keys:
        if isinstance(value := headers.get(key), str):
            found[name] = _first(value, name) if "," in value else value
    return found


def _first(value: str, name: str | bytes) -> str:
    """Return the first value of a header that came twice: servers join by commas."""
    return value if name in _WHOLE else value.partition(",")[0].rstrip()
