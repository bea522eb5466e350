"""Ask ClickHouse about stored runs: the spans that OpenTelemetry's collector writes.

The table is that of the collector's ClickHouse exporter. It has spans only, so each
call has a start and an end, and a call that has not ended is not there.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from penstock._platform.optional import requires
from penstock.errors import ConfigurationError, LogSourceError

from .field_layouts import FieldLayout
from .figures import QUANTILES, SAMPLED, StepFigures, StoredRun
from .finding import MAX_OPERATIONS, needles_of, too_many
from .lines import ReadCounts
from .order_counts import OrderCounts
from .order_rules import OrderRules
from .parsing import lines_of_otlp

with requires("clickhouse_connect", extra="clickhouse"):
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from penstock._types import FlowInfo

    from .figures import RunFilter
    from .lines import StoredLine

    Wanted = str | Mapping[str, str]
    Row = Sequence[Any]
    Query = Callable[[str, Mapping[str, Any]], Sequence[Row]]

__all__ = ["ClickHouseRuns", "connect"]

_TABLE = "otel_traces"
_DAY_US = 24 * 3600 * 10**6
_ROOTS_AT_ONCE = 1000

_CALLS = """
    SELECT SpanId AS call,
        ParentSpanId = '' AND notEmpty(Links.SpanId) ? Links.SpanId[1] : ParentSpanId
            AS parent,
        SpanAttributes['penstock.root_id'] AS root_id,
        SpanAttributes['penstock.run_id'] AS run_id,
        SpanAttributes['penstock.flow'] AS flow,
        SpanAttributes['penstock.step'] AS step,
        ServiceName AS service,
        toUnixTimestamp64Micro(Timestamp) AS start_us,
        intDiv(toUnixTimestamp64Nano(Timestamp) + Duration, 1000) AS end_us,
        Duration / 1e6 AS duration_ms,
        StatusCode IN ('Error', 'STATUS_CODE_ERROR') AS is_error,
        toUnixTimestamp64Micro(parseDateTime64BestEffortOrZero(
            SpanAttributes['penstock.sent_at'], 6, 'UTC')) AS sent_us,
        (ServiceName, ResourceAttributes['host.name'],
            ResourceAttributes['process.pid'],
            ResourceAttributes['service.instance.id']) AS process
    FROM {table}
    WHERE SpanAttributes['penstock.step'] != '' AND {since}
"""
_FIGURES = f"""
    SELECT flow, step, service, count() AS calls, countIf(is_error), 0 AS no_end,
        quantilesExactInclusive({", ".join(map(str, QUANTILES))})(duration_ms),
        sum(duration_ms), min(start_us), max(start_us)
    FROM ({{calls}}) WHERE start_us >= {{{{after:Int64}}}}
    GROUP BY flow, step, service ORDER BY flow, step, service
"""
# A run begins with a span that no span of the run has made and no message brought, the
# first one.
_RUNS = """
    SELECT run_id, entry.2 AS root_id, entry.3 AS flow, entry.4 AS step,
        entry.5 AS service, entry.6 AS start_us, entry.7 AS duration_ms,
        if(entry.8, 'error', 'ok') AS outcome, calls, errors, 0 AS no_end
    FROM (
        SELECT run_id, count() AS calls, countIf(is_error) AS errors,
            groupArray((
                call, root_id, flow, step, service, start_us, duration_ms, is_error,
                parent, sent_us > 0
            )) AS spans,
            arraySort(
                one -> (one.10, one.6),
                arrayFilter(one -> NOT has(spans.1, one.9), spans)
            )[1] AS entry
        FROM ({calls}) WHERE run_id != '' GROUP BY run_id
    )
    WHERE start_us >= {{after:Int64}}
"""
_ENTRIES = f"""
    SELECT flow, step, service, count(), sum(duration_ms) FROM ({_RUNS})
    GROUP BY flow, step, service
