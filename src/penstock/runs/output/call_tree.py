"""The tree of calls that every drawing of an operation shows, row by row."""

from __future__ import annotations

from heapq import merge
from statistics import median_low
from typing import TYPE_CHECKING, NamedTuple

from penstock.errors import plain
from penstock.runs.lines import StoredLine

from .facts import (
    calls_out_of_order,
    counted,
    duration_us,
    is_failure,
    repeats_in,
    rfc3339,
    sent_words,
    words_for,
)
from .folding import Folding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.runs.operation import Operation, OrderJudgement

    from .folding import Group

_MAX_CALLS = 10_000
_EXCEPTION = ("exception.type", "exception.message")
_TRACEBACK = ("exception.stacktrace", "exception", "exc_info")
"""The keys of penstock.JSONFormatter, of structlog and of python-json-logger."""

_USUAL = ("", "ok", "closed")


class TreeRow(NamedTuple):
    """A group of calls, another line, or how many calls are left out.

    Attributes:
        content: What it is about.
        depth: How many calls are above it.
        before: The branches of the tree that lead to it.
        below: What further lines about it begin with.
        marks: What is special about the calls, each with its style.
    """

    content: Group | StoredLine | str
    depth: int = 0
    before: str = ""
    below: str = ""
    marks: Sequence[tuple[str, str]] = ()


class CallTree:
    """The calls of one operation as a tree.

    Args:
        operation: The operation.
        judgements: The verdicts on its order.
        with_logs: Whether other lines are below their call.
        max_depth: Rows that are deeper begin with a number instead of branches.
    """

    def __init__(
        self,
        operation: Operation,
        judgements: Sequence[OrderJudgement],
        *,
        with_logs: bool,
        max_depth: int,
    ) -> None:
        self._calls = operation.calls
        self._roots = operation.roots
        self._broken = calls_out_of_order(judgements)
        self._repeats = repeats_in(operation)
        self._with_logs = with_logs
        self._max_depth = max_depth
        apart = {call for call in self._calls if with_logs and call.lines}
        self._folding = Folding(self._calls, self._broken | apart)
        self._notes: dict[str, int] = {}

    @property
    def notes(self) -> list[str]:
        """The footnotes that the rows refer to, once these have been made."""
        return list(self._notes)

    def rows(self) -> Iterator[TreeRow]:
        """Yield every row."""
        drawn = rows = 0
        waiting = [(_items(self._folding.groups(self._roots)), "")]
        while waiting:
            items, indent = waiting[-1]
            if not items:
                waiting.pop()
                continue
            content, branch, below = items.pop()
            depth = len(waiting) - 1
            if isinstance(content, StoredLine):
                yield TreeRow(content, depth, indent + branch)
                continue
            if rows == _MAX_CALLS:
                rest = counted(len(self._calls) - drawn, "more call")
                yield TreeRow(f"… and {rest}")
                return
            rows, drawn = rows + 1, drawn + len(content)
            if depth == 0:
                branch = below = ""
            elif depth > self._max_depth:  # no room to indent
                branch, below, indent = f"[{depth}] ", "", ""
            marks = list(self._marks(content))
            yield TreeRow(content, depth, indent + branch, indent + below, marks)
            waiting.append((self._items_below(content), indent + below))

    def _items_below(self, group: Group) -> list[_Item]:
        groups = self._folding.below(group)
        lines = group[0].lines if self._with_logs else []
        # Calls keep their order, whatever the clocks say, so this is no sort.
        return _items(merge(groups, lines, key=_place))

    def _marks(self, group: Group) -> Iterator[tuple[str, str]]:
        call = group[0]
        if len(group) > 1:
            yield _statistics(group), "bold"
        elif call in self._repeats:
            yield f"call {self._repeats[call]} after a failure", "doubtful"
        if is_failure(call):
            yield plain(f"✗ {call.error_type or 'error'}"), "bad"
        elif call.outcome not in _USUAL:
            yield plain(call.outcome), "doubtful"
        if call in self._broken:
            yield "out of order", "bad"
        if call.sent_at_us is not None and call.start_us is not None:
            yield sent_words(call.start_us - call.sent_at_us), "dim"
        if call.first_item_us is not None and call.start_us is not None:
            first = words_for(call.first_item_us - call.start_us)
            yield f"first item after {first}", "dim"
        for doubt in call.doubts:
            number = self._notes.setdefault(doubt, len(self._notes) + 1)
            yield f"[{number}]", "doubtful"


def logged(line: StoredLine) -> list[str]:
    """Return another line of a log; below it is its traceback, if it has one."""
    known = line.fields
    clock = "" if line.time_us is None else rfc3339(line.time_us)[11:23]
    names = (clock, known.get("level", ""), known.get("logger", ""))
    begin = " ".join(filter(None, names))
    facts = (known.get("message"), *map(line.extra.get, _EXCEPTION))
    text = ": ".join((begin, *(str(one) for one in facts if one)))
    traces = map(line.extra.get, _TRACEBACK)
    trace = next((one for one in traces if isinstance(one, str)), "")
    return [plain(text), *(f"  {plain(one)}" for one in trace.splitlines())]


class _Item(NamedTuple):
    """What is drawn below a call: calls that it made, or another line of the log."""

    content: Group | StoredLine
    branch: str = ""
    below: str = ""


def _items(contents: Iterable[Group | StoredLine]) -> list[_Item]:
    """Return *contents* with their branches, the last first."""
    contents = list(contents)
    has_calls = not all(isinstance(one, StoredLine) for one in contents)
    last = len(contents) - 1 if has_calls else -1
    found = []
    for at, content in enumerate(contents):
        below = "│  " if at < last else "   "
        if not isinstance(content, StoredLine):
            found.append(_Item(content, "├─ " if at < last else "└─ ", below))
        else:  # the bar shows whose line it is, below what other calls have written
            found.append(_Item(content, "│  " if at <= last else "   "))
    return found[::-1]


def _place(content: Group | StoredLine) -> int:
    """Return when it happened, as the caller of a call saw it."""
    if isinstance(content, StoredLine):
        return content.time_us or 0
    call = content[0]
    return call.sent_at_us or call.start_us or call.end_us or 0


def _statistics(group: Group) -> str:
    took = [one for call in group if (one := duration_us(call)) is not None]
    number = f"× {len(group):,}"
    if not took:
        return number
    return f"{number}, p50 {words_for(median_low(took))}, max {words_for(max(took))}"
