"""Parse lines of logs, in whatever they were wrapped on their way."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

from .lines import StoredLine
from .otlp import is_otlp, log_records, span_fields, spans
from .timestamps import find_stamp

if TYPE_CHECKING:
    from .field_layouts import FieldLayout
    from .timestamps import Stamp

__all__ = ["LineError", "lines_of_otlp", "parse_line"]

MAX_DEPTH = 64
MAX_DIGITS = 18
MAX_WRAPPERS = 3

# Possessive, and each place is tried once: linear also in what an attacker writes.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_START = re.compile(rf"\{{\s*+{_STRING}\s*+:", re.DOTALL)
_PAIR = re.compile(rf'(?<![\w.@-])([A-Za-z_@][\w.@-]*+)=({_STRING}|[^\s"]*+)')
_WRAPPED = (
    "log",
    "MESSAGE",
    "line",
    "message",
    "msg",
    "textPayload",
    "body",
    "@message",
    "LogEntry",
    "_raw",
)
"""Keys in which Docker, journald, Loki, Azure, Splunk and others keep the line as text.
"""

_MARKS = {"flow_event", "correlation_id", "root_id"}
_IDS = {*_MARKS, "trace_id"}
_OUTER = ("service", "host.name", "process.pid", "trace_id", "span_id")


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
    entry, prefix = _entry(text)
    if is_otlp(entry):
        try:
            return lines_of_otlp(entry, layout, source)
        except (ValueError, TypeError, KeyError, AttributeError):
            reason = "OTLP that is malformed"
            raise LineError(reason) from None
    return [_line(entry, layout, source, find_stamp(prefix))]


def _entry(text: str) -> tuple[dict[str, Any], str]:
    """Return what *text* holds, and what stands before that."""
    start = _START.search(text)
    if start is not None:
        return _json(text[start.start() :]), text[: start.start()]
    pairs = list(_PAIR.finditer(text))
    if not pairs:
        reason = "neither JSON nor logfmt"
        raise LineError(reason)
    entry = _unique([(pair[1], _unquoted(pair[2])) for pair in pairs])
    _refuse_half_characters(entry, text)
    return entry, text[: pairs[0].start()]


def lines_of_otlp(
    entry: dict[str, Any], layout: FieldLayout, source: str
) -> list[StoredLine]:
    """Return the spans and log records of a line of OTLP.

    If *entry* is not as OTLP has it, this raises what ``otlp.spans`` says.
    """
    found: list[StoredLine] = []
    for span, resource in spans(entry):
        fields, extra, ended_us = span_fields(span)
        fields = _outer(layout.read(resource)[0]) | fields
        found.append(StoredLine(ended_us, fields, extra, source, is_span=True))
    for record, resource in log_records(entry):
        line = _line(record, layout, source, None)
        line.fields.update(_outer(layout.read(resource)[0]) | line.fields)
        found.append(line)
    return found


def _line(
    entry: dict[str, Any],
    layout: FieldLayout,
    source: str,
    outer_stamp: Stamp | None,
    wrappers: int = 0,
) -> StoredLine:
    """Return the line that *entry* is, or that one of its values is as a string."""
    fields, extra, stamp = layout.read(entry)
    stamp = _better(stamp, outer_stamp)
    line = StoredLine(stamp and stamp[0], fields, extra, source)
    if wrappers == MAX_WRAPPERS or fields.keys() & _MARKS:
        return line
    for key in _WRAPPED:
        inner = entry.get(key)
        if isinstance(inner, str) and ("{" in inner or "=" in inner):
            try:
                within, prefix = _entry(inner.strip())
            except LineError:
                if fields.keys() & _IDS or not _START.search(inner):
                    continue  # it is a message
                raise
            inner_stamp = _better(find_stamp(prefix), stamp)
            found = _line(within, layout, source, inner_stamp, wrappers + 1)
            if found.fields.keys() & _IDS:
                found.fields.update(_outer(fields) | found.fields)
                return found
    return line


def _outer(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what a wrapper may know that the line in it does not say."""
    return {name: fields[name] for name in _OUTER if name in fields}


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
        if _is_shallow(entry, text):
            _refuse_half_characters(entry, text)
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


def _is_shallow(entry: dict[str, Any], text: str) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:  # as nearly all have
        return True
    level: list[Any] = [entry]
    for _ in range(MAX_DEPTH):
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for each in inner for one in each if isinstance(one, dict | list)]
        if not level:
            return True
    return False


def _refuse_half_characters(entry: dict[str, Any], text: str) -> None:
    if "\\ud" in text.lower():
        try:
            json.dumps(entry, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            reason = "half a surrogate pair"
            raise LineError(reason) from None


def _unquoted(value: str) -> str:
    if value[:1] != '"':
        return value
    try:
        return str(json.loads(value))
    except ValueError:
        return value[1:-1]
