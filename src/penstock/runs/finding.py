"""Find all lines of an operation by one of its IDs, or by metadata."""

from __future__ import annotations

import re
from json import dumps
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError, TooManyRunsError

from .field_layouts import value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .lines import StoredLine
    from .log_files import LogFiles

__all__ = ["MAX_OPERATIONS", "find_operations"]

MAX_OPERATIONS = 1000

_BY_BEGINNING = ("correlation_id", "root_id", "parent_id", "run_id", "trace_id")
_IDS = (*_BY_BEGINNING, "call_id", "parent_call_id", "span_id")

_NEVER_ESCAPED = re.compile(r"[A-Za-z0-9 _.:@~-]+")
"""JSON writers may escape whatever else they like."""


def find_operations(
    files: LogFiles, wanted: str | Mapping[str, str]
) -> dict[str, list[StoredLine]]:
    """Return the lines of each operation that *wanted* belongs to, by root ID.

    The files are read once to find the operations. They are read again if more lines
    may belong to these, under other IDs.

    Args:
        files: Where to look.
        wanted: An ID of an operation, run, call or trace, or the beginning of one;
            or keys of metadata with their values, all of which one line has.

    Raises:
        LogSourceError: No file can be read.
        TooManyRunsError: *wanted* is found in more than ``MAX_OPERATIONS`` operations.
    """
    if isinstance(wanted, str):
        needles = _needles(wanted)
        hits = _with_id(files.containing(needles), wanted)
    else:
        needles = _needles(max(wanted.values(), key=len, default=""))
        hits = _with_values(files.containing(needles), wanted)
    operations = _Operations(hits)
    read: list[bytes] = []
    while needles:
        read += needles
        new = [needle for one in operations.ids() for needle in _needles(one)]
        needles = [n for n in new if not any(old in n for old in read)]
        for line in files.containing(needles, read) if needles else ():
            operations.add(line)
    found = operations.by_root()
    files.counts.hits = sum(map(len, found.values()))
    return found


def _needles(text: str) -> list[bytes]:
    """Return bytes one of which is in every line that has *text* as a value."""
    if not text:
        msg = "What to look for is empty."
        raise ConfigurationError(msg)
    parts = _NEVER_ESCAPED.findall(text)
    if parts:
        return [max(parts, key=len).encode()]
    code = "u" + text[0].encode("utf-16-be", "surrogatepass")[:2].hex()
    return [
        text[0].encode(errors="surrogatepass"),
        code.encode(),
        b"u" + code[1:].upper().encode(),
    ]


def _with_id(lines: Iterable[StoredLine], wanted: str) -> list[StoredLine]:
    """Return the lines with that ID; if there are none, those with that beginning."""
    exact: list[StoredLine] = []
    begun: list[StoredLine] = []
    begun_roots: set[str | None] = set()
    for line in lines:
        if any(line.fields.get(name) == wanted for name in _IDS):
            exact.append(line)
        elif any(
            line.fields.get(name, "").startswith(wanted) for name in _BY_BEGINNING
        ):
            begun_roots.add(root_of(line))
            if len(begun_roots) <= MAX_OPERATIONS:
                begun.append(line)
    if not exact and len(begun_roots) > MAX_OPERATIONS:
        raise TooManyRunsError(_too_many(f"{wanted!r} is the beginning of the IDs"))
    return exact or begun


def _with_values(
    lines: Iterable[StoredLine], wanted: Mapping[str, str]
) -> list[StoredLine]:
    """Return the lines that have all of these values."""
    hits = []
    roots: set[str | None] = set()
    for line in lines:
        if all(value in _texts(line, key) for key, value in wanted.items()):
            hits.append(line)
            roots.add(root_of(line))
            if len(roots) > MAX_OPERATIONS:
                pairs = ", ".join(f"{key}={value}" for key, value in wanted.items())
                raise TooManyRunsError(_too_many(f"{pairs!r} is on lines"))
    return hits


def _texts(line: StoredLine, key: str) -> list[str]:
    """Return a value of *line* as a user may type it."""
    values = (line.fields.get(key), value_at(line.extra, key))
    return [
        one if isinstance(one, str) else dumps(one) for one in values if one is not None
    ]


def _too_many(what: str) -> str:
    return f"{what} of more than {MAX_OPERATIONS} operations. Say more of it."


def root_of(line: StoredLine) -> str | None:
    """Return the root ID, or what must do where lines do not say it."""
    root: str | None = line.fields.get("root_id") or line.fields.get("correlation_id")
    return root


class _Operations:
    """The lines of some operations, and the IDs by which more are found.

    Args:
        hits: Lines that were found; their operations are wanted.
    """

    def __init__(self, hits: list[StoredLine]) -> None:
        self._lines: list[StoredLine] = []
        self._spans: set[tuple[str, str]] = set()
        self._roots = {root for line in hits if (root := root_of(line))}
        self._root_of_run: dict[str, str] = {}
        # Other lines tell which operations the traces of such lines are part of.
        self._asked = {
            line.fields.get("trace_id") for line in hits if not root_of(line)
        }
        self._roots_of_trace: dict[str, set[str]] = {
            trace: set() for trace in self._asked if trace
        }
        for line in hits:
            self.add(line)

    def ids(self) -> list[str]:
        """Return the IDs of the operations and of their traces."""
        return [*self._roots, *self._roots_of_trace]

    def add(self, line: StoredLine) -> None:
        """Keep *line* if it belongs to one of the operations."""
        root, trace = root_of(line), line.fields.get("trace_id")
        if root is None:
            if trace in self._roots_of_trace:
                self._keep(line)
            return
        if trace in self._asked:
            self._roots.add(root)
        if root in self._roots:
            if trace is not None:
                self._roots_of_trace.setdefault(trace, set()).add(root)
            if "root_id" in line.fields and "correlation_id" in line.fields:
                self._root_of_run[line.fields["correlation_id"]] = root
            self._keep(line)

    def by_root(self) -> dict[str, list[StoredLine]]:
        """Return the lines of each operation; those of a shared trace are in each."""
        found: dict[str, list[StoredLine]] = {}
        for line in self._lines:
            root = root_of(line)
            if root is None:
                roots = self._roots_of_trace[line.fields["trace_id"]]
            else:
                roots = {self._root_of_run.get(root, root)}
            for one in roots:
                found.setdefault(one, []).append(line)
        return found

    def _keep(self, line: StoredLine) -> None:
        if line.is_span:
            span = (line.fields["trace_id"], line.fields["span_id"])
            if span in self._spans:
                return
            self._spans.add(span)
        self._lines.append(line)
