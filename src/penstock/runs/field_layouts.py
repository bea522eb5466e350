"""Find penstock's fields in what logging libraries and log shippers write."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from penstock.backends.log_fields import ABSENT, FIELDS
from penstock.errors import ConfigurationError, did_you_mean

from .timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .timestamps import Stamp

    Entry = dict[str, Any]

__all__ = ["FieldLayout", "value_at"]

_PLACES = (
    (),
    ("record", "extra"),  # loguru
    ("record",),
    ("extra",),
    ("jsonPayload",),  # Google Cloud
    ("labels",),  # Elastic Common Schema
    ("attributes",),  # Datadog
    ("fields",),  # Logstash, Fluent Bit
    ("context",),
    ("data",),
    ("message",),  # stern, Vector: what the service wrote, parsed
    ("log",),
)
"""Where the keys of a line may stand. The fields of a flow stand together."""

_TRACE = {"trace_id", "span_id"}
_FLOW = {*FIELDS} - {"flow_id", "service", *_TRACE}
_NUMBERS = {"duration_ms", "first_item_ms"}
_MARKS = ("flow_event", "correlation_id", "root_id")
"""Where one of these stands, the fields of the flow do."""

_ALIASES = {
    "correlation_id": ("correlation_id", "flow_id"),
    "trace_id": (
        "trace_id",
        "trace.id",
        "traceId",
        "otelTraceID",
        "dd.trace_id",
        "logging.googleapis.com/trace",
        "trace",
    ),
    "span_id": (
        "span_id",
        "span.id",
        "spanId",
        "otelSpanID",
        "dd.span_id",
        "logging.googleapis.com/spanId",
    ),
    "service": (
        "service",
        "service.name",
        "service_name",
        "dd.service",
        "serviceContext.service",
    ),
    "level": ("level", "levelname", "log.level", "severity", "level.name", "status"),
    "logger": ("logger", "logger_name", "logger.name", "log.logger", "name"),
    "message": ("message", "event", "msg", "text"),
    "host.name": ("host.name", "hostname", "host", "_HOSTNAME"),
    "process.pid": ("process.pid", "process.id", "process", "pid", "_PID"),
}
_NAMES = tuple(
    name for name in dict.fromkeys((*FIELDS, *_ALIASES)) if name != "flow_id"
)
_TIMES = (
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "asctime",
    "datetime",
    "date",
    "__REALTIME_TIMESTAMP",
)


class FieldLayout:
    """Read penstock's fields out of an entry, whatever their keys are.

    Args:
        keys: The user's key for a field; ``a.b`` is also the key ``b`` in ``a``.

    Raises:
        ConfigurationError: There is no such field.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        known = {*FIELDS, *_ALIASES, "timestamp"} - {"flow_id"}
        for name in keys:
            if name not in known:
                msg = (
                    f"there is no log field {name!r}, only {', '.join(sorted(known))}."
                    f"{did_you_mean(name, known)}"
                )
                raise ConfigurationError(msg)
        self._keys = keys

    def time(self, entry: Entry) -> Stamp | None:
        """Return when the line was written."""
        given = self._keys.get("timestamp")
        names = _TIMES if given is None else (given,)
        stamps = map(parse_time, _values(_spots(entry).values(), names))
        return next((stamp for stamp in stamps if stamp), None)

    def read(self, entry: Entry) -> tuple[Entry, Entry]:
        """Return the fields, and the other keys."""
        spots = _spots(entry)
        place = next((p for p, spot in spots.items() if self._has_mark(spot)), ())
        fields: Entry = {}
        for name in _NAMES:
            is_of_flow = name in _FLOW and name not in self._keys
            inside = (spots[place], *(() if is_of_flow else spots.values()))
            typed = (_typed(name, value) for value in _values(inside, self._of(name)))
            value = next((one for one in typed if one is not None), None)
            if value is not None:
                fields[name] = value
        outer = {key: one for key, one in entry.items() if key not in place[:1]}
        used = {*FIELDS, "timestamp"}.union(*map(self._of, fields))
        extra = {k: one for k, one in (outer | spots[place]).items() if k not in used}
        return fields, extra

    def _has_mark(self, spot: Entry) -> bool:
        return any(True for mark in _MARKS for _ in _values((spot,), self._of(mark)))

    def _of(self, field: str) -> tuple[str, ...]:
        given = self._keys.get(field)
        return _ALIASES.get(field, (field,)) if given is None else (given,)


def value_at(entry: Entry, name: str) -> Any:
    """Return the value of the key *name*; ``a.b`` is also the key ``b`` in ``a``."""
    value = entry.get(name)
    if value is None and "." in name:
        *path, last = name.split(".")
        value = (_inside(entry, path) or {}).get(last)
    return value


def _spots(entry: Entry) -> dict[tuple[str, ...], Entry]:
    """Return the objects in *entry* that may have fields."""
    inside = ((place, _inside(entry, place)) for place in _PLACES)
    return {place: spot for place, spot in inside if spot is not None}


def _inside(entry: Entry, place: Iterable[str]) -> Entry | None:
    value: Any = entry
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def _values(spots: Iterable[Entry], names: Iterable[str]) -> Iterator[Any]:
    """Yield what is found under *names*, except for what stands for nothing."""
    for spot in spots:
        for name in names:
            value = value_at(spot, name)
            if value is not None and value not in ("", ABSENT):
                yield value


def _typed(name: str, value: Any) -> Any:
    """Return *value* with the type of the field, None if it cannot have it."""
    if name == "calls":
        return _calls(value)
    if name in _NUMBERS:
        return _number(value)
    if type(value) is int:
        value = str(value)
    if type(value) is not str:
        return None
    if name == "level":
        return value.upper()
    if name in _TRACE:
        return value.rpartition("/")[2].lower()
    return value


def _calls(value: Any) -> list[Any] | None:
    is_list = isinstance(value, list) and all(isinstance(one, dict) for one in value)
    return value if is_list else None


def _number(value: Any) -> float | None:
    try:
        number = float(value) if type(value) in {int, float, str} else -1.0
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) and number >= 0 else None
