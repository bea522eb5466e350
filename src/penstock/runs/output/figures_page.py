"""Write the figures of steps as an HTML page: a table beside a picture of the flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.runs.figures import never_called

from .facts import counted, percent, rfc3339, words_for
from .figures_picture import FiguresPicture, draw_figures
from .table_page import TablePage, as_html, asset, picture_of, step_name, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from penstock._types import FlowInfo
    from penstock.runs.figures import StepFigures
    from penstock.runs.lines import ReadCounts

    from .header import Fact

_NO_END = "No end"
_COLUMNS = {
    "Step": "",
    "Calls": "",
    "Errors": "Calls that ended in an error",
    "p50": "Half of the calls took at most so long",
    "p95": "95 of 100 calls took at most so long",
    "p99": "99 of 100 calls took at most so long",
    "Time": "Share of the time of all runs of the flow",
    _NO_END: "Calls without an end",
}
_MAX_NAMED = 3  # flows in the heading
_OTHER_HUE = "slate"
_TO_THE_SECOND = len("2026-11-30T10:15:02")


def figures_as_page(
    figures: Sequence[StepFigures],
    flows: Sequence[FlowInfo],
    counts: ReadCounts,
    sources: Sequence[str],
) -> str:
    """Return a page that loads no other files.

    Args:
        figures: The figures, at least one.
        flows: The flows as they are declared.
        counts: What was read and skipped.
        sources: What was read, as the user named it.
    """
    names = list(dict.fromkeys(one.flow for one in figures))
    known = any(flow.name in names for flow in flows)
    picture = draw_figures(figures, flows, "page") if known else FiguresPicture()
    heading = ", ".join(names) if len(names) <= _MAX_NAMED else f"{len(names)} flows"
    # As in the text: where most time goes comes first.
    every = [*figures, *never_called(figures, flows)]
    rows = sorted(every, key=lambda one: (one.flow, -one.total_ms))
    has_open = any(one.no_end for one in figures)
    page = TablePage(
        title=f"Figures of {heading}",
        heading=heading,
        marks=[("of the kept runs", "doubtful")] if counts.is_sampled else [],
        facts=_facts(figures, counts, sources),
        picture=picture_of(picture.svg),
        head="".join(_column(one) for one in _COLUMNS if has_open or one != _NO_END),
        rows=_rows(rows, picture, has_open=has_open),
        style=asset("figures_page.css"),
        script=asset("figures_page.js"),
    )
    return as_html(page)


def _facts(
    figures: Sequence[StepFigures], counts: ReadCounts, sources: Sequence[str]
) -> Iterator[tuple[str, Iterable[Fact]]]:
    times = [
        time
        for one in figures
        for time in (one.first_us, one.last_us)
        if time is not None
    ]
    services = sorted({one.service for one in figures if one.service})
    calls = counted(sum(one.calls for one in figures), "call")
    yield "runs", [(f"{sum(one.runs for one in figures):,}", "")]
    yield "calls", [(f"{calls} in {', '.join(services)}" if services else calls, "")]
    if times:
        yield "when", [(f"{_second(min(times))} to {_second(max(times))}", "")]
    files = f" in {counted(counts.files, 'file')}" if counts.files else ""
    yield "read", [(f"{counted(counts.hits, 'line')}{files}", "")]
    yield "sources", [(source, "") for source in sources]
    if counts.is_sampled:
        yield "sampled", [("others were dropped by sampling", "doubtful")]
    yield "skipped", [*_skipped(counts)]


def _second(time_us: int) -> str:
    return f"{rfc3339(time_us)[:_TO_THE_SECOND]}Z"


def _skipped(counts: ReadCounts) -> Iterator[Fact]:
    for reason, number in counts.skipped.items():
        yield f"{counted(number, 'line')}: {reason}", "doubtful"
    for path, reason in counts.unread.items():
        yield f"{path}: {reason}", "doubtful"


def _column(name: str) -> str:
    about = f' title="{_COLUMNS[name]}"' if _COLUMNS[name] else ""
    return f'<th scope="col"{about}>{name}</th>'


def _rows(
    figures: Sequence[StepFigures], picture: FiguresPicture, *, has_open: bool
) -> Iterator[str]:
    services: dict[str, set[str]] = {}
    highest: dict[str, float] = {}
    for one in figures:
        services.setdefault(one.flow, set()).update([one.service] if one.calls else [])
        highest[one.flow] = max(highest.get(one.flow, 0.0), one.share)
    for one in figures:
        card = picture.cards.get((one.flow, one.step))
        link = f' data-card="{card}"' if card else ""
        flow = one.flow if len(services) > 1 else ""
        service = one.service if len(services[one.flow]) > 1 else ""
        hue = picture.hues.get(one.flow, _OTHER_HUE)
        cells = "".join(_cells(one, _bar(one.share, highest[one.flow], hue)))
        if has_open:
            cells += _cell(_NO_END, one.no_end, f"{one.no_end:,}" if one.no_end else "")
        yield (
            f'<tr class="row{" bad" if one.errors else ""}"{link}>'
            f"{_name(one, flow, service)}{cells}</tr>"
        )


def _name(one: StepFigures, flow: str, service: str) -> str:
    pill = f' <span class="service" dir="auto">{text_of(service)}</span>'
    key = text_of(f"{one.flow}/{one.step}/{one.service}")
    name = step_name(flow, one.step)
    return f'<td data-key="{key}">{name}{pill if service else ""}</td>'


def _cells(one: StepFigures, bar: str) -> Iterator[str]:
    yield _cell("Calls", one.calls, f"{one.calls:,}")
    errors = percent(one.error_rate) if one.calls else ""
    yield _cell("Errors", one.error_rate, errors)
    times = one.quantiles_ms or (None,) * 3
    for name, ms in zip(("p50", "p95", "p99"), times, strict=True):
        yield _cell(name, ms, "" if ms is None else words_for(round(ms * 1000)))
    time = f"{percent(one.share)}{bar}" if one.calls else ""
    yield _cell("Time", one.share, time)


def _bar(share: float, highest: float, hue: str) -> str:
    """Return a bar as long as a share of the time, next to the highest of its flow."""
    return (
        '<svg class="penstock" aria-hidden="true"><rect '
        f'class="{hue}" width="{share * 100 / (highest or 1):.2f}%" height="4" rx="2"/>'
        "</svg>"
    )


def _cell(name: str, value: float | None, shown: str) -> str:
    """Return a cell with the value that it is sorted by; what is unknown comes last."""
    key = -1 if value is None else round(value, 6)
    return f'<td data-name="{name}" data-key="{key}">{shown}</td>'
