"""Let DuckDB count the operations that clearly kept the declared order.

What is clear is decided more strictly than in ``judging``, which judges the rest: a
predecessor has made the call, or had ended by the clock of its own process when the
call was made or sent, or was made by the same message. Of all other operations the root
ID is returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .declared_order import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock._types import FlowInfo

    from .operation import OrderVerdict
    from .order_counts import OrderCounts

    Query = Callable[[str], list[tuple[Any, ...]]]

__all__ = ["OrderQueries"]

_CALLS_AT_ONCE = 500_000

# Each clock is that of a host, or where its name is unknown of a process. A time that
# has milliseconds only cannot tell what happened in the same one.
_CALLS = """
    CREATE TEMP TABLE order_calls AS WITH {calls},
    found AS (
        SELECT hash(call_id) AS call,
            any_value(CASE WHEN parent IS NOT NULL THEN hash(parent) END) AS parent,
            any_value(hash(root_id)) AS root, bool_or(call_id IS NOT NULL) AS is_call,
            any_value(hash(coalesce(run_id, correlation_id))) AS run,
            any_value(call_id = run_id) AS is_entry, any_value(flow) AS flow,
            any_value(step) AS step, any_value(service) AS service,
            any_value(hash(host, coalesce(
                pid, regexp_replace(call_id, '(.)-[^-]*$', '\\1')
            ))) AS clock, any_value(hash(service, host, pid)) AS place,
            any_value(epoch_us(TRY_CAST(sent_at AS TIMESTAMPTZ))) AS sent_us,
            coalesce(min(event_us) FILTER (is_start), min(start_us)) AS start_us,
            max(event_us) FILTER (NOT is_start) AS end_us,
            max(duration_ms) AS duration_ms, bool_or(is_start) AS is_begun,
            bool_or(NOT is_own) AS is_inner, bool_or(is_whole) AS is_whole,
            count(*) FILTER (is_own) AS lines
        FROM events WHERE root_id IS NOT NULL OR call_id IS NULL GROUP BY hash(call_id)
    )
    SELECT is_call, root, run, call, parent,
        coalesce(is_entry, false) AS is_entry, is_whole, flow, step,
        hash(flow, step) AS key, hash(service || '/' || flow, step) AS away_key,
        clock, place, start_us, end_us, sent_us, lines,
        is_begun OR is_inner AS has_start,
        coalesce(
            is_begun AND duration_ms * 1000 > end_us - start_us + 2000, false
        ) AS is_set_back
    FROM found WHERE flow IS NOT NULL AND step IS NOT NULL OR NOT is_call
"""
_SIZE = """
    SELECT count(*), sum(lines) FILTER (is_call), sum(lines) FILTER (NOT is_call)
    FROM order_calls
"""
_DECLARED = """
    CREATE OR REPLACE TEMP TABLE declared AS
    SELECT flow, step, hash(flow, step) AS key
    FROM (VALUES {steps}) AS d(flow, step)
"""
_RULES = """
    CREATE OR REPLACE TEMP TABLE rules AS
    SELECT flow, step, hash(flow, step) AS key, alternative, label,
        hash(before_flow, before) AS required, before_flow <> flow AS is_other
    FROM (VALUES {rules}) AS r(flow, step, alternative, label, before_flow, before)
"""
_PART = """
    CREATE OR REPLACE TEMP TABLE part AS
    SELECT * FROM order_calls WHERE is_call AND root % {parts} = {part}
