"""Backends that fail in every way that has occurred."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from penstock import TracingBackend
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ALWAYS", "ON_ERROR", "SILENT", "Failing"]


class Failing(TracingBackend):
    """A backend that fails in one of many ways."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._name = unique("failing")

    def __repr__(self) -> str:
        return f"<{self._name}>"

    def enabled(self) -> bool:
        if self._way == "raises in enabled":
            raise OSError(self._way)
        return True

    def span(self, step_name: str, flow_name: str, **attrs: object) -> Any:
        if self._way == "raises in span":
            raise OSError(self._way)
        if self._way == "returns None":
            return None
        if self._way == "returns a class":
            return Span
        if self._way in GENERATORS:
            return contextmanager(GENERATORS[self._way])()
        return Span(self._way)

    def get_correlation_id(self) -> str:
        return ""


class Span:
    """A context manager that fails."""

    def __init__(self, way: str) -> None:
        self._way = way

    def __enter__(self) -> None:
        if self._way == "raises in enter":
            raise OSError(self._way)

    def __exit__(
        self, _type: object, exc: BaseException | None, _traceback: object
    ) -> bool:
        if self._way == "raises in exit":
            raise OSError(self._way)
        if self._way == "raises from it" and exc is not None:
            raise OSError(self._way) from exc
        if self._way == "raises it again" and exc is not None:
            raise exc
        if self._way == "changes it" and exc is not None:
            BaseException.__setattr__(exc, "__cause__", OSError(self._way))
            BaseException.__setattr__(exc, "__context__", OSError(self._way))
            BaseException.__setattr__(exc, "__traceback__", None)
        return self._way == "swallows"


def yields_never() -> Iterator[None]:
    """End without ever yielding."""
    yield from ()


def yields_twice() -> Iterator[None]:
    """Yield once more than a context manager may."""
    with suppress(Exception):
        yield
    yield


def swallows() -> Iterator[None]:
    """Suppress the exception, as a generator does."""
    with suppress(BaseException):
        yield


def raises_after() -> Iterator[None]:
    """Raise another exception instead."""
    try:
        yield
    except BaseException:  # noqa: BLE001  # a sample of bad manners
        raise OSError  # noqa: B904  # more of them


GENERATORS: dict[str, Callable[[], Iterator[None]]] = {
    "yields never": yields_never,
    "yields twice": yields_twice,
    "swallows by generator": swallows,
    "raises instead": raises_after,
}
ALWAYS = {
    "raises in enabled",
    "raises in span",
    "returns None",
    "returns a class",
    "raises in enter",
    "raises in exit",
    "yields never",
    "yields twice",
}
"""These fail at every call, so each is reported."""

ON_ERROR = {"raises from it", "raises instead"}
SILENT = {"swallows", "swallows by generator", "raises it again", "changes it"}
