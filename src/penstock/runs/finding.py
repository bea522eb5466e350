"""Find all lines of an operation by one of its IDs, or by metadata."""

from __future__ import annotations

import re
from json import dumps
from typing import TYPE_CHECKING

from penstock.errors import ConfigurationError, TooManyRunsError

from .field_layouts import value_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .lines import StoredLine
    from .log_files import LogFiles

    Wanted = str | Mapping[str, str]

__all__ = [
    "MAX_OPERATIONS",
    "find_operations",
    "follow_operations",
    "has_wanted",
    "needles_of",
    "root_of",
    "too_many",
]

MAX_OPERATIONS = 100
MAX_TRACES = 64
"""How many traces are read for lines that have only their ID: each takes time."""

_BY_BEGINNING = ("correlation_id", "root_id", "parent_id", "run_id", "trace_id")
_BY_WHOLE = (*_BY_BEGINNING, "call_id", "parent_call_id", "span_id")

_LONGEST_NEEDLE = 128
"""An ID may be as long as a line, where an attacker chose it."""

_NEVER_ESCAPED = re.compile(r"[A-Za-z0-9 _.:@~-]+")
"""JSON writers may escape whatever else they like."""


def find_operations(
    files: LogFiles, wanted: Wanted, *, logs: bool = True
) -> dict[str, list[StoredLine]]:
    """Return the lines of each operation that *wanted* belongs to, by root ID.

    The files are read once to find the operations, and again if lines of these may have
    other IDs only. The lines are in the order of the files.

    Args:
        files: Where to look.
        wanted: An ID of an operation, run, call or trace, or the beginning of one;
            or keys of metadata with their values, all of which one line has.
        logs: Whether to look for log lines that have only the ID of a trace, too. It
            takes as long again for each trace. Spans are always found.

    Raises:
        LogSourceError: No file can be read.
        TooManyRunsError: *wanted* is found in more than ``MAX_OPERATIONS`` operations.
        ConfigurationError: *wanted* is empty.
    """
    operations = _operations_of(files, wanted, logs=logs)
    found = operations.by_root()
    files.counts.hits = sum(map(len, found.values()))
    return found


def follow_operations(
    files: LogFiles, wanted: Wanted, *, logs: bool = True
) -> Iterator[StoredLine]:
    """Yield the lines of the operations that *wanted* belongs to, also those to come.

    It ends with ``KeyboardInterrupt``, which it catches, or at the end of streams.

    Args:
        files: Where to look.
        wanted: The same as for ``find_operations``.
        logs: The same.

    Raises:
        LogSourceError: No file can be read.
        TooManyRunsError: *wanted* is found in more than ``MAX_OPERATIONS`` operations.
        ConfigurationError: *wanted* is empty.
    """
    if files.has_streams:
        operations = _Operations(logs=logs)
    else:
        operations = _operations_of(files, wanted, logs=logs)
    needles = sorted({*needles_of(wanted), *operations.needles()})
    for line in files.follow(needles):
        if has_wanted(line, wanted) or (
            not operations.is_exact and _begins(line, wanted)
        ):
            operations.want(line)
        if operations.has(line):
            files.counts.hits += 1
            yield line
            # The files go on with these.
            needles += operations.needles().difference(needles)


def _operations_of(files: LogFiles, wanted: Wanted, *, logs: bool) -> _Operations:
    operations = _hit(files, wanted, logs=logs)
    read: set[bytes] = set()
    if not operations.is_complete(wanted):
        while not read >= (needles := operations.needles(wanted)):
            read = needles
            lines = files.containing(sorted(read))
            operations.lines = [line for line in lines if operations.has(line)]
    if operations.traces_left:
        traces = f"{len(operations.traces_left)} more traces"
        files.counts.unread[traces] = f"after {MAX_TRACES} of them, no more are read"
    return operations


def needles_of(wanted: Wanted) -> list[bytes]:
    """Return bytes one of which is in every line that has what is wanted."""
    text = _longest(wanted)
    if not text:
        msg = "What to look for is empty."
        raise ConfigurationError(msg)
    return _needles(text)


def _longest(wanted: Wanted) -> str:
    """Return the longest text that a line has that is wanted."""
    texts = [wanted] if isinstance(wanted, str) else wanted.values()
    return max(texts, key=len, default="")


def _needles(text: str) -> list[bytes]:
    parts = _NEVER_ESCAPED.findall(text)
    if parts:
        return [max(parts, key=len)[:_LONGEST_NEEDLE].encode()]
    code = text[0].encode("utf-16-be", "surrogatepass")[:2].hex()
    plain = text[0].encode(errors="surrogatepass")
    return [plain, f"u{code}".encode(), f"u{code.upper()}".encode()]


def _hit(files: LogFiles, wanted: Wanted, *, logs: bool) -> _Operations:
    """Return the operations of the lines that have what is wanted.

    IDs that only begin with it count if no line has just this ID.
    """
    exact, begun = _Operations(is_exact=True, logs=logs), _Operations(logs=logs)
    text = _longest(wanted)
    for line in files.containing(needles_of(wanted)):
        if has_wanted(line, wanted):
            exact.want(line)
        elif _begins(line, wanted):
            begun.want(line)
        else:
            files.counts.elsewhere += 1
            files.counts.elsewhere_keys.update(_keys_of(line, text))
    operations = exact if exact.lines else begun
    if operations.is_full:
        raise too_many(wanted)
    return operations


