"""Show an operation as text: what is known about it, then the tree of its calls."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from penstock.errors import plain
from penstock.runs.trees import is_caller_missing

from .facts import (
    counted,
    duration_us,
    failures_of,
    first_us,
    is_failure,
    label_of,
    last_us,
    outcome_words,
    rfc3339,
    services_of,
    words_for,
)
from .tables import as_table
from .waterfall import Waterfall, logged, unpainted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.runs.operation import (
        Operation,
        OrderJudgement,
        OrderVerdict,
        StoredCall,
    )

    from .facts import Shown
    from .waterfall import Paint

    Fact = tuple[str, str]
    """What is known, and the style to paint it in."""

_STYLES: dict[OrderVerdict, str] = {
    "in order": "",
    "out of order": "bad",
    "unknown": "doubtful",
}
_MAX_NAMED = 10
_HEADING = 11
_COLUMNS = ("run ID", "start", "entry", "outcome", "calls")


def as_text(shown: Shown, width: int = 0, paint: Paint = unpainted) -> str:
    """Return one operation as a tree, several as a list.

    Args:
        shown: What to show.
        width: The columns of the terminal; 0 if it is none.
        paint: Gives text a style: ``bold``, ``bad``, ``doubtful`` or ``dim``.
    """
    if len(shown.operations) != 1:
        return "\n".join(_list(shown.operations, width))
    (operation,) = shown.operations
    return "\n".join(_one(operation, shown, width, paint))


def ended_line(call: StoredCall) -> str:
    """Return one line about a call that has ended."""
    when = "" if call.end_us is None else rfc3339(call.end_us)[11:23]
    where = f"{label_of(call)} ({call.service})" if call.service else label_of(call)
    took = duration_us(call)
    words = "" if took is None else words_for(took)
    outcome = "" if call.outcome == "ok" else outcome_words(call)
    return plain("  ".join(filter(None, (when, where, words, outcome))))


def _list(operations: Sequence[Operation], width: int) -> Iterator[str]:
    yield f"{len(operations)} operations. To see one, name its run ID."
    parts = sum(any(map(is_caller_missing, one.roots[:1])) for one in operations)
    if parts:
        yield f"Of {parts}, the caller is missing: they may be parts of one operation."
    yield ""
    rows = [_row(operation) for operation in operations]
    yield from as_table(_COLUMNS, rows, numbers={"calls"}, width=width)


def _row(operation: Operation) -> tuple[str, ...]:
    start = first_us(operation.calls)
    when = "(time unknown)" if start is None else rfc3339(start)
    calls = f"{len(operation.calls):,}"
    if not operation.roots:
        return operation.root_id, when, "(no call)", "", calls
    entry = operation.roots[0]
    run_id = entry.run_id or operation.root_id
    return run_id, when, label_of(entry), outcome_words(entry), calls


def _one(operation: Operation, shown: Shown, width: int, paint: Paint) -> Iterator[str]:
    judgements = shown.judgements.get(operation, ())
    for name, facts in _facts(operation, judgements, shown.without_order):
        begin = f"{name:<{_HEADING}}"
        for text, style in facts:
            for line in _wrapped(plain(text), width):
                yield f"{begin}{paint(line, style)}".rstrip()
                begin = " " * _HEADING
    waterfall = Waterfall(
        operation, judgements, with_logs=shown.with_logs, width=width, paint=paint
    )
    yield ""
    yield from waterfall.lines()
    if shown.with_logs and operation.lines:
        yield ""
        yield "Lines of this operation outside its calls:"
        for other in operation.lines:
            yield from (f"   {text}" for text in logged(other))
    if waterfall.notes:
        yield ""
        yield from _footnotes(waterfall.notes)


def _facts(
    operation: Operation, judgements: Sequence[OrderJudgement], without_order: str
) -> Iterator[tuple[str, Iterable[Fact]]]:
    calls = operation.calls
    yield "operation", [(operation.root_id, "bold")]
    start, end = first_us(calls), last_us(calls)
    if start is not None and end is not None:
        least = "" if all(call.outcome for call in calls) else "at least "
        begin = rfc3339(operation.roots[0].start_us or start)
        yield "when", [(f"{begin}, {least}{words_for(end - start)} in all", "")]
    if operation.roots:
        yield "outcome", [_outcome(operation.roots[0])]
    yield "calls", [(_calls(operation), "")]
    yield "failed", _failures(operation)
    yield "missing", ((gap, "doubtful") for gap in operation.gaps)
    hosts = {call.host for call in calls if call.host}
    if len(hosts) > 1:
        yield "clocks", [(f"{len(hosts)} hosts, each with its own clock", "")]
    yield "order", _order(judgements, without_order)


def _outcome(entry: StoredCall) -> Fact:
    outcome = outcome_words(entry)
    style = "bad" if is_failure(entry) else "" if entry.outcome else "doubtful"
    if entry.parent_call_id:
        outcome += f" ({label_of(entry)}, whose caller is missing)"
    return outcome, style


def _calls(operation: Operation) -> str:
    calls = counted(len(operation.calls), "call")
    services = ", ".join(services_of(operation))
    return f"{calls} in {services}" if services else calls


def _failures(operation: Operation) -> Iterator[Fact]:
    failures = failures_of(operation)
    for (label, service, error), number in failures.most_common(_MAX_NAMED):
        where = f"{label} ({service})" if service else label
        times = f", {number} times" if number > 1 else ""
        yield f"{where}: {error or 'error'}{times}", "bad"
    if len(failures) > _MAX_NAMED:
        yield f"… and {len(failures) - _MAX_NAMED} more", "bad"


def _order(judgements: Sequence[OrderJudgement], without_order: str) -> Iterator[Fact]:
    if not judgements:
        reason = without_order or "no run of a flow is stored"
        yield f"unknown, because {reason}", "doubtful"
    for (verdict, text), number in Counter(map(_verdict, judgements)).items():
        yield f"{text} ({number} runs)" if number > 1 else text, _STYLES[verdict]


def _verdict(judgement: OrderJudgement) -> tuple[OrderVerdict, str]:
    text = f"{judgement.flow}: {judgement.verdict}"
    if judgement.reasons:
        text += ", because " if judgement.verdict == "unknown" else ": "
    return judgement.verdict, text + "; ".join(judgement.reasons)


def _wrapped(text: str, width: int) -> list[str]:
    if not width:
        return [text]
    room = max(width - _HEADING, 1)
    return textwrap.wrap(text, room, break_on_hyphens=False) or [""]


def _footnotes(notes: Sequence[str]) -> Iterator[str]:
    for number, note in enumerate(notes[:_MAX_NAMED], 1):
        yield f"[{number}] {plain(note)}"
    if len(notes) > _MAX_NAMED:
        yield f"… and {len(notes) - _MAX_NAMED} more"
