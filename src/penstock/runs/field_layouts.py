"""Find penstock's fields in what logging libraries and log shippers write."""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.backends.log_fields import ABSENT, FIELDS
from penstock.errors import ConfigurationError, did_you_mean

from .times import MAX_MS
from .timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .timestamps import Stamp

    Entry = dict[str, Any]

__all__ = ["ALIASES", "FieldLayout", "value_at"]

_PLACES = (
    (),
    ("record", "extra"),  # loguru
    ("record",),
    ("extra",),
    ("jsonPayload",),  # Google Cloud
    ("labels",),  # Elastic Common Schema
    ("attributes", "attributes"),  # Datadog's API
    ("attributes",),  # Datadog's archives
    ("_source",),  # Elasticsearch
    ("fields",),  # Logstash, Fluent Bit
    ("context",),
    ("data",),
    ("message",),  # stern, Vector: what the service wrote, parsed
    ("log",),
    ("log_processed",),  # Fluent Bit with Merge_Log_Key
    ("LogMessage",),  # Azure Monitor
)
"""Where the keys of a line may stand. The fields of a flow stand together."""

_OUTER = {place[0] for place in _PLACES if place}
_TRACE = {"trace_id", "span_id"}
_FLOW = {*FIELDS} - {"flow_id", "service", *_TRACE}
_MARKS = ("flow_event", "correlation_id", "root_id")
"""Where one of these stands, the fields of the flow do."""

ALIASES: dict[str, tuple[str, ...]] = {
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
    "level": ("level", "levelname", "log.level", "severity", "level.name"),
    "logger": ("logger", "logger_name", "logger.name", "log.logger", "name"),
    "message": ("message", "event", "msg", "text"),
    "host.name": ("host.name", "hostname", "host", "_HOSTNAME"),
    "process.pid": ("process.pid", "process.id", "process", "pid", "_PID"),
    "timestamp": (
        "timestamp",
        "@timestamp",
        "time",
        "ts",
        "asctime",
        "datetime",
        "date",
        "__REALTIME_TIMESTAMP",
    ),
}

_EVENT = re.compile(r"(step\.(?:start|end|error)) \S+/\S+")
_OLDER = {"parent_step": "caller", "outcome": "status", "error_type": "error"}


_MAX_SHAPES = 1_000
_MAX_KEYS = 100


class _Shape(NamedTuple):
    """What entries with the same keys have in common.

    Attributes:
        fields: The fields they may have, with the keys where they may be and a reader.
        extra: The other keys.
        outer: The keys that may hold an object with fields.
    """

    fields: Sequence[tuple[str, str, Callable[[Any], Any]]]
    extra: Sequence[str]
    outer: Sequence[str]


