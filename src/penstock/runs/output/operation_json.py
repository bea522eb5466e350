"""Write operations as JSON, for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .facts import deciding_call, duration_us, first_us, last_us, rfc3339, services_of

if TYPE_CHECKING:
    from penstock.runs.lines import ReadCounts, StoredLine
    from penstock.runs.operation import Operation, OrderJudgement, StoredCall

    from .facts import Shown

_NAMES = (
    "flow",
    "step",
    "service",
    "host",
    "process",
    "call_id",
    "run_id",
    "correlation_id",
    "parent_id",
    "parent_call_id",
    "parent_step",
    "outcome",
    "error_type",
)
_US_PER_MS = 1000
_SEP = ",\n"


def as_json(shown: Shown, counts: ReadCounts) -> str:
    """Return the operations as one JSON object; what is not known is left out.

    Each call is on a line of its own: to indent them would take five times as long.
    """
    found = _SEP.join(_operation(one, shown) for one in shown.operations)
    read = {
        "files": counts.files,
        "lines": counts.hits,
        "skipped": counts.skipped,
        "unread": counts.unread,
    }
    return f'{{"operations": [{found}],\n"read": {json.dumps(read)}}}'


def _operation(operation: Operation, shown: Shown) -> str:
    calls = operation.calls
    numbers = {call: number for number, call in enumerate(calls)}
    judgements = shown.judgements.get(operation, ())
    decides = deciding_call(operation)
    found: dict[str, Any] = {
        "root_id": operation.root_id,
        "start": _time(first_us(calls)),
        "end": _time(last_us(calls)),
        "outcome": None if decides is None else decides.outcome,
        "services": services_of(operation),
        "gaps": operation.gaps,
        "order": [_judgement(one, numbers) for one in judgements],
    }
    rows = {"calls": [_call(one, numbers, with_logs=shown.with_logs) for one in calls]}
    if shown.with_logs:
        rows["lines"] = [json.dumps(_line(line)) for line in operation.lines]
    pairs = [f'"{key}": {json.dumps(value)}' for key, value in _known(found).items()]
    pairs += [f'"{key}": [\n{_SEP.join(each)}]' for key, each in _known(rows).items()]
    return f"{{{_SEP.join(pairs)}}}"


def _call(call: StoredCall, numbers: dict[StoredCall, int], *, with_logs: bool) -> str:
    took = duration_us(call)
    found: dict[str, Any] = {name: getattr(call, name) for name in _NAMES}
    found["parent"] = None if call.parent is None else numbers[call.parent]
    found["sent_at"] = _time(call.sent_at_us)
    found["start"] = _time(call.start_us)
    found["first_item"] = _time(call.first_item_us)
    found["end"] = _time(call.end_us)
    found["duration_ms"] = None if took is None else took / _US_PER_MS
    found["doubts"] = call.doubts
    if with_logs:
        found["lines"] = [_line(line) for line in call.lines]
    return json.dumps(_known(found))


def _judgement(
    judgement: OrderJudgement, numbers: dict[StoredCall, int]
) -> dict[str, Any]:
    found = {
        "flow": judgement.flow,
        "run_id": judgement.run_id,
        "verdict": judgement.verdict,
        "reasons": judgement.reasons,
        "edges": judgement.edges,
        "calls": [numbers[call] for call in judgement.calls],
    }
    return _known(found)


def _line(line: StoredLine) -> dict[str, Any]:
    return {**line.extra, **line.fields, "timestamp": _time(line.time_us)}


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else rfc3339(time_us)


def _known(found: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in found.items() if value not in (None, "", [], ())
    }
