"""Draw calls as a tree; beside each is how long it took, and a bar for when."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import merge
from statistics import median_low
from typing import TYPE_CHECKING, NamedTuple

from penstock.errors import plain
from penstock.renderers.terminal.canvas import width_of
from penstock.runs.lines import StoredLine

from .facts import (
    calls_out_of_order,
    counted,
    duration_us,
    first_us,
    is_failure,
    label_of,
    last_us,
    repeats_in,
    rfc3339,
    sent_words,
    words_for,
)
from .folding import Folding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from penstock.runs.operation import Operation, OrderJudgement

    from .folding import Group

    Paint = Callable[[str, str], str]
    """Gives text a style; ``""`` is none."""

_MAX_CALLS = 10_000
_INDENT = 3
_MIN_DEPTH = 4
_SPACE_FOR_LABEL = 16
_GAP = "  "
_DURATION = 10
_BESIDE = 2 * len(_GAP) + _DURATION
_MIN_BAR, _MAX_BAR = 10, 40
_NOT_A_TERMINAL = 120
_EXCEPTION = ("exception.type", "exception.message")
_USUAL = ("", "ok", "closed")


def unpainted(text: str, _style: str) -> str:
    """Return *text* as it is."""
    return text


def logged(line: StoredLine) -> list[str]:
    """Return another line of a log; below it is its traceback, if it has one."""
    known = line.fields
    clock = "" if line.time_us is None else rfc3339(line.time_us)[11:23]
    names = (clock, known.get("level", ""), known.get("logger", ""))
    begin = " ".join(filter(None, names))
    facts = (known.get("message"), *map(line.extra.get, _EXCEPTION))
    text = ": ".join((begin, *(str(one) for one in facts if one)))
    trace = str(line.extra.get("exception.stacktrace", ""))
    return [plain(text), *(f"  {plain(one)}" for one in trace.splitlines())]


class _Item(NamedTuple):
    """What is drawn below a call: calls that it made, or another line of the log."""

    content: Group | StoredLine
    branch: str = ""
    below: str = ""


class _Row(NamedTuple):
    """A group of calls, or another line, where it is in the tree.

    Attributes:
        name: The begin of the line.
        below: What further lines about it begin with.
        group: The calls, if any.
        marks: What is special about them, each with its style.
    """

    name: str
    below: str = ""
    group: Group = ()
    marks: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where times are on the bars."""

    start_us: int
    total_us: int
    columns: int

    def bar(self, start: int | None, end: int | None) -> str:
        """Return the bar of something that lasted from *start* to *end*."""
        if start is not None and end is not None:
            first, last = sorted((self._column(start), self._column(end)))
            return " " * first + "━" * (last - first + 1)
        if start is not None:
            return " " * min(self._column(start), self.columns - 2) + "━?"
        if end is not None:
            return " " * max(self._column(end) - 1, 0) + "?━"
        return ""

    def _column(self, time_us: int) -> int:
        return (time_us - self.start_us) * (self.columns - 1) // (self.total_us or 1)