class FieldLayout:
    """Read penstock's fields out of an entry, whatever their keys are.

    Args:
        keys: The user's key for a field; ``a.b`` is also the key ``b`` in ``a``.

    Raises:
        ConfigurationError: There is no such field.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        known = [name for name in (*FIELDS, *ALIASES) if name != "flow_id"]
        for name in keys:
            if name not in known:
                msg = (
                    f"there is no log field {name!r}, only {', '.join(sorted(known))}."
                    f"{did_you_mean(name, known)}"
                )
                raise ConfigurationError(msg)
        self._keys = {
            name: (keys[name],) if name in keys else ALIASES.get(name, (name,))
            for name in known
        }
        self._heads = {
            name: {head for key in found for head in (key, key.partition(".")[0])}
            for name, found in self._keys.items()
        }
        # Not all aliases: "name" or "status" may also be a user's own.
        self._used = {*FIELDS, *ALIASES, *keys.values()}
        self._anywhere = {*known} - _FLOW | keys.keys()
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def keys_of(self, name: str) -> tuple[str, ...]:
        """Return the keys that may have the field *name*."""
        return self._keys[name]

    def read(self, entry: Entry) -> tuple[Entry, Entry, Stamp | None]:
        """Return the fields, the other keys, and when the line was written."""
        shape = self._shape(tuple(entry))
        if any(isinstance(entry[key], dict) for key in shape.outer):
            return self._read_nested(entry)
        fields: Entry = {}
        for name, key, read in shape.fields:
            if name not in fields:
                value = entry.get(key)
                if type(value) is str and read is _text:  # most are, and this is fast
                    if value and value != ABSENT:
                        fields[name] = intern(value)
                    continue
                if value is None and "." in key:
                    value = value_at(entry, key)
                if value is not None and value not in ("", ABSENT):
                    typed = read(value)
                    if typed is not None:
                        fields[name] = typed
        if "flow_event" not in fields:
            fields |= _of_older_version(fields, entry)
        extra = {key: entry[key] for key in shape.extra}
        return fields, extra, fields.pop("timestamp", None)

    def _shape(self, keys: tuple[str, ...]) -> _Shape:
        """Return what entries with these keys have in common; most lines repeat it."""
        shape = self._shapes.get(keys)
        if shape is None:
            present = {*keys}
            shape = _Shape(
                [
                    (name, key, _READERS.get(name, _text))
                    for name, known in self._keys.items()
                    for key in known
                    if key in present or key.partition(".")[0] in present
                ],
                [key for key in keys if key not in self._used],
                [key for key in keys if key in _OUTER],
            )
            if len(self._shapes) < _MAX_SHAPES and len(keys) < _MAX_KEYS:
                self._shapes[keys] = shape
        return shape

    def _read_nested(self, entry: Entry) -> tuple[Entry, Entry, Stamp | None]:
        """Do the same for an entry with objects that may have fields."""
        spots = _spots(entry)
        place = next((p for p, spot in spots.items() if self._has_mark(spot)), ())
        first = spots.pop(place)
        everywhere = (first, *spots.values())
        present = {key for spot in everywhere for key in spot}
        fields: Entry = {}
        for name, keys in self._keys.items():
            if self._heads[name].isdisjoint(present):  # most are, and this is fast
                continue
            within = everywhere if name in self._anywhere else (first,)
            value = _first(within, keys, _READERS.get(name, _text))
            if value is not None:
                fields[name] = value
        if "flow_event" not in fields:
            fields |= _of_older_version(fields, first)
        outer = {key: one for key, one in entry.items() if key not in place[:1]}
        extra = {
            key: one for key, one in (outer | first).items() if key not in self._used
        }
        return fields, extra, fields.pop("timestamp", None)

    def _has_mark(self, spot: Entry) -> bool:
        return any(True for mark in _MARKS for _ in _values((spot,), self._keys[mark]))


def value_at(entry: Entry, name: str) -> Any:
    """Return the value of the key *name*; ``a.b`` is also the key ``b`` in ``a``."""
    value = entry.get(name)
    if value is None and "." in name:
        *path, last = name.split(".")
        value = (_inside(entry, path) or {}).get(last)
    return value


def _spots(entry: Entry) -> dict[tuple[str, ...], Entry]:
    """Return the objects in *entry* that may have fields."""
    inside = (
        (place, _inside(entry, place))
        for place in _PLACES
        if not place or place[0] in entry
    )
    return {place: spot for place, spot in inside if spot is not None}


def _inside(entry: Entry, place: Iterable[str]) -> Entry | None:
    value: Any = entry
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else None


def _first(
    spots: Sequence[Entry], keys: Iterable[str], read: Callable[[Any], Any]
) -> Any:
    """Return the first value under *keys* that *read* makes something of."""
    for value in _values(spots, keys):
        typed = read(value)
        if typed is not None:
            return typed
    return None


def _values(spots: Sequence[Entry], keys: Iterable[str]) -> Iterator[Any]:
    """Yield what is found under *keys*, except for what stands for nothing."""
    for key in keys:
        for spot in spots:
            value = spot.get(key)
            if value is None and "." in key:
                value = value_at(spot, key)
            if value is not None and value not in ("", ABSENT):
                yield value


def _of_older_version(fields: Entry, entry: Entry) -> Entry:
    """Return fields that penstock 0.2 said in the message, or under other names."""
    message = _EVENT.match(fields.get("message", ""))
    if message is None or not fields.keys() >= {"flow", "step"}:
        return {}
    found = ((name, list(_values((entry,), (key,)))) for name, key in _OLDER.items())
    return {
        "flow_event": message[1],
        **{name: str(one[0]) for name, one in found if one},
    }


def _text(value: Any) -> str | None:
    if type(value) is int:
        value = str(value)
    # Lines repeat most of their values: that is half the memory.
    return intern(value) if isinstance(value, str) else None


def _level(value: Any) -> str | None:
    return value.upper() if isinstance(value, str) else None


def _trace_id(value: Any) -> str | None:
    """Return the ID; Google writes ``projects/NAME/traces/ID``."""
    text = _text(value)
    return None if text is None else text.rpartition("/")[2]


def _number(value: Any) -> float | None:
    try:
        number = float(value) if type(value) in {int, float, str} else -1.0
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= MAX_MS else None


def _objects(value: Any) -> list[Entry] | None:
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return value
    return None


_READERS: dict[str, Callable[[Any], Any]] = {
    "calls": _objects,
    "duration_ms": _number,
    "first_item_ms": _number,
    "level": _level,
    "timestamp": parse_time,
    "trace_id": _trace_id,
}
"""Make a value what the field has, None if it cannot be that. Others are strings."""
