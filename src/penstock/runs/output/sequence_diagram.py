"""Draw an operation as a sequence diagram, in Mermaid's language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.errors import plain
from penstock.renderers.mermaid import escape_text

from .facts import (
    calls_out_of_order,
    counted,
    duration_us,
    is_failure,
    label_of,
    outcome_words,
    sent_words,
    services_of,
    words_for,
)
from .folding import Folding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.runs.operation import Operation, OrderJudgement, StoredCall

    from .folding import Group

_MAX_TEXT = 45_000
"""Mermaid's default is to draw nothing with more than 50,000 characters."""

_MAX_COLUMNS = 40
_LONGEST = 200
"""An ID or a name may be as long as a line of a log."""

_INDENT = "    "


def as_sequence_diagram(
    operation: Operation, judgements: Sequence[OrderJudgement]
) -> str:
    """Return Mermaid's text for *operation*."""
    diagram = _Sequence(operation, judgements)
    return "\n".join(("sequenceDiagram", *(_INDENT + one for one in diagram.lines())))


class _Sequence:
    """The lines of one diagram."""

    def __init__(
        self, operation: Operation, judgements: Sequence[OrderJudgement]
    ) -> None:
        self._operation = operation
        self._broken = calls_out_of_order(judgements)
        self._folding = Folding(operation.calls, self._broken)
        has_services = len(services_of(operation)) > 1
        self._name_of = _service_of if has_services else _flow_of
        names = [*dict.fromkeys(map(self._name_of, operation.calls))] or ["(no call)"]
        self._columns = names[:_MAX_COLUMNS]
        if len(names) > _MAX_COLUMNS:
            self._columns.append(f"({len(names) - _MAX_COLUMNS:,} more)")
        self._ids = {
            name: f"p{min(number, len(self._columns))}"
            for number, name in enumerate(names, 1)
        }

    def lines(self) -> Iterator[str]:
        """Yield every line but the first."""
        head = [f"title {_text(self._operation.root_id)}"]
        for number, name in enumerate(self._columns, 1):
            head.append(f"participant p{number} as {_text(name)}")
        yield from head
        size, drawn = _size(head), 0
        # A group is there twice: first for its calls, then for their ends.
        waiting = [(one, False) for one in self._folding.groups(self._operation.roots)]
        waiting.reverse()
        while waiting:
            group, has_begun = waiting.pop()
            lines = [*(self._end(group) if has_begun else self._begin(group))]
            size += _size(lines)
            if size > _MAX_TEXT:
                rest = len(self._operation.calls) - drawn
                yield _note("p1", counted(rest, "more call"))
                return
            yield from lines
            if not has_begun:
                drawn += len(group)
                waiting.append((group, True))
                below = self._folding.below(group)
                waiting += [(one, False) for one in reversed(below)]

    def _begin(self, group: Group) -> Iterator[str]:
        call = group[0]
        here, there = self._ends(call)
        text = label_of(call)
        if len(group) > 1:
            text += f" × {len(group):,}"
        if call.parent is None:
            yield _note(here, f"{text}: {_ending(call)}")
        elif call.sent_at_us is not None:
            if call.outcome == "ok":
                text += f", {_ending(call)}"
            if call.start_us is not None:
                text += f", {sent_words(call.start_us - call.sent_at_us)}"
            yield f"{there}-){here}: {_text(text)}"
        elif here == there and call.outcome == "ok":
            yield f"{here}->>{here}: {_text(f'{text}, {_ending(call)}')}"
        else:
            yield f"{there}->>{here}: {_text(text)}"
        if call in self._broken:
            yield _note(here, f"{label_of(call)} is out of order")
        for doubt in call.doubts:
            yield _note(here, f"{label_of(call)}: {doubt}")

    def _end(self, group: Group) -> Iterator[str]:
        call = group[0]
        here, there = self._ends(call)
        if call.parent is None:
            return
        if not call.outcome:
            yield _note(here, f"{label_of(call)}: no end")
        elif call.sent_at_us is not None:
            if is_failure(call):
                yield _note(here, f"{label_of(call)}: {_ending(call)}")
        elif is_failure(call):
            yield f"{here}--x{there}: {_text(_ending(call))}"
        elif here != there or call.outcome != "ok":
            yield f"{here}-->>{there}: {_text(_ending(call))}"

    def _ends(self, call: StoredCall) -> tuple[str, str]:
        """Return where *call* ran, and where its caller did."""
        here = self._ids[self._name_of(call)]
        caller = call.parent
        return here, here if caller is None else self._ids[self._name_of(caller)]


def _ending(call: StoredCall) -> str:
    """Return how a call ended and after how long, without saying ``ok``."""
    took = duration_us(call)
    outcome = outcome_words(call) if call.outcome != "ok" else ""
    parts = (outcome, "" if took is None else words_for(took))
    return ", ".join(filter(None, parts)) or "ok"


def _service_of(call: StoredCall) -> str:
    return call.service or "(unknown service)"


def _flow_of(call: StoredCall) -> str:
    return call.flow


def _note(where: str, text: str) -> str:
    return f"Note over {where}: {_text(text)}"


def _text(text: str) -> str:
    """Return *text* as Mermaid shows it; of a very long one the beginning."""
    shown = plain(text)
    return escape_text(shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…")


def _size(lines: Iterable[str]) -> int:
    return sum(len(line) + len(_INDENT) + 1 for line in lines)
