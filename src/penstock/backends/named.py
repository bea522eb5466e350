"""Find backends by name, and combine several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.errors import ConfigurationError, did_you_mean

from .base import TracingBackend
from .logging import LoggingBackend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

__all__ = ["CompositeBackend", "load_backend"]

GROUP = "penstock.backends"


def load_backend(name: str) -> TracingBackend:
    """Return the backend with that *name*, built in or from another package.

    Raises:
        ConfigurationError: There is none, or it is not a backend.
        MissingExtraError: It needs a package that is not installed.
    """
    if name == "logging":
        return LoggingBackend()
    if name == "otel":
        from .otel import OTelBackend  # noqa: PLC0415  # imports the extra

        return OTelBackend()
    return _from_entry_point(name)


def _from_entry_point(name: str) -> TracingBackend:
    from importlib.metadata import entry_points  # noqa: PLC0415  # +20 ms, rarely

    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        known = ["logging", "otel", *sorted(found)]
        msg = (
            f"no backend is called {name!r}, only {', '.join(known)}."
            f"{did_you_mean(name, known)}"
        )
        raise ConfigurationError(msg)
    made: Any = found[name].load()
    if not isinstance(made, TracingBackend):
        made = made()
    if isinstance(made, TracingBackend):
        return made
    msg = (
        f"entry point {name!r} of {GROUP} ({found[name].value}) gives {made!r}. "
        "Let it name a TracingBackend, or a function that returns one."
    )
    raise ConfigurationError(msg)


class CompositeBackend(TracingBackend):
    """Several backends that are used as one."""

    def __init__(self, backends: Sequence[TracingBackend]) -> None:
        self.backends: tuple[TracingBackend, ...] = tuple(backends)

    def __repr__(self) -> str:
        """Name the backends."""
        return f"<CompositeBackend {', '.join(map(repr, self.backends))}>"

    def enabled(self) -> bool:
        """Tell whether any backend wants spans."""
        return any(backend.enabled() for backend in self.backends)

    def span(
        self, step_name: str, flow_name: str, **attrs: object
    ) -> AbstractContextManager[object]:
        """Enter a span of each backend that wants one; exit in reverse order."""
        from contextlib import ExitStack, contextmanager  # noqa: PLC0415  # +1 ms

        @contextmanager
        def spans() -> Iterator[None]:
            with ExitStack() as stack:
                for backend in self.backends:
                    if backend.enabled():
                        stack.enter_context(backend.span(step_name, flow_name, **attrs))
                yield

        return spans()

    def get_correlation_id(self) -> str:
        """Return the first ID that a backend knows, ``""`` if none does."""
        ids = (backend.get_correlation_id() for backend in self.backends)
        return next(filter(None, ids), "")
