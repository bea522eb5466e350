"""Choose what reads stored runs: Python, DuckDB or ClickHouse."""

from __future__ import annotations

import json
import re
import tempfile
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from weakref import finalize

from penstock._platform.clock import utc
from penstock.errors import LogSourceError, MissingExtraError

from .blocks import blocks_of, is_plain
from .finding import needles_of
from .line_scanner import LineScanner
from .log_files import LogFiles
from .python_engine import PythonRuns
from .times import time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .clickhouse_engine import ClickHouseRuns
    from .figures import RunSource
    from .lines import StoredLine
    from .sources import LogSource

    Layout = Literal["plain", "other", "spans", "parquet", "nothing"]

__all__ = ["is_server", "open_runs", "open_server", "shown_source"]

MAX_IN_PYTHON = 200 << 20
"""More bytes of logs than these do not fit into memory well."""

_SMALL = 20 << 20
"""Python reads so many bytes of lines in any layout about as fast as anything else."""

_PACKED = 10
"""About how many times larger logs are unpacked."""

_LOAD = (
    ", name the services' JSON logs instead, or send the spans to ClickHouse and name "
    "clickhouse://HOST/DATABASE"
)

_MARKS = ("flow_event", "root_id", "correlation_id")
_PARQUET = b"PAR1"


def open_runs(
    paths: Sequence[str],
    *,
    fields: Mapping[str, str] | None = None,
    note: Callable[[str], object] = len,
) -> RunSource:
    """Return the stored runs at *paths*, read by what is best at it.

    DuckDB reads JSON lines as ``penstock.JSONFormatter`` writes them, and Parquet files
    with the same names of columns. Python reads other layouts; if they are large, it
    rewrites them once for DuckDB, in a temporary file.

    Args:
        paths: Files, folders, patterns, ``-`` for stdin; or one ``clickhouse://`` URL.
        fields: The key that the lines have for a field, where it is another one.
        note: Is called with a sentence about work that takes long.

    Raises:
        LogSourceError: There is nothing at one of *paths*, or too much for Python.
        MissingExtraError: A package is missing.
        ConfigurationError: There is no such field.
    """
    if is_server(paths):
        return open_server(paths)
    files = LogFiles(paths, fields=fields)
    found: dict[Layout, list[str]] = defaultdict(list)
    size = 0
    for source in files.sources:
        layout, its_size = _layout_of(source, files, has_map=bool(fields))
        found[layout].append(source.path)
        size += its_size
    if found["parquet"]:
        return _from_parquet(found)
    if found["spans"] or not found["plain"] + found["other"]:
        return _in_python(files, size, "OTLP spans are read in Python", _LOAD)
    return _from_lines(files, found, size, note)


def is_server(paths: Iterable[str]) -> bool:
    """Tell whether one of *paths* is the address of a ClickHouse server."""
    return any(path.startswith("clickhouse://") for path in paths)


def shown_source(path: str) -> str:
    """Return *path* as it may be shown: an address without user and password."""
    return re.sub("^clickhouse://[^/]*@", "clickhouse://", path)


def open_server(paths: Sequence[str]) -> ClickHouseRuns:
    """Return the stored runs of a ClickHouse server, whose address is the only path.

    Raises:
        LogSourceError: There is another path, or the server cannot be reached.
        MissingExtraError: A package is missing.
        ConfigurationError: The address is wrong.
    """
    if len(paths) > 1:
        msg = "a clickhouse:// address cannot be read together with other logs."
        raise LogSourceError(msg)
    from .clickhouse_engine import connect  # noqa: PLC0415  # needs a package

    return connect(paths[0])


def _from_parquet(found: Mapping[Layout, list[str]]) -> RunSource:
    from .duckdb_engine import DuckDBRuns  # noqa: PLC0415  # needs a package

    others = [path for kind in found if kind != "parquet" for path in found[kind]]
    if others:
        msg = (
            f"Parquet cannot be read together with other files, such as {others[0]!r}."
        )
        raise LogSourceError(msg)
    return DuckDBRuns(found["parquet"], is_parquet=True)


