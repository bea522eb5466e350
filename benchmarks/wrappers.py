"""Wrap a step and an entrypoint with each of several packages, as a user would.

Packages are imported by name, because any of them may be missing.
"""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from .floors import floor, work

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["WRAPPERS", "Wrapped"]


class Wrapped(NamedTuple):
    """One package's step, its entrypoint, and how to be inside the latter."""

    step: Callable[[int], Any]
    entrypoint: Callable[[int], Any]
    within: Callable[[Callable[[], Any]], Any]


def _by_hand() -> Wrapped:
    from contextvars import ContextVar  # noqa: PLC0415  # next to its use

    current: ContextVar[str | None] = ContextVar("correlation_id", default=None)

    def entrypoint(func: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(func)
        def call(*args: Any, **kwargs: Any) -> Any:
            token = current.set(uuid4().hex)
            try:
                return func(*args, **kwargs)
            finally:
                current.reset(token)

        return call

    return _by_decorators(floor, entrypoint)


def _penstock(backend: str | None = None) -> Wrapped:
    penstock = import_module("penstock")
    if backend:
        penstock.configure(backend)

    def within(loop: Callable[[], Any]) -> Any:
        return loop()

    def receive(order: int) -> int:
        return order

    def charge(order: int) -> int:
        return order

    orders = penstock.flow("orders")
    return Wrapped(
        orders(penstock.step(after="receive")(charge)),
        orders(penstock.entrypoint(receive)),
        orders(penstock.entrypoint(within)),
    )


def _penstock_watched() -> Wrapped:
    import_module("penstock").install_log_fields()
    return _penstock()


def _penstock_logging() -> Wrapped:
    import_module("benchmarks.recorded").write_lines_nowhere()
    return _penstock()


def _penstock_sdk() -> Wrapped:
    import_module("benchmarks.recorded").install_sdk()
    return _penstock("otel")


def _opentelemetry() -> Wrapped:
    tracer = import_module("opentelemetry.trace").get_tracer("orders")
    return _by_managers(
        lambda: tracer.start_as_current_span("orders/charge"),
        lambda: tracer.start_as_current_span("orders/receive"),
    )


def _opentelemetry_sdk() -> Wrapped:
    import_module("benchmarks.recorded").install_sdk()
    return _opentelemetry()


def _eliot() -> Wrapped:
    eliot = import_module("eliot")
    eliot.add_destinations(lambda _message: None)
    task = _managed(lambda: eliot.start_task(action_type="receive"))
    return _by_decorators(eliot.log_call, task)


def _structlog() -> Wrapped:
    bound = import_module("structlog.contextvars").bound_contextvars
    return _by_managers(
        lambda: bound(step="charge"), lambda: bound(correlation_id=uuid4().hex)
    )


def _logfire() -> Wrapped:
    logfire = import_module("logfire")
    logfire.configure(send_to_logfire=False, console=False, inspect_arguments=False)
    return _by_decorators(
        logfire.instrument("charge", extract_args=False),
        _managed(lambda: logfire.span("receive")),
    )


def _loguru() -> Wrapped:
    logger = import_module("loguru").logger
    logger.remove()
    return _by_managers(
        lambda: logger.contextualize(step="charge"),
        lambda: logger.contextualize(correlation_id=uuid4().hex),
    )


def _by_managers(
    step: Callable[[], AbstractContextManager[Any]],
    entrypoint: Callable[[], AbstractContextManager[Any]],
) -> Wrapped:
    return _by_decorators(_managed(step), _managed(entrypoint))


def _by_decorators(step: Any, entrypoint: Any) -> Wrapped:
    def within(loop: Callable[[], Any]) -> Any:
        return loop()

    return Wrapped(step(work()), entrypoint(work()), entrypoint(within))


def _managed(make: Callable[[], AbstractContextManager[Any]]) -> Any:
    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(func)
        def call(*args: Any, **kwargs: Any) -> Any:
            with make():
                return func(*args, **kwargs)

        return call

    return decorate


WRAPPERS: dict[str, Callable[[], Wrapped]] = {
    "by hand": _by_hand,
    "penstock": _penstock,
    "penstock, log fields": _penstock_watched,
    "penstock, logging at INFO": _penstock_logging,
    "penstock, OpenTelemetry API": lambda: _penstock("otel"),
    "penstock, OpenTelemetry SDK": _penstock_sdk,
    "public penstock": _penstock,
    "opentelemetry, API": _opentelemetry,
    "opentelemetry, SDK": _opentelemetry_sdk,
    "eliot": _eliot,
    "structlog": _structlog,
    "logfire": _logfire,
    "loguru": _loguru,
}
