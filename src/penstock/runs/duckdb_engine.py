"""Ask DuckDB about stored runs: it reads log files of any size in little memory.

DuckDB reads JSON lines as ``penstock.JSONFormatter`` writes them. Explicit columns and
``ignore_errors`` keep one odd line from stopping a query; such lines are counted apart.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import finalize

from penstock._platform.optional import requires
from penstock.errors import LogSourceError

from .duckdb_order import OrderQueries
from .figures import QUANTILES, StepFigures, StoredRun
from .lines import ReadCounts, StoredLine
from .order_counts import OrderCounts
from .times import MAX_MS

with requires("duckdb", extra="runs"):
    import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from penstock._types import FlowInfo

    from .figures import RunFilter

_SETTINGS = {
    "autoinstall_known_extensions": "false",  # nothing is downloaded
    "autoload_known_extensions": "false",
    "enable_progress_bar": "false",
    "memory_limit": "'800MB'",  # with what is outside of it, below 1 GB
    "preserve_insertion_order": "false",
    "TimeZone": "'UTC'",
}
_TEXTS = (
    "timestamp",
    "level",
    "flow_event",
    "flow",
    "step",
    "service",
    "correlation_id",
    "root_id",
    "parent_id",
    "run_id",
    "call_id",
    "parent_call_id",
    "parent_step",
    "sent_at",
    "started_at",
    "outcome",
    "error_type",
    "host.name",
    "process.pid",
)
_COLUMNS = {
    **dict.fromkeys(_TEXTS, "VARCHAR"),
    "duration_ms": "DOUBLE",
    "first_item_ms": "DOUBLE",
    "calls": (
        'STRUCT(flow VARCHAR, step VARCHAR, "call" VARCHAR, parent VARCHAR, sent_at '
        "VARCHAR, start_ms DOUBLE, duration_ms DOUBLE, first_item_ms DOUBLE, outcome "
        "VARCHAR)[]"
    ),
}

_TOO_LONG = "maximum_object_size"
"""Stands in DuckDB's error about a line that is longer than 32 MiB."""

_LEFT_OUT = "cut, not JSON, or not as penstock writes lines"

# A line about a call is an event, and so is each call inside the line of a run. A call
# has a start and an end, or an end alone, from which its start follows. Columns that a
# query does not use cost nothing. Calls are grouped by a hash, because their IDs would
# not fit into memory.
_CALLS = """
    lines AS (
        SELECT * EXCLUDE (calls), calls IS NOT NULL AS has_calls, unnest(
            CASE WHEN coalesce(len(calls), 0) = 0 OR call_id IS NULL THEN [NULL]
            ELSE list_prepend(NULL, calls) END
        ) AS entry
        FROM {table} WHERE flow_event IS NOT NULL OR (level IS NULL AND call_id IS NULL)
    ),
    events AS (
        SELECT root_id, run_id, correlation_id, coalesce(service, '') AS service,
            "host.name" AS host, "process.pid" AS pid, flow_event,
            entry IS NULL AS is_own, is_own AND has_calls AS is_whole,
            CASE WHEN abs(lines.duration_ms) <= {longest} THEN lines.duration_ms END
                AS own_ms,
            CASE WHEN abs(entry.duration_ms) <= {longest} THEN entry.duration_ms END
                AS entry_ms,
            CASE WHEN abs(entry.start_ms) <= {longest} THEN entry.start_ms END
                AS begun_ms,
            coalesce(entry."call", call_id) AS call_id,
            coalesce(entry.flow, flow) AS flow,
            coalesce(entry.step, step) AS step,
            CASE WHEN is_own THEN parent_call_id ELSE entry.parent END AS parent,
            CASE WHEN is_own THEN sent_at ELSE entry.sent_at END AS sent_at,
            CASE WHEN is_own THEN outcome ELSE entry.outcome END AS outcome,
            CASE WHEN is_own THEN own_ms ELSE entry_ms END AS duration_ms,
            epoch_us(TRY_CAST("timestamp" AS TIMESTAMPTZ)) AS at_us,
            coalesce(
                epoch_us(TRY_CAST(started_at AS TIMESTAMPTZ)),
                at_us - round(own_ms * 1000)::BIGINT
            ) + coalesce(round(begun_ms * 1000)::BIGINT, 0) AS start_us,
            CASE WHEN is_own THEN at_us
            ELSE start_us + round(entry_ms * 1000)::BIGINT END AS event_us,
            is_own AND flow_event = 'step.start' AS is_start
        FROM lines
        WHERE entry IS NULL OR (entry."call" IS NOT NULL AND entry.step IS NOT NULL)
    ),
    calls AS (
        SELECT bool_or(call_id IS NOT NULL) AS is_call,
            hash(call_id) AS call, any_value(hash(parent)) AS parent,
            any_value(root_id) AS root_id, any_value(run_id) AS run_id,
            any_value(call_id = run_id) AS is_entry, any_value(flow) AS flow,
            any_value(step) AS step, any_value(service) AS service,
            coalesce(min(event_us) FILTER (is_start), min(start_us)) AS start_us,
            max(event_us) FILTER (NOT is_start) AS end_us,
            max(duration_ms) AS duration_ms, max(outcome) AS outcome,
            bool_or(outcome = 'error') AS is_error,
            bool_or(outcome IS NOT NULL) AS has_end, count(*) FILTER (is_own) AS lines
        FROM events GROUP BY hash(call_id)
    )
"""


