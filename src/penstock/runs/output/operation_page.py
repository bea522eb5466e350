"""Write an operation as an HTML page: its calls beside the picture of its flows."""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

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
    words_for,
)
from .header import footnotes, header_of
from .operation_picture import draw_operation
from .table_page import (
    TablePage,
    as_html,
    asset,
    picture_of,
    section,
    step_name,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock.runs.operation import Operation, OrderJudgement

    from .call_tree import TreeRow
    from .facts import Shown
    from .folding import Group
    from .header import Fact
    from .operation_picture import OperationPicture

_MAX_DEPTH = 16
_LEAST_BAR, _OPEN_BAR = 1.0, 2.0  # percent
_OTHER_HUE = "slate"
_HEAD = (
    '<th scope="col">Call</th><th scope="col">Took</th><th scope="col">'
    '<span class="scale"><span>0</span><span>$middle</span><span>$end</span></span>'
    "</th>"
)
_PATH = {
    "ran": "called",
    "failed": "a call failed",
    "broken": "out of order",
    "unseen": "not called",
}


def as_page(operation: Operation, shown: Shown) -> str:
    """Return one operation as a page that loads no other files."""
    judgements = shown.judgements.get(operation, ())
    picture = draw_operation(operation, judgements, shown.flows)
    tree = CallTree(
        operation, judgements, with_logs=shown.with_logs, max_depth=_MAX_DEPTH
    )
    rows = _CallRows(operation, picture)
    written = list(rows.written(tree.rows()))  # finds the notes
    outside = operation.lines if shown.with_logs else []
    facts = dict(header_of(operation, judgements, shown.without_order))
    label = label_of(operation.roots[0]) if operation.roots else "No call"
    page = TablePage(
        title=f"{label}, {operation.root_id}",
        heading=label,
        marks=_marks(facts.pop("outcome", ()), judgements),
        facts=facts.items(),
        picture=_picture(picture),
        head=Template(_HEAD).substitute(
            middle=words_for(rows.total_us // 2), end=words_for(rows.total_us)
        ),
        rows=written,
        rest=section("Notes", map(_paragraph, footnotes(tree.notes)))
        + section("Lines outside the calls", map(_log, outside)),
        style=f"{asset('operation_page.css')}\n{_path_style(picture)}",
    )
    return as_html(page)


def _marks(
    outcome: Iterable[Fact], judgements: Sequence[OrderJudgement]
) -> Iterator[Fact]:
    """Yield how the operation ended, and whether it broke the order."""
    for text, style in outcome:
        yield text, style or ("good" if text == "ok" else "")
    if any(one.verdict == "out of order" for one in judgements):
        yield "out of order", "bad"


def _paragraph(text: str) -> str:
    return f'<p dir="auto">{text_of(text)}</p>'


def _log(line: StoredLine) -> str:
    text = "\n".join(escape(one) for one in logged(line))  # each is plain already
    return f'<pre dir="auto">{text}</pre>'


# -- the picture --------------------------------------------------------------------


def _path_style(picture: OperationPicture) -> str:
    """Return the style of what was called, failed, or was not called.

    It names the parts by their IDs, so the picture needs no script to show the path.
    """
    if not picture.svg:
        return ""
    return Template(asset("operation_path.css")).substitute(picture.lit)


def _picture(picture: OperationPicture) -> str:
    samples = [one for one in _PATH.items() if picture.lit.get(one[0])]
    return picture_of(picture.svg, samples)


# -- the waterfall ------------------------------------------------------------------


class _CallRows:
    """Writes the rows of the waterfall.

    Attributes:
        total_us: How long the operation took.
    """

    def __init__(self, operation: Operation, picture: OperationPicture) -> None:
        self._picture = picture
        self._start_us = first_us(operation.calls) or 0
        self.total_us: int = (last_us(operation.calls) or 0) - self._start_us

    def written(self, rows: Iterable[TreeRow]) -> Iterator[str]:
        """Yield the rows as HTML."""
        for row in rows:
            if isinstance(row.content, str):
                yield f'<tr class="rest"><td colspan="3">{row.content}</td></tr>'
            elif isinstance(row.content, StoredLine):
                yield (
                    f'<tr class="log"><td colspan="3" class="{_indent(row)}">'
                    f"{_log(row.content)}</td></tr>"
                )
            else:
                yield self._calls(row, row.content)

    def _calls(self, row: TreeRow, group: Group) -> str:
        call = group[0]
        card = self._picture.cards.get((call.flow, call.step))
        link = f' data-card="{card}"' if card else ""
        kind = "row bad" if is_failure(call) else "row"
        start, end = span_of(group)
        return (
            f'<tr class="{kind}"{link}>'
            f'<td class="name {_indent(row)}">{"".join(_name(row, group))}</td>'
            f'<td class="took">{duration_words(group)}</td>'
            f'<td class="when">{self._bar(group, start, end)}</td></tr>'
        )

    def _bar(self, group: Group, start: int | None, end: int | None) -> str:
        """Return the bar of calls, whose open end is a question mark."""
        hue = self._picture.hues.get(group[0].flow, _OTHER_HUE)
        kind = "wrong" if is_failure(group[0]) else hue
        one, other = self._percent(start), self._percent(end)
        if one is not None and other is not None:
            left, width, sign = min(one, other), abs(other - one), ""
        elif one is not None:
            left, width = min(one, 100 - _OPEN_BAR), _OPEN_BAR
            sign = _sign(left + width + _LEAST_BAR, "start")
        elif other is not None:
            left, width = max(other - _OPEN_BAR, 0), _OPEN_BAR
            sign = _sign(left - _LEAST_BAR, "end")
        else:
            return ""
        width = max(width, _LEAST_BAR)
        left = min(left, 100 - width)
        return (
            '<svg class="penstock" aria-hidden="true"><rect '
            f'class="{kind}" x="{left:.2f}%" y="5" width="{width:.2f}%" height="8" '
            f'rx="3"/>{sign}</svg>'
        )

    def _percent(self, time_us: int | None) -> float | None:
        if time_us is None:
            return None
        return (time_us - self._start_us) * 100 / (self.total_us or 1)


def _indent(row: TreeRow) -> str:
    return f"d{min(row.depth, _MAX_DEPTH)}"


def _sign(at: float, anchor: str) -> str:
    return f'<text class="quiet" x="{at:.2f}%" y="13" text-anchor="{anchor}">?</text>'


def _name(row: TreeRow, group: Group) -> Iterator[str]:
    call = group[0]
    if row.depth > _MAX_DEPTH:
        yield f'<span class="quiet">{row.before}</span>'
    yield step_name(call.flow, call.step)
    service = new_service(call)
    if service:
        yield f' <span class="service" dir="auto">{text_of(service)}</span>'
    for text, style in row.marks:
        yield f' <span class="mark {style}" dir="auto">{escape(text)}</span>'