def _from_lines(
    files: LogFiles,
    found: Mapping[Layout, list[str]],
    size: int,
    note: Callable[[str], object],
) -> RunSource:
    is_small = size <= _SMALL and not files.has_streams
    if is_small and found["other"]:
        return PythonRuns(files)
    try:
        from .duckdb_engine import DuckDBRuns  # noqa: PLC0415  # needs a package
    except MissingExtraError as exc:
        return _in_python(files, size, f"{exc} Without it, runs are read in Python")
    folder = tempfile.TemporaryDirectory(prefix="penstock-")
    path = Path(folder.name) / "lines.jsonl"

    def rewritten(why: str) -> str:
        if size > MAX_IN_PYTHON:
            note(f"Rewriting {size >> 20:,} MB for DuckDB, once: {why}.")
        return str(path) if _rewrite(files, path) else ""

    if not found["other"]:
        files.counts.files = len(files.sources)
        is_long = partial(rewritten, "a line is too long for it")
        runs = DuckDBRuns(found["plain"], files.counts, rewrite=is_long)
    elif own := rewritten("these are not lines as penstock.JSONFormatter writes them"):
        runs = DuckDBRuns([own], files.counts)
    else:
        folder.cleanup()
        return PythonRuns(files)
    finalize(runs, folder.cleanup)
    return runs


def _in_python(files: LogFiles, size: int, why: str, advice: str = "") -> RunSource:
    if size > MAX_IN_PYTHON:
        msg = (
            f"{why}, which keeps all of them in memory, and this is about "
            f"{size >> 20:,} MB: more than {MAX_IN_PYTHON >> 20} MB. Name fewer files"
            f"{advice}."
        )
        raise LogSourceError(msg)
    return PythonRuns(files)


def _layout_of(
    source: LogSource, files: LogFiles, *, has_map: bool
) -> tuple[Layout, int]:
    """Return the layout of a file, by its first line about a flow, and its size."""
    if source.is_stream:
        return "other", 0
    path = Path(source.path)
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(len(_PARQUET))
        size = path.stat().st_size
        if head == _PARQUET:
            return "parquet", size
        line = _first_line(path, files)
    except (OSError, MissingExtraError):  # LogFiles says so when it reads
        return "other", 0
    size *= 1 if is_plain(head) else _PACKED
    if b"resourceSpans" in line:
        return "spans", size
    if not line:
        return "nothing", size
    # DuckDB unpacks what its name says.
    is_named_so = (path.suffix == ".gz") == head.startswith(b"\x1f\x8b")
    is_readable = is_named_so and (path.suffix == ".gz" or is_plain(head))
    return "plain" if is_readable and not has_map and _is_own(line) else "other", size


def _first_line(path: Path, files: LogFiles) -> bytes:
    """Return the first line about a flow, none if there is none."""
    scanner = LineScanner([*_needles(files), b"resourceSpans"], len)
    with path.open("rb", buffering=0) as file:
        for block in blocks_of(file, len):
            for line in scanner.feed(block):
                return line
    return next(scanner.finish(), b"")


def _needles(files: LogFiles) -> list[bytes]:
    keys = {key.rpartition(".")[2] for mark in _MARKS for key in files.keys_of(mark)}
    return [needle for key in sorted(keys) for needle in needles_of(key)]


def _is_own(line: bytes) -> bool:
    """Tell whether ``penstock.JSONFormatter`` may have written a line."""
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    if not isinstance(entry, dict) or time_of(entry.get("timestamp")) is None:
        return False
    return isinstance(entry.get("root_id"), str)


def _rewrite(files: LogFiles, path: Path) -> bool:
    """Write the lines of flows as ``penstock.JSONFormatter`` does.

    Return False if there are spans among them.
    """
    with path.open("w", encoding="utf-8") as file:
        for line in files.containing([*_needles(files), b"resourceSpans"]):
            if line.is_span:
                return False
            file.write(f"{json.dumps(_entry(line))}\n")
    return True


def _entry(line: StoredLine) -> dict[str, object]:
    time = {} if line.time_us is None else {"timestamp": utc(line.time_us / 1e6)}
    return {**line.extra, **time, **line.fields}
