"""Draw calls as a tree; beside each is how long it took, and a bar for when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from penstock.errors import plain
from penstock.renderers.terminal.canvas import width_of
from penstock.runs.lines import StoredLine

from .call_tree import CallTree, logged
from .facts import (
    duration_words,
    first_us,
    is_failure,
    label_of,
    last_us,
    new_service,
    span_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from penstock.runs.operation import Operation, OrderJudgement, StoredCall

    from .folding import Group

    Paint = Callable[[str, str], str]
    """Gives text a style; ``""`` is none."""

_INDENT = 3
_MIN_DEPTH = 4
_SPACE_FOR_LABEL = 16
_GAP = "  "
_DURATION = 10
_BESIDE = 2 * len(_GAP) + _DURATION
_MIN_BAR, _MAX_BAR = 10, 40
_NOT_A_TERMINAL = 120


def unpainted(text: str, _style: str) -> str:
    """Return *text* as it is."""
    return text


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
        self._width = width or _NOT_A_TERMINAL
        self._paint = paint
        self._most = max(self._width - _BESIDE - _MIN_BAR, _MIN_BAR)
        depth = max(_MIN_DEPTH, (self._most - _SPACE_FOR_LABEL) // _INDENT)
        self._tree = CallTree(
            operation, judgements, with_logs=with_logs, max_depth=depth
        )

    @property
    def notes(self) -> list[str]:
        """The footnotes that the lines refer to, once these have been made."""
        return self._tree.notes

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
        for content, _, before, below, marks in self._tree.rows():
            if isinstance(content, StoredLine):
                yield from (_Row(before + text) for text in logged(content))
            elif isinstance(content, str):
                yield _Row(content)
            else:
                yield _Row(before + _name(content[0]), below, content, marks)


def _name(call: StoredCall) -> str:
    name = plain(label_of(call))
    service = new_service(call)
    return f"{name} ({plain(service)})" if service else name


def _sizes(row: _Row) -> tuple[int, int]:
    """Return the widths of the name, and of the name with its marks."""
    size = width_of(row.name)
    return size, size + _width_of_marks(row.marks)


def _width_of_marks(marks: Iterable[tuple[str, str]]) -> int:
    return sum(len(_GAP) + width_of(text) for text, _ in marks)


def _times(group: Group) -> tuple[int | None, int | None, str]:
    """Return start and end of *group*, and between them in words."""
    start, end = span_of(group)
    return start, end, duration_words(group)