"""
# One row for each operation that has to be judged, with its root ID, and one for all
# operations that clearly kept the order in the same runs. What is clear is decided more
# strictly than in `judging`: each run has one entrypoint, all its calls are declared,
# and whatever a call comes after has made it, or had ended by the clock of its process
# when the call was made or sent. A span is
# (key, call, parent, process, start_us, end_us, sent_us, run_id, is_top, flow). Runs of
# flows that are not declared are clearly unknown.
_ORDER = """
    SELECT is_clear ? '' : root_id AS root,
        is_clear ? arraySort(arrayMap(top -> (top.1, arraySort(arrayMap(
            one -> one.1, arrayFilter(one -> one.8 = top.8, spans)
        ))), tops)) : [] AS runs,
        count()
    FROM (
        SELECT root_id, spans, tops,
            {after} AS after, {entrypoints} AS entrypoints, {flows} AS flows,
            arrayMap(
                one -> (one, arrayFirst(caller -> caller.2 = one.3, spans)), spans
            ) AS made,
            length(arrayDistinct(spans.2)) = length(spans)
            AND length(arrayDistinct(spans.8)) = length(tops)
            AND NOT has(spans.8, '')
            AND (NOT has((spans.4).2, '') OR arrayMax(spans.7) = 0)
            AND arrayAll(
                top -> (has(entrypoints, top.1) OR NOT has(flows, top.10))
                    AND (top.9 OR has(spans.2, top.3)), tops
            )
            AND arrayAll(
                pair -> NOT has(flows, pair.1.10)
                OR pair.1.10 != arrayFirst(top -> top.8 = pair.1.8, tops).10
                OR mapContains(after, pair.1.1) AND (
                    empty(after[pair.1.1])
                    OR has(tops.2, pair.1.2)
                    OR arrayExists(keys -> hasAll({befores}, keys), after[pair.1.1])
                ) AND hasAll({befores}, arrayIntersect(
                    arrayFlatten(after[pair.1.1]),
                    arrayMap(one -> one.1, arrayFilter(
                        one -> one.8 = pair.1.8, spans
                    ))
                )), made
            ) AS is_clear
        FROM (
            SELECT root_id, groupArray((
                    concat(flow, '\\0', step), call, parent, process, start_us, end_us,
                    sent_us, run_id, parent = '' OR parent IN ({frameworks}),
                    flow
                )) AS spans,
                arrayMap(one -> (one.8, one.2), spans) AS calls,
                arrayFilter(one -> NOT has(calls, (one.8, one.3)), spans) AS tops
            FROM ({calls}) GROUP BY root_id
        )
    )
    GROUP BY root, runs
"""
_BEFORES = """arrayMap(before -> before.1, arrayFilter(
    before -> before.8 = pair.1.8 AND (
        before.2 IN (pair.1.3, pair.2.3)
        OR before.4 = pair.2.4 AND before.6 + (before.6 % 1000 = 0) <= (
            pair.1.7 = 0
            ? (pair.2.4 = pair.1.4 ? pair.1.5 : 0)
            : (pair.1.7 BETWEEN pair.2.5 AND pair.2.6 ? pair.1.7 : 0)
        )
    ), spans))"""
_FRAMEWORKS = """
    SELECT SpanId FROM {table} WHERE SpanAttributes['penstock.step'] = ''
    AND SpanId IN (
        SELECT ParentSpanId FROM {table} WHERE SpanAttributes['penstock.step'] != ''
    )
"""
_ROOTS = """
    SELECT DISTINCT SpanAttributes['penstock.root_id'] AS root_id FROM {table}
    WHERE root_id != '' AND {since} AND ({condition}) LIMIT {{limit:UInt64}}
"""
_SINCE = "Timestamp >= fromUnixTimestamp64Micro({since:Int64})"
_IDS = (
    "TraceId",
    *(f"SpanAttributes['penstock.{key}_id']" for key in ("root", "run", "correlation")),
)
_LINES = """
    SELECT TraceId, SpanId, ParentSpanId, TraceState, SpanName, ServiceName,
        toUnixTimestamp64Nano(Timestamp), Duration,
        StatusCode IN ('Error', 'STATUS_CODE_ERROR'), SpanAttributes,
        ResourceAttributes, Links.SpanId, SpanAttributes['penstock.root_id'] AS root_id
    FROM {table}
    WHERE TraceId IN (
        SELECT TraceId FROM {table}
        WHERE SpanAttributes['penstock.root_id'] IN {{roots:Array(String)}}
    ) AND has(arrayPushBack({{roots:Array(String)}}, ''), root_id) AND {since}
    ORDER BY Timestamp
"""
_COUNT = """
    SELECT count(), countIf(match(TraceState, {sampled:String})) FROM TABLE
    WHERE SpanAttributes['penstock.step'] != ''
