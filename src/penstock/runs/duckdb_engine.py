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

from .declared_order import rules_of
from .figures import QUANTILES, StepFigures, StoredRun
from .lines import StoredLine

with requires("duckdb", extra="runs"):
    import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock._types import FlowInfo

    from .figures import RunFilter

_SETTINGS = {
    "autoinstall_known_extensions": "false",  # nothing is downloaded
    "autoload_known_extensions": "false",
    "enable_progress_bar": "false",
    "memory_limit": "'600MB'",  # with what is outside of it, below 1 GB
    "preserve_insertion_order": "false",
    "TimeZone": "'UTC'",
}
_TEXTS = (
    "timestamp",
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
_CALLS_AT_ONCE = 500_000

# A line about a call is an event, and so is each call inside the line of a run. A call
# has a start and an end, or an end alone, from which its start follows. Columns that a
# query does not use cost nothing.
_CALLS = """
    lines AS (
        SELECT *, epoch_us(TRY_CAST("timestamp" AS TIMESTAMPTZ)) AS at_us,
            epoch_us(TRY_CAST(started_at AS TIMESTAMPTZ)) AS run_us, {{
                'flow': flow, 'step': step, 'call': call_id, 'parent': parent_call_id,
                'sent_at': sent_at, 'start_ms': NULL::DOUBLE,
                'duration_ms': duration_ms, 'first_item_ms': NULL::DOUBLE,
                'outcome': outcome
            }} AS own
        FROM {table}
        WHERE flow_event IS NOT NULL AND call_id IS NOT NULL
    ),
    events AS (
        SELECT * EXCLUDE (flow, step, outcome, duration_ms, sent_at),
            unnest(
                CASE WHEN calls IS NULL THEN [own] ELSE list_prepend(own, calls) END
            ) AS event
        FROM lines
    ),
    times AS (
        SELECT *, event.start_ms IS NULL AND flow_event = 'step.start' AS is_start,
            CASE WHEN event.start_ms IS NULL THEN at_us
            ELSE coalesce(run_us, at_us - own.duration_ms * 1000)
                + (event.start_ms + event.duration_ms) * 1000 END::BIGINT AS event_us
        FROM events
    ),
    calls AS (
        SELECT hash(event.call) AS call, any_value(hash(event.parent)) AS parent,
            any_value(root_id) AS root_id, any_value(run_id) AS run_id,
            any_value(event.call = run_id) AS is_entry,
            any_value(coalesce(event.flow, own.flow)) AS flow,
            any_value(event.step) AS step, any_value(coalesce(service, '')) AS service,
            any_value(hash("host.name", "process.pid")) AS process,
            epoch_us(TRY_CAST(any_value(event.sent_at) AS TIMESTAMPTZ)) AS sent_us,
            coalesce(
                min(event_us) FILTER (is_start),
                min(event_us - (event.duration_ms * 1000)::BIGINT)
            ) AS start_us,
            max(event_us) FILTER (NOT is_start) AS end_us,
            max(event.duration_ms) AS duration_ms, max(event.outcome) AS outcome
        FROM times GROUP BY event.call
    )
"""


_RUNS = """
    SELECT run_id, any_value(root_id), any_value(flow) FILTER (is_entry) AS flow,
        any_value(step) FILTER (is_entry), any_value(service) FILTER (is_entry),
        any_value(start_us) FILTER (is_entry) AS start_us,
        any_value(duration_ms) FILTER (is_entry) AS duration_ms,
        any_value(coalesce(outcome, '')) FILTER (is_entry), count(*),
        count(*) FILTER (outcome = 'error') AS errors,
        count(*) FILTER (outcome IS NULL)
    FROM calls GROUP BY run_id HAVING start_us IS NOT NULL
"""
_FIGURES = f"""
    SELECT flow, step, service, count(*), count(*) FILTER (outcome = 'error'),
        count(*) FILTER (outcome IS NULL),
        quantile_cont(duration_ms, {list(QUANTILES)}), coalesce(sum(duration_ms), 0),
        coalesce(sum(duration_ms) FILTER (is_entry), 0)
    FROM calls WHERE flow IS NOT NULL AND step IS NOT NULL
"""
_KEEP_CALLS = """
    CREATE OR REPLACE TEMP TABLE kept AS WITH {calls}
    SELECT call, parent, root_id, hash(root_id) AS root, hash(flow, step) AS step,
        process, sent_us, start_us, end_us
    FROM calls
"""
# What clearly kept the order is left out: a predecessor that has made the call, or that
# had ended by the clock of its own process when the call was made or sent.
_SUSPECTS = """
    WITH rules AS (
        SELECT hash(flow, step) AS step, alternative,
            hash(before_flow, before) AS required
        FROM (VALUES {rules}) AS r(flow, step, alternative, before_flow, before)
    ),
    part AS (SELECT * FROM kept WHERE root % {parts} = {part}),
    judged AS (
        SELECT one.root, one.call, one.step, one.parent, caller.parent AS above,
            one.process, one.start_us, one.sent_us,
            caller.process AS caller_process, caller.sent_us AS caller_sent_us,
            above.process AS above_process
        FROM part AS one
        LEFT JOIN part AS caller ON caller.call = one.parent
        LEFT JOIN part AS above ON above.call = caller.parent
        WHERE one.step IN (SELECT step FROM rules)
    ),
    pairs AS (
        SELECT judged.root, judged.call, alternative, required,
            bool_or(before.call IS NOT NULL) AS has_run,
            coalesce(bool_or(
                before.call IN (judged.parent, judged.above)
                OR before.process = judged.process AND before.end_us <= judged.start_us
                OR before.process = caller_process AND before.end_us <= judged.sent_us
                OR before.process = above_process AND before.end_us <= caller_sent_us
            ), false) AS is_before
        FROM judged JOIN rules USING (step)
        LEFT JOIN part AS before
            ON before.root = judged.root AND before.step = required
        GROUP BY ALL
    ),
    alternatives AS (
        SELECT root, call, bool_and(is_before) AS holds,
            bool_or(has_run AND NOT is_before) AS is_odd
        FROM pairs GROUP BY root, call, alternative
    ),
    suspects AS (
        SELECT root FROM alternatives
        GROUP BY root, call HAVING NOT bool_or(holds) OR bool_or(is_odd)
    )
    SELECT DISTINCT root_id FROM part WHERE root IN (SELECT root FROM suspects)
"""


class DuckDBRuns:
    """Stored runs in files of JSON lines, as ``penstock.JSONFormatter`` writes them.

    Args:
        paths: The files; ``.gz`` and ``.zst`` are unpacked.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = list(paths)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        # Large intermediate results go into this folder rather than into memory.
        folder = tempfile.TemporaryDirectory(prefix="penstock-")
        connection = duckdb.connect(f"{folder.name}/calls.duckdb")
        finalize(self, _close, connection, folder)
        connection.execute(f"SET temp_directory = {_quoted(folder.name)}")
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
            f"WITH {_CALLS.format(table=table)}, runs AS ({_RUNS}) SELECT * FROM runs "
            f"WHERE {' AND '.join(conditions)} ORDER BY start_us DESC, run_id "
            f"LIMIT {wanted.limit}"
        )
        return [StoredRun(*row) for row in rows]

    def figures(self, wanted: RunFilter) -> list[StepFigures]:
        """Return the figures of each step, by flow, step and service."""
        conditions = ""
        if wanted.flow:
            conditions += f" AND flow = {_quoted(wanted.flow)}"
        if wanted.since_us is not None:
            conditions += f" AND start_us >= {wanted.since_us}"
        calls = _CALLS.format(table=self._table())
        query = f"WITH {calls} {_FIGURES}{conditions} GROUP BY ALL ORDER BY ALL"
        rows = self._rows(query)
        entry_ms: Counter[str] = Counter()
        for row in rows:
            entry_ms[row[0]] += row[-1]
        return [_figures(*row, whole_ms=entry_ms[row[0]]) for row in rows]

    def suspects(self, flows: Sequence[FlowInfo]) -> list[str]:
        """Return the root IDs of all operations that may have broken the order."""
        rules = ", ".join(
            f"({', '.join(map(_quoted, (flow, step)))}, {number}, "
            f"{', '.join(map(_quoted, before))})"
            for flow, step, number, before in rules_of(flows)
        )
        if not rules:
            return []
        self._connection.execute(
            _KEEP_CALLS.format(calls=_CALLS.format(table=self._table()))
        )
        ((calls,),) = self._rows("SELECT count(*) FROM kept")
        parts = calls // _CALLS_AT_ONCE + 1
        queries = (
            _SUSPECTS.format(rules=rules, parts=parts, part=part)
            for part in range(parts)
        )
        return [row[0] for query in queries for row in self._rows(query)]

    def lines_of(self, root_ids: Iterable[str]) -> Iterator[StoredLine]:
        """Yield the lines about the calls of operations."""
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE wanted (root_id VARCHAR)"
        )
        wanted = [(root_id,) for root_id in root_ids]
        self._connection.executemany("INSERT INTO wanted VALUES (?)", wanted)
        listed = ", ".join(map(_name, _COLUMNS))
        cursor = self._connection.execute(
            f'SELECT epoch_us(TRY_CAST("timestamp" AS TIMESTAMPTZ)), {listed} '
            f"FROM {self._table()} WHERE flow_event IS NOT NULL "
            "AND root_id IN (FROM wanted)"
        )
        while row := cursor.fetchone():
            pairs = zip(_COLUMNS, row[1:], strict=True)
            yield StoredLine(
                row[0], {key: one for key, one in pairs if one is not None}
            )

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def _table(self, more: Iterable[str] = ()) -> str:
        columns = _COLUMNS | dict.fromkeys(more, "VARCHAR")
        listed = ", ".join(
            f"{_quoted(name)}: {_quoted(kind)}" for name, kind in columns.items()
        )
        files = ", ".join(map(_quoted, self._paths))
        return (
            f"read_json([{files}], format = 'newline_delimited', records = true, "
            f"ignore_errors = true, columns = {{{listed}}})"
        )


def _figures(  # the columns of a row
    flow: str,
    step: str,
    service: str,
    calls: int,
    errors: int,
    no_end: int,
    quantiles_ms: list[float] | None,
    total_ms: float,
    _entry_ms: float,
    *,
    whole_ms: float,
) -> StepFigures:
    share = total_ms / whole_ms if whole_ms else 0.0
    quantiles = tuple(quantiles_ms or ())
    return StepFigures(
        flow, step, service, calls, errors, no_end, quantiles, total_ms, share
    )


def _close(connection: duckdb.DuckDBPyConnection, folder: Any) -> None:
    connection.close()
    folder.cleanup()


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _name(text: str) -> str:
    escaped = text.replace('"', '""')
    return f'"{escaped}"'