"""
# A run of a flow, as it is judged: with the calls of other flows' steps only if it has
# no entry call, or if messages have brought all of them. Other doubtful ones are odd.
# Lines are missing if a call has no start, no end or no caller; a caller may be missing
# from any run of the operation.
_RUNS = """
    CREATE OR REPLACE TEMP TABLE judged_runs AS
    WITH RECURSIVE torn AS (
        SELECT DISTINCT one.root FROM part AS one
        ANTI JOIN part AS caller ON caller.call = one.parent AND caller.root = one.root
        WHERE one.parent IS NOT NULL
    ),
    runs AS (
        SELECT root, run, any_value(flow) FILTER (is_entry) AS entry_flow,
            any_value(clock) FILTER (is_entry) AS entry_clock,
            any_value(place) FILTER (is_whole) AS whole_place
        FROM part GROUP BY root, run
    ),
    callers AS (
        SELECT root, run, flow, call, parent, clock <> entry_clock AS is_away,
            sent_us IS NOT NULL AS is_sent
        FROM part JOIN runs USING (root, run) WHERE flow <> entry_flow
        UNION
        SELECT root, run, callers.flow, callers.call, above.parent,
            callers.is_away OR above.clock <> entry_clock, above.sent_us IS NOT NULL
        FROM callers JOIN runs USING (root, run) JOIN part AS above USING (root, run)
        WHERE above.call = callers.parent AND NOT is_sent AND NOT above.is_entry
    ),
    other_flows AS (
        SELECT root, run, flow, bool_and(is_sent) AS is_sent,
            bool_or(is_sent OR is_away) AS is_away
        FROM (
            SELECT root, run, flow, call, bool_or(is_sent) AS is_sent,
                bool_or(is_away) AS is_away
            FROM callers GROUP BY ALL
        ) GROUP BY ALL
    )
    SELECT part.root, part.run, part.flow, entry_flow,
        entry_flow IS NULL OR entry_flow = part.flow OR coalesce(is_sent, false)
            AS is_judged,
        coalesce(is_away AND NOT is_sent, false) AS is_odd,
        bool_or(
            torn.root IS NOT NULL OR end_us IS NULL OR start_us IS NULL OR is_set_back
            OR NOT (has_start OR coalesce(whole_place = part.place, false))
        ) AS has_gap,
        bool_or(declared.key IS NULL) AS is_undeclared
    FROM part JOIN runs USING (root, run) LEFT JOIN torn ON torn.root = part.root
    LEFT JOIN declared ON declared.key = part.key
    LEFT JOIN other_flows ON other_flows.root = part.root
        AND other_flows.run = part.run AND other_flows.flow = part.flow
    GROUP BY ALL
"""
_PAIRS = """
    CREATE OR REPLACE TEMP TABLE pairs AS
    WITH judged AS (
        SELECT one.root, one.run, one.call, one.key, one.is_entry, one.parent,
            caller.parent AS above, caller.clock AS caller_clock,
            above.clock AS above_clock, one.clock,
            one.start_us AS begun_us, one.sent_us AS message_us,
            CASE WHEN one.sent_us IS NULL AND one.clock =
                coalesce(caller.clock, one.clock) THEN one.start_us END AS start_us,
            CASE WHEN one.sent_us BETWEEN caller.start_us AND caller.end_us
                THEN one.sent_us END AS sent_us,
            CASE WHEN caller.sent_us BETWEEN above.start_us AND above.end_us
                THEN caller.sent_us END AS caller_sent_us
        FROM part AS one
        JOIN judged_runs AS its ON its.root = one.root AND its.run = one.run
            AND its.flow = one.flow
        LEFT JOIN part AS caller ON caller.call = one.parent AND caller.root = one.root
        LEFT JOIN part AS above
            ON above.call = caller.parent AND above.root = caller.root
        WHERE its.is_judged AND NOT its.has_gap
            AND one.key IN (SELECT key FROM rules)
    ),
    befores AS (
        SELECT root, run, call, key, clock, parent, sent_us, {end_us} AS end_us
        FROM part{away}
    )
    SELECT judged.root, judged.call, rules.key, any_value(is_entry) AS is_entry,
        alternative, label, any_value(is_other) AS is_other,
        bool_or(before.call IS NOT NULL) AS has_run,
        coalesce(bool_or(
            before.call IN (judged.parent, judged.above)
            OR before.clock = judged.clock AND before.end_us <= judged.start_us
            OR before.clock = caller_clock AND before.end_us <= judged.sent_us
            OR before.clock = above_clock AND before.end_us <= caller_sent_us
            OR before.clock = judged.clock AND before.end_us <= begun_us
                AND before.sent_us = message_us AND before.parent = judged.parent
        ), false) AS is_before
    FROM judged JOIN rules ON rules.key = judged.key
    LEFT JOIN befores AS before ON before.root = judged.root
        AND before.key = required AND (before.run = judged.run OR is_other)
    GROUP BY judged.root, judged.call, rules.key, alternative, label
