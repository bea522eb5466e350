"""Show an operation as text: what is known about it, then the tree of its calls."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from penstock.backends.log_fields import short
from penstock.errors import plain
from penstock.runs.trees import is_caller_missing

from .call_tree import logged
from .facts import (
    counted,
    duration_us,
    first_us,
    label_of,
    operation_outcome,
    outcome_words,
    rfc3339,
    words_for,
)
from .header import footnotes, header_of
from .tables import as_table
from .waterfall import Waterfall, unpainted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.runs.operation import Operation, StoredCall

    from .facts import Shown
    from .waterfall import Paint


_HEADING = 11
_COLUMNS = ("start", "entry", "outcome", "calls")


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
    ids = [short(one.root_id) for one in operations]
    kind = "ID"
    if len({*ids}) < len(ids):
        ids = [one.roots[0].run_id if one.roots else "" for one in operations]
        kind = "run ID"
    yield f"{len(operations)} operations. To see one, name its {kind}."
    parts = sum(any(map(is_caller_missing, one.roots[:1])) for one in operations)
    if parts:
        yield f"Of {parts}, the caller is missing: they may be parts of one operation."
    yield ""
    rows = [
        (given or one.root_id, *_row(one))
        for given, one in zip(ids, operations, strict=True)
    ]
    yield from as_table((kind, *_COLUMNS), rows, numbers={"calls"}, width=width)


def _row(operation: Operation) -> tuple[str, ...]:
    start = first_us(operation.calls)
    when = "(time unknown)" if start is None else rfc3339(start)
    calls = f"{len(operation.calls):,}"
    if not operation.roots:
        return when, "(no call)", "", calls
    entry = operation.roots[0]
    return when, label_of(entry), operation_outcome(operation)[0], calls


def _one(operation: Operation, shown: Shown, width: int, paint: Paint) -> Iterator[str]:
    judgements = shown.judgements.get(operation, ())
    for name, facts in header_of(operation, judgements, shown.without_order):
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
    if operation.lines and not (operation.calls or shown.with_logs):
        yield f"{counted(len(operation.lines), 'line')} outside the steps: add --logs"
    if shown.with_logs and operation.lines:
        yield ""
        yield "Lines of this operation outside its calls:"
        for other in operation.lines:
            yield from (f"   {text}" for text in logged(other))
    if waterfall.notes:
        yield ""
        yield from (plain(note) for note in footnotes(waterfall.notes))


def _wrapped(text: str, width: int) -> list[str]:
    if not width:
        return [text]
    room = max(width - _HEADING, 1)
    return textwrap.wrap(text, room, break_on_hyphens=False) or [""]