def too_many(wanted: Wanted) -> TooManyRunsError:
    """Return the error that *wanted* is in too many operations."""
    if isinstance(wanted, str):
        what, advice = f"{wanted!r} is", "Name more of the ID."
    else:
        pairs = [f"{key}={value}" for key, value in wanted.items()]
        what, advice = f"{' and '.join(pairs)} is", "Name more values."
    msg = f"{what} in more than {MAX_OPERATIONS} operations. {advice}"
    return TooManyRunsError(msg)


def has_wanted(line: StoredLine, wanted: Wanted) -> bool:
    """Tell whether a line has the wanted ID or metadata."""
    if isinstance(wanted, str):
        return wanted in map(line.fields.get, _BY_WHOLE)
    return all(value in _texts(line, key) for key, value in wanted.items())


def _begins(line: StoredLine, wanted: Wanted) -> bool:
    if not isinstance(wanted, str):
        return False
    return any(line.fields.get(name, "").startswith(wanted) for name in _BY_BEGINNING)


def _texts(line: StoredLine, key: str) -> list[str]:
    """Return a value of *line* as a user may type it."""
    values = (line.fields.get(key), value_at(line.extra, key))
    known = (value for value in values if value is not None)
    return [one if isinstance(one, str) else dumps(one) for one in known]


def _keys_of(line: StoredLine, text: str) -> Iterator[str]:
    """Yield the keys of *line* that have just this text."""
    return (key for key in line.extra if text in _texts(line, key))


def root_of(line: StoredLine) -> str | None:
    """Return the root ID, or the nearest to it where the line does not say it."""
    get = line.fields.get
    return get("root_id") or get("parent_id") or get("correlation_id")


class _Operations:
    """The lines of some operations, and the IDs by which more are found.

    Args:
        logs: Whether lines that have only the ID of a trace are looked for.
        is_exact: Whether they were found by whole IDs.

    Attributes:
        lines: The lines.
        is_exact: The same.
        is_full: Whether there are too many operations.
        traces_left: Traces of the operations that are not read.
    """

    def __init__(self, *, logs: bool, is_exact: bool = False) -> None:
        self.lines: list[StoredLine] = []
        self.is_exact: bool = is_exact
        self.is_full: bool = False
        self.traces_left: set[str] = set()
        self._logs = logs
        self._roots: set[str] = set()
        self._root_of_run: dict[str, str] = {}
        self._roots_of_trace: dict[str, set[str]] = {}
        self._asked: set[str] = set()

    def want(self, line: StoredLine) -> None:
        """Add *line* and its operation."""
        root, trace = root_of(line), line.fields.get("trace_id")
        # Of a line with a trace alone, others tell which operation it is part of.
        ids, one = (self._asked, trace) if root is None else (self._roots, root)
        if one is not None and one not in ids:
            if len(self._roots) + len(self._asked) >= MAX_OPERATIONS:
                self.is_full = True
                return
            ids.add(one)
        if self.has(line):
            self.lines.append(line)

    def has(self, line: StoredLine) -> bool:
        """Tell whether *line* belongs to one of the operations, and learn its IDs."""
        root, trace = root_of(line), line.fields.get("trace_id")
        if root is None:
            return trace in self._asked or trace in self._roots_of_trace
        if trace in self._asked:
            self._roots.add(root)
        if root not in self._roots:
            return False
        if trace is not None and (line.is_span or self._logs):
            self._learn(trace, root)
        if "root_id" in line.fields and "correlation_id" in line.fields:
            self._root_of_run[line.fields["correlation_id"]] = root
        return True

    def is_complete(self, wanted: Wanted) -> bool:
        """Tell whether every line of the operations has what is wanted."""
        if not isinstance(wanted, str):
            return False
        return all(
            one == wanted if self.is_exact else one.startswith(wanted)
            for one in self._ids()
        )

    def needles(self, wanted: Wanted = "") -> set[bytes]:
        """Return bytes that find every line of the operations."""
        ids = set(self._ids())
        if wanted and isinstance(wanted, str):
            # One beginning is found in less time than many IDs.
            ids = {wanted if one.startswith(wanted) else one for one in ids}
        return {needle for one in ids for needle in _needles(one)}

    def by_root(self) -> dict[str, list[StoredLine]]:
        """Return the lines of each operation; those of a shared trace are in each."""
        found: dict[str, list[StoredLine]] = {}
        for line in self.lines:
            root = root_of(line)
            if root is None:
                roots = self._roots_of_trace.get(line.fields["trace_id"], set())
            else:
                roots = {self._root_of_run.get(root, root)}
            for one in roots:
                found.setdefault(one, []).append(line)
        return found

    def _ids(self) -> tuple[str, ...]:
        return *self._roots, *self._roots_of_trace, *self._asked

    def _learn(self, trace: str, root: str) -> None:
        roots = self._roots_of_trace
        if trace in roots or len(roots) < MAX_TRACES:
            roots.setdefault(trace, set()).add(root)
        else:
            self.traces_left.add(trace)
