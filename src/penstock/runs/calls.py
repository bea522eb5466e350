"""Put together the lines of each call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .line_order import spread_coarse_times
from .lines import is_about_call, outcome_of
from .older_lines import calls_of_older_lines
from .operation import NO_START, StoredCall
from .spans import SpanTree, merge_spans
from .times import earlier, later, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .lines import StoredLine
    from .operation import Recorded

    Fields = dict[str, Any]

__all__ = ["calls_of"]

_TEXTS = (
    "flow",
    "step",
    "service",
    "run_id",
    "correlation_id",
    "root_id",
    "parent_id",
    "parent_call_id",
    "parent_step",
    "outcome",
    "error_type",
)
_COARSE_US = 2_000
"""How wrong times may be that have milliseconds only."""

_IDS = ("service", "run_id", "correlation_id", "root_id", "parent_id")
_STEP = ("flow", "step")
_PROCESS = ("host.name", "process.pid")
_OF_RUN = {*_IDS, *_PROCESS, "flow"}
_OF_ENTRIES = {
    "flow": "flow",
    "step": "step",
    "parent": "parent_call_id",
    "sent_at": "sent_at",
    "outcome": "outcome",
}
"""What stands in the line of a run: the keys of its calls, and the fields they are."""


def calls_of(lines: Iterable[StoredLine]) -> list[StoredCall]:
    """Return the calls that *lines* are about, without the links between them.

    Lines may come in any order, and several times. The calls come in the order of
    their first lines. A call that has both log lines and a span is one call.
    """
    spans, found = SpanTree(), _CallLines()
    older: list[StoredLine] = []
    for line in spread_coarse_times(lines):
        if line.is_span:
            spans.add(line)
        if not is_about_call(line):
            continue
        if line.fields.get("call_id"):
            found.add(line)
        else:
            older.append(line)
    calls = found.calls()
    spans.resolve(calls)
    merged = merge_spans(calls, found.span_ids)
    return merged + calls_of_older_lines(older)


@dataclass(slots=True)
class _Parts:
    """What the lines say of one call."""

    start: StoredLine | None = None
    end: StoredLine | None = None
    entry: dict[str, Any] | None = None
    run_line: StoredLine | None = None
    """The line of its run, where *entry* stands."""
    is_shared: bool = False
    """Whether lines about another step have the same call ID."""


@dataclass(slots=True)
class _CallLines:
    """The lines of calls by call ID."""

    parts: dict[str, _Parts] = field(default_factory=dict)
    run_lines: dict[str, StoredLine] = field(default_factory=dict)
    span_ids: dict[str, set[str]] = field(default_factory=dict)
    """For each call ID the spans that were current when its lines were written."""

    def add(self, line: StoredLine) -> None:
        """Add a line of a call; one that is a copy changes nothing."""
        fields = line.fields
        call_id: str = fields["call_id"]
        parts = self.parts.setdefault(call_id, _Parts())
        known = parts.start or parts.end or line
        if any(known.fields[name] != fields[name] for name in _STEP):
            parts.is_shared = True
            return
        if fields["flow_event"] == "step.start":
            parts.start = parts.start or line
        else:
            parts.end = parts.end or line
        if not line.is_span and fields.get("span_id"):
            self.span_ids.setdefault(call_id, set()).add(f"span:{fields['span_id']}")
        if "calls" in fields:
            self._add_run(line, call_id)

    def _add_run(self, line: StoredLine, run_id: str) -> None:
        self.run_lines.setdefault(run_id, line)
        for entry in line.fields["calls"]:
            call_id = entry.get("call")
            if isinstance(call_id, str) and isinstance(entry.get("step"), str):
                parts = self.parts.setdefault(call_id, _Parts())
                parts.entry, parts.run_line = entry, line

    def calls(self) -> list[StoredCall]:
        """Return the calls."""
        calls = []
        for call_id, parts in self.parts.items():
            call = self._call(call_id, parts)
            if parts.is_shared:
                call.doubts.append("another step, which is not shown, has its call ID")
            calls.append(call)
        return calls

    def _call(self, call_id: str, parts: _Parts) -> StoredCall:
        if parts.entry is not None and parts.run_line is not None:
            return _inner_call(call_id, parts.entry, parts.run_line, parts.end)
        fields: Fields = {}
        for line in (parts.start, parts.end):
            if line is not None:
                fields |= line.fields
        call = _made(call_id, fields)
        start, end = parts.start, parts.end
        if start is not None:
            call.start_us = start.time_us
        if end is not None:
            call.end_us = end.time_us
            call.duration_ms = end.fields.get("duration_ms")
            call.outcome = outcome_of(end)
            call.recorded = self._recorded(end, has_start=start is not None)
            if start is None:
                call.start_us = _run_start(end)
                if call.recorded == "each":
                    call.doubts.append(NO_START)
                elif "started_at" in end.fields and call.recorded == "late":
                    call.recorded = "run"  # its times are by the clock of its run
                    call.end_us = later(call.start_us, call.duration_ms)
            elif _is_set_back(start, end):
                call.doubts.append("the clock was set back while it ran")
            first = end.fields.get("first_item_ms")
            call.first_item_us = later(call.start_us, first)
        return call

    def _recorded(self, end: StoredLine, *, has_start: bool) -> Recorded:
        """Return what the times of a call are from whose last line is *end*."""
        fields = end.fields
        run_line = self.run_lines.get(fields.get("run_id", ""))
        if end.is_span:
            return "span"
        if run_line is None or has_start:
            return "each"
        if fields["call_id"] == fields["run_id"]:
            return "run"
        is_same = all(fields.get(k) == run_line.fields.get(k) for k in _PROCESS)
        return "late" if is_same else "each"


def _inner_call(
    call_id: str, entry: dict[str, Any], run_line: StoredLine, end: StoredLine | None
) -> StoredCall:
    """Return a call that stands in the line of its run."""
    fields = {name: one for name, one in run_line.fields.items() if name in _OF_RUN}
    if end is not None:
        fields |= end.fields
    for key, name in _OF_ENTRIES.items():
        if isinstance(entry.get(key), str):
            fields[name] = entry[key]
    call = _made(call_id, {"outcome": "ok"} | fields)
    call.recorded = "run"
    call.start_us = later(_run_start(run_line), entry.get("start_ms"))
    duration_ms = entry.get("duration_ms")
    call.end_us = later(call.start_us, duration_ms)
    call.duration_ms = None if call.end_us is None else duration_ms
    call.first_item_us = later(call.start_us, entry.get("first_item_ms"))
    return call


def _made(call_id: str, fields: Fields) -> StoredCall:
    """Return a call without its times."""
    texts = {name: fields[name] for name in _TEXTS if name in fields}
    call = StoredCall(**texts, call_id=call_id)
    call.host, call.process = _place(fields, call_id)
    call.sent_at_us = time_of(fields.get("sent_at"))
    return call


def _is_set_back(start: StoredLine, end: StoredLine) -> bool:
    """Tell whether less time passed by the clock than the call took."""
    expected = later(start.time_us, end.fields.get("duration_ms"))
    if expected is None or end.time_us is None:
        return False
    return expected > end.time_us + _COARSE_US


def _run_start(run_line: StoredLine) -> int | None:
    started = time_of(run_line.fields.get("started_at"))
    if started is None:
        started = earlier(run_line.time_us, run_line.fields.get("duration_ms"))
    return started


def _place(fields: Fields, call_id: str) -> tuple[str, str]:
    """Return the host of a line, and what tells its process from others there.

    Without a process ID it is the beginning that the IDs of its calls have.
    """
    prefix = "" if call_id.startswith("span:") else call_id.rpartition("-")[0]
    return fields.get("host.name", ""), fields.get("process.pid") or prefix
