"""Parse lines of logs, in whatever they were wrapped on their way."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

from .lines import StoredLine
from .timestamps import find_stamp

if TYPE_CHECKING:
    from .field_layouts import FieldLayout
    from .timestamps import Stamp

    _Parsed = tuple[dict[str, Any], dict[str, Any], Stamp | None]

__all__ = ["LineError", "parse_line"]

MAX_DEPTH = 64
MAX_DIGITS = 18
MAX_WRAPPERS = 3

_START = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:')
_PAIR = re.compile(r'([A-Za-z_@][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_WRAPPED = ("log", "MESSAGE", "line", "message", "msg", "textPayload", "body")
"""Keys in which Docker, journald, Loki and others keep the line as a string."""

_MARKS = {"flow_event", "correlation_id", "root_id"}
_IDS = {*_MARKS, "trace_id"}
_OUTER = ("service", "host.name", "process.pid", "trace_id", "span_id")
"""What a wrapper may know that the line in it does not say."""


class LineError(ValueError):
    """A line cannot be read; the message is the reason, the same for all such lines."""


def parse_line(data: bytes, layout: FieldLayout, source: str = "-") -> list[StoredLine]:
    """Return what *data* holds: one line, or several spans.

    Raises:
        LineError: It cannot be read.
    """
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        reason = "not UTF-8"
        raise LineError(reason) from None
    fields, extra, stamp = _parse(text, layout)
    return [StoredLine(stamp and stamp[0], fields, extra, source)]


def _parse(text: str, layout: FieldLayout, wrappers: int = 0) -> _Parsed:
    """Return the fields, the other keys and the time of the line in *text*."""
    start = _START.search(text)
    if start is None:
        entry, prefix = _logfmt(text), text
    else:
        entry, prefix = _json(text[start.start() :]), text[: start.start()]
    fields, extra = layout.read(entry)
    stamp = _better(layout.time(entry), find_stamp(prefix))
    if wrappers == MAX_WRAPPERS or fields.keys() & _MARKS:
        return fields, extra, stamp
    for key in _WRAPPED:
        inner = entry.get(key)
        if isinstance(inner, str) and ("{" in inner or "=" in inner):
            try:
                line = _parse(inner, layout, wrappers + 1)
            except LineError:
                if not fields.keys() & _IDS:
                    raise
                continue
            if line[0].keys() & _IDS:
                outer = {name: fields[name] for name in _OUTER if name in fields}
                return outer | line[0], line[1], _better(line[2], stamp)
    return fields, extra, stamp


def _better(stamp: Stamp | None, outer: Stamp | None) -> Stamp | None:
    """Choose the line's own time, unless only the other one has a zone."""
    if stamp is None or (outer is not None and outer[1] and not stamp[1]):
        return outer
    return stamp


def _json(text: str) -> dict[str, Any]:
    """Parse an object that ends where *text* does."""
    try:
        entry: dict[str, Any] = _DECODER.decode(text)
    except RecursionError:
        reason = "nested too deeply"
    except LineError:
        raise
    except ValueError:
        reason = "not complete JSON"
    else:
        if _is_shallow(entry):
            if "\\ud" in text.lower() and not _is_unicode(entry):
                reason = "half a surrogate pair"
                raise LineError(reason)
            return entry
        reason = "nested too deeply"
    raise LineError(reason)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entry = dict(pairs)
    if len(entry) < len(pairs):
        reason = "a key twice"
        raise LineError(reason)
    return entry


def _float(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text


def _int(text: str) -> int | str:
    return int(text) if len(text) <= MAX_DIGITS + 1 else text


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_float, parse_int=_int, parse_constant=str
)
"""Numbers that Python or JSON cannot hold stay texts."""


def _is_shallow(entry: dict[str, Any]) -> bool:
    level: list[Any] = [entry]
    for _ in range(MAX_DEPTH):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for each in inner for one in each if isinstance(one, dict | list)]
        if not level:
            return True
    return False


def _is_unicode(entry: dict[str, Any]) -> bool:
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _logfmt(text: str) -> dict[str, Any]:
    pairs = [(found[1], _unquoted(found[2])) for found in _PAIR.finditer(text)]
    if not pairs:
        reason = "neither JSON nor logfmt"
        raise LineError(reason)
    return _unique(pairs)


def _unquoted(value: str) -> str:
    if value[:1] != '"':
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value[1:-1]
