"""OpenTelemetry spans as calls: their callers, and the log lines of the same calls."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .lines import StoredLine
    from .operation import StoredCall

__all__ = ["SpanTree", "merge_spans"]

_SAME_US = 10_000
"""A log line and a span of one call begin within so many microseconds."""


class SpanTree:
    """The spans of steps and of what frameworks did between them.

    Attributes:
        logged_ids: The call IDs that spans made from log lines have there.
    """

    def __init__(self) -> None:
        self.logged_ids: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._links: dict[str, str] = {}
        self._steps: set[str] = set()
        self._callers: dict[str, str] = {}

    def add(self, span: StoredLine) -> None:
        """Add a span."""
        fields = span.fields
        span_id: str = fields["call_id"]
        self._parents[span_id] = fields.get("parent_call_id", "")
        if fields.get("flow_event"):
            self._steps.add(span_id)
        if "logged_call_id" in fields:
            self.logged_ids[span_id] = fields["logged_call_id"]
        for link in fields.get("links", ())[:1]:
            self._links[span_id] = link

    def resolve(self, calls: Iterable[StoredCall]) -> None:
        """Give each span of a step the span of the step that called it.

        It is the nearest one above, else the one that sent the message, by the link.
        """
        for call in calls:
            if call.call_id in self._steps:
                link = self._links.get(call.call_id, "")
                caller = self._caller(call.parent_call_id)
                call.parent_call_id = caller or self._caller(link) or link

    def _caller(self, span_id: str) -> str:
        """Return *span_id* if it is a step's or unknown, else the nearest step above.

        ``""`` if there is none: above the spans of frameworks, an unknown one is that
        of another program, as in a request from outside.
        """
        path: list[str] = []
        seen: set[str] = set()
        while span_id in self._parents and span_id not in self._steps:
            if span_id in self._callers or span_id in seen:
                span_id = self._callers.get(span_id, "")
                break
            path.append(span_id)
            seen.add(span_id)
            span_id = self._parents[span_id]
        if path and span_id not in self._steps:
            span_id = ""
        for passed in path:
            self._callers[passed] = span_id
        return span_id


def merge_spans(
    calls: list[StoredCall],
    span_ids: Mapping[str, set[str]],
    logged_ids: Mapping[str, str],
) -> list[StoredCall]:
    """Return *calls* without the spans of calls that have log lines, too.

    *span_ids* are the spans that were current when the lines of a call were written:
    its own, or its caller's if the log backend comes before that of OpenTelemetry.
    *logged_ids* are the call IDs of spans that were made from log lines.
    """
    logged = {call.call_id for call in calls}
    own = {
        span: one for span, one in logged_ids.items() if one in logged and one != span
    }
    spans: dict[tuple[str, str, str], list[StoredCall]] = {}
    for call in calls:
        if call.recorded == "span" and call.call_id not in own:
            spans.setdefault(_key(call), []).append(call)
    for found in spans.values():
        found.sort(key=_start)
    for call in calls:
        near = spans.get(_key(call), []) if call.recorded != "span" else []
        span = _take_span(call, near, span_ids.get(call.call_id, set()))
        if span is not None:
            own[span.call_id] = call.call_id
            call.parent_call_id = call.parent_call_id or span.parent_call_id
    kept = [call for call in calls if call.call_id not in own]
    for call in kept:
        call.parent_call_id = own.get(call.parent_call_id, call.parent_call_id)
    return kept


def _key(call: StoredCall) -> tuple[str, str, str]:
    return call.run_id, call.flow, call.step


def _start(call: StoredCall) -> int:
    return call.start_us or 0


def _take_span(
    call: StoredCall, spans: list[StoredCall], current: set[str]
) -> StoredCall | None:
    """Remove the span of a call from *spans*, which are sorted, and return it.

    It is the one that began with the call, else the one that was current.
    """
    at = bisect_left(spans, _start(call), key=_start)
    near = range(max(at - 1, 0), min(at + 1, len(spans)))
    for index in sorted(
        near, key=lambda index: abs(_start(spans[index]) - _start(call))
    ):
        if abs(_start(spans[index]) - _start(call)) < _SAME_US:
            return spans.pop(index)
    for index, span in enumerate(spans):
        if span.call_id in current:
            return spans.pop(index)
    return None