class Waterfall:
    """The calls of one operation as a tree.

    Args:
        operation: The operation.
        judgements: The verdicts on its order.
        with_logs: Whether other lines are below their call.
        width: The columns of the terminal; 0 if it is none.
        paint: Gives text a style.
    """

    def __init__(
        self,
        operation: Operation,
        judgements: Sequence[OrderJudgement],
        *,
        with_logs: bool,
        width: int,
        paint: Paint,
    ) -> None:
        self._calls = operation.calls
        self._roots = operation.roots
        self._broken = calls_out_of_order(judgements)
        self._repeats = repeats_in(operation)
        self._with_logs = with_logs
        self._width = width or _NOT_A_TERMINAL
        self._paint = paint
        apart = {call for call in self._calls if with_logs and call.lines}
        self._folding = Folding(self._calls, self._broken | apart)
        self._most = max(self._width - _BESIDE - _MIN_BAR, _MIN_BAR)
        self._max_depth = max(_MIN_DEPTH, (self._most - _SPACE_FOR_LABEL) // _INDENT)
        self._notes: dict[str, int] = {}

    @property
    def notes(self) -> list[str]:
        """The footnotes that the lines refer to, once these have been made."""
        return list(self._notes)

    def lines(self) -> Iterator[str]:
        """Yield every line."""
        rows = list(self._rows())
        sizes = (size for row in rows if row.group for size in _sizes(row))
        column = max((size for size in sizes if size <= self._most), default=0)
        start, end = first_us(self._calls) or 0, last_us(self._calls) or 0
        columns = max(_MIN_BAR, min(self._width - column - _BESIDE, _MAX_BAR))
        scale = _Scale(start, end - start, columns)
        for row in rows:
            yield from self._shown(row, column, scale) if row.group else [row.name]

    def _shown(self, row: _Row, column: int, scale: _Scale) -> Iterator[str]:
        """Yield a row; what does not fit beside its bar is on lines of its own."""
        size, with_marks = _sizes(row)
        name = row.name
        if size > column:
            yield name
            name, size = row.below, min(width_of(row.below), column)
        elif with_marks <= column:
            name, size = name + self._painted(row.marks), with_marks
        start, end, duration = _times(row.group)
        style = "bad" if is_failure(row.group[0]) else ""
        bar = self._paint(scale.bar(start, end), style)
        space = " " * (column - size)
        yield f"{name}{space}{_GAP}{duration:>{_DURATION}}{_GAP}{bar}".rstrip()
        if with_marks > column:
            yield from self._marks_below(row)

    def _marks_below(self, row: _Row) -> Iterator[str]:
        """Yield the marks, on as few lines as possible."""
        marks: list[tuple[str, str]] = []
        for mark in row.marks:
            size = width_of(row.below) + _width_of_marks((*marks, mark))
            if marks and size > self._width:
                yield row.below + self._painted(marks)
                marks = []
            marks.append(mark)
        if marks:
            yield row.below + self._painted(marks)

    def _painted(self, marks: Sequence[tuple[str, str]]) -> str:
        return "".join(_GAP + self._paint(*mark) for mark in marks)

    def _rows(self) -> Iterator[_Row]:
        drawn = rows = 0
        waiting = [(_items(self._folding.groups(self._roots)), "")]
        while waiting:
            items, indent = waiting[-1]
            if not items:
                waiting.pop()
                continue
            content, branch, below = items.pop()
            if isinstance(content, StoredLine):
                yield from (_Row(indent + branch + text) for text in logged(content))
                continue
            if rows == _MAX_CALLS:
                rest = counted(len(self._calls) - drawn, "more call")
                yield _Row(f"… and {rest}")
                return
            rows, drawn = rows + 1, drawn + len(content)
            depth = len(waiting) - 1
            if depth == 0:
                branch = below = ""
            elif depth > self._max_depth:  # no room to indent
                branch, below, indent = f"[{depth}] ", "", ""
            row = self._row(content, indent + branch, indent + below)
            yield row
            waiting.append((self._items_below(content), row.below))

    def _items_below(self, group: Group) -> list[_Item]:
        groups = self._folding.below(group)
        lines = group[0].lines if self._with_logs else []
        # Calls keep their order, whatever the clocks say, so this is no sort.
        return _items(merge(groups, lines, key=_place))

    def _row(self, group: Group, before: str, below: str) -> _Row:
        call = group[0]
        name = before + plain(label_of(call))
        if call.service and (
            call.parent is None or call.parent.service != call.service
        ):
            name += f" ({plain(call.service)})"
        return _Row(name, below, group, list(self._marks(group)))

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


def _items(contents: Iterable[Group | StoredLine]) -> list[_Item]:
    """Return *contents* with their branches, the last first."""
    contents = list(contents)
    calls = [at for at, one in enumerate(contents) if not isinstance(one, StoredLine)]
    last = max(calls, default=-1)
    found = []
    for at, content in enumerate(contents):
        below = "│  " if at < last else "   "
        if isinstance(content, StoredLine):
            found.append(_Item(content, below))
        else:
            found.append(_Item(content, "├─ " if at < last else "└─ ", below))
    return found[::-1]


def _place(content: Group | StoredLine) -> int:
    """Return when it happened, as the caller of a call saw it."""
    if isinstance(content, StoredLine):
        return content.time_us or 0
    call = content[0]
    return call.sent_at_us or call.start_us or call.end_us or 0


def _sizes(row: _Row) -> tuple[int, int]:
    """Return the widths of the name, and of the name with its marks."""
    size = width_of(row.name)
    return size, size + _width_of_marks(row.marks)


def _width_of_marks(marks: Iterable[tuple[str, str]]) -> int:
    return sum(len(_GAP) + width_of(text) for text, _ in marks)


def _times(group: Group) -> tuple[int | None, int | None, str]:
    """Return start and end of *group*, and between them in words."""
    call = group[0]
    start, end, took = call.start_us, call.end_us, duration_us(call)
    if len(group) > 1 and end is not None:
        start, end = first_us(group) or 0, last_us(group) or 0
        took = end - start
    if not call.outcome:
        return start, end, "no end"
    if took is not None:
        return start, end, words_for(took)
    return start, end, "no start" if start is None else ""


def _statistics(group: Group) -> str:
    took = [one for call in group if (one := duration_us(call)) is not None]
    number = f"× {len(group):,}"
    if not took:
        return number
    return f"{number}, p50 {words_for(median_low(took))}, max {words_for(max(took))}"