_RUNS = """
    SELECT CASE WHEN is_call THEN run_id END AS run_id,
        any_value(root_id) AS root_id, any_value(flow) FILTER (is_entry) AS flow,
        any_value(step) FILTER (is_entry), any_value(service) FILTER (is_entry),
        any_value(start_us) FILTER (is_entry) AS start_us,
        any_value(duration_ms) FILTER (is_entry) AS duration_ms,
        any_value(coalesce(outcome, '')) FILTER (is_entry), count(*),
        count(*) FILTER (is_error) AS errors,
        count(*) FILTER (NOT has_end), sum(lines) FILTER (is_call) AS lines,
        sum(lines) FILTER (NOT is_call) AS left_out
    FROM calls GROUP BY 1
"""
_FIGURES = f"""
    SELECT is_call AND {{since}} AS is_wanted, is_call, flow, step, service, count(*),
        count(*) FILTER (is_error), count(*) FILTER (NOT has_end),
        quantile_cont(duration_ms, {list(QUANTILES)}), coalesce(sum(duration_ms), 0),
        coalesce(sum(duration_ms) FILTER (is_entry), 0),
        count(*) FILTER (is_entry), min(start_us), max(start_us), sum(lines)
    FROM calls GROUP BY ALL ORDER BY ALL
"""


