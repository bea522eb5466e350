"""What is known about an operation as a whole, and its footnotes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .facts import (
    counted,
    failures_of,
    first_us,
    is_failure,
    label_of,
    last_us,
    operation_outcome,
    rfc3339,
    services_of,
    words_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.runs.operation import (
        Operation,
        OrderJudgement,
        OrderVerdict,
    )

    Fact = tuple[str, str]
    """What is known, and its style: ``bold``, ``bad``, ``doubtful`` or none."""

_STYLES: dict[OrderVerdict, str] = {
    "in order": "",
    "out of order": "bad",
    "unknown": "doubtful",
}
_MAX_NAMED = 10


def header_of(
    operation: Operation, judgements: Sequence[OrderJudgement], without_order: str
) -> Iterator[tuple[str, Iterable[Fact]]]:
    """Yield names and the facts below them, if there are any."""
    calls = operation.calls
    yield "operation", [(operation.root_id, "bold")]
    start, end = first_us(calls), last_us(calls)
    if start is not None and end is not None:
        least = "" if all(call.outcome for call in calls) else "at least "
        begin = rfc3339(operation.roots[0].start_us or start)
        yield "when", [(f"{begin}, {least}{words_for(end - start)} in all", "")]
    yield "outcome", _outcome(operation)
    yield "calls", [(_calls(operation), "")]
    yield "failed", _failures(operation)
    yield "missing", ((gap, "doubtful") for gap in operation.gaps)
    hosts = {call.host for call in calls if call.host}
    if len(hosts) > 1:
        yield "clocks", [(f"{len(hosts)} hosts, each with its own clock", "")]
    yield "order", _order(judgements, without_order)


def _outcome(operation: Operation) -> Iterator[Fact]:
    words, call = operation_outcome(operation)
    if call is None:
        return
    if call.parent_call_id and call.parent is None:
        words += f" ({label_of(call)}, whose caller is missing)"
    yield words, "bad" if is_failure(call) else "" if call.outcome else "doubtful"


def _calls(operation: Operation) -> str:
    calls = counted(len(operation.calls), "call")
    services = ", ".join(services_of(operation))
    return f"{calls} in {services}" if services else calls


def _failures(operation: Operation) -> Iterator[Fact]:
    failures = failures_of(operation)
    for (label, service, error, redone), number in failures.most_common(_MAX_NAMED):
        where = f"{label} ({service})" if service else label
        times = f", {number} times" if number > 1 else ""
        again = f" {redone} was" if redone != label else ""
        ok = f", ok when{again} called again" if redone else ""
        yield f"{where}: {error or 'error'}{times}{ok}", "bad"
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


def footnotes(notes: Sequence[str]) -> Iterator[str]:
    """Yield the notes with their numbers."""
    for number, note in enumerate(notes[:_MAX_NAMED], 1):
        yield f"[{number}] {note}"
    if len(notes) > _MAX_NAMED:
        yield f"… and {len(notes) - _MAX_NAMED} more"
