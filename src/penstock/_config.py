"""Settings: code beats ``PENSTOCK_*`` variables, which beat the defaults."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._context import scope_var
from ._propagation.carrier import TRUST
from ._registry import OUTSIDE_MODES
from ._runtime.header_names import INBOUND_HEADERS, InboundNames
from ._runtime.ids import is_valid_id, mint_id, pool, refusal
from ._runtime.state import ASK_EACH_TIME, say, state
from .backends.base import TracingBackend, recorder_for
from .backends.logging import LoggingBackend
from .backends.named import CompositeBackend, load_backend
from .errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TRUST", "configure", "get_backend", "reset"]

CONFORMANCE = ("off", "record", "warn", "raise")
"""What happens when steps run out of order."""

_PREFIX = "PENSTOCK_"
_VARIABLES = (
    "BACKEND",
    "CONFORMANCE",
    "CONFORMANCE_DIR",
    "DISABLED",
    "HEADERS",
    "INBOUND_HEADERS",
    "OUTSIDE",
    "PROPAGATE",
    "SERVICE",
    "SOURCE_URL",
    "TRUST_INBOUND",
)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_active: list[TracingBackend] = []


def configure(
    *backends: str | TracingBackend,
    outside: str | None = None,
    new_id: Callable[[], object] | None = None,
    service: str | None = None,
    source_url: str | None = None,
    headers: str | Iterable[str] | None = None,
    inbound_headers: str | Iterable[str] | None = None,
    is_valid_id: Callable[[str], bool] | None = None,
    propagate: str | Iterable[str] | None = None,
    trust_inbound: str | None = None,
    conformance: str | None = None,
) -> None:
    """Change the settings that you name, and no others.

    >>> import penstock
    >>> penstock.configure("logging", service="shop", propagate=("tenant",))
    >>> penstock.get_backend()
    <LoggingBackend level=INFO>

    Args:
        *backends: What records steps: ``"logging"``, ``"otel"``, a name that a
            package registers in the entry-point group ``penstock.backends``, or
            ``TracingBackend`` objects. They replace the ones before.
        outside: What a step does when it is called outside a flow: ``raise``,
            ``warn`` or ``run``.
        new_id: Makes correlation IDs; UUID4 by default. If it fails, or makes an ID
            that could not travel, a UUID4 is used, with one warning.
        service: Name of this service.
        source_url: Where the source can be read, for links in HTML pages: an address
            with ``{path}`` and ``{line}`` in it.
        headers: HTTP headers that carry the ID out.
        inbound_headers: Headers that may bring one in, the best first. Until you
            set them, what *headers* names is read as well.
        is_valid_id: Decides which inbound IDs are accepted, and about no other ID.
        propagate: Keys of metadata that may leave the process, and may come in.
        trust_inbound: What ``continue_flow`` accepts: ``none``, ``id`` or
            ``all``; by default each transport decides.
        conformance: Whether runs are checked against the declared order: ``off``,
            ``record`` for ``conformance_report()``, ``warn`` for a line per finding
            as well, or ``raise`` for a ``FlowOrderError`` at the call.

    Raises:
        ConfigurationError: A setting cannot have that value; nothing was changed.
    """
    loaded = [_backend(backend) for backend in backends]
    changes = {
        "outside": _one_of("outside", outside, OUTSIDE_MODES),
        "service": _string("service", service),
        "source_url": _address("source_url", source_url),
        "headers": checked_headers("headers", headers),
        "inbound_headers": checked_headers("inbound_headers", inbound_headers),
        "propagate": _keys("propagate", propagate),
        "trust_inbound": _one_of("trust_inbound", trust_inbound, TRUST),
        "is_valid_id": _function("is_valid_id", is_valid_id),
        "new_id": _with_fallback(_function("new_id", new_id)),
    }
    _one_of("conformance", conformance, CONFORMANCE)
    for name, value in changes.items():
        if value is not None:
            setattr(state, name, value)
    state.inbound_names = InboundNames.configured(state.inbound_headers, state.headers)
    state.raw_headers = tuple(name.lower().encode() for name in state.headers)
    if new_id is not None:
        state.pool = []
    if loaded:
        _activate(loaded)
    if conformance is not None:
        _judge(conformance)


def get_backend() -> TracingBackend:
    """Return the active backend; if there are several, one that drives them all.

    >>> import penstock
    >>> penstock.get_backend()
    <LoggingBackend level=INFO>
    """
    return _active[0] if len(_active) == 1 else CompositeBackend(_active)


def reset() -> None:
    """Go back to what the ``PENSTOCK_*`` variables say, else to the defaults.

    The current task or thread leaves every flow. Declared flows stay, and
    so does what ``install_log_fields`` installed.

    >>> import penstock
    >>> penstock.configure(outside="warn")
    >>> penstock.reset()
    """
    scope_var.set(None)
    state.new_id, state.pool = mint_id, pool
    state.is_valid_id = is_valid_id
    state.trust_inbound = None
    try:
        configure(
            *_names("backend", _environment("BACKEND", "logging")),
            outside=_environment("OUTSIDE", "raise"),
            service=_environment("SERVICE", os.environ.get("OTEL_SERVICE_NAME", "")),
            source_url=_environment("SOURCE_URL", ""),
            headers=os.environ.get("PENSTOCK_HEADERS", "X-Correlation-ID"),
            inbound_headers=os.environ.get("PENSTOCK_INBOUND_HEADERS", INBOUND_HEADERS),
            propagate=_environment("PROPAGATE", ""),
            trust_inbound=_environment("TRUST_INBOUND", "") or None,
            conformance=_environment("CONFORMANCE", "off"),
        )
    except ConfigurationError as exc:
        names = sorted(name for name in os.environ if name.startswith("PENSTOCK_"))
        msg = f"{exc} It comes from the environment: {', '.join(names)}."
        raise ConfigurationError(msg) from None


def _environment(name: str, default: str) -> str:
    return os.environ.get(f"PENSTOCK_{name}", "") or default


def warn_of_unknown_variables() -> None:
    """Warn of ``PENSTOCK_*`` variables whose name is almost right.

    Others are left alone: Kubernetes, for instance, makes some from names of services.
    """
    for name in os.environ:
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX) not in _VARIABLES:
            hint = did_you_mean(name.removeprefix(_PREFIX), _VARIABLES)
            hint = hint.replace(" '", f" '{_PREFIX}")
            if hint:
                text = f"penstock does not read the variable {name!r}.{hint}"
                warnings.warn(text, stacklevel=3)  # at the import of penstock


def _backend(backend: object) -> TracingBackend:
    if isinstance(backend, str):
        return load_backend(backend)
    if isinstance(backend, TracingBackend):
        return backend
    hint = " Give an object, not the class." if isinstance(backend, type) else ""
    msg = (
        f"configure() takes names of backends or TracingBackend objects, "
        f"not {backend!r}.{hint}"
    )
    raise ConfigurationError(msg)


def _activate(backends: list[TracingBackend]) -> None:
    # Logging comes last, so that its lines are inside the spans of the others.
    in_order = sorted(backends, key=lambda one: isinstance(one, LoggingBackend))
    recorders = tuple(recorder_for(backend) for backend in in_order)
    alone = recorders[0] if len(recorders) == 1 else None
    # In this order a call in another thread asks rather than trusts an old answer.
    state.answers, state.unjudged, state.level = (
        ASK_EACH_TIME,
        ASK_EACH_TIME,
        logging.INFO,
    )
    state.recorders = recorders
    if isinstance(alone, LoggingBackend):
        state.level = alone.level
        state.answers = alone.answers
    state.judge_by(state.judge)
    _active[:] = backends


def _judge(mode: str) -> None:
    if mode != "off":
        from .conformance import switch_on  # noqa: PLC0415  # +3 ms, rarely wanted

        switch_on(mode)
    elif state.judge is not None:
        state.judge_by(None)


def _one_of(setting: str, value: object, allowed: tuple[str, ...]) -> object:
    if value is None or value in allowed:
        return value
    expected = f"expected one of {', '.join(map(repr, allowed))}."
    raise _refused(setting, value, f"{expected}{did_you_mean(value, allowed)}")


def _string(setting: str, value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    raise _refused(setting, value, "expected a string.")


def _address(setting: str, value: object) -> object:
    if not value or not isinstance(value, str):
        return _string(setting, value)
    from ._steps.source_links import wrong_template  # noqa: PLC0415  # pathlib, urllib: 8 ms

    problem = wrong_template(value)
    if problem:
        raise _refused(setting, value, f"{problem}.")
    return value


def _function(setting: str, value: Any) -> Any:
    if value is None or callable(value):
        return value
    raise _refused(setting, value, "expected a function.")


def _names(setting: str, value: object) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, Iterable):
        raise _refused(setting, value, "expected a string, or a list of strings.")
    found = []
    for name in names:
        if not isinstance(name, str):
            raise _refused(setting, name, "expected a string.")
        found.append(name.strip())
    return tuple(filter(None, found))


def _keys(setting: str, value: str | Iterable[str] | None) -> object:
    return None if value is None else frozenset(_names(setting, value))


def checked_headers(
    setting: str, value: str | Iterable[str] | None
) -> tuple[str, ...] | None:
    """Return names of headers; None if *value* is None.

    Raises:
        ConfigurationError: One is not the name of a header.
    """
    if value is None:
        return None
    names = _names(setting, value)
    for name in names:
        if not _HEADER.fullmatch(name):
            msg = f"{setting}: {name!r} is not an HTTP header name (RFC 9110, 5.1)."
            raise ConfigurationError(msg)
    return names


def _refused(setting: str, value: object, problem: str) -> ConfigurationError:
    return ConfigurationError(f"{setting}={value!r}: {problem}")


def _with_fallback(make: Callable[[], object] | None) -> Callable[[], str] | None:
    """Return *make*, with a UUID4 if it fails, so that every call has an ID."""
    if make is None:
        return None

    def new_id() -> str:
        made, reason = _made(make)
        if not reason:
            return made
        text = "new_id=%r: %s; a UUID4 is used. Logged only once."
        say(text, make, reason, once=(new_id, reason))
        return mint_id()

    return new_id


def _made(make: Callable[[], object]) -> tuple[str, str]:
    """Return an ID, and why it cannot be used, or ``""``."""
    try:
        made = make()
        text = str(made)
    except Exception as exc:  # noqa: BLE001  # the application goes on
        return "", f"it raised {type(exc).__name__}"
    if made is None:
        return "", "it returned None"
    return text, refusal(text)