class DuckDBRuns:
    """Stored runs in files of JSON lines, as ``penstock.JSONFormatter`` writes them.

    Args:
        paths: The files; those named ``.gz`` are unpacked.
        counts: What is known already of what was read and skipped.
        is_parquet: Whether they are Parquet files with the same column names.
        rewrite: Returns the path of a file with the same lines, but for those that are
            too long; ``""`` if there can be none.

    Attributes:
        counts: What was read and skipped, after a question.
    """

    def __init__(
        self,
        paths: Sequence[str],
        counts: ReadCounts | None = None,
        *,
        is_parquet: bool = False,
        rewrite: Callable[[], str] | None = None,
    ) -> None:
        self._paths = list(paths)
        self._is_parquet = is_parquet
        self._rewrite = rewrite
        self.counts: ReadCounts = counts or ReadCounts(files=len(self._paths))

    @cached_property
    def _folder(self) -> str:
        """Where large intermediate results are, rather than in memory."""
        folder = tempfile.TemporaryDirectory(prefix="penstock-")
        finalize(self, folder.cleanup)
        return folder.name

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(f"{self._folder}/calls.duckdb")
        finalize(self, connection.close)  # before the folder is removed
        connection.execute(f"SET temp_directory = {_quoted(self._folder)}")
        for name, value in _SETTINGS.items():
            connection.execute(f"SET {name} = {value}")
        return connection

    def latest(self, wanted: RunFilter) -> list[StoredRun]:
        """Return the latest runs, the last one first."""
        table = self._table(wanted.where)
        conditions = [f"start_us >= {wanted.since_us or 0}"]
        if wanted.flow:
            conditions.append(f"flow = {_quoted(wanted.flow)}")
        if wanted.is_failed:
            conditions.append("errors > 0")
        if wanted.slow_ms:
            conditions.append(f"duration_ms >= {wanted.slow_ms}")
        if wanted.where:
            has = " AND ".join(
                f"{_name(key)} = {_quoted(value)}"
                for key, value in wanted.where.items()
            )
            conditions.append(f"root_id IN (SELECT root_id FROM {table} WHERE {has})")
        rows = self._rows(
            f"WITH {_CALLS.format(longest=MAX_MS, table=table)}, runs AS ({_RUNS}), "
            f"wanted AS (SELECT * EXCLUDE (lines, left_out) FROM runs "
            f"WHERE {' AND '.join(conditions)} ORDER BY start_us DESC, run_id "
            f"LIMIT {wanted.limit}) "
            "SELECT lines, left_out, wanted.* FROM "
            "(SELECT sum(lines) AS lines, sum(left_out) AS left_out FROM runs) "
            "LEFT JOIN wanted ON true ORDER BY start_us DESC, run_id"
        )
        self._count(*rows[0][:2])
        return [StoredRun(*row[2:]) for row in rows if row[2] is not None]

    def figures(self, wanted: RunFilter) -> list[StepFigures]:
        """Return the figures of each step, by flow, step and service."""
        since = "true" if wanted.since_us is None else f"start_us >= {wanted.since_us}"
        calls = _CALLS.format(longest=MAX_MS, table=self._table())
        rows = self._rows(f"WITH {calls} {_FIGURES.format(since=since)}")
        self._count(
            sum(row[-1] for row in rows if row[1]),
            sum(row[-1] for row in rows if not row[1]),
        )
        rows = [
            row[2:-1]
            for row in rows
            if row[0] and all(row[2:4]) and wanted.flow in {"", row[2]}
        ]
        entry_ms: Counter[str] = Counter()
        for row in rows:
            entry_ms[row[0]] += row[8]
        return [_figures(row, entry_ms[row[0]]) for row in rows]

    def suspects(self, flows: Sequence[FlowInfo]) -> list[str]:
        """Return the root IDs of all operations that may have broken the order."""
        return self.count_clear(flows, OrderCounts.of(flows))

    @cached_property
    def _order(self) -> OrderQueries:
        calls = _CALLS.format(longest=MAX_MS, table=self._kept)
        return OrderQueries(self._rows, self._kept, calls)

    def count_clear(self, flows: Sequence[FlowInfo], counts: OrderCounts) -> list[str]:
        """Count operations that clearly kept the order; return the roots of others."""
        found = self._order.count_clear(flows, counts)
        self._count(self._order.lines, self._order.left_out)
        return found

    def lines_of(self, root_ids: Iterable[str]) -> Iterator[StoredLine]:
        """Yield the lines about the calls of operations."""
        listed = ", ".join(map(_name, _COLUMNS))
        cursor = self._connection.execute(
            'SELECT epoch_us(TRY_CAST("timestamp" AS TIMESTAMPTZ)), '
            f"{listed} FROM {self._kept} WHERE flow_event IS NOT NULL "
            "AND root_id IN (SELECT unnest(?::VARCHAR[]))",
            [list(root_ids)],
        )
        while row := cursor.fetchone():
            pairs = zip(_COLUMNS, row[1:], strict=True)
            yield StoredLine(
                row[0], {key: one for key, one in pairs if one is not None}
            )

    @cached_property
    def _kept(self) -> str:
        """The lines about calls, in a Parquet file: a tenth of the size of the logs."""
        path = _quoted(f"{self._folder}/lines.parquet")
        listed = ", ".join(map(_name, _COLUMNS))
        # Most values are IDs and times, for which large dictionaries are of no use.
        self._rows(
            f"COPY (SELECT {listed} FROM {self._table()} WHERE flow_event IS NOT NULL "
            f"OR (level IS NULL AND call_id IS NULL)) TO {path} "
            "(FORMAT parquet, DICTIONARY_SIZE_LIMIT 1000)"
        )
        return f"read_parquet({path})"

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query).fetchall()
        except duckdb.Error as exc:
            rewrite, self._rewrite = self._rewrite, None
            if rewrite is not None and _TOO_LONG in str(exc) and (path := rewrite()):
                before, self._paths = self._files(), [path]
                return self._rows(query.replace(before, self._files()))
            msg = f"DuckDB cannot read {', '.join(self._paths)}: {exc}"
            raise LogSourceError(msg) from exc

    def _count(self, found: int | None, left_out: int | None) -> None:
        """Count the lines about calls, and those that are left out."""
        self.counts.hits = int(found or 0)
        if left_out and not self._is_parquet:
            self.counts.skipped[_LEFT_OUT] = int(left_out)

    def _table(self, more: Iterable[str] = ()) -> str:
        names = {name.lower() for name in _COLUMNS}
        other = (name for name in more if name.lower() not in names)
        columns = _COLUMNS | dict.fromkeys(other, "VARCHAR")
        if self._is_parquet:
            return self._parquet(columns)
        listed = ", ".join(
            f"{_quoted(name)}: {_quoted(kind)}" for name, kind in columns.items()
        )
        return (
            f"read_json({self._files()}, format = 'newline_delimited', records = true, "
            f"ignore_errors = true, columns = {{{listed}}})"
        )

    def _files(self) -> str:
        return f"[{', '.join(map(_quoted, self._paths))}]"

    def _parquet(self, columns: dict[str, str]) -> str:
        table = f"read_parquet({self._files()}, union_by_name = true)"
        there = {row[0] for row in self._rows(f"DESCRIBE FROM {table}")}
        listed = ", ".join(
            f"TRY_CAST({_name(name) if name in there else 'NULL'} AS {kind}) "
            f"AS {_name(name)}"
            for name, kind in columns.items()
        )
        return f"(SELECT {listed} FROM {table})"


def _figures(row: Sequence[Any], whole_ms: float) -> StepFigures:
    quantiles_ms, total_ms, _, *rest = row[6:]
    share = total_ms / whole_ms if whole_ms else 0.0
    quantiles_ms = tuple(quantiles_ms or ())
    values: list[Any] = [*row[:6], quantiles_ms, total_ms, share, *rest]
    return StepFigures(*values)


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _name(text: str) -> str:
    escaped = text.replace('"', '""')
    return f'"{escaped}"'