"""


def connect(address: str) -> ClickHouseRuns:
    """Return the runs at ``clickhouse://user:password@host:port/database?table=...``.

    The user and the password may also be in ``$CLICKHOUSE_USER`` and
    ``$CLICKHOUSE_PASSWORD``. ``?secure=1`` uses HTTPS.

    Raises:
        ConfigurationError: The address is wrong.
        LogSourceError: The server cannot be reached.
    """
    parts = urlsplit(address)
    options = dict(parse_qsl(parts.query))
    unknown = sorted(options.keys() - {"table", "secure"})
    if not parts.hostname or unknown:
        where = f"its option {unknown[0]!r} is unknown" if unknown else "it has no host"
        msg = (
            f"a clickhouse:// address is wrong: {where}. It reads "
            "clickhouse://host:8123/database?table=otel_traces&secure=1."
        )
        raise ConfigurationError(msg)
    try:
        client = clickhouse_connect.get_client(
            host=parts.hostname,
            port=parts.port or 0,
            username=unquote(parts.username or os.environ.get("CLICKHOUSE_USER", "")),
            password=unquote(
                parts.password or os.environ.get("CLICKHOUSE_PASSWORD", "")
            ),
            database=parts.path.strip("/") or "default",
            secure=options.get("secure", "") not in {"", "0", "false"},
        )
    except Error as exc:
        msg = f"ClickHouse at {parts.hostname} cannot be used: {exc}"
        raise LogSourceError(msg) from exc

    def query(text: str, parameters: Mapping[str, Any]) -> Sequence[Row]:
        try:
            return client.query(text, parameters=dict(parameters)).result_rows
        except Error as exc:
            msg = f"ClickHouse at {parts.hostname} cannot answer: {exc}"
            raise LogSourceError(msg) from exc

    return ClickHouseRuns(query, options.get("table", _TABLE))


class ClickHouseRuns:
    """Stored runs in a table of spans.

    Args:
        query: Runs a query with parameters, and returns rows.
        table: The table.
    """

    def __init__(self, query: Query, table: str = _TABLE) -> None:
        self._query = query
        self._table = ".".join(map(_name, table.split(".")))
        self._layout = FieldLayout({})
        self.counts: ReadCounts = ReadCounts()

    def latest(self, wanted: RunFilter) -> list[StoredRun]:
        """Return the latest runs, the last one first."""
        values: dict[str, Any] = _moments(wanted.since_us)
        conditions = []
        if wanted.flow:
            conditions.append("flow = {flow:String}")
            values["flow"] = wanted.flow
        if wanted.is_failed:
            conditions.append("errors > 0")
        if wanted.slow_ms:
            conditions.append("duration_ms >= {slow_ms:Float64}")
            values["slow_ms"] = wanted.slow_ms
        if wanted.where:
            conditions.append(
                "root_id IN (SELECT SpanAttributes['penstock.root_id'] FROM "
                f"{self._table} WHERE {_has_all(wanted.where, values)})"
            )
        self._count()
        rows = self._query(
            _RUNS.format(calls=self._calls())
            + "".join(f" AND {one}" for one in conditions)
            + " ORDER BY start_us DESC, run_id LIMIT {limit:UInt64}",
            {**values, "limit": wanted.limit},
        )
        return [StoredRun(*row) for row in rows]

    def figures(self, wanted: RunFilter) -> list[StepFigures]:
        """Return the figures of each step, by flow, step and service."""
        values = _moments(wanted.since_us)
        entries = self._query(_ENTRIES.format(calls=self._calls()), values)
        entry_ms: Counter[str] = Counter()
        for flow, *_, total_ms in entries:
            entry_ms[flow] += total_ms
        runs = {tuple(step): number for *step, number, _ in entries}
        self._count()
        rows = self._query(_FIGURES.format(calls=self._calls()), values)
        return [
            _figures(row, entry_ms[row[0]], runs.get(tuple(row[:3]), 0))
            for row in rows
            if wanted.flow in {"", row[0]}
        ]

    def suspects(self, flows: Sequence[FlowInfo]) -> list[str]:
        """Return the root IDs of all operations that may have broken the order."""
        return self.count_clear(flows, OrderCounts.of(flows))

    def count_clear(self, flows: Sequence[FlowInfo], counts: OrderCounts) -> list[str]:
        """Count operations that clearly kept the order; return the roots of others."""
        rules = OrderRules(flows)
        query = _ORDER.format(
            after=_after(rules),
            entrypoints=_array(map(_key, rules.entrypoints)),
            flows=_array(map(_quoted, rules.flows)),
            befores=_BEFORES,
            frameworks=_FRAMEWORKS.format(table=self._table),
            calls=self._calls(),
        )
        self._count()
        unclear = []
        for root_id, runs, number in self._query(query, _moments(None)):
            if root_id:
                unclear.append(root_id)
            for top, keys in runs:
                rules.count_run(counts, _flow(top), map(_step, keys), number)
        return unclear

    def find_operations(self, wanted: Wanted, since_us: int | None) -> list[StoredLine]:
        """Return the spans of the operations that *wanted* belongs to.

        Args:
            wanted: An ID of an operation, run or trace, or the beginning of one; or
                metadata, keys and values, which one span must have in full.
            since_us: Earlier spans are left out.

        Raises:
            LogSourceError: The server cannot answer.
            TooManyRunsError: There are more than ``MAX_OPERATIONS`` operations.
            ConfigurationError: *wanted* is empty.
        """
        needles_of(wanted)  # refuses what is empty
        roots = self._roots_of(wanted, since_us)
        if len(roots) > MAX_OPERATIONS:
            raise too_many(wanted)
        found = list(self.lines_of(roots, since_us))
        self.counts.hits = len(found)
        return found

    def _roots_of(self, wanted: Wanted, since_us: int | None) -> list[str]:
        """Return root IDs; IDs that only begin with *wanted* count if none is equal."""
        values: dict[str, Any] = {"since": since_us or 0, "limit": MAX_OPERATIONS + 1}
        if isinstance(wanted, str):
            values["id"] = wanted
            # Only what is equal is found by the indexes of the table.
            conditions = [
                " OR ".join(f"{one} = {{id:String}}" for one in _IDS),
                " OR ".join(f"startsWith({one}, {{id:String}})" for one in _IDS),
            ]
        else:
            conditions = [_has_all(wanted, values)]
        rows: Sequence[Row] = ()
        for condition in conditions:
            query = _ROOTS.format(table=self._table, since=_SINCE, condition=condition)
            rows = rows or self._query(query, values)
        return [row[0] for row in rows]

    def lines_of(
        self, root_ids: Iterable[str], since_us: int | None = None
    ) -> Iterator[StoredLine]:
        """Yield the spans of operations, with those of frameworks between them."""
        wanted = list(root_ids)
        query = _LINES.format(table=self._table, since=_SINCE)
        for start in range(0, len(wanted), _ROOTS_AT_ONCE):
            roots = wanted[start : start + _ROOTS_AT_ONCE]
            values = {"roots": roots, "since": since_us or 0}
            for row in self._query(query, values):
                yield from lines_of_otlp(_entry(row), self._layout, "clickhouse")

    def _calls(self) -> str:
        return _CALLS.format(table=self._table, since=_SINCE)

    def _count(self) -> None:
        """Count the spans of steps, and see whether others were dropped."""
        query = _COUNT.replace("TABLE", self._table)
        ((spans, sampled),) = self._query(query, {"sampled": SAMPLED.pattern})
        self.counts.hits, self.counts.is_sampled = spans, sampled > 0


def _has_all(where: Mapping[str, str], values: dict[str, Any]) -> str:
    """Return the condition that a span has all these metadata; add its *values*."""
    conditions = []
    for number, (key, value) in enumerate(where.items()):
        values |= {f"key{number}": key, f"value{number}": value}
        name = f"{{key{number}:String}}"
        conditions.append(
            f"{{value{number}:String}} IN (SpanAttributes[{name}], "
            f"SpanAttributes[concat('penstock.', {name})], ResourceAttributes[{name}], "
            f"{name} = 'service' ? ServiceName : '')"
        )
    return " AND ".join(conditions)


def _moments(since_us: int | None) -> dict[str, int]:
    """Return the moments after which spans are read, and after which they count.

    A run has begun at most a day before its last span.
    """
    after = since_us or 0
    return {"since": max(after - _DAY_US, 0), "after": after}


def _figures(row: Row, entry_ms: float, runs: int) -> StepFigures:
    quantiles_ms, total_ms, *times = row[6:]
    share = total_ms / entry_ms if entry_ms else 0.0
    quantiles_ms = tuple(quantiles_ms)
    values: list[Any] = [*row[:6], quantiles_ms, total_ms, share, runs, *times]
    return StepFigures(*values)


def _after(rules: OrderRules) -> str:
    """Return the declared steps, and the alternatives that each comes after."""
    pairs = ", ".join(
        f"{_key(step)}, {_array(_array(map(_key, one)) for one in alternatives)}"
        for step, alternatives in rules.own.items()
    )
    return f"CAST(map({pairs}), 'Map(String, Array(Array(String)))')"


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(values)}]"


def _key(step: tuple[str, str]) -> str:
    return _quoted("\0".join(step))


def _step(key: str) -> tuple[str, str]:
    flow, _, step = key.partition("\0")
    return flow, step


def _flow(key: str) -> str:
    return _step(key)[0]


def _entry(row: Row) -> dict[str, Any]:
    """Return a row as OTLP has it."""
    trace_id, span_id, parent_id, state, name, service = row[:6]
    start_ns, duration_ns, is_error, attributes, resource, links, _ = row[6:]
    span = {
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": parent_id,
        "traceState": state,
        "name": name,
        "startTimeUnixNano": start_ns,
        "endTimeUnixNano": start_ns + duration_ns,
        "attributes": _pairs(attributes),
        "links": [{"spanId": one} for one in links],
        "status": {"code": 2 if is_error else 0},
    }
    of = {"attributes": _pairs({"service.name": service, **resource})}
    return {"resourceSpans": [{"resource": of, "scopeSpans": [{"spans": [span]}]}]}


def _pairs(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": one}} for key, one in values.items()]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _name(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