"""
_END_US = "end_us + CASE WHEN end_us % 1000 = 0 THEN 1 ELSE 0 END"
_AWAY = """
        UNION ALL
        SELECT root, run, call, away_key, clock, parent, sent_us, {end_us} FROM part"""
_SUSPECTS = """
    CREATE OR REPLACE TEMP TABLE suspects AS
    WITH alternatives AS (
        SELECT root, call, bool_and(is_before OR is_other OR is_entry) AS holds,
            bool_or(has_run AND NOT is_before) AS is_odd
        FROM pairs GROUP BY root, call, alternative
    )
    SELECT DISTINCT root FROM (
        SELECT root FROM alternatives
        GROUP BY root, call HAVING NOT bool_or(holds) OR bool_or(is_odd)
        UNION ALL SELECT root FROM judged_runs WHERE is_odd
    )
"""
_STEPS = """
    SELECT CASE WHEN is_judged THEN flow ELSE entry_flow END, flow, step, count(*),
        count(*) FILTER (is_entry)
    FROM part JOIN judged_runs USING (root, run, flow)
    WHERE root NOT IN (FROM suspects) GROUP BY ALL ORDER BY ALL
"""
_VERDICTS = """
    SELECT flow, has_gap OR is_undeclared, count(*) FROM judged_runs
    WHERE is_judged AND root NOT IN (FROM suspects) GROUP BY ALL
"""
_EDGES = """
    SELECT flow, label, step, count(DISTINCT hash(root, call)) FROM pairs
    JOIN (SELECT DISTINCT flow, step, key FROM rules) USING (key)
    WHERE is_before AND root NOT IN (FROM suspects) GROUP BY ALL
"""
_ROOTS = "SELECT DISTINCT root_id FROM {lines} WHERE hash(root_id) IN (FROM suspects)"


class OrderQueries:
    """The calls of a source, ready to be counted by any declaration.

    Args:
        query: Runs a query in DuckDB.
        lines: The table of the lines.
        calls: The common table expressions that find the events of calls.
    """

    def __init__(self, query: Query, lines: str, calls: str) -> None:
        self._query = query
        self._lines = lines
        query(_CALLS.format(calls=calls))
        ((size, lines, left_out),) = query(_SIZE)
        self._parts = size // _CALLS_AT_ONCE + 1
        self.lines: int = int(lines or 0)
        self.left_out: int = int(left_out or 0)

    def count_clear(self, flows: Sequence[FlowInfo], counts: OrderCounts) -> list[str]:
        """Count what clearly kept the order; return the roots of all others."""
        self._declare(flows)
        has_away = any("/" in before[0] for *_, before in rules_of(flows))
        pairs = _PAIRS.format(
            end_us=_END_US, away=_AWAY.format(end_us=_END_US) if has_away else ""
        )
        found: list[str] = []
        for part in range(self._parts):
            self._query(_PART.format(parts=self._parts, part=part))
            for query in (_RUNS, pairs, _SUSPECTS):
                self._query(query)
            self._count(counts)
            roots = self._query(_ROOTS.format(lines=self._lines))
            found += (root_id for (root_id,) in roots)
        return found

    def _declare(self, flows: Sequence[FlowInfo]) -> None:
        steps = [(step.flow, step.name) for flow in flows for step in flow.steps]
        rules = [(*rest, *before) for *rest, before in rules_of(flows)]
        nothing = (("",) * 2, ("", "", 0, "", "", ""))  # VALUES needs a row
        self._query(_DECLARED.format(steps=_listed([*steps, nothing[0]])))
        self._query(_RULES.format(rules=_listed([*rules, nothing[1]])))

    def _count(self, counts: OrderCounts) -> None:
        for of, flow, step, calls, entries in self._query(_STEPS):
            counts.count_calls(of, flow, step, calls)
            counts.flow(flow).runs += entries
        for flow, is_unknown, runs in self._query(_VERDICTS):
            verdict: OrderVerdict = "unknown" if is_unknown else "in order"
            counts.count_verdict(flow, verdict, runs)
        for flow, before, step, calls in self._query(_EDGES):
            counts.flow(flow).count_edge((before, step), witnessed=calls)


def _listed(rows: Sequence[tuple[object, ...]]) -> str:
    return ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)


def _literal(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    escaped = str(value).replace("'", "''")
    return f"'{escaped}'"
